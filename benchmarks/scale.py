"""Time a megapixel and peak memory as images grow, on simulated tissue of four channels.

Usage, from the project's root: ``python -m benchmarks.scale [--sizes 2048 16384] [--mesmer] [--folder FOLDER]``.
Without ``--mesmer`` a network of a few operations takes Mesmer's place, which leaves what cellscale itself does.
Prints, for each size, the seconds a megapixel of each stage and of all, their ratio to the first size's, and the peak
memory.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.predict.tiny_network import write_tiny_network


def simulated(folder: Path, size: int) -> Path:
    """Return a dataset with one image of ``size`` pixels a side."""
    dataset = folder / f"scale-{size}"
    words = [sys.executable, "-m", "cellscale", "simulate", str(dataset), "--images", "1", "--size", str(size)]
    subprocess.run([*words, "--channels", "4", "--seed", "3"], check=True, stdout=subprocess.DEVNULL)
    return dataset


def run(dataset: Path, model: list[str]) -> tuple[dict[str, float], float]:
    """Segment and measure; return the seconds of each stage and the peak memory in bytes."""
    log = dataset / "log.jsonl"
    log.unlink(missing_ok=True)
    words = [sys.executable, "-m", "cellscale", "segment-and-measure", "--overwrite", "--no_report"]
    words += ["--log_file", str(log), *model]
    process = subprocess.Popen([*words, "workspace", str(dataset)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("cellscale failed")
    events = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    records = [event["record"] for event in events if event["event"] == "StageFinished"]
    seconds = {record["stage"]: record["seconds"] for record in records}
    # Labels are made while the network runs, the project while the tables are written.
    beside = min(seconds["labels"], seconds["network"]) + min(seconds["tables"], seconds["project"])
    seconds["all"] = sum(seconds.values()) - beside
    return seconds, usage.ru_maxrss * 1024


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2048, 16384])
    parser.add_argument("--mesmer", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data"))
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    small = write_tiny_network(options.folder / "small.onnx", surround=25)
    first: dict[str, float] = {}
    for size in options.sizes:
        seconds, peak = run(simulated(options.folder, size), [] if options.mesmer else ["--model_path", str(small)])
        rates = {stage: taken / (size * size / 1e6) for stage, taken in seconds.items()}
        first = first or rates
        print(f"\n{size} x {size}: peak memory {peak / 1e9:.2f} GB; seconds a megapixel, ratio to the first size")
        for stage, rate in rates.items():
            print(f"  {stage:14} {rate:8.4f} {rate / first.get(stage, rate):8.2f}")


if __name__ == "__main__":
    main()
