"""What a test asks the server."""

import gzip
import json
import urllib.request

import numpy as np

from tests.patience import HANGS

__all__ = ["facts", "label_tile", "numbers"]


def _get(server, path):
    with urllib.request.urlopen(server.url + "api/" + path, timeout=HANGS) as answer:
        body = answer.read()
        return gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body, answer.headers


def facts(server, path):
    """Return facts that the server tells."""
    return json.loads(_get(server, path)[0])


def numbers(server, path, dtype):
    """Return numbers, and whether they are final."""
    body, headers = _get(server, path)
    return np.frombuffer(body, dtype), "X-Incomplete" not in headers


def label_tile(server, mask, level, row, column, width, image=0):
    """Return a tile of labels with its margin, and whether it is final."""
    labels, complete = numbers(server, f"images/{image}/masks/{mask}/{level}/{row}/{column}", "<u4")
    return labels.reshape(-1, width + 2), complete
