"""InstanSeg's network as an ONNX graph, made of its parameters.

The network is two U-Nets, one after the other (Goldsborough et al. 2024, https://doi.org/10.1101/2024.09.04.611150).
The first sees each channel alone, compares it at every resolution with the maximum over all channels, and makes three
channels of any number. The second has one encoder and two decoders: nuclei, and cells.

The graph computes a tile with its surroundings. On the way to the output ever less of the surroundings counts, so
that it is cut off where it counts no longer: that saves a third of the work. Where a tile ends at the image's own
edge nothing is cut, and the convolutions pad with zeros there, as they do when they see the whole image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ModelError
from cellscale.predict.onnx_file.building import declared, model, node, tensor

__all__ = ["CLASSIFIER", "HALO", "IMAGE", "MAPS", "MARGINS", "MULTIPLE", "instanseg_graph"]

IMAGE, MARGINS, MAPS, CLASSIFIER = "image", "margins", "maps", "pixel_classifier"
"""Inputs: float32 ``[channels, 1, rows, columns]``, and int64 ``[2, 2]``, pixels of surroundings before and after the
tile along rows and columns. Output: float32 ``[1, 10, rows, columns]`` of the tile itself. The last is a fact beside
the graph: the weights of the pixel classifier, one after another, as float32 in hexadecimal digits."""

MULTIPLE = 8
"""Margins, and sizes of tiles, are multiples of this: the network halves the resolution three times."""

HALO = 144
"""Pixels of surroundings that count: 137 by the graph, as `_REACH` has it, rounded up to a `MULTIPLE`."""

_EPSILON = 1e-5
"""That of the network's batch normalisation."""

# Pixels of surroundings left before each part of the network, from its end to its beginning. A block has four
# convolutions of 3 x 3, and so needs 4 pixels at its resolution more than what follows it; one that reduces its
# channels has a fifth. Sums are rounded up to a multiple of 8.
_REACH = {
    "decoder.2": 8,  # 4
    "decoder.1": 16,  # 4 + 4 * 2
    "decoder.0": 32,  # 12 + 4 * 4
    "encoder.3": 64,  # 28 + 4 * 8
    "encoder.2": 80,  # 60 + 4 * 4
    "encoder.1": 88,  # 76 + 4 * 2
    "encoder.0": 88,  # 84 + 4
    "upcat_1": 96,  # 88 + 4
    "upcat_2": 104,  # 92 + 5 * 2
    "down_2": 128,  # 102 + 5 * 4
    "down_1": 136,  # 122 + 5 * 2
    "conv_0": HALO,  # 132 + 5
}

_ADAPTOR, _UNET = "fcn.model.AdaptorNet.", "fcn.model."


def instanseg_graph(parameters: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the content of an ``.onnx`` file that computes InstanSeg's maps.

    Parameters
    ----------
    parameters
        The parameters of ``instanseg.pt``, model *fluorescence_nuclei_and_cells*, by name.

    Raises
    ------
    ModelError
        A parameter is missing: it is another network.
    """
    try:
        return _Builder(parameters).built()
    except KeyError as error:
        raise ModelError(
            f"the weights have no parameter {error}: they are not those of InstanSeg's fluorescence_nuclei_and_cells"
        ) from error


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the graph."""

    name: str
    scale: int
    """Pixels of the image along a side of one of its pixels."""
    margins: str
    """Name of the margins that it still has, in pixels of the image."""


class _Builder:
    """Writes the graph's nodes in order."""

    def __init__(self, parameters: Mapping[str, NDArray[Any]]) -> None:
        self._parameters = parameters
        self._parts: list[bytes] = []
        self._count = 0
        self._constants: dict[tuple[int, ...], str] = {}

    def built(self) -> bytes:
        """Return the model."""
        maps = self._unet(self._adaptor(_Tensor(IMAGE, 1, MARGINS)))
        self._parts.append(node("Identity", [maps], MAPS))
        inputs = [
            declared("input", IMAGE, ["channels", 1, "rows", "columns"]),
            declared("input", MARGINS, [2, 2], "int64"),
        ]
        outputs = [declared("output", MAPS, [1, 10, "rows_of_tile", "columns_of_tile"])]
        numbers = [self._parameters[f"pixel_classifier.fc{layer}.{kind}"] for layer in (1, 2, 3) for kind in _KINDS]
        classifier = np.concatenate([one.ravel() for one in numbers]).astype("<f4")
        return model("instanseg", [*self._parts, *inputs, *outputs], {CLASSIFIER: classifier.tobytes().hex()})

    def _adaptor(self, image: _Tensor) -> _Tensor:
        """Return the three channels that the first network makes of any number."""
        first = self._compared(self._encoder(image, f"{_ADAPTOR}conv_0."), f"{_ADAPTOR}conv_0.")
        second = self._compared(
            self._encoder(self._pooled(self._cut(first, "down_1")), f"{_ADAPTOR}down_1."), f"{_ADAPTOR}down_1."
        )
        third = self._compared(
            self._encoder(self._pooled(self._cut(second, "down_2")), f"{_ADAPTOR}down_2."), f"{_ADAPTOR}down_2."
        )
        fourth = self._compared(self._decoder(third, second, f"{_ADAPTOR}upcat_2.", "upcat_2"), f"{_ADAPTOR}upcat_2.")
        fifth = self._decoder(fourth, first, f"{_ADAPTOR}upcat_1.", "upcat_1")
        highest = self._then(fifth, "ReduceMax", [fifth.name], axes=[0], keepdims=1)
        return self._convolved(highest, f"{_ADAPTOR}final_conv.", rectified=False)

    def _unet(self, image: _Tensor) -> str:
        """Return the maps: nuclei, then cells."""
        levels = [self._encoder(self._cut(image, "encoder.0"), f"{_UNET}encoder.0.")]
        for level in (1, 2, 3):
            pooled = self._pooled(self._cut(levels[-1], f"encoder.{level}"))
            levels.append(self._encoder(pooled, f"{_UNET}encoder.{level}."))
        maps = []
        for decoder in (0, 1):
            found = levels[3]
            for step, skipped in enumerate((levels[2], levels[1], levels[0])):
                prefix = f"{_UNET}decoders.{decoder}.decoder.{step}."
                found = self._decoder(found, skipped, prefix, f"decoder.{step}")
            found = self._cut(found, None)
            for part in (0, 1, 2):
                prefix = f"{_UNET}decoders.{decoder}.final_block.{part}."
                maps.append(self._convolved(found, prefix, rectified=False).name)
        return self._node("Concat", maps, axis=1)

    def _encoder(self, given: _Tensor, prefix: str) -> _Tensor:
        side = self._convolved(given, f"{prefix}conv0.")
        twice = self._convolved(self._convolved(given, f"{prefix}conv1."), f"{prefix}conv2.")
        return self._residual(self._added(side, twice), prefix)

    def _decoder(self, coarse: _Tensor, skipped: _Tensor, prefix: str, stage: str) -> _Tensor:
        coarse, skipped = self._cut(coarse, stage), self._cut(skipped, stage)
        wide = self._enlarged(coarse)
        side = self._convolved(wide, f"{prefix}conv0.")
        joined = self._added(
            self._convolved(wide, f"{prefix}conv1."), self._convolved(skipped, f"{prefix}conv_skip.")
        )
        return self._residual(self._added(side, self._convolved(joined, f"{prefix}conv2.")), prefix)

    def _residual(self, given: _Tensor, prefix: str) -> _Tensor:
        twice = self._convolved(self._convolved(given, f"{prefix}conv3."), f"{prefix}conv4.")
        return self._added(given, twice)

    def _compared(self, given: _Tensor, prefix: str) -> _Tensor:
        """Return features that also know the highest ones over all channels of the image."""
        highest = self._node("ReduceMax", [given.name], axes=[0], keepdims=1)
        repeated = self._node("Expand", [highest, self._node("Shape", [given.name])])
        return self._convolved(self._then(given, "Concat", [repeated, given.name], axis=1), f"{prefix}reduce_block.")

    def _convolved(self, given: _Tensor, prefix: str, *, rectified: bool = True) -> _Tensor:
        """Return a convolution with its batch normalisation in its weights."""
        found = [self._parameters[f"{prefix}{name}"].astype(np.float64) for name in _CONVOLUTION]
        weight, bias, gain, shift, mean, variance = found
        factor = gain / np.sqrt(variance + _EPSILON)
        names = [
            self._constant(weight * factor[:, None, None, None]),
            self._constant((bias - mean) * factor + shift),
        ]
        made = self._then(given, "Conv", [given.name, *names], pads=[weight.shape[2] // 2] * 4)
        return self._then(made, "Relu", [made.name]) if rectified else made

    def _pooled(self, given: _Tensor) -> _Tensor:
        name = self._node("MaxPool", [given.name], kernel_shape=[2, 2], strides=[2, 2])
        return _Tensor(name, given.scale * 2, given.margins)

    def _enlarged(self, given: _Tensor) -> _Tensor:
        factors = self._constant(np.array([1, 1, 2, 2]))
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return _Tensor(self._node("Resize", [given.name, "", factors], **how), given.scale // 2, given.margins)

    def _added(self, one: _Tensor, other: _Tensor) -> _Tensor:
        return self._then(one, "Add", [one.name, other.name])

    def _cut(self, given: _Tensor, stage: str | None) -> _Tensor:
        """Return a tensor without the surroundings that count no longer: before a stage, or for the output."""
        margins = self._node("Min", [MARGINS, self._integers(_REACH[stage] if stage else 0)])
        spare = self._node("Div", [self._node("Sub", [given.margins, margins]), self._integers(given.scale)])
        before, after = (self._node("Gather", [spare, self._integers(side)], axis=0) for side in (0, 1))
        size = self._node(
            "Slice",
            [self._node("Shape", [given.name]), self._integers(2, as_list=True), self._integers(4, as_list=True)],
        )
        axes = self._axes()
        name = self._node("Slice", [given.name, before, self._node("Sub", [size, after]), axes])
        return _Tensor(name, given.scale, margins)

    def _then(
        self, given: _Tensor, operator: str, inputs: Sequence[str], **attributes: int | str | list[int]
    ) -> _Tensor:
        return _Tensor(self._node(operator, inputs, **attributes), given.scale, given.margins)

    def _node(self, operator: str, inputs: Sequence[str], **attributes: int | str | list[int]) -> str:
        name = self._name()
        self._parts.append(node(operator, inputs, name, **attributes))
        return name

    def _constant(self, values: NDArray[Any]) -> str:
        name = self._name()
        self._parts.append(tensor(name, values.astype(np.float32)))
        return name

    def _integers(self, value: int, *, as_list: bool = False) -> str:
        return self._whole(np.array([value] if as_list else value, np.int64))

    def _axes(self) -> str:
        return self._whole(np.array([2, 3], np.int64))

    def _whole(self, values: NDArray[np.int64]) -> str:
        key = (values.ndim, *values.ravel().tolist())
        if key not in self._constants:
            self._constants[key] = self._name()
            self._parts.append(tensor(self._constants[key], values))
        return self._constants[key]

    def _name(self) -> str:
        self._count += 1
        return f"t{self._count}"


_KINDS = ("weight", "bias")
_CONVOLUTION = ("0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var")
"""A convolution, and the batch normalisation after it."""
