"""Speed and labels of the network at lower precision, in pairs with float32 in one run.

Usage, from the project's root: ``python -m benchmarks.precision [--variants bf16 fp16 int8 ...] [--golden FOLDER]``.
Needs the Mesmer weights, the package ``onnx`` and, for bf16, ``openvino``. Labels are compared with those of ONNX
Runtime's float32 on the images of ``--golden`` (pooled) and on simulated tissue of 2,048 pixels a side. A variant is
worth offering from an F1 of 0.995 at IoU 0.5 and 0.98 at 0.9 on.

- ``fp16``: weights and intermediate values rounded to float16, arithmetic in float32, as matrix units of GPUs do;
  its time on a CPU says nothing.
- ``bf16``: OpenVINO with static shapes.
- ``int8``: static quantisation of all convolutions, per channel, calibrated on other simulated tissue;
  ``int8-heads`` leaves those of the output heads in float32.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from benchmarks.agreement import agreement
from benchmarks.whole_image import label_image
from cellscale.images.open import open_image
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.resume import RunState
from cellscale.pipeline.segmenting import network_input, prepare
from cellscale.predict.blending import blend
from cellscale.predict.heads import COMPARTMENTS, MESMER_HEADS
from cellscale.predict.tiles import TileGrid, tile_input
from cellscale.privacy import load_openvino
from cellscale.regions import Region
from cellscale.simulate.simulated_dataset import Dataset, simulate
from cellscale.weights.catalogue import MESMER
from cellscale.weights.resolve import installed_model

Pixels = NDArray[np.float32]
Run = Callable[[Pixels], Pixels]
OUTPUTS = [f"semantic_{index}" for index in range(4)]
THREADS = 2


def maps_of(outputs: list[Pixels]) -> Pixels:
    """Return the maps that are used of the network's four outputs."""
    return np.stack([outputs[OUTPUTS.index(head.output)][..., head.index] for head in MESMER_HEADS], axis=-1)


def with_onnxruntime(model: bytes | Path) -> Run:
    """Return the network as ONNX Runtime computes it on a CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model if isinstance(model, bytes) else str(model), options)
    return lambda tile: maps_of(session.run(OUTPUTS, {"input_0": tile}))


def with_openvino(model: Path, precision: str) -> Run:
    """Return the network as OpenVINO computes it on a CPU, one tile at a time."""
    core = load_openvino().Core()
    network = core.read_model(model)
    network.reshape([1, 256, 256, 2])
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": THREADS,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = core.compile_model(network, "CPU", settings).create_infer_request()

    def run(tile: Pixels) -> Pixels:
        results = request.infer({0: tile})
        return maps_of([results[name] for name in OUTPUTS])

    return run


def in_float16(model: Path) -> bytes:
    """Return the model with weights and intermediate values in float16."""
    return convert_float_to_float16(onnx.load(model), keep_io_types=True).SerializeToString()


class Tiles(CalibrationDataReader):
    """Tiles for calibration, one after another."""

    def __init__(self, tiles: list[Pixels]) -> None:
        self._tiles = iter(tiles)

    def get_next(self) -> dict[str, Pixels] | None:
        """Return the next tile, or None after the last."""
        tile = next(self._tiles, None)
        return None if tile is None else {"input_0": tile}


def in_int8(model: Path, tiles: list[Pixels], folder: Path, *, keep_heads: bool) -> Path:
    """Return the path of the model with quantised convolutions."""
    prepared, quantised = folder / "prepared.onnx", folder / f"int8-{keep_heads}.onnx"
    if not prepared.exists():
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
    convolutions = [node for node in onnx.load(prepared).graph.node if node.op_type == "Conv"]
    heads = [node.name for node in convolutions if any("semantic_" in name for name in node.input)]
    quantize_static(
        prepared,
        quantised,
        Tiles(tiles),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=heads if keep_heads else [],
    )
    return quantised


def simulated(folder: Path, seed: int, size: int) -> Pixels:
    """Return simulated tissue as the network sees it, float32 ``(2, size, size)``."""
    path = simulate(folder / f"tissue-{seed}", Dataset((size, size), channels=2, seed=seed), workers=THREADS)[0].path
    run = ImageRun("tissue", ignore, Budget.choose(THREADS))
    with closing(open_image(path)) as image:
        source = network_input(image, pixel_size=choose_pixel_size(image.info, None))
        prepared = prepare(run, RunState(folder / f"state-{seed}"), source)
        return prepared.read(Region(0, 0, *prepared.shape))


def golden(folder: Path) -> Iterator[Pixels]:
    """Yield the preprocessed golden images."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as arrays:
            yield np.ascontiguousarray(np.moveaxis(arrays["preprocessed"], -1, 0))


def tiles_of(pixels: Pixels) -> Iterator[tuple[tuple[int, int], Pixels]]:
    """Yield an image's tiles with their places, each a batch of one."""
    grid = TileGrid.of(pixels.shape[1:])
    for row in range(grid.rows.count):
        for column in range(grid.columns.count):
            tile = tile_input(lambda region: pixels[(slice(None), *region.slices)], grid, row, column)
            yield (row, column), tile[None]


def labels_of(pixels: Pixels, tiles: dict[tuple[int, int], Pixels]) -> list[NDArray[np.int32]]:
    """Return the labels of both compartments."""
    grid = TileGrid.of(pixels.shape[1:])
    maps = blend(lambda row, column: tiles[row, column], grid, Region(0, 0, *grid.shape))
    pairs = zip((maps[:2], maps[2:]), (WHOLE_CELL, NUCLEUS), strict=True)
    return [label_image(maxima, interior, parameters, workers=THREADS) for (maxima, interior), parameters in pairs]


def predicted(runs: dict[str, Run], pixels: Pixels, seconds: dict[str, float]) -> dict[str, dict]:
    """Return every variant's maps of an image's tiles, tile by tile in turn."""
    found: dict[str, dict] = {name: {} for name in runs}
    for place, tile in tiles_of(pixels):
        for name, run in runs.items():
            start = time.perf_counter()
            found[name][place] = run(tile)[0]
            seconds[name] += time.perf_counter() - start
    return found


def compare(runs: dict[str, Run], images: list[Pixels], title: str) -> None:
    """Print time and agreement of every variant with the first, over all images."""
    for run in runs.values():
        run(next(tiles_of(images[0]))[1])  # warm
    seconds = dict.fromkeys(runs, 0.0)
    counts = {(name, c, iou): np.zeros(3, int) for name in runs for c in COMPARTMENTS for iou in (0.5, 0.9)}
    differences = dict.fromkeys(runs, 0.0)
    total = 0
    for pixels in images:
        maps = predicted(runs, pixels, seconds)
        total += len(maps["float32"])
        truth = labels_of(pixels, maps["float32"])
        for name in runs:
            differences[name] = max(
                differences[name],
                *(np.abs(maps[name][place] - maps["float32"][place]).max() for place in maps[name]),
            )
            for compartment, true, labels in zip(COMPARTMENTS, truth, labels_of(pixels, maps[name]), strict=True):
                for iou in (0.5, 0.9):
                    got = agreement(true, labels, iou)
                    counts[name, compartment, iou] += (got.true_positives, got.false_positives, got.false_negatives)
    print(f"\n{title}: {len(images)} images, {total} tiles", flush=True)
    for name in runs:
        f1s = []
        for compartment in COMPARTMENTS:
            for iou in (0.5, 0.9):
                hits, extra, missed = counts[name, compartment, iou]
                f1s.append(f"{2 * hits / max(2 * hits + extra + missed, 1):.4f}")
        print(
            f"  {name:12} {seconds[name] / total:7.4f} s a tile, {seconds['float32'] / seconds[name]:5.2f} times as "
            f"fast; F1 at 0.5 / 0.9: cells {f1s[0]} {f1s[1]}, nuclei {f1s[2]} {f1s[3]}; "
            f"largest difference {differences[name]:.4f}",
            flush=True,
        )


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="+", default=["openvino-f32", "bf16", "fp16", "int8", "int8-heads"])
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--size", type=int, default=2048)
    options = parser.parse_args()
    model = installed_model(MESMER).path
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        calibration: list[Pixels] = []
        if any("int8" in name for name in options.variants):
            calibration = [tile for _, tile in tiles_of(simulated(folder, 7, 1024))]
        makers: dict[str, Callable[[], Run]] = {
            "openvino-f32": lambda: with_openvino(model, "f32"),
            "bf16": lambda: with_openvino(model, "bf16"),
            "fp16": lambda: with_onnxruntime(in_float16(model)),
            "int8": lambda: with_onnxruntime(in_int8(model, calibration, folder, keep_heads=False)),
            "int8-heads": lambda: with_onnxruntime(in_int8(model, calibration, folder, keep_heads=True)),
        }
        runs = {"float32": with_onnxruntime(model)} | {name: makers[name]() for name in options.variants}
        if options.golden:
            compare(runs, list(golden(options.golden)), "golden images")
        compare(runs, [simulated(folder, 3, options.size)], f"simulated tissue, {options.size} pixels a side")


if __name__ == "__main__":
    main()
