"""Compile all kernels by working once on a small simulated dataset with a network that needs no weights."""

import subprocess
import sys
from pathlib import Path

from tiny_network import write_tiny_network

RUNS = ((), ("--image_mpp", "0.4", "--visualize"), ("--compartment", "nuclear"))
"""Options of the runs: one for each way through the pipeline that has kernels of its own."""


def main(folder: Path) -> None:
    """Simulate, segment and measure below a folder."""
    command = [sys.executable, "-m", "cellscale"]
    subprocess.run([*command, "simulate", str(folder), "--images", "1", "--size", "320", "--seed", "1"], check=True)
    model = str(write_tiny_network(folder / "tiny.onnx", surround=31))
    for options in RUNS:
        words = ["segment-and-measure", "--overwrite", "--model_path", model, *options, "workspace", str(folder)]
        subprocess.run([*command, *words], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
