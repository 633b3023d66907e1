"""What was asked of a run, as an image's record has it: all but where the dataset lies."""

from typing import Any

from cellscale.errors import RequestError
from cellscale.pipeline.request import Request, request_from_json, request_to_json, to_json
from cellscale.pipeline.resume.state import fingerprint
from cellscale.workspace.layout import WorkspacePaths

__all__ = ["asked", "asked_again", "work_mark"]

_PATHS = "paths"


def asked(request: Request) -> dict[str, Any]:
    """Return a request for the record; the folders are those where the record lies."""
    return {name: value for name, value in request_to_json(request).items() if name != _PATHS}


def work_mark(request: Request) -> str:
    """Return what is the same for two requests that ask for the same of an image, with whatever resources."""
    facts = {name: value for name, value in asked(request).items() if name not in ("images", "resources", "dry_run")}
    return fingerprint(facts)


def asked_again(facts: Any, paths: WorkspacePaths) -> Request:
    """Return what was asked, of the dataset where it is now.

    Raises
    ------
    RequestError
        The record has no request, or another version's.
    """
    if not isinstance(facts, dict):
        raise RequestError("its record does not say what was asked: run the command again that made it")
    return request_from_json({**facts, _PATHS: to_json(paths)})
