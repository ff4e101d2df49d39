"""Writes the handwritten digits that scikit-learn carries as files for Synfire.

    .tools/venv/bin/python scripts/digits.py OUTDIR

OUTDIR/calibration_images.npy   float32 [256, 1, 8, 8] in [0, 1], from the training samples
OUTDIR/test_images.npy          float32 [450, 1, 8, 8] in [0, 1], samples 0, 4, 8, ...
OUTDIR/test_labels.npy          uint8 [450]
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

CALIBRATION = 256


def split():
    """Training images and labels, test images and labels; images are float32 [N, 1, 8, 8] in [0, 1]."""
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None]
    labels = digits.target.astype(np.uint8)
    test = np.arange(len(labels)) % 4 == 0
    return images[~test], labels[~test], images[test], labels[test]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    training, _, images, labels = split()
    np.save(out / "calibration_images.npy", training[:CALIBRATION])
    np.save(out / "test_images.npy", images)
    np.save(out / "test_labels.npy", labels)
    print(f"{out}: {CALIBRATION} images to calibrate with, {len(labels)} test images")


if __name__ == "__main__":
    main()
