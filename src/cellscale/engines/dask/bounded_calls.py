"""Questions to a Dask cluster, with a bound to the wait for an answer."""

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

from distributed import Client

__all__ = ["LOST", "answer"]

ANSWER_SECONDS = 60.0
"""Time in which a scheduler must answer."""
LOST = (CancelledError, asyncio.CancelledError, OSError, TimeoutError, asyncio.TimeoutError)
"""An answer, a result or the connection went away with a worker or with the scheduler."""


def answer(client: Client, ask: Callable[[], Any], seconds: float | None = None) -> Any:
    """Return the answer to a question that the client asks.

    Parameters
    ----------
    client
        Whose connection is used.
    ask
        Calls a function of the client, or of its scheduler, that has something to be waited for.
    seconds
        How long to wait; None: `ANSWER_SECONDS`.

    Raises
    ------
    OSError
        There is no answer in this time (`TimeoutError`), or no connection.
    """
    try:
        # Called in the client's own loop, its functions return something to be waited for.
        return client.sync(ask, callback_timeout=ANSWER_SECONDS if seconds is None else seconds)
    except (AttributeError, RuntimeError) as error:  # of a client that just ends: it has no scheduler, no loop
        if client.status == "running":
            raise
        raise OSError(f"the connection to the Dask scheduler has ended: {error}") from error
