"""A request from the command line and from settings files: for all images, and for some in a way of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from cellscale.cli.options.engine_options import ENGINE_WORDS
from cellscale.cli.options.request_options import make_request
from cellscale.cli.settings.option_keys import OptionKeys
from cellscale.cli.settings.own_settings import Merged, merged, own_settings
from cellscale.cli.settings.section import Section
from cellscale.cli.settings.settings_files import read_files
from cellscale.cli.settings.settings_text import settings_text
from cellscale.errors import RequestError, SettingsError
from cellscale.pipeline.request import OwnRequest, Request
from cellscale.storage.uri import Location
from cellscale.workspace.layout import WorkspacePaths

if TYPE_CHECKING:
    from cellscale.workspace.discovery import ImageEntry

__all__ = ["Settled", "option_values", "settled_request"]

_Make: TypeAlias = Callable[..., Request]
"""Makes a request of ``options``."""
_Own: TypeAlias = tuple[tuple[str, ...], Merged]
"""Names of images, with what holds for them alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What is asked for, by the command line and by settings files."""

    request: Request
    options: Mapping[str, Any]
    """Values of all options, as they hold for images without settings of their own."""
    note: str | None
    """The settings file that was found in the dataset, in words; None where none was taken."""
    warnings: tuple[str, ...]


def settled_request(
    ctx: click.Context,
    paths: WorkspacePaths,
    dataset: Location | None,
    *,
    segment: bool,
    measure: bool,
    options: Mapping[str, Any],
) -> Settled:
    """Return what is asked for.

    Parameters
    ----------
    ctx
        The context of the command that has the options.
    paths
        Folders of the dataset.
    dataset
        The folder that holds them; None where they are in separate places.
    segment, measure
        What the command does.
    options
        Values of the options, from the command line and by default.

    Raises
    ------
    SettingsError
        A settings file is not as expected; the message says where.
    RequestError
        An option is out of its range, or options exclude each other.
    """
    keys = OptionKeys(ctx)
    make = partial(make_request, paths, segment=segment, measure=measure)
    sections, found = read_files(options["settings"], dataset)
    general = merged(keys, [section for section in sections if section.pattern is None])
    values = {**options, **general.values}
    request = _made(make, values, general)
    own, warnings = _own(keys, [section for section in sections if section.pattern is not None], paths, values)
    requests = tuple(_own_request(make, request, values, images, said) for images, said in own)
    text = settings_text(keys.words(values, general.words), _tables(keys, values, own))
    return Settled(
        request=replace(request, own=requests, settings=text),
        options=values,
        note=None if found is None else f"settings: {found}",
        warnings=warnings,
    )


def option_values(
    ctx: click.Context,
    options: Mapping[str, Any],
    dataset: Location | None,
    image: str,
    entries: Sequence["ImageEntry"],
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the values of options that hold for one image, and the words of those that files gave.

    Parameters
    ----------
    ctx, options, dataset
        As for `settled_request`.
    image
        The image's name.
    entries
        All images of the dataset.

    Raises
    ------
    SettingsError
        A settings file is not as expected; the message says where.
    """
    keys = OptionKeys(ctx)
    sections, _ = read_files(options["settings"], dataset)
    said = [merged(keys, [section for section in sections if section.pattern is None])]
    patterned = [section for section in sections if section.pattern is not None]
    if patterned:
        own, _ = own_settings(keys, patterned, entries)
        said.extend(found for images, found in own if image in images)
    values: dict[str, Any] = dict(options)
    words: dict[str, Any] = {}
    for found in said:
        values.update(found.values)
        words.update(found.words)
    return values, words


def _own(
    keys: OptionKeys, sections: Sequence[Section], paths: WorkspacePaths, values: Mapping[str, Any]
) -> tuple[list[_Own], tuple[str, ...]]:
    if not sections:
        return [], ()
    from cellscale.workspace.channel_lists import NO_LIST
    from cellscale.workspace.discovery import discover

    return own_settings(keys, sections, discover(paths, channel_names=NO_LIST, recursive=values["recursive"]))


def _own_request(
    make: _Make, request: Request, values: Mapping[str, Any], images: tuple[str, ...], said: Merged
) -> OwnRequest:
    """Return what is asked of some images; refuse what cannot be asked of some alone."""
    mine = _made(make, {**values, **said.values}, said)
    own = OwnRequest(images=images, request=mine)
    if _is_lost(request, own) or not ENGINE_WORDS.isdisjoint(said.values):
        for name, value in said.values.items():
            alone = OwnRequest(images=images, request=make(options={**values, name: value}))
            if name in ENGINE_WORDS or _is_lost(request, alone):
                raise SettingsError(
                    f"{said.places[name]} is the same for all images of a run; set it for all images, or give these "
                    "images a run of their own"
                )
    return own


def _is_lost(request: Request, own: OwnRequest) -> bool:
    """Tell whether something that is asked of some images holds for a whole run."""
    return replace(request, own=(own,)).of(own.images[0]) != own.request


def _made(make: _Make, values: Mapping[str, Any], said: Merged) -> Request:
    """Make a request; what is wrong with it may come from a file."""
    try:
        return make(options=values)
    except RequestError as error:
        if not said.places:
            raise
        raise SettingsError(f"{error} (settings: {'; '.join(said.places.values())})") from error


def _tables(keys: OptionKeys, values: Mapping[str, Any], own: Sequence[_Own]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return images with the words for what holds for them alone."""
    return [
        (image, keys.words({**values, **said.values}, said.words, only=said.words))
        for images, said in own
        for image in images
    ]
