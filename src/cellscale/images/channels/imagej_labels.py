"""Names of channels in the labels that ImageJ gives to the planes of a stack."""

import re

__all__ = ["label_names"]

_PLACE = re.compile(r"(?:(?:c|ch|z|t|s):\d+/\d+[\s;,]*)+(?:-\s*)?", re.IGNORECASE)
"""Where a plane is in its stack, as Bio-Formats' importer writes it before the name: ``c:1/3 - DAPI``."""


def label_names(labels: object, count: int) -> list[str | None]:
    """Return the names in a stack's labels; none where there is not one for each channel, or all are the same.

    Parameters
    ----------
    labels
        As tifffile gives them: texts, or one text for a single plane. Lines after the first are notes.
    count
        Number of channels.
    """
    listed = [labels] if isinstance(labels, str) else labels
    if not isinstance(listed, list) or len(listed) != count:
        return []
    lines = [next(iter(str(label).strip("\0").splitlines()), "").strip() for label in listed]
    for names in ([_PLACE.sub("", line, count=1) if _PLACE.match(line) else line for line in lines], lines):
        if count == 1 or len(set(names)) > 1:
            return [name or None for name in names]
    return []
