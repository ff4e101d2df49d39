"""An executor of NIR files that honours Synfire's notes, written from the table in `src/frontends/nir/convention`.

    nir_notes.py FILE X.npy …    for each pair: the rows of the Output, and what every neuron sent over all steps

Needs `nir`, `h5py` and NumPy; knows the primitives that `synfire nir convert` writes.
"""

import json
import sys

import nir
import numpy as np


def convolve(x, node):
    weight, groups = np.asarray(node.weight, np.float64), int(node.groups)
    (sy, sx), (py, px), (dy, dx) = np.asarray(node.stride), np.asarray(node.padding), np.asarray(node.dilation)
    x = np.pad(x, ((0, 0), (py, py), (px, px)))
    outputs, inputs, ky, kx = weight.shape
    height = (x.shape[1] - dy * (ky - 1) - 1) // sy + 1
    width = (x.shape[2] - dx * (kx - 1) - 1) // sx + 1
    y = np.zeros((outputs, height, width)) + np.asarray(node.bias, np.float64)[:, None, None]
    for a in range(ky):
        for b in range(kx):
            seen = x[:, a * dy : a * dy + sy * height : sy, b * dx : b * dx + sx * width : sx][:, :height, :width]
            for g in range(groups):
                o = slice(g * outputs // groups, (g + 1) * outputs // groups)
                y[o] += np.einsum("oi,ihw->ohw", weight[o, :, a, b], seen[g * inputs : (g + 1) * inputs])
    return y


def pool(x, node):
    (ky, kx), (sy, sx), (py, px) = np.asarray(node.kernel_size), np.asarray(node.stride), np.asarray(node.padding)
    x = np.pad(x, ((0, 0), (py, py), (px, px)))
    height, width = (x.shape[1] - ky) // sy + 1, (x.shape[2] - kx) // sx + 1
    place = lambda r, c: x[:, r * sy : r * sy + ky, c * sx : c * sx + kx].sum(axis=(1, 2))
    return np.stack([np.stack([place(r, c) for c in range(width)], -1) for r in range(height)], 1)


class Cell:
    """A node with its state. Membranes, currents and notes are NumPy arrays in double precision."""

    def __init__(self, node):
        self.node, self.kind = node, type(node).__name__
        known = {"v_init", "reset", "compare", "subtract", "firing", "levels", "payload", "spikes", "floor", "decay", "limits"}
        strange = [key for key in node.metadata if key.startswith("synfire_") and key[8:] not in known]
        assert not strange, strange
        note = lambda key, default: node.metadata.get("synfire_" + key, default)
        self.shape = [int(e) for e in np.ravel(node.input_type["input"])]
        self.v = np.zeros(self.shape) + np.asarray(note("v_init", 0.0), np.float64)
        self.u, self.queue = np.zeros(self.shape), np.zeros(self.shape)
        self.by = note("subtract", None)
        self.subtract, self.reached = note("reset", "value") == "subtract", note("compare", "greater") == "greater-equal"
        self.levels = int(note("levels", 0)) if note("firing", "step") == "two-phase" else None
        self.graded, self.truncate = note("payload", "unit") == "graded", note("decay", "exact") == "truncate"
        self.limits = note("limits", None)
        self.most, self.floor = int(note("spikes", 1)), note("floor", "none") == "threshold"

    def field(self, name):
        return np.asarray(getattr(self.node, name), np.float64)

    def linear(self, x):
        if self.kind in ("Input", "Output"):
            return x
        if self.kind == "Linear":
            return self.field("weight") @ x
        if self.kind == "Affine":
            return np.einsum("...oi,...i->...o", self.field("weight"), x) + self.field("bias")
        if self.kind == "Scale":
            return self.field("scale") * x
        if self.kind == "Flatten":
            return x.reshape(-1)
        return {"Conv2d": convolve, "SumPool2d": pool}[self.kind](x, self.node)

    def decayed(self, state, tau):
        """What a state keeps in a step of length 1."""
        if self.truncate:
            return np.trunc(np.round(4096 * (1 - 1 / tau)) * state / 4096)
        return (1 - 1 / tau) * state

    def scaled(self, value):
        return np.round(value) if self.truncate else value

    def integrate(self, x):
        if self.kind in ("I", "IF"):
            self.v = self.v + self.field("r") * x
        else:
            tau, current = "tau", x
            if self.kind in ("CubaLI", "CubaLIF"):
                tau_syn = self.field("tau_syn")
                self.u = current = self.decayed(self.u, tau_syn) + self.scaled(self.field("w_in") / tau_syn) * x
                tau = "tau_mem"
            tau = self.field(tau)
            gain, leak = self.scaled(self.field("r") / tau), self.scaled(self.field("v_leak") / tau)
            self.v = self.decayed(self.v, tau) + gain * current + leak
        if self.limits is not None:
            self.v = np.clip(self.v, *self.limits)

    def neuron(self, x):
        self.integrate(x)
        if self.kind in ("I", "LI", "CubaLI"):
            return self.v
        theta, count = self.field("v_threshold"), np.zeros(self.shape)
        by = theta if self.by is None else np.asarray(self.by, np.float64)
        for _ in range(self.most):
            spikes = self.v >= theta if self.reached else self.v > theta
            self.v = np.where(spikes, self.v - by if self.subtract else self.field("v_reset"), self.v)
            count += spikes
        if self.floor:
            self.v = np.maximum(self.v, -theta)
        return count

    def rows(self, x):
        """All steps at once; of a two-phase neuron, first all input and then all output."""
        if self.levels is None:
            stateful = self.kind in ("I", "IF", "LI", "LIF", "CubaLI", "CubaLIF")
            return np.stack([self.neuron(row) if stateful else self.linear(row) for row in x])
        for row in x:
            self.integrate(row)
        y, theta = np.zeros((len(x), *self.shape)), self.field("v_threshold")
        for spike in range(self.levels):
            fires = self.v >= theta if self.reached else self.v > theta
            self.v = np.where(fires, self.v - theta, self.v)
            y[0 if self.graded else spike] += fires
        return y


def run(path, x):
    graph = nir.read(path)
    assert int(graph.metadata["synfire_convention"]) == 1 and float(graph.metadata["dt"]) == 1.0
    assert len(x) == int(graph.metadata["synfire_steps"])
    cells = {name: Cell(node) for name, node in graph.nodes.items()}
    senders = {name: [a for a, b in graph.edges if b == name] for name in cells}
    late = {name for name, cell in cells.items() if cell.kind == "Delay"}
    assert all(np.all(cells[name].field("delay") == 1) for name in late)
    order, seen = [], set()
    while len(order) < len(cells):
        ready = [n for n in cells if n not in seen and (n in late or all(a in seen for a in senders[n]))]
        order += ready
        seen.update(ready)

    def step(values, name, rows):
        """All rows of a node from all rows of its senders."""
        total = sum((values[a] for a in senders[name][1:]), values[senders[name][0]]) if name != "input" else rows
        return cells[name].rows(total)

    if not late:
        values = {}
        for name in order:
            values[name] = step(values, name, np.asarray(x, np.float64))
    else:
        every = []
        for row in x:
            now = {}
            for name in order:
                now[name] = cells[name].queue[None] if name in late else step(now, name, np.asarray(row, np.float64)[None])
            for name in late:
                cells[name].queue = sum(now[a][0] for a in senders[name])
            every.append(now)
        values = {name: np.concatenate([now[name] for now in every]) for name in order}
    sent = {name: values[name].sum(axis=0).ravel().tolist() for name in order}
    return {"output": values["output"][-1].ravel().tolist(), "sent": sent}


if __name__ == "__main__":
    print(json.dumps([run(path, np.load(x)) for path, x in zip(sys.argv[1::2], sys.argv[2::2])]))
