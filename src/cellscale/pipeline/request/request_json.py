"""A request as JSON, for those who run it on another machine."""

import json
from typing import Any

from cellscale.errors import RequestError
from cellscale.pipeline.request.request_parts import Request
from cellscale.pipeline.request.typed_json import from_json, to_json

__all__ = ["FORMAT", "request_from_json", "request_to_json"]

FORMAT = 2
"""Grows when a request of an older version can no longer be read."""


def request_to_json(request: Request) -> dict[str, Any]:
    """Return a request as a JSON object; every field is written, so that another version's defaults do not matter.

    Raises
    ------
    RequestError
        A number is not finite.
    """
    facts = {"format": FORMAT, **to_json(request)}
    try:
        json.dumps(facts, allow_nan=False)
    except ValueError as error:
        raise RequestError(f"a number of the request is not finite: {error}") from error
    return facts


def request_from_json(facts: Any) -> Request:
    """Return the request that `request_to_json` gave.

    Raises
    ------
    RequestError
        It is of another format, or a field is unknown, missing or of a wrong type.
    """
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        found = facts.get("format") if isinstance(facts, dict) else type(facts).__name__
        raise RequestError(
            f"the request is of format {found!r}; this version of cellscale reads {FORMAT}. Use the version that "
            "wrote it."
        )
    return from_json(Request, {name: fact for name, fact in facts.items() if name != "format"}, what="the request")
