"""What the server sends back."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import imagecodecs
from numpy.typing import NDArray

__all__ = ["Answer", "as_json", "binary", "problem"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a browser."""

    body: bytes
    content_type: str
    status: HTTPStatus = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """Answer with facts."""
    return Answer(json.dumps(value, allow_nan=False).encode("ascii"), "application/json", status)


def problem(status: HTTPStatus, message: str) -> Answer:
    """Answer why there is no other answer."""
    return as_json({"error": message}, status)


def binary(numbers: NDArray[Any], *, packed: bool = False, complete: bool = True) -> Answer:
    """Answer with numbers, little-endian, row by row.

    Parameters
    ----------
    numbers
        The numbers.
    packed
        Whether to compress them, which pays for labels; the browser unpacks them.
    complete
        Whether asking again would give the same.
    """
    headers = {} if complete else {"X-Incomplete": "1"}
    body = numbers.astype(numbers.dtype.newbyteorder("<"), copy=False).tobytes()
    if packed:
        body = bytes(imagecodecs.gzip_encode(body, level=1))
        headers["Content-Encoding"] = "gzip"
    return Answer(body, "application/octet-stream", headers=headers)
