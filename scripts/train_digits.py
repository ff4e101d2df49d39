"""Trains the demo's network on scikit-learn's handwritten digits and writes scripts/models/digits_mlp.onnx.

64 inputs (8x8 pixels in [0, 1]), one hidden layer with ReLU, 10 logits. Every fourth sample is held out for testing; the
split is the one of digits.py. The result is committed, so this runs only to make it anew:

    .tools/venv/bin/python scripts/train_digits.py [FILE]
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from digits import split

HIDDEN = 48
SEED = 7


def augment(images, rng):
    """The images, and copies of them that are moved by one pixel and slightly noisy: more data than the 1,347 there are."""
    sets = [images]
    for dy, dx in [(0, 1), (0, -1), (1, 0), (-1, 0)]:
        moved = np.zeros_like(images)
        moved[:, max(dy, 0) : 8 + min(dy, 0), max(dx, 0) : 8 + min(dx, 0)] = images[
            :, max(-dy, 0) : 8 + min(-dy, 0), max(-dx, 0) : 8 + min(-dx, 0)
        ]
        sets.append(moved)
    noisy = images + rng.normal(0, 0.05, images.shape)
    sets.append(np.clip(noisy, 0, 1))
    return np.concatenate(sets), len(sets)


def train():
    images, labels, _, _ = split()
    more, times = augment(images[:, 0], np.random.default_rng(SEED))
    network = MLPClassifier(
        (HIDDEN,), alpha=1e-3, batch_size=64, learning_rate_init=2e-3, max_iter=60, tol=0, random_state=SEED
    )
    # A fixed number of epochs is meant.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    network.fit(more.reshape(len(more), -1), np.tile(labels, times))
    return network


def export(network, file):
    weights = [w.T.astype(np.float32) for w in network.coefs_]
    biases = [b.astype(np.float32) for b in network.intercepts_]
    names = ["hidden", "logits"]
    constants = [numpy_helper.from_array(w, f"{n}.weight") for n, w in zip(names, weights)]
    constants += [numpy_helper.from_array(b, f"{n}.bias") for n, b in zip(names, biases)]
    nodes = [
        helper.make_node("Flatten", ["image"], ["pixels"], "flatten", axis=1),
        helper.make_node("Gemm", ["pixels", "hidden.weight", "hidden.bias"], ["hidden_sum"], "hidden", transB=1),
        helper.make_node("Relu", ["hidden_sum"], ["hidden_out"], "hidden_relu"),
        helper.make_node("Gemm", ["hidden_out", "logits.weight", "logits.bias"], ["scores"], "logits", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits_mlp",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 10])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="synfire")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, file)


def accuracy(file):
    import onnxruntime

    _, _, images, labels = split()
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, {"image": images})
    return float(np.mean(scores.argmax(1) == labels))


def main():
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "models" / "digits_mlp.onnx"
    export(train(), file)
    print(f"{file}: {100 * accuracy(file):.2f} % of the test images")


if __name__ == "__main__":
    main()
