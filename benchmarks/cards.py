"""What a card does: the network alone, whole images with the cores that there are, and how far its cells agree.

Usage, from the project's root, on a machine with cards that does nothing else; needs the Mesmer weights and ``onnx``:

    python -m benchmarks.cards [--devices cuda tensorrt] [--precisions float32 fp16] [--sizes 4096 16384]
                               [--peak float32=67 fp16=989] [--check 2048] [--seconds 20] [--folder FOLDER]

- the network alone: tiles a second, TFLOP a second and their share of the card's peak (``--peak``, TFLOP a second of
  dense matrix units, without TF32 for float32), and how busy ``nvidia-smi`` says that the card was;
- whole images: megapixels a second of ``cellscale segment`` from file to masks, and its tiles a second by those of
  the network alone;
- F1 of cells and nuclei at IoU 0.5 and 0.9 against the processor's in float32, on tissue of ``--check`` pixels.

With ``--devices cpu`` it runs anywhere.
"""

import argparse
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnx import shape_inference

from benchmarks.agreement import agreement
from cellscale.images.masks import open_mask
from cellscale.predict.choice import NetworkRequest, open_network
from cellscale.predict.clean_graph import device_content
from cellscale.predict.devices import parse_device
from cellscale.predict.heads import MESMER_HEADS
from cellscale.predict.onnx_file import fixed_batch
from cellscale.predict.tiles import TILE, TileGrid
from cellscale.weights.catalogue import MESMER
from cellscale.weights.resolve import installed_model
from cellscale.workspace.layout import mask_name

IMAGE = "tissue_001"


def flops_a_tile() -> float:
    """Return the multiplications and additions of the network's convolutions for one tile."""
    content = fixed_batch(device_content(installed_model(MESMER).path, MESMER_HEADS), 1)
    graph = shape_inference.infer_shapes(onnx.load_from_string(content)).graph
    shapes = {
        one.name: [side.dim_value for side in one.type.tensor_type.shape.dim]
        for one in (*graph.value_info, *graph.output)
    }
    weights = {one.name: list(one.dims) for one in graph.initializer}
    found = [node for node in graph.node if node.op_type == "Conv"]
    return float(sum(2 * np.prod(weights[one.input[1]][1:]) * np.prod(shapes[one.output[0]]) for one in found))


@contextmanager
def watched() -> Iterator[list[float]]:
    """Give a list of how busy the cards are, in per cent, a few times a second; empty where nothing tells."""
    busy: list[float] = []
    ended = threading.Event()
    words = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]

    def watch() -> None:
        while shutil.which(words[0]) and not ended.wait(0.2):
            told = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
            busy.extend(float(one) for one in told if one.isdecimal())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield busy
    finally:
        ended.set()
        watching.join()


def share(busy: list[float]) -> str:
    return f"card busy {np.mean(busy):.0f} %" if busy else "card busy: not known"


def alone(device: str, precision: str, seconds: float, peaks: dict[str, float]) -> float:
    """Return the tiles a second of the network, all calls at work."""
    request = NetworkRequest(
        model=installed_model(MESMER).path, device=parse_device(device), precision=precision, name="mesmer"
    )
    network = open_network(request)
    tiles = np.random.default_rng(0).random((network.batch_size, TILE, TILE, 2), np.float32)
    network.predict(tiles)
    done = 0
    with ThreadPoolExecutor(network.calls) as pool, watched() as busy:
        start = time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds or not done:
            done += sum(len(maps) for maps in pool.map(network.predict, [tiles] * (2 * network.calls)))
        passed = time.perf_counter() - start
    rate = done / passed
    speed = rate * flops_a_tile() / 1e12
    of_peak = f", {speed / peaks[precision]:.0%} of the peak" if precision in peaks else ""
    print(
        f"{device} {precision}: batches of {network.batch_size}, {network.calls} at once: {rate:.0f} tiles/s, "
        f"{speed:.1f} TFLOP/s{of_peak}; {share(busy)}",
        flush=True,
    )
    return rate


def tissue(folder: Path, size: int) -> Path:
    """Return a dataset with one image of ``size`` pixels a side."""
    dataset = folder / f"cards-{size}"
    if not dataset.exists():
        words = ["simulate", str(dataset), "--images", "1", "--size", str(size), "--channels", "2", "--seed", "3"]
        subprocess.run([sys.executable, "-m", "cellscale", *words], check=True, stdout=subprocess.DEVNULL)
    return dataset


def segmented(dataset: Path, device: str, precision: str) -> dict[str, float]:
    """Segment the image and return the seconds of each stage."""
    log = dataset / "log.jsonl"
    log.unlink(missing_ok=True)
    words = ["segment", "--overwrite", "--no_report", "--device", device, "--precision", precision]
    command = [sys.executable, "-m", "cellscale", *words, "--log_file", str(log), "workspace", str(dataset)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    events = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    records = [event["record"] for event in events if event["event"] == "StageFinished"]
    return {record["stage"]: record["seconds"] for record in records}


def whole(dataset: Path, size: int, device: str, precision: str, rate: float) -> None:
    """Print the speed of a whole image beside that of the network alone."""
    with watched() as busy:
        seconds = segmented(dataset, device, precision)
    total = sum(seconds.values()) - min(seconds["network"], seconds["labels"])
    tiles = TileGrid.of((size, size)).count / max(seconds["network"], seconds["labels"])
    print(
        f"{device} {precision}, {size} x {size}: {size * size / 1e6 / total:.1f} Mpx/s from file to masks; "
        f"{tiles:.0f} tiles/s while predicting and labelling, {tiles / rate:.0%} of the network alone; {share(busy)}",
        flush=True,
    )


def labels(dataset: Path) -> dict[str, np.ndarray]:
    """Return the masks of the image."""
    found = {}
    for compartment in ("whole-cell", "nuclear"):
        with open_mask(dataset / "SEGMASK" / mask_name(IMAGE, compartment)) as mask:
            found[compartment] = mask.read(mask.info.region)
    return found


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", nargs="+", default=["cuda", "tensorrt"])
    parser.add_argument("--precisions", nargs="+", default=["float32", "fp16"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[4096, 16384])
    parser.add_argument("--peak", nargs="+", default=[], metavar="PRECISION=TFLOPS")
    parser.add_argument("--check", type=int, default=2048)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data"))
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    peaks = {name: float(value) for name, _, value in (text.partition("=") for text in options.peak)}
    checked = tissue(options.folder, options.check)
    segmented(checked, "cpu", "float32")
    truth = labels(checked)
    for device in options.devices:
        for precision in options.precisions:
            rate = alone(device, precision, options.seconds, peaks)
            for size in options.sizes:
                whole(tissue(options.folder, size), size, device, precision, rate)
            segmented(checked, device, precision)
            for compartment, found in labels(checked).items():
                scores = [agreement(truth[compartment], found, iou).f1 for iou in (0.5, 0.9)]
                print(f"  {compartment}: F1 {scores[0]:.4f} at IoU 0.5, {scores[1]:.4f} at 0.9", flush=True)


if __name__ == "__main__":
    main()
