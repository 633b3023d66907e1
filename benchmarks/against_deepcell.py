"""cellscale beside deepcell-toolbox: time and memory by stage, on the same images, weights and machine, in one run.

Usage: ``python benchmarks/against_deepcell.py [--sizes 512 1024 2048] [--deepcell_python PYTHON] [--folder FOLDER]``.
deepcell-toolbox runs in an environment of its own; without ``--deepcell_python`` one is made in FOLDER. Both see the
same simulated tissue, one tile a call, on all cores. Prints a table of each size: seconds a megapixel, ratios, peak
memory, how the two agree, and how cellscale agrees with the simulator's truth.
"""

import argparse
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.agreement import agreement, matched_pixel_share
from cellscale.weights.catalogue import MESMER, installed_path

HERE = Path(__file__).parent
DEEPCELL = "deepcell-toolbox==0.12.1"
NEEDED = [
    "cython",
    "networkx",
    "numpy<2",
    "onnxruntime",
    "opencv-python-headless<4.12",
    "pandas",
    "scikit-image<0.26",
    "scipy",
    "setuptools<80",
    "wheel",
]
ROWS = ("preprocess", "network", "postprocess", "all but network")


def deepcell_environment(folder: Path) -> Path:
    """Return the Python of an environment with deepcell-toolbox, made on first use."""
    python = folder / "deepcell" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "deepcell", with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *NEEDED], check=True)
        # It asks for a Python before 3.11, but runs on later ones, and for a Cython that numpy refuses.
        own = ["--no-deps", "--no-build-isolation", "--ignore-requires-python", DEEPCELL]
        subprocess.run([*install, *own], check=True)
    return python


def measured(words: list[str]) -> tuple[str, float]:
    """Run a command; return what it prints and its peak memory in bytes."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{words[0]} failed")
    return output, usage.ru_maxrss * 1024


def run_cellscale(dataset: Path) -> tuple[dict[str, float], float]:
    """Segment the dataset's image; return the seconds by stage and the peak memory."""
    log = dataset / "log.jsonl"
    log.unlink(missing_ok=True)
    words = [sys.executable, "-m", "cellscale", "segment", "--overwrite", "--log_file", str(log)]
    _, peak = measured([*words, "workspace", str(dataset)])
    events = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    records = {event["record"]["stage"]: event["record"] for event in events if event["event"] == "StageFinished"}
    return by_step(records), peak


def by_step(records: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return the seconds of each step as if none ran beside another: workers' time spread over all cores."""
    cores = len(os.sched_getaffinity(0))
    labels, feeding = records["labels"]["busy_seconds"] / cores, records["network"]["busy_seconds"] / cores
    before = sum(records[stage]["seconds"] for stage in ("statistics", "equalisation"))
    after = sum(records[stage]["seconds"] for stage in ("numbering", "masks"))
    return {
        "preprocess": before + feeding,
        "network": records["network"]["seconds"] - feeding - labels,
        "postprocess": labels + records["numbering"]["seconds"],
        "all but network": before + feeding + labels + after,
        "all": before + records["network"]["seconds"] + after,
    }


def run_deepcell(python: Path, dataset: Path) -> tuple[dict[str, float], float]:
    """Segment the same channels with deepcell-toolbox."""
    (image,) = (dataset / "OMETIFF").iterdir()
    np.save(dataset / "image.npy", np.moveaxis(tifffile.imread(image, level=0)[:2], 0, -1))
    words = [str(python), str(HERE / "deepcell_run.py"), str(dataset / "image.npy"), str(installed_path(MESMER))]
    output, _ = measured([*words, str(dataset / "deepcell.npy")])
    found = json.loads(output)
    seconds = found["seconds"]
    total = sum(seconds.values())
    return {**seconds, "all but network": total - seconds["network"], "all": total}, found["peak_memory"]


def compare(size: int, folder: Path, python: Path) -> None:
    """Run both on one image and print what they took."""
    dataset = folder / str(size)
    words = [sys.executable, "-m", "cellscale", "simulate", str(dataset), "--images", "1", "--size", str(size)]
    subprocess.run([*words, "--channels", "4", "--seed", "5", "--truth"], check=True, stdout=subprocess.DEVNULL)
    ours, our_peak = run_cellscale(dataset)
    theirs, their_peak = run_deepcell(python, dataset)
    megapixels = size * size / 1e6
    print(f"\n{size} x {size}: seconds a megapixel (cellscale, deepcell-toolbox, ratio)")
    for name in (*ROWS, "all"):
        one, other = ours[name] / megapixels, theirs[name] / megapixels
        print(f"  {name:16} {one:8.3f} {other:8.3f} {other / one:8.1f}")
    print(f"  {'peak memory':16} {our_peak / 1e9:8.2f} {their_peak / 1e9:8.2f} GB")
    show_agreement(dataset)


def show_agreement(dataset: Path) -> None:
    """Print how both results agree with each other and ours with the truth."""
    theirs = np.load(dataset / "deepcell.npy")
    for index, kind in enumerate(("WholeCell", "Nucleus")):
        (mask,) = (dataset / "SEGMASK").glob(f"*_{kind}Mask.tiff")
        (truth,) = (dataset / "TRUTH").glob(f"*_{kind}Mask.tiff")
        ours, expected = tifffile.imread(mask), tifffile.imread(truth)
        both = agreement(theirs[..., index], ours)
        known = agreement(expected, ours)
        share = matched_pixel_share(theirs[..., index], ours)
        print(f"  {kind}: F1 with deepcell-toolbox {both.f1:.4f}, equal pixels {share:.4%}", end="")
        print(f"; F1 with the truth {known.f1:.3f}")


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--deepcell_python", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data"))
    options = parser.parse_args()
    python = options.deepcell_python or deepcell_environment(options.folder)
    for size in options.sizes:
        compare(size, options.folder, python)


if __name__ == "__main__":
    main()
