"""Whether an object store answers at all, told in seconds.

Clients of stores try again for minutes where nobody answers, which is right in the middle of a run, and no way to
tell of a misspelt host or a missing network before it begins.
"""

from collections.abc import Iterable
from threading import Thread

from cellscale.errors import RequestError, StorageError
from cellscale.stopping import note_lost
from cellscale.storage.redaction import redacted
from cellscale.storage.storage_errors import failures, is_away, reason_of
from cellscale.storage.uri import Location, filesystem, local_path

__all__ = ["require_reachable"]

_SECONDS = 20.0


def require_reachable(locations: Iterable[Location | None], *, seconds: float = _SECONDS) -> None:
    """Check that the stores of some locations answer, whatever they say; those on this machine always do.

    Parameters
    ----------
    locations
        Paths and URIs; None is passed over. One of each bucket or host is asked for.
    seconds
        Time to answer.

    Raises
    ------
    RequestError
        A store does not answer, or there is no client for it.
    """
    asked: set[tuple[str, ...]] = set()
    for location in locations:
        if location is None or local_path(location) is not None:
            continue
        store = tuple(str(location).split("/")[:3])
        if store not in asked:
            asked.add(store)
            try:
                _ask(str(location), seconds)
            except StorageError as error:  # nothing is begun yet: what was asked for cannot be
                raise RequestError(str(error)) from error


def _ask(location: str, seconds: float) -> None:
    raised: list[Exception] = []

    def ask() -> None:
        try:
            store, key = filesystem(location)  # which looks for credentials, on the network too
            store.info(key)
        except Exception as error:  # most are answers: there is no such object, or nobody may know
            raised.append(error)

    # Left to itself where it does not return: a client cannot be stopped.
    asking = Thread(target=ask, name="cellscale-reach", daemon=True)
    asking.start()
    asking.join(seconds)
    if asking.is_alive():
        note_lost(location)
        raise StorageError(
            f"cannot reach {location}: no answer within {seconds:.0f} s. Check the spelling, the network and a "
            "proxy, or try again later"
        )
    for failure in raised:
        _raise_if_away(failure, location)


def _raise_if_away(failure: Exception, location: str) -> None:
    """Raise what a client raised where nobody answered, in words."""
    if isinstance(failure, StorageError):
        raise failure  # no client, say
    if isinstance(failure, failures()):
        error = StorageError(redacted(f"cannot reach {location}: {reason_of(failure, location)}"))
        error.__cause__ = failure
        if is_away(error):
            raise error
