"""One image through deepcell-toolbox: run in an environment of its own by ``benchmarks/against_deepcell.py``.

Usage: ``python deepcell_run.py IMAGE.npy MODEL.onnx LABELS.npy``. Prints the seconds of each stage and the peak
memory as JSON. The stages and their parameters are those of DeepCell's Mesmer application.
"""

import json
import resource
import sys
import time

import numpy as np
import onnxruntime
from deepcell_toolbox.deep_watershed import deep_watershed
from deepcell_toolbox.processing import histogram_normalization, percentile_threshold
from deepcell_toolbox.utils import tile_image, untile_image

THRESHOLDS = (0.075, 0.1)


def main(image_path: str, model_path: str, labels_path: str) -> None:
    """Segment one image of (rows, columns, 2)."""
    seconds = {}
    image = np.load(image_path)[np.newaxis]
    session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])

    start = time.perf_counter()
    prepared = histogram_normalization(percentile_threshold(image, percentile=99.9), kernel_size=128)
    seconds["preprocess"] = time.perf_counter() - start

    start = time.perf_counter()
    tiles, info = tile_image(prepared.astype(np.float32), model_input_shape=(256, 256), stride_ratio=0.75)
    seconds["tile"] = time.perf_counter() - start

    start = time.perf_counter()
    outputs = [session.run(None, {"input_0": tile[np.newaxis].astype(np.float32)}) for tile in tiles]
    maps = [np.concatenate([output[head] for output in outputs]) for head in range(4)]
    maps = [maps[0], maps[1][..., 1:2], maps[2], maps[3][..., 1:2]]
    del outputs
    seconds["network"] = time.perf_counter() - start

    start = time.perf_counter()
    maps = [untile_image(tiled, info, model_input_shape=(256, 256)) for tiled in maps]
    seconds["untile"] = time.perf_counter() - start

    start = time.perf_counter()
    labels = [
        deep_watershed(
            maps[2 * index : 2 * index + 2],
            radius=2,
            maxima_threshold=threshold,
            interior_threshold=0.2,
            maxima_smooth=0,
            interior_smooth=2,
            small_objects_threshold=15,
            fill_holes_threshold=15,
        )
        for index, threshold in enumerate(THRESHOLDS)
    ]
    seconds["postprocess"] = time.perf_counter() - start
    np.save(labels_path, np.concatenate(labels, axis=-1)[0].astype(np.int32))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak_memory": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
