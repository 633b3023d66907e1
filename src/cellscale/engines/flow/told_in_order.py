"""What images that are worked on side by side tell, as one listener can follow it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from threading import RLock

from cellscale.pipeline.events import Event, ImageFinished, Listener, Notice

__all__ = ["ToldInOrder"]


class ToldInOrder:
    """Tells a listener one event at a time, and what people read of one image after another, in the images' order.

    Progress and errors are told at once. Other notices of an image wait until all images before it are finished:
    those of one image stay together, and what was the same for the image before can be left out. They keep the time
    at which they happened.

    Parameters
    ----------
    listener
        Who listens.
    names
        Of the images, in their order.
    """

    def __init__(self, listener: Listener, names: Iterable[str]) -> None:
        self._listener = listener
        self._waiting = list(names)[::-1]
        self._held: dict[str, list[Notice]] = defaultdict(list)
        self._finished: set[str] = set()
        self._error: BaseException | None = None
        self._lock = RLock()

    def __call__(self, event: Event) -> None:
        """Tell an event now, or later.

        Raises
        ------
        BaseException
            What `give_up` was given: work that tells of itself ends here.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            if isinstance(event, Notice) and event.level != "error" and self._is_early(event.image):
                self._held[event.image].append(replace(event, happened=datetime.now(UTC)))
                return
            self._listener(event)
            if isinstance(event, ImageFinished):
                self._finished.add(event.image)
                self._go_on()

    def give_up(self, error: BaseException) -> None:
        """Have all who tell something from now on raise an error."""
        with self._lock:
            self._error = error

    def close(self) -> None:
        """Tell what was still held back."""
        with self._lock:
            self._error = None
            for name in reversed(self._waiting):
                self._tell(name)
            self._waiting.clear()

    def _is_early(self, image: str) -> bool:
        return bool(image and self._waiting and image != self._waiting[-1])

    def _go_on(self) -> None:
        """Let those tell whose turn it is now."""
        while self._waiting and self._waiting[-1] in self._finished:
            self._waiting.pop()
            if self._waiting:
                self._tell(self._waiting[-1])

    def _tell(self, name: str) -> None:
        for notice in self._held.pop(name, ()):
            self._listener(notice)
