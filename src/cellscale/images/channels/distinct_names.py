"""Names of channels of which no two are the same in any output.

QuPath, tables and AnnData keep one value a name, and QuPath's measurements have the names without the blanks around
them. So of two channels called ``DAPI``, or ``CD45`` and ``CD45`` with a blank, one would be lost.
"""

from collections.abc import Sequence
from dataclasses import replace

from cellscale.images.info import Channel, ImageInfo

__all__ = ["distinct_names", "renamed", "with_distinct_names"]

_SHOWN = 10


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that differ from each other without the blanks around them.

    The first of a name keeps it as it is; the next ones are numbered in the channels' order (``DAPI (2)``), with
    numbers that no other channel has. A blank name counts as ``Channel <position>``, as which it is shown.
    """
    shown = [name.strip() or f"Channel {number}" for number, name in enumerate(names, 1)]
    taken, times = set(shown), dict.fromkeys(shown, 0)
    distinct = []
    for name, text in zip(names, shown, strict=True):
        times[text] += 1
        if times[text] == 1:
            distinct.append(name)
            continue
        while f"{text} ({times[text]})" in taken:
            times[text] += 1
        distinct.append(f"{text} ({times[text]})")
    return tuple(distinct)


def with_distinct_names(info: ImageInfo) -> ImageInfo:
    """Return an image's facts with names of channels that differ, and with a warning where some did not."""
    names = distinct_names([channel.name for channel in info.channels])
    changed = [(channel, name) for channel, name in zip(info.channels, names, strict=True) if channel.name != name]
    if not changed:
        return info
    return replace(
        info,
        channels=tuple(map(renamed, info.channels, names)),
        warnings=(
            *info.warnings,
            "several channels have one name, of which outputs would keep one alone; they are told apart: "
            + _listed([f"#{channel.index + 1} {channel.name.strip()} is called {name}" for channel, name in changed]),
        ),
    )


def renamed(channel: Channel, name: str) -> Channel:
    """Return a channel with another name than its file's, which it keeps as what was written."""
    own = channel.name if channel.written is None else channel.written
    return replace(channel, name=name, written=None if name == own else own)


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
