"""JSON from anywhere."""

import json
from typing import Any

__all__ = ["parsed_json"]


def parsed_json(content: bytes | str) -> Any:
    """Return what a JSON document says.

    Parameters
    ----------
    content
        The document.

    Raises
    ------
    ValueError
        It is no JSON, or nested more deeply than any document of ours or of QuPath.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None
