"""What the neurobench package counts in an integer network of Synfire's.

    python scripts/neurobench_metrics.py < cases.json > counts.json

Needs torch, snntorch and neurobench 2.3 (`pip install neurobench==2.3.0`). `cases.json` (written by tests/metrics_neurobench.rs) maps
names to a network as in a design, the weights of each projection as {"shape", "values"} and images as pixel codes. It is built of
torch.nn.Linear and torch.nn.Conv2d, torch's pools, and integrate-and-fire neurons derived from snnTorch's base class, in double
precision, which is exact here; every image is a batch of its own. The answer maps "neurobench" to the package's version and each name
to sums over the images, counted by the package's classes alone:

    projections   effective MACs and ACs, dense operations, effective operations of one pass on the counts of the image
    populations   outputs and zeros among them, membrane updates, footprint in bytes
    logits        [image][class]
"""

import json
import sys

try:
    import snntorch
    import torch
    from neurobench.metrics.static import Footprint
    from neurobench.metrics.workload import ActivationSparsityByLayer, MembraneUpdates, SynapticOperations
    from neurobench.models import SNNTorchModel
    from neurobench.version import __version__ as neurobench_version
    from torch import nn
except ImportError as missing:
    sys.exit(f"not installed: {missing.name}")

WIDTHS = [torch.int8, torch.int16, torch.int32, torch.int64]


class Membranes(snntorch.SpikingNeuron):
    """Integrate and fire; without a threshold, integrate only."""

    def __init__(self, start, bias, theta):
        super().__init__()
        self.start, self.bias, self.theta = start, bias, theta
        self.mem = start

    def forward(self, current):
        v = self.mem + current + self.bias
        spikes = torch.zeros_like(v) if self.theta is None else (v >= self.theta).double()
        self.mem = v if self.theta is None else v - spikes * self.theta
        return spikes, self.mem


class GradedMembranes(Membranes):
    """As Membranes, all spikes of an image in one call."""

    def __init__(self, start, theta, most):
        super().__init__(start, torch.zeros_like(start), theta)
        self.most = most

    def forward(self, current):
        v = self.mem + current
        counts = torch.clamp(torch.floor(v / self.theta), 0, self.most)
        self.mem = v - counts * self.theta
        return counts, self.mem


class Channels(nn.Module):
    """Channels `first ..` of the input through `inner` to channels `to ..` of the output."""

    def __init__(self, inner, first, to, outputs):
        super().__init__()
        self.inner, self.first, self.to, self.outputs = inner, first, to, outputs

    def forward(self, x):
        y = self.inner(x[:, self.first : self.first + self.inner.in_channels])
        after = self.outputs - self.to - y.shape[1]
        return nn.functional.pad(y, (0, 0, 0, 0, self.to, after))


def connection(p):
    """The module of a projection and its weights."""
    weight = torch.tensor(p["weights"]["values"]).double().reshape(p["weights"]["shape"])
    synapses = p["synapses"]
    if synapses["kind"] == "dense":
        module = leaf = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    else:
        w = synapses["window"]
        geometry = {"stride": w["stride"], "padding": w["pad"], "dilation": w["dilation"], "bias": False}
        if synapses["kind"] == "conv":
            module = leaf = nn.Conv2d(w["input"][0], w["output"][0], w["kernel"], groups=synapses["groups"], **geometry)
        else:
            weight = weight[:, None]
            leaf = nn.Conv2d(len(weight), len(weight), w["kernel"], groups=len(weight), **geometry)
            module = Channels(leaf, synapses["from"], synapses["to"], w["output"][0])
    leaf.weight = nn.Parameter(weight, requires_grad=False)
    return module, leaf


def pool(p, combine):
    w = p["synapses"]["window"]
    assert set(p["weights"]["values"]) == {1}, "a pool of torch has no weights"
    if combine == "max":
        return nn.MaxPool2d(w["kernel"], w["stride"], w["pad"], w["dilation"])
    return nn.AvgPool2d(w["kernel"], w["stride"], w["pad"], divisor_override=1)


def vector(runs, shape):
    flat = [value for value, times in runs for _ in range(times)]
    return torch.tensor(flat).double().reshape(1, *shape)


class Network(nn.Module):
    """Populations and projections in order; `forward` presents one image and gives logits as one time step."""

    def __init__(self, net):
        super().__init__()
        self.coding, self.steps = net["coding"], net["timesteps"]
        self.populations, self.projections = net["populations"], net["projections"]
        self.links, self.leaves = nn.ModuleList(), []
        for p in self.projections:
            neuron = self.populations[p["post"]]["neuron"]
            module, leaf = (pool(p, neuron["combine"]), None) if neuron["model"] == "pool" else connection(p)
            self.links.append(module)
            self.leaves.append(leaf)
        self.neurons = nn.ModuleDict()
        for index, pop in enumerate(self.populations):
            neuron = pop["neuron"]
            if neuron["model"] in ("source", "pool"):
                continue
            start = vector(neuron["v_init"], pop["shape"])
            theta = vector(neuron["theta"], pop["shape"]) if neuron["model"] == "if" else None
            if neuron["model"] == "if" and self.coding == "graded":
                self.neurons[f"population{index}"] = GradedMembranes(start, theta, self.steps)
            else:
                bias = vector(neuron["bias"], pop["shape"]) if "bias" in neuron else torch.zeros_like(start)
                self.neurons[f"population{index}"] = Membranes(start, bias, theta)

    def forward(self, codes):
        for neuron in self.neurons.values():
            neuron.mem = neuron.start
        shapes = [(1, *pop["shape"]) for pop in self.populations]
        silent = [torch.zeros(shape, dtype=torch.double) for shape in shapes]
        phases = self.steps if self.coding == "rate" else 1
        before, self.counts = silent, list(silent)
        for _ in range(phases):
            sent = [codes.reshape(shapes[0]), *silent[1:]]
            for index in range(1, len(self.populations)):
                sent[index] = self.population(index, sent, before, shapes[index])
            self.counts = [total + now for total, now in zip(self.counts, sent)]
            before = sent
        return self.neurons[f"population{len(self.populations) - 1}"].mem.reshape(1, 1, -1)

    def population(self, index, sent, before, shape):
        """Payloads that a population sends in a phase."""
        arriving = 0
        for link, p in zip(self.links, self.projections):
            if p["post"] != index:
                continue
            x = (before if p["delay"] else sent)[p["pre"]]
            spikes = self.coding == "unit" and self.populations[p["pre"]]["neuron"]["model"] == "if"
            calls = [(x > t).double() for t in range(self.steps)] if spikes else [x]
            for x in calls:
                x = x.flatten(1) if isinstance(link, nn.Linear) else x
                arriving = arriving + link(x).reshape(shape)
        name = f"population{index}"
        if name not in self.neurons:
            return arriving
        readout = self.populations[index]["neuron"]["model"] == "readout"
        calls = self.steps if self.coding == "unit" and not readout else 1
        total = torch.zeros(shape, dtype=torch.double)
        for call in range(calls):
            total = total + self.neurons[name](arriving if call == 0 else torch.zeros_like(total))[0]
        return total


def narrowest(values):
    """The tensor in the smallest integer type that holds it."""
    for dtype in WIDTHS:
        limits = torch.iinfo(dtype)
        if limits.min <= values.min() and values.max() <= limits.max:
            return values.to(dtype)
    raise ValueError("beyond 64 bits")


class Storage(nn.Module):
    """What a layer keeps in memory, in integer types: NeuroBench's model interface."""

    def __init__(self, network, index):
        super().__init__()
        net_pop = network.populations[index]
        for i, p in enumerate(network.projections):
            if p["post"] == index:
                bits = p["weight_bits"]
                dtype = next(d for d in WIDTHS if torch.iinfo(d).bits >= bits)
                weight = torch.tensor(p["weights"]["values"]).to(dtype)
                self.register_parameter(f"weight{i}", nn.Parameter(weight, requires_grad=False))
        names = {"if": ["theta", "v_init"], "readout": ["v_init"]}.get(net_pop["neuron"]["model"], [])
        if network.coding == "rate" and net_pop["neuron"]["model"] == "if":
            names = [*names, "bias"]
        for name in names:
            values = vector(net_pop["neuron"][name], net_pop["shape"]).reshape(net_pop["shape"][0], -1)
            shared = bool((values == values[:, :1]).all())
            kept = narrowest(values[:, 0] if shared else values)
            self.register_parameter(name, nn.Parameter(kept, requires_grad=False))
        low, high = net_pop["range"]
        kept = narrowest(torch.tensor([low, high])).dtype
        self.register_buffer("membranes", torch.zeros(net_pop["shape"], dtype=kept))

    def __net__(self):
        return self


class Part:
    """A model of some hooks only, so that a metric speaks of one layer."""

    def __init__(self, connections=(), activations=()):
        self.connection_hooks, self.activation_hooks = list(connections), list(activations)


def count(case):
    """The package's counts in one network."""
    network = Network(case["net"]).eval()
    model = SNNTorchModel(network, custom_forward=True)
    model.register_hooks()
    connection_hooks = {hook.layer: hook for hook in model.connection_hooks}
    activation_hooks = {hook.name: hook for hook in model.activation_hooks}
    links = [leaf and (leaf, SynapticOperations(), SynapticOperations()) for leaf in network.leaves]
    layers = {name: (ActivationSparsityByLayer(), MembraneUpdates()) for name in network.neurons}
    logits = []
    with torch.no_grad():
        for codes in case["images"]:
            data = (torch.tensor([codes]).double(), torch.zeros(1))
            preds = model(data[0])
            logits.append([int(v) for v in preds.flatten()])
            counts = [count.clone() for count in network.counts]
            for name, metrics in layers.items():
                for metric in metrics:
                    metric(Part(activations=[activation_hooks[name]]), preds, data)
            for link in filter(None, links):
                link[1](Part([connection_hooks[link[0]]]), preds, data)
            model.reset_hooks()
            for link, p, whole in zip(links, network.projections, network.links):
                if link:
                    x = counts[p["pre"]]
                    whole(x.flatten(1) if isinstance(whole, nn.Linear) else x)
                    link[2](Part([connection_hooks[link[0]]]), preds, data)
            model.reset_hooks()

    def of_population(index):
        counts = {"footprint": Footprint()(Storage(network, index)), "outputs": 0, "active": 0, "updates": 0}
        name = f"population{index}"
        if name in layers:
            sparsity, updates = layers[name]
            counts["updates"] = sum(updates.neuron_membrane_updates.values())
            if network.populations[index]["neuron"]["model"] == "if":
                counts["outputs"] = sparsity.layer_neuro_num[name]
                counts["active"] = sparsity.layer_spike_num[name]
        return counts

    def of_projection(link):
        operations, once = link[1:]
        return {
            "macs": operations.MAC,
            "acs": operations.AC,
            "dense": operations.total_synops,
            "one_pass": once.MAC + once.AC,
        }

    return {
        "projections": [link and of_projection(link) for link in links],
        "populations": [of_population(index) for index in range(1, len(network.populations))],
        "logits": logits,
    }


def main():
    cases = json.load(sys.stdin)
    json.dump({"neurobench": neurobench_version, **{name: count(case) for name, case in cases.items()}}, sys.stdout)


if __name__ == "__main__":
    main()
