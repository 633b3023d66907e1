"""Words that say where regions are from: a file, or the QuPath project of the dataset."""

from cellscale.errors import RequestError

__all__ = ["class_wanted", "is_of_project"]

_PROJECT = "qupath"


def is_of_project(word: str) -> bool:
    """Tell whether a word means the QuPath project; a folder of that name is ``./qupath``."""
    return word == _PROJECT or word.startswith(f"{_PROJECT}:")


def class_wanted(word: str) -> str:
    """Return the class or name that annotations of the project are to have, empty for any.

    Raises
    ------
    RequestError
        There is nothing after the colon.
    """
    _, colon, wanted = word.partition(":")
    if colon and not wanted.strip():
        raise RequestError(f"{word}: the name of a class is expected after the colon, as in {_PROJECT}:Tumor")
    return wanted.strip()
