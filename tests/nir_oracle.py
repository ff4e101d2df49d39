"""What Python's `nir` makes of a file, as JSON; and a second executor, written from NIR's equations with NumPy.

    nir_oracle.py dump FILE …           the graphs that nir.read returns
    nir_oracle.py write DIR             files written by nir.write, with their graphs
    nir_oracle.py run DT FILE X.npy …   the outputs of every Output node, for each pair of files
    nir_oracle.py hostile DIR           broken files
"""

import json
import os
import sys

import h5py
import nir
import numpy as np


def canon(value):
    """Arrays and numbers with their type and bits."""
    if isinstance(value, dict):
        return {str(key): canon(item) for key, item in value.items()}
    if isinstance(value, str):
        return value
    value = np.asarray(value)
    if value.dtype.kind in "OSU":
        return [s if isinstance(s, str) else s.decode() for s in value.ravel().tolist()]
    return {"dtype": str(value.dtype), "shape": list(value.shape), "hex": value.astype(value.dtype.newbyteorder("<")).tobytes().hex()}


def describe(graph):
    nodes = {}
    for name, node in graph.nodes.items():
        nodes[name] = describe(node) if isinstance(node, nir.NIRGraph) else canon(node.to_dict())
    return {"type": "NIRGraph", "nodes": nodes, "edges": sorted(map(list, graph.edges)), "metadata": canon(graph.metadata)}


def dump(path):
    with h5py.File(path) as file:
        version = file["version"][()].decode()
    return {"version": version, **describe(nir.read(path))}


# ---------------------------------------------------------------------------------------------------------------------
# The second executor: one time step of all nodes after another, in an order found by depth-first search.


def flatten(graph, prefix=""):
    """Primitives by full name, edges, and the ports of the graph."""
    nodes, edges, entry, leave = {}, [], {}, {}
    for name, node in graph.nodes.items():
        full = prefix + name
        if isinstance(node, nir.NIRGraph):
            inner, links, ins, outs = flatten(node, full + "/")
            nodes.update(inner)
            edges += links
            (entry[name],), (leave[name],) = ins, outs
        else:
            nodes[full] = node
            entry[name] = leave[name] = full
    edges += [(leave[a], entry[b]) for a, b in graph.edges]
    ports = [[prefix + n for n, node in graph.nodes.items() if isinstance(node, kind)] for kind in (nir.Input, nir.Output)]
    return nodes, edges, *ports


def conv(x, weight, bias, stride, padding, dilation, groups):
    """Direct convolution of [C, H, W]; paddings are pairs (before, after)."""
    x = np.pad(x, ((0, 0), padding[0], padding[1]))
    outputs, inputs, kh, kw = weight.shape
    h = (x.shape[1] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    w = (x.shape[2] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((outputs, h, w))
    for o in range(outputs):
        first = o // (outputs // groups) * inputs
        for a in range(h):
            for b in range(w):
                rows = slice(a * stride[0], a * stride[0] + dilation[0] * (kh - 1) + 1, dilation[0])
                cols = slice(b * stride[1], b * stride[1] + dilation[1] * (kw - 1) + 1, dilation[1])
                y[o, a, b] = np.sum(x[first : first + inputs, rows, cols] * weight[o]) + bias[o]
    return y


def pair(value):
    value = np.ravel(value)
    return (int(value[0]), int(value[-1]))


def pads(node, kernel):
    if isinstance(node.padding, str):
        totals = [d * (k - 1) if node.padding == "same" else 0 for d, k in zip(pair(node.dilation), kernel)]
        return [(t // 2, t - t // 2) for t in totals]
    return [(p, p) for p in pair(node.padding)]


class Cell:
    """A node with its state."""

    def __init__(self, node, dt):
        self.node, self.dt, self.v, self.i, self.queue = node, dt, 0.0, 0.0, []

    def early(self):
        return isinstance(self.node, nir.Delay) and bool(np.all(np.round(self.node.delay / self.dt) >= 1))

    def neuron(self):
        return isinstance(self.node, (nir.I, nir.IF, nir.LI, nir.LIF, nir.CubaLI, nir.CubaLIF))

    def step(self, x):
        n, dt = self.node, self.dt
        kind = type(n).__name__
        f = lambda name: np.asarray(getattr(n, name), dtype=np.float64)
        if kind in ("Input", "Output"):
            return x
        if kind in ("Affine", "Linear"):
            return f("weight") @ x + (f("bias") if kind == "Affine" else 0.0)
        if kind == "Scale":
            return f("scale") * x
        if kind == "Threshold":
            return (x > f("threshold")).astype(float)
        if kind == "Conv1d":
            p, s, d = n.padding, int(n.stride), int(n.dilation)
            p = [(0, 0), pads(n, (1, n.weight.shape[2]))[1]] if isinstance(p, str) else [(0, 0), (int(p), int(p))]
            return conv(x[:, None], f("weight")[:, :, None], f("bias"), (1, s), p, (1, d), int(n.groups))[:, 0]
        if kind == "Conv2d":
            p = pads(n, n.weight.shape[2:])
            return conv(x, f("weight"), f("bias"), pair(n.stride), p, pair(n.dilation), int(n.groups))
        if kind in ("SumPool2d", "AvgPool2d"):
            kernel = pair(n.kernel_size)
            weight = np.ones((x.shape[0], 1, *kernel)) / (np.prod(kernel) if kind == "AvgPool2d" else 1)
            return conv(x, weight, np.zeros(x.shape[0]), pair(n.stride), pads(n, kernel), (1, 1), x.shape[0])
        if kind == "Flatten":
            return x.reshape([int(e) for e in n.output_type["output"]])
        if kind == "Delay":
            steps = np.round(n.delay / dt).astype(int)
            self.queue.append(x)
            late = [self.queue[len(self.queue) - 1 - s] if s < len(self.queue) else np.zeros_like(x) for s in steps.ravel()]
            return np.array([row.ravel()[i] for i, row in enumerate(late)]).reshape(x.shape)
        current = x
        if kind.startswith("Cuba"):
            self.i = self.i + dt / f("tau_syn") * (-self.i + f("w_in") * x)
            current = self.i
        if kind in ("I", "IF"):
            self.v = self.v + dt * f("r") * current
        else:
            tau = f("tau_mem") if kind.startswith("Cuba") else f("tau")
            self.v = self.v + dt / tau * (f("v_leak") - self.v + f("r") * current)
        if kind in ("I", "LI", "CubaLI"):
            return self.v
        spikes = self.v > f("v_threshold")
        self.v = np.where(spikes, f("v_reset"), self.v)
        return spikes.astype(float)


def run(path, x, dt):
    """A neuron's output that leads back to it within the step is taken from the step before; graphs have one neuron per circle."""
    graph = nir.read(path)
    nodes, edges, inputs, outputs = flatten(graph)
    cells = {name: Cell(node, dt) for name, node in nodes.items()}
    senders = {name: [a for a, b in edges if b == name] for name in nodes}
    readers = {name: [b for a, b in edges if a == name] for name in nodes}

    def leads_back(start, goal):
        seen, pending = set(), [start]
        while pending:
            name = pending.pop()
            if name == goal:
                return True
            if name not in seen and not cells[name].early():
                seen.add(name)
                pending += readers[name]
        return False

    late = {(a, b) for a, b in edges if cells[a].neuron() and leads_back(b, a)}
    shapes, before = {}, {}
    collected = {name: [] for name in outputs}
    for t in range(len(x)):
        now = {}

        def total(name):
            parts = []
            for a in senders[name]:
                if (a, name) in late:
                    parts.append(before.get(a, 0.0))
                else:
                    parts.append(value(a))
            return sum(parts[1:], parts[0])

        def value(name):
            if name not in now:
                cell = cells[name]
                if name in inputs:
                    now[name] = x[t].astype(np.float64)
                elif cell.early():
                    # Reads nothing of this step.
                    steps = np.round(cell.node.delay / dt).astype(int)
                    rows = [cell.queue[t - s] if s <= t else np.zeros(steps.shape) for s in steps.ravel()]
                    now[name] = np.array([row.ravel()[i] for i, row in enumerate(rows)]).reshape(steps.shape)
                else:
                    now[name] = cell.step(np.asarray(total(name)) + np.zeros(shape_of(name)))
            return now[name]

        def shape_of(name):
            node = nodes[name]
            shape = node.input_type["input"] if node.input_type is not None else None
            return [int(e) for e in np.ravel(shape)]

        for name in nodes:
            value(name)
        for name, cell in cells.items():
            if cell.early():
                cell.queue.append(np.asarray(total(name)) + np.zeros(shape_of(name)))
        before = now
        for name in outputs:
            collected[name].append(now[name])
    return {name: np.stack(rows) for name, rows in collected.items()}


# ---------------------------------------------------------------------------------------------------------------------
# Files as nir.write makes them.


def samples():
    rng = np.random.default_rng(7)
    f32 = lambda *shape: rng.normal(size=shape).astype(np.float32)
    pos = lambda *shape: rng.uniform(0.01, 0.1, size=shape)
    vector = [
        nir.Affine(f32(5, 4), f32(5)),
        nir.Linear(f32(6, 5)),
        nir.Scale(f32(6)),
        nir.Threshold(np.float64([0.1] * 6)),
        nir.Delay(np.float32([0.001, 0.002, 0.0, 0.004, 0.01, 0.1])),
        nir.I(f32(6)),
        nir.IF(r=f32(6), v_threshold=f32(6)),
        nir.LI(tau=pos(6), r=f32(6), v_leak=f32(6)),
        nir.LIF(tau=pos(6).astype(np.float32), r=pos(6), v_leak=f32(6), v_threshold=f32(6), v_reset=f32(6)),
        nir.CubaLI(tau_syn=pos(6), tau_mem=pos(6), r=pos(6), v_leak=f32(6)),
        nir.CubaLIF(tau_syn=pos(6), tau_mem=pos(6), r=pos(6), v_leak=f32(6), v_threshold=f32(6), w_in=f32(6)),
    ]
    image = [
        nir.Input(np.array([2, 9, 9])),
        nir.Conv2d(None, f32(4, 2, 3, 3), 1, 1, 1, 1, f32(4)),
        nir.AvgPool2d(np.array([3, 3]), np.array([3, 3]), np.array([0, 0])),
        nir.Conv2d((3, 3), f32(4, 4, 3, 3), (1, 1), "same", (1, 1), 1, f32(4)),
        nir.SumPool2d(np.array([2, 2]), np.array([1, 1]), np.array([0, 0])),
        nir.Flatten({"input": np.array([4, 2, 2])}, 1, 2),
        nir.Conv1d(4, f32(3, 4, 2), 1, 0, 1, 1, f32(3)),
        nir.Flatten({"input": np.array([3, 3])}, 0, -1),
    ]
    nested = nir.NIRGraph.from_list(nir.Linear(f32(4, 4)), nir.IF(np.ones(4), np.ones(4)))
    outer = nir.NIRGraph(
        {"input": nir.Input(np.array([4])), "inner": nested, "scale": nir.Scale(f32(4)), "output": nir.Output(np.array([4]))},
        [("input", "inner"), ("inner", "scale"), ("scale", "inner"), ("inner", "output")],
        metadata={"dt": 0.001, "who": "nobody", "list": np.arange(3), "flag": True, "deep": {"more": np.float32(1.5), "empty": ""}},
    )
    noted = nir.NIRGraph.from_list(nir.Scale(np.arange(1, 4, dtype=np.int16), metadata={"note": "kept", "bits": np.uint8(3)}))
    return {
        "vector": (nir.NIRGraph.from_list(*vector), "gzip"),
        "image": (nir.NIRGraph.from_list(*image), 9),
        "outer": (outer, "gzip"),
        "lzf": (nir.NIRGraph.from_list(*vector), "lzf"),
        "plain": (noted, None),
    }


def hostile(folder):
    """Files that h5py can make and no reader should trust."""

    def start(name):
        file = h5py.File(os.path.join(folder, name + ".nir"), "w")
        nir_file = file.create_group("node")
        nir_file["type"] = "NIRGraph"
        nir_file.create_dataset("edges", data=[["input", "output"]], dtype=h5py.string_dtype())
        nodes = nir_file.create_group("nodes")
        for port in ("Input", "Output"):
            node = nodes.create_group(port.lower())
            node["type"], node["shape"] = port, np.array([3])
        return file, nodes

    file, nodes = start("huge")
    node = nodes.create_group("weights")
    node["type"] = "Linear"
    node.create_dataset("weight", shape=(1 << 40, 1 << 20), dtype="f4", chunks=(1024, 1024), compression="gzip")
    file.close()
    file, nodes = start("chunk")
    node = nodes.create_group("weights")
    node["type"] = "Linear"
    node.create_dataset("weight", shape=(2, 2), maxshape=(None, None), dtype="f8", chunks=(1 << 14, 1 << 14))
    file.close()
    file, nodes = start("itself")
    nodes["loop"] = file["node"]
    file.close()
    file, nodes = start("deep")
    inner = nodes
    for _ in range(3000):
        inner = inner.create_group("g")
        inner["type"] = "NIRGraph"
        inner.create_dataset("edges", data=np.zeros((0,)))
        inner = inner.create_group("nodes")
    file.close()
    file, nodes = start("links")
    nodes["soft"] = h5py.SoftLink("/node/nodes/nowhere")
    nodes["external"] = h5py.ExternalLink("other.h5", "/x")
    file.close()
    file, nodes = start("paths")
    levels = [file.create_group(f"level{i}") for i in range(8)]
    for above, below in zip(levels, levels[1:]):
        for i in range(20):
            above[f"x{i}"] = below
    nodes["all"] = levels[0]
    file.close()
    file, nodes = start("outside")
    node = nodes.create_group("s")
    node["type"] = "Scale"
    scale = node.create_dataset("scale", data=np.arange(3.0), compression="gzip")
    size = scale.id.get_chunk_info(0).size
    file.close()
    with open(os.path.join(folder, "outside.nir"), "rb") as stream:
        content = stream.read()
    # The key of the only chunk: its stored size, no filters skipped, its offset.
    key = size.to_bytes(4, "little") + bytes(20)
    assert content.count(key) == 1
    with open(os.path.join(folder, "outside.nir"), "wb") as stream:
        stream.write(content.replace(key, b"\xff" * 4 + bytes(20)))
    # Sizes whose product is more than any integer holds, and nodes that wait for each other within a step.
    file, nodes = start("overflow")
    conv = nodes.create_group("conv")
    conv["type"], conv["weight"], conv["bias"] = "Conv2d", np.ones((1, 1, 3, 3), np.float32), np.zeros(1, np.float32)
    for field, value in {"stride": 1, "padding": 1 << 62, "dilation": 1 << 62, "groups": 1 << 62}.items():
        conv[field] = np.array([value, value])
    del nodes["input/shape"]
    nodes["input"]["shape"] = np.array([1 << 62, 1 << 62, 1 << 62])
    file.close()
    file, nodes = start("circle")
    del file["node/edges"]
    edges = [["input", "a"], ["a", "b"], ["b", "a"], ["b", "output"]]
    file["node"].create_dataset("edges", data=edges, dtype=h5py.string_dtype())
    for name in "ab":
        node = nodes.create_group(name)
        node["type"], node["scale"] = "Scale", np.ones(3)
    file.close()
    million(folder, start)
    file, nodes = start("half")
    node = nodes.create_group("s")
    node["type"], node["scale"] = "Scale", np.ones(3, np.float16)
    file.close()


def million(folder, start):
    """10⁶ groups, each in the one before, written by hand: object headers of version 1 that hold a link."""
    file, nodes = start("million")
    address = h5py.h5o.get_info(nodes.create_group("g").id).addr
    file.close()
    path = os.path.join(folder, "million.nir")
    with open(path, "rb") as stream:
        content = stream.read()
    first, count, size = len(content), 1_000_000, 88
    assert content.count(address.to_bytes(8, "little")) == 1
    content = bytearray(content.replace(address.to_bytes(8, "little"), first.to_bytes(8, "little")))
    content[40:48] = (first + count * size).to_bytes(8, "little")
    number = lambda value, length: value.to_bytes(length, "little")
    message = lambda kind, data: number(kind, 2) + number(len(data), 2) + bytes(4) + data
    info = message(2, (bytes(2) + b"\xff" * 16).ljust(24, b"\0")) + message(10, bytes(8))
    level = lambda to: b"\1\0\3\0" + number(1, 4) + number(72, 4) + bytes(4) + info + message(6, b"\1\0\1g" + number(to, 8) + bytes(4))
    with open(path, "wb") as stream:
        stream.write(content)
        # The last one holds itself.
        stream.write(b"".join(level(first + min(i + 1, count - 1) * size) for i in range(count)))
    with h5py.File(path) as file:
        assert "g" in file["node/nodes/" + "/".join("g" * 1000)]


def main(command, *args):
    if command == "dump":
        return [dump(path) for path in args]
    if command == "write":
        found = {}
        for name, (graph, compression) in samples().items():
            file = os.path.join(args[0], name + ".nir")
            nir.write(file, graph, compression=compression)
            found[name] = dump(file)
        return found
    if command == "run":
        runs = [run(path, np.load(x), float(args[0])) for path, x in zip(args[1::2], args[2::2])]
        return [{name: {"shape": list(y.shape), "values": y.ravel().tolist()} for name, y in outputs.items()} for outputs in runs]
    if command == "hostile":
        return hostile(args[0])
    raise SystemExit(__doc__)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
