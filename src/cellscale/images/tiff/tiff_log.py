"""What tifffile says about a file while cellscale reads it.

tifffile logs the faults it works around. They explain a failure, so they are collected for the error message; they
are kept from the user's terminal, where they would only be noise. Other users of tifffile see their messages as ever.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["collected_messages"]

_messages: ContextVar[list[str] | None] = ContextVar("tifffile_messages", default=None)


class _Collector(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        messages = _messages.get()
        if messages is None:
            return True
        if record.levelno >= logging.WARNING:
            messages.append(record.getMessage())
        return False


_COLLECTOR = _Collector()


@contextmanager
def collected_messages() -> Iterator[list[str]]:
    """Collect tifffile's warnings of this thread, instead of showing them, until the ``with`` block ends."""
    logging.getLogger("tifffile").addFilter(_COLLECTOR)  # adding it again changes nothing
    messages: list[str] = []
    token = _messages.set(messages)
    try:
        yield messages
    finally:
        _messages.reset(token)
