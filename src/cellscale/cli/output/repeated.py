"""What is said of many images that are alike: once."""

from cellscale.pipeline.events import Notice

__all__ = ["Repeated"]


class Repeated:
    """Remembers what was told of the image before."""

    def __init__(self) -> None:
        self._image, self._now, self._before = "", set[str](), set[str]()
        self._is_told = False

    def said(self, event: Notice) -> str:
        """Return what to say: the event's text, or less where the image before had the same.

        Parameters
        ----------
        event
            A notice about an image.

        Returns
        -------
        The text; a sentence that it is the same, the first time; nothing, later.
        """
        if event.image != self._image:
            self._image, self._now, self._before = event.image, set(), self._now
        self._now.add(event.text)
        if event.text not in self._before:
            return event.text
        told, self._is_told = self._is_told, True
        return "" if told else "the same; of the next images only what differs from the one before is told"
