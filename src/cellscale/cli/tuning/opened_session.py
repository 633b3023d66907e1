"""A session of tuning from the words of the command line and of settings files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from cellscale.cli.options.request_options import make_request
from cellscale.cli.options.shared_options import closest
from cellscale.cli.settings import option_values
from cellscale.cli.tuning.controls import controls_of
from cellscale.cli.tuning.tuning_session import Beginning, TuningSession
from cellscale.engines.preflight import checked_model, refuse_options_of_others
from cellscale.errors import ImageError, RequestError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.segmenting import open_input
from cellscale.pipeline.tuning import TunedImage, require_crop, usual_crop
from cellscale.predict.heads import COMPARTMENTS
from cellscale.regions import Region
from cellscale.storage.uri import base_name
from cellscale.workspace.discovery import ImageEntry, discover
from cellscale.workspace.layout import WorkspacePaths
from cellscale.workspace.plain_places import dataset_paths, is_image_place, plain_dataset

__all__ = ["opened_session"]


@contextmanager
def opened_session(
    ctx: click.Context,
    place: str,
    image_name: str | None,
    region: tuple[int, int, int, int] | None,
    out: Path,
    options: Mapping[str, Any],
) -> Iterator[tuple[TuningSession, list[ImageEntry], WorkspacePaths]]:
    """Open the image that is meant, and give a session with it, all images and the dataset's folders.

    Raises
    ------
    RequestError
        There is no such image, or a setting is wrong.
    ImageError
        The image cannot be opened.
    """
    is_image = is_image_place(place)
    paths = plain_dataset([place])[0] if is_image else dataset_paths(place)
    entries = discover(
        paths,
        channel_names=options["channel_names"],
        channel_axis=options["channel_axis"],
        recursive=options["recursive"],
    )
    number = _number(entries, base_name(place.rstrip("/")) if is_image else image_name)
    entry = entries[number]
    values, written = option_values(ctx, options, None if is_image else place, entry.name, entries)
    request = make_request(paths, segment=True, measure=False, options=values)
    if request.area.statistics == "regions":
        raise RequestError(
            "tuning judges brightness by the whole image, so that its cells are not those of --statistics regions; "
            "give --statistics image, or try settings with runs on small regions"
        )
    model = checked_model(request.network, COMPARTMENTS, threads=request.resources.workers or 0)
    if model.kind != "seeds":  # of which there is nothing to tune
        refuse_options_of_others(request, model)
    budget = Budget.choose(request.resources.workers, request.resources.max_memory)
    if entry.problem is not None:
        raise ImageError(entry.problem)
    opened = partial(open_input, entry, cache_bytes=budget.cache_bytes, input_format=model.input_format)
    with opened(request.channels, request.preprocessing) as source:
        budget.require_room(source.info)
        info, middle = source.info, usual_crop(source.shape, source.factor)
    crop = middle if region is None else Region(region[1], region[0], region[1] + region[3], region[0] + region[2])
    tuned = TunedImage(
        entry.name,
        lambda how: opened(how.channels, how.preprocessing),
        model.load,
        budget,
        input_format=model.input_format,
    )
    beginning = Beginning(
        paths=paths,
        options=values,
        written=written,
        image=number,
        info=info,
        crop=crop,
        out=out.absolute(),
        replaces=options["overwrite"],
        controls=controls_of(model.input_format),
    )
    with closing(tuned):
        require_crop(crop, info.shape)
        yield TuningSession(ctx, beginning, tuned), entries, paths


def _number(entries: Sequence[ImageEntry], name: str | None) -> int:
    """Return the position of the image that is meant."""
    if name is None:
        return next((number for number, entry in enumerate(entries) if entry.problem is None), 0)
    for number, entry in enumerate(entries):
        if name in (entry.name, *(base_name(file) for file in (entry.image, entry.npz) if file is not None)):
            return number
    names = [entry.name for entry in entries]
    there = closest(name, names) or f". There are: {', '.join(names[:10])}"
    raise RequestError(f"there is no image {name!r} in the dataset{there}")
