"""Make ``golden_labels.npz``: what InstanSeg's own program finds in the image of ``golden_image``.

Needs PyTorch and InstanSeg's weights as TorchScript, neither of which the tests need; numpy is enough besides::

    python tests/predict/instanseg/make_golden.py path/to/instanseg.pt

It was made with PyTorch 2.15.0 on a processor and instanseg.pt of SHA-256 636833d26b5a...
"""

import sys
import warnings
from pathlib import Path

import numpy as np

__all__ = ["GOLDEN", "golden_image", "scaled"]

GOLDEN = Path(__file__).with_name("golden_labels.npz")


def golden_image():
    """Return uint16 ``(2, 200, 230)``: nuclei in bright rings of membrane, some of them touching, and noise."""
    random = np.random.default_rng(16)
    rows, columns = np.mgrid[:200, :230]
    nuclei, membranes = np.zeros((2, 200, 230))
    for top in range(16, 200, 22):
        for left in range(14 + top % 4, 230, 24):
            row, column = top + random.uniform(-4, 4), left + random.uniform(-4, 4)
            wide, high = random.uniform(6, 9, 2)
            distance = np.hypot((rows - row) / high, (columns - column) / wide)
            nuclei = np.maximum(nuclei, random.uniform(0.5, 1) / (1 + np.exp((distance - 0.75) * 14)))
            membranes = np.maximum(membranes, random.uniform(0.4, 1) * np.exp(-(((distance - 1.3) * 5) ** 2)))
    image = 3000 + 40000 * np.stack([nuclei, membranes]) + random.normal(0, 900, (2, 200, 230))
    return np.clip(np.rint(image), 0, 65535).astype(np.uint16)


def scaled(image):
    """Return what InstanSeg's program takes: each channel by its 0.1 and 99.9 percentiles, float32."""
    pixels = image.astype(np.float32)
    low, high = np.percentile(pixels, [0.1, 99.9], axis=(1, 2), keepdims=True)
    return ((pixels - low.astype(np.float32)) / (high - low + 1e-6).astype(np.float32)).astype(np.float32)


def main(archive):
    """Write the labels of nuclei and cells."""
    import torch

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch would rather have no TorchScript
        program = torch.jit.load(archive, map_location="cpu").eval()
        labels = program(torch.from_numpy(scaled(golden_image())[None].copy())).numpy()[0]
    nuclei, cells = labels.astype(np.uint16)
    np.savez_compressed(GOLDEN, nuclei=nuclei, cells=cells)
    print(f"{nuclei.max()} nuclei, {cells.max()} cells; {GOLDEN.stat().st_size} bytes; PyTorch {torch.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
