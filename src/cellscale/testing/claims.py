"""How a check says what is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from cellscale.errors import CellscaleError

__all__ = ["claim", "refused"]


def claim(holds: object, otherwise: str) -> None:
    """Raise `AssertionError` with what is wrong unless something holds."""
    if not holds:
        raise AssertionError(otherwise)


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Check that something is refused with an error that a user can understand.

    Parameters
    ----------
    what
        What is to be refused, for the message.
    """
    try:
        yield
    except (CellscaleError, OSError):
        return
    except Exception as error:  # the wrong kind of error is what is looked for
        raise AssertionError(
            f"{what} raises {type(error).__name__}: {error}; expected one of cellscale.errors that says what was "
            "found"
        ) from error
    raise AssertionError(f"{what} raises nothing; expected one of cellscale.errors")
