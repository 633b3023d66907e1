"""Cost of a quarter of an image beside that of all of it, in processor time and by the clock, in turns.

Usage, from the project's root: ``python -m benchmarks.parts [--size 4096] [--rounds 2] [--tiny] [--folder FOLDER]``.
Segments simulated tissue of four channels: all of it, its upper left quarter and the quarter in its middle. With
``--tiny`` a network of a few operations takes Mesmer's place. Prints the seconds of each, their ratios to the whole,
and the tiles that the network computed: a quarter has more than a quarter of them, as tiles overlap and reach beyond
its border.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.scale import simulated
from tests.predict.tiny_network import write_tiny_network


def quarters(size: int, folder: Path) -> dict[str, list[str]]:
    """Return the options for each part: all, and files of regions with a quarter each."""
    side = size // 2
    options: dict[str, list[str]] = {"whole": []}
    for name, start in (("corner", 0), ("middle", size // 4)):
        low, high = start, start + side
        ring = [[low, low], [high, low], [high, high], [low, high], [low, low]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        feature = {"type": "Feature", "geometry": geometry, "properties": {"name": name}}
        path = folder / f"{name}-{size}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
        options[name] = ["--regions", str(path)]
    return options


def cost(dataset: Path, words: list[str]) -> tuple[float, float, int]:
    """Segment; return processor time and time by the clock in seconds, and the tiles that were computed."""
    log = dataset / "log.jsonl"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "cellscale", "segment", "--overwrite", "--no_report", "--log_file", str(log)]
    start = perf_counter()
    process = subprocess.Popen([*command, *words, "workspace", str(dataset)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    taken = perf_counter() - start
    if status:
        raise SystemExit("cellscale failed")
    events = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    records = [event["record"] for event in events if event["event"] == "StageFinished"]
    tiles = sum(record["units"] for record in records if record["stage"] == "network")
    return usage.ru_utime + usage.ru_stime, taken, tiles


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data"))
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    dataset = simulated(options.folder, options.size)
    model = (
        ["--model_path", str(write_tiny_network(options.folder / "small.onnx", surround=25))] if options.tiny else []
    )
    parts = quarters(options.size, options.folder)
    cost(dataset, [*model, *parts["middle"]])  # compiles what is compiled once
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in parts}
    for _ in range(options.rounds):
        for name, words in parts.items():
            found[name].append(cost(dataset, [*model, *words]))
    whole = [min(column) for column in zip(*found["whole"], strict=True)]
    for name, rounds in found.items():
        processor, clock, tiles = (min(column) for column in zip(*rounds, strict=True))
        ratios = f"{processor / whole[0]:.2f} and {clock / whole[1]:.2f} of the whole"
        unit = "groups of 16 tiles" if name == "whole" else "tiles"
        print(f"{name:8} {processor:7.1f} s of processor time, {clock:7.1f} s: {ratios}; {tiles} {unit}")


if __name__ == "__main__":
    main()
