"""Crops whose cells are found again and again, with other settings."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import index
from typing import Any

from cellscale.api.given import (
    Source,
    chosen_compartments,
    opened_source,
    path_text,
    refuse_other_values,
    refuse_preprocessing,
    several_names,
)
from cellscale.engines.preflight import checked_model
from cellscale.errors import RequestError
from cellscale.images.info import Image
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.growth import as_growth
from cellscale.label.parameters import usual_parameters
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.request import NetworkChoice
from cellscale.pipeline.segmenting import (
    NetworkInput,
    network_input,
)
from cellscale.pipeline.tuning import CropCells, FoundHow, TunedImage, require_crop
from cellscale.predict.devices import Precision
from cellscale.predict.heads import COMPARTMENTS
from cellscale.predict.input_format import InputFormat
from cellscale.regions import Region
from cellscale.weights.catalogue import named_network

__all__ = ["Tuning", "tune"]

_CHANNEL_WORDS = {
    "nuclear_channel": "nuclear",
    "membrane_channel": "membrane",
    "combine": "combine",
    "rescale_channels": "rescale",
    "image_mpp": "mpp",
}


class Tuning:
    """A crop of an image whose cells are found again and again, with other settings; see `tune`.

    It holds the network's maps of the crop; `close` it, or use it in a ``with`` block.
    """

    def __init__(self, tuned: TunedImage, region: Region, first: FoundHow, asked: "_Asked") -> None:
        self.region = region
        """The crop, in pixels of the image."""
        self._tuned = tuned
        self._first = first
        self._asked = asked

    def __enter__(self) -> "Tuning":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the image and the maps."""
        self._tuned.close()

    def labels(self, **options: Any) -> CropCells:
        """Find the cells of the crop: the very ones that `segment` finds there.

        Parameters
        ----------
        **options
            Arguments of `segment` about channels and labels that are to be other than those that `tune` was given.
            Other channels, ``image_mpp`` or ``preprocessing`` have the network predict again.

        Returns
        -------
        CropCells
            ``labels`` by compartment, int32 in the region ``shown``, which is a little larger than the crop; of the
            cells whose centre is in the crop. ``areas`` gives their pixels, ``change_from`` how they differ.

        Raises
        ------
        RequestError
            A parameter is wrong.
        ImageError
            A channel cannot be found.
        """
        return self._tuned.cells(self._asked.how(self._first, options), self.region)


def tune(
    source: Source,
    region: tuple[int, int, int, int] | None = None,
    *,
    channel_names: Sequence[str] | None = None,
    model: str | os.PathLike[str] | None = None,
    model_path: str | os.PathLike[str] | None = None,
    model_hash: str | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    workers: int | None = None,
    max_memory: int | None = None,
    **options: Any,
) -> Tuning:
    """Predict a crop once, to try settings on it: ``tuning.labels(expand_cells=...)`` takes a fraction of a second.

    Parameters
    ----------
    source, channel_names, model, model_path, model_hash, device, precision, workers, max_memory
        As for `segment`.
    region
        x, y, width and height of the crop in pixels; None: 1,024 pixels of 0.5 µm a side in the middle.
    **options
        Arguments of `segment` about channels and labels to begin with.

    Raises
    ------
    RequestError
        The weights are missing, a parameter is wrong, the network has nothing to tune, as InstanSeg, or the crop is
        not in the image.
    ImageError
        The image cannot be read, or a channel cannot be found.
    """
    refuse_other_values(
        precision=precision,
        workers=workers,
        max_memory=max_memory,
        model=model,
        model_path=model_path,
        model_hash=model_hash,
        device=device,
    )
    given_crop = None if region is None else _crop(region)
    name, path = named_network(path_text(model), path_text(model_path))
    usual = FoundHow(whole_cell=usual_parameters(name)[0], nuclear=usual_parameters(name)[1])
    choice = NetworkChoice(name=name, path=path, checksum=model_hash, device=device, precision=precision)
    network = checked_model(choice, COMPARTMENTS, threads=workers or 0)
    asked = _Asked(usual, network.input_format)
    first = asked.how(usual, options)
    with ExitStack() as stack:
        image = stack.enter_context(opened_source(source, channel_names))
        budget = Budget.choose(workers, max_memory)
        budget.require_room(image.info)
        tuned = TunedImage(
            image.info.name,
            partial(_input_of, image, network.input_format),
            network.load,
            budget,
            input_format=network.input_format,
        )
        unless_it_ends_well = stack.enter_context(ExitStack())
        unless_it_ends_well.callback(tuned.close)
        crop = given_crop or tuned.usual_crop(first)
        require_crop(crop, image.info.shape)
        unless_it_ends_well.pop_all()
        tuned.after(stack.pop_all().close)
    return Tuning(tuned, crop, first, asked)


def _crop(given: Sequence[int]) -> Region:
    try:
        left, top, width, height = map(index, given)
    except (TypeError, ValueError) as error:
        raise RequestError(f"region: {given!r} found; x, y, width and height in whole pixels expected") from error
    return Region(top, left, top + height, left + width)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Reads what is asked for of one network."""

    usual: FoundHow
    """With the network's own values."""
    input_format: InputFormat

    def how(self, first: FoundHow, options: dict[str, Any]) -> FoundHow:
        """Return how cells are found, with some arguments of `segment` in place of those of before."""
        refuse_other_values(**options)
        given = dict(options)
        channels = {_CHANNEL_WORDS[word]: given.pop(word) for word in list(given) if word in _CHANNEL_WORDS}
        for role in {"nuclear", "membrane"} & channels.keys():
            channels[role] = tuple(several_names(channels[role]))
        if "compartments" in given:
            chosen = chosen_compartments(given["compartments"])
            given["compartments"] = tuple(name for name in COMPARTMENTS if name in chosen)
        for name in ("whole_cell", "nuclear"):
            if name in given and given[name] is None:
                given[name] = getattr(self.usual, name)
        if given.get("expand_cells") is not None:
            given["expand_cells"] = as_growth(given["expand_cells"])
        try:
            found = replace(first, channels=replace(first.channels, **channels), **given)
        except TypeError as error:
            raise RequestError(
                f"{error}; arguments of cellscale.segment about channels and labels expected"
            ) from error
        refuse_preprocessing(self.input_format, found.preprocessing)
        return found


@contextmanager
def _input_of(image: Image, input_format: InputFormat, how: FoundHow) -> Iterator[NetworkInput]:
    channels = how.channels
    yield network_input(
        image,
        nuclear=channels.nuclear,
        membrane=channels.membrane,
        combine=channels.combine,
        rescale=channels.rescale,
        preprocessing=how.preprocessing,
        pixel_size=choose_pixel_size(image.info, channels.mpp),
        input_format=input_format,
    )
