"""A network with InstanSeg's interface, small enough for tests: bright spots have seeds and stand for themselves."""

import numpy as np

from cellscale.predict.instanseg.instanseg_graph import CLASSIFIER, IMAGE, MAPS, MARGINS
from cellscale.predict.onnx_file.building import declared, model, node, tensor
from cellscale.predict.onnx_file.renaming import renamed

__all__ = ["CLASSIFIER_WEIGHTS", "other_names", "seed_network"]

# A pixel belongs to a seed where it is bright (the third number) and near by the sum of its distances.
_FIRST = np.array([[1, 0, 0, 0], [-1, 0, 0, 0], [0, 1, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0]], np.float32)
_SECOND = np.array([[1, 1, 1, 1, 0], [0, 0, 0, 0, 1], *[[0] * 5] * 3], np.float32)
CLASSIFIER_WEIGHTS = np.concatenate(
    [
        *(_FIRST.ravel(), [0, 0, 0, 0, 1]),
        *(_SECOND.ravel(), [0] * 5),
        *([-1.5, -8, 0, 0, 0], [4.2]),
    ]
).astype(np.float32)

_NUMBERS = {"before_row": 0, "after_row": 1, "two": [2], "four": [4], "axes": [2, 3]}


def seed_network(*, only_first: bool = False) -> bytes:
    """Return the content of an ``.onnx`` file; ``only_first`` for one that looks at the first channel alone."""
    parts = [tensor("gain", np.array(6, np.float32)), tensor("none", np.array(0, np.float32))]
    seen = [node("ReduceMax", [IMAGE], "brightest", axes=[0], keepdims=1)]
    first = [tensor("first", np.array([0], np.int64)), node("Gather", [IMAGE, "first"], "brightest", axis=0)]
    parts += first if only_first else seen
    maps = []
    for name, radius in (("nuclei", 2), ("cells", 5)):
        side = 2 * radius + 1
        parts += [
            tensor(f"{name}_mean", np.full((1, 1, side, side), 1 / side**2, np.float32)),
            node("Conv", ["brightest", f"{name}_mean"], f"{name}_smooth", pads=[radius] * 4),
            node("Mul", [f"{name}_smooth", "gain"], f"{name}_bright"),
            node("Mul", [f"{name}_bright", "gain"], f"{name}_height"),
            node("Mul", [f"{name}_bright", "none"], f"{name}_zero"),
        ]
        maps += [f"{name}_{kind}" for kind in ("zero", "zero", "bright", "zero", "height")]
    parts += [
        node("Concat", maps, "all", axis=1),
        *(tensor(name, np.array(number, np.int64)) for name, number in _NUMBERS.items()),
        node("Gather", [MARGINS, "before_row"], "starts", axis=0),
        node("Gather", [MARGINS, "after_row"], "spare", axis=0),
        node("Shape", ["all"], "shape"),
        node("Slice", ["shape", "two", "four"], "size"),
        node("Sub", ["size", "spare"], "ends"),
        node("Slice", ["all", "starts", "ends", "axes"], MAPS),
        declared("input", IMAGE, ["channels", 1, "rows", "columns"]),
        declared("input", MARGINS, [2, 2], "int64"),
        declared("output", MAPS, [1, 10, "rows_of_tile", "columns_of_tile"]),
    ]
    return model("spots", parts, {CLASSIFIER: CLASSIFIER_WEIGHTS.astype("<f4").tobytes().hex()})


def other_names(content: bytes) -> bytes:
    """Return a network with the names that the documentation's example has, and InstanSeg's for something else."""
    return renamed(
        content, {IMAGE: "slide", MARGINS: "surroundings", MAPS: "fields", "brightest": IMAGE}, {CLASSIFIER: ""}
    )
