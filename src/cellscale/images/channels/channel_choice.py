"""Which channels show the nucleus and the membrane."""

import difflib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cellscale.errors import ChannelError
from cellscale.images.channels.usual_names import is_of_some_cells, usual_membrane, usual_nucleus
from cellscale.images.info import Channel, ImageInfo

__all__ = ["ChannelSelection", "select_channels"]


@dataclass(frozen=True, slots=True)
class ChannelSelection:
    """The channels that an image is segmented from."""

    nuclear: tuple[int, ...]
    """Positions from 0, never empty."""

    membrane: tuple[int, ...]
    """Positions from 0; empty for a blank membrane."""

    nuclear_text: str
    """What was chosen and why, for the user."""

    membrane_text: str
    """What was chosen and why, for the user."""

    by_usual_names: bool = False
    """Whether one of them was looked for by usual names, of which there is a list with a version."""


def select_channels(info: ImageInfo, nuclear: Sequence[str] = (), membrane: Sequence[str] = ()) -> ChannelSelection:
    """Find the channels of the nucleus and of the membrane.

    A channel is asked for by its name (letters in any case; a whole name goes before the beginning of one, which must
    be unique) or by its position: ``#1`` is the first. Of several, as in ``DAPI|HH3``, the first that is there is
    taken. A number alone is a name: of channels that are called 0, 1 and 2, as SpatialData calls them, ``1`` is the
    second. Without a request the nucleus is the first channel that bears
    a usual name of a nuclear stain (DAPI, Hoechst, HH3, DNA, Ir191 and so on), and the membrane the first that is
    called membrane, Na/K-ATPase, pan-cadherin, WGA and so on, or else E-cadherin, PanCK, CD45 or vimentin, which only
    some cells have; without one, or asked for as ``none``, it is blank.

    Parameters
    ----------
    info
        The image.
    nuclear, membrane
        Names or positions; several are combined.

    Raises
    ------
    ChannelError
        A channel is not there or is there more than once, or none looks like the nucleus.
    """
    names = [channel.name for channel in info.channels]
    if nuclear:
        chosen_nuclear = _requested(info, nuclear)
        nuclear_text = f"{_listed(info, chosen_nuclear)} ({_given(nuclear)})"
    else:
        found = usual_nucleus(names)
        if found is None:
            raise ChannelError(
                f"{info.name}: no channel has a usual name of a nuclear stain; name one with --nuclear_channel. "
                f"Channels: {_listed(info)}"
            )
        chosen_nuclear, nuclear_text = (found,), f"{_listed(info, (found,))} (by its usual name)"
    chosen_membrane, membrane_text = _membrane(info, membrane, names)
    looked_for = not (nuclear and membrane)
    return ChannelSelection(chosen_nuclear, chosen_membrane, nuclear_text, membrane_text, looked_for)


def _membrane(info: ImageInfo, wanted: Sequence[str], names: list[str]) -> tuple[tuple[int, ...], str]:
    if [one.casefold() for one in wanted] == ["none"] and "none" not in [name.casefold() for name in names]:
        return (), "blank (given)"
    if wanted:
        chosen = _requested(info, wanted, may_be_blank=True)
        return chosen, f"{_listed(info, chosen) or 'blank'} ({_given(wanted)})"
    found = usual_membrane(names)
    if found is None:
        return (), "blank (no channel has a usual name of a membrane stain)"
    caveat = "; some cells only: --membrane_channel takes others, or none" if is_of_some_cells(names[found]) else ""
    return (found,), f"{_listed(info, (found,))} (by its usual name{caveat})"


def _given(wanted: Sequence[str]) -> str:
    alternatives = [text for text in wanted if "|" in text]
    return f"given, the first of {', '.join(alternatives)}" if alternatives else "given"


def _requested(info: ImageInfo, wanted: Sequence[str], *, may_be_blank: bool = False) -> tuple[int, ...]:
    found = (_first(info, text, may_be_blank=may_be_blank) for text in wanted)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _first(info: ImageInfo, wanted: str, *, may_be_blank: bool) -> int | None:
    """Return the first channel that is there of those that ``|`` parts; None for ``none``."""
    exact = [channel.index for channel in info.channels if channel.name.strip() == wanted.strip()]
    if "|" not in wanted or len(exact) == 1:
        return _one(info, wanted)
    for text in map(str.strip, wanted.split("|")):
        if may_be_blank and text.casefold() == "none":
            return None
        with suppress(_NotThereError):
            return _one(info, text)
    raise ChannelError(f"{info.name}: there is no channel '{wanted}'. Channels: {_listed(info)}")


class _NotThereError(ChannelError):
    """No channel has the name or position."""


def _one(info: ImageInfo, wanted: str) -> int:
    if wanted.startswith("#") and wanted[1:].isdecimal():
        position = int(wanted[1:])
        if not 1 <= position <= len(info.channels):
            raise _NotThereError(
                f"{info.name}: channel {wanted} asked for, #1 to #{len(info.channels)} there: {_listed(info)}"
            )
        return position - 1
    text = wanted.strip().casefold()
    ways: tuple[Callable[[Channel], bool], ...] = (
        lambda channel: channel.name == wanted,
        lambda channel: channel.name.strip().casefold() == text,
        lambda channel: bool(text) and channel.name.strip().casefold().startswith(text),
    )
    for way in ways:
        found = [channel.index for channel in info.channels if way(channel)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ChannelError(
                f"{info.name}: several channels match '{wanted}': {_listed(info, found)}; ask for one by its position"
            )
    close = difflib.get_close_matches(text, [channel.name.casefold() for channel in info.channels], n=1)
    hint = next((f" Did you mean '{one.name}'?" for one in info.channels if [one.name.casefold()] == close), "")
    if text.isdecimal() and 1 <= int(text) <= len(info.channels):
        hint = f" A position is asked for as #{text}."
    raise _NotThereError(f"{info.name}: there is no channel '{wanted}'.{hint} Channels: {_listed(info)}")


def _listed(info: ImageInfo, indices: Sequence[int] | None = None) -> str:
    channels = info.channels if indices is None else [info.channels[index] for index in indices]
    return ", ".join(f"#{channel.index + 1} {channel.name}" for channel in channels)
