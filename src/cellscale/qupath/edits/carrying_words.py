"""What is said of a person's work in a project when objects are made anew."""

from collections.abc import Iterable

from cellscale.qupath.edits.edited_objects import Edited
from cellscale.qupath.edits.kept_objects import Kept

__all__ = ["not_carried", "what_was_carried"]


def what_was_carried(edited: Edited, deleted: int) -> tuple[str, ...]:
    """Return what was taken over into the new file, in a line, or nothing."""
    parts = [
        _counted(count, name if name.startswith("TMA") else name.lower()) for name, count in edited.others.items()
    ]
    parts += _given(filter(None, edited.kept.values()))
    parts += [f"the deletion of {_counted(deleted)}"] if deleted else []
    if not parts:
        return ()
    return (f"the QuPath project has new objects; taken over from what was done in QuPath: {', '.join(parts)}",)


def not_carried(edited: Edited, deleted: int) -> tuple[str, ...]:
    """Return what could not be taken over, in a line, or nothing.

    Parameters
    ----------
    edited
        The person's file.
    deleted
        Objects of ours that are not in it though there are new ones for some of them.
    """
    parts = _given(edited.gone)
    if parts:
        parts = [f"{', '.join(parts)}, of cells that are not there any more"]
    parts += [f"changed outlines of {_counted(edited.reshaped)}"] if edited.reshaped else []
    parts += [f"the deletion of {_counted(deleted)}, which may be there again"] if deleted > 0 else []
    return (f"not taken over from what was done in QuPath: {'; '.join(parts)}",) if parts else ()


def _given(kept: Iterable[Kept]) -> list[str]:
    """Return in words what a person gave to objects."""
    counts = {"classes": 0, "names": 0, "colours": 0, "metadata": 0, "measurements": 0, "children": 0, "locks": 0}
    for one in kept:
        counts["classes"] += one.path_class is not None
        counts["names"] += one.name is not None
        counts["colours"] += one.color is not None
        counts["metadata"] += bool(one.metadata[0])
        counts["measurements"] += bool(one.measurements)
        counts["children"] += bool(one.children)
        counts["locks"] += one.locked is not None
    return [f"{what} of {_counted(count)}" for what, count in counts.items() if count]


def _counted(count: int, plural: str = "cells") -> str:
    return f"{count:,} {plural if count != 1 else plural.removesuffix('s')}"
