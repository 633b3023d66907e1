"""Settings as the text of a file that says them again."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cellscale import __version__

__all__ = ["settings_text"]

_HEADING = f"""# Settings of a run of cellscale {__version__}. The same again:
# cellscale COMMAND --settings THIS_FILE workspace DATASET
"""


def settings_text(
    general: Mapping[str, Any], images: Iterable[tuple[str, Mapping[str, Any]]] = (), *, heading: str = _HEADING
) -> str:
    """Return a settings file.

    Parameters
    ----------
    general
        Values by key, for all images: text, numbers, truth values, lists of them.
    images
        Names of images, each with the values that are its own.
    heading
        What the file begins with.
    """
    tables = "".join(f"\n[image.{_text(name)}]\n{_lines(values)}" for name, values in images)
    return f"{heading}\n{_lines(general)}{tables}"


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    return _text(str(value))


def _text(text: str) -> str:
    """Return text in double quotes, as TOML has it: as JSON, but for the one control character that JSON leaves."""
    readable = text.encode("utf-8", "backslashreplace").decode()
    return json.dumps(readable, ensure_ascii=False).replace("\x7f", "\\u007f")
