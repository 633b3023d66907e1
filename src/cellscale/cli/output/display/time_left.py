"""How long a run will still take, from what was expected and from what was measured so far."""

from collections.abc import Mapping
from statistics import fmean

__all__ = ["TimeLeft"]

_TRUST = 30.0
"""Seconds of work for which the expectation counts as much as what is measured; fewer where less is left, so that the
end of a run, and all of a short one, go by the run's own pace."""
_ENOUGH = 0.05
"""Images' worth of work from which on a run without expectations is extrapolated."""


class TimeLeft:
    """Extrapolates a run.

    Where the time of each image is expected beforehand, what is left of it is corrected by what work took so far
    against what was expected of it. Else images are taken to be alike. Images that were kept or failed count for
    neither.
    """

    def __init__(self) -> None:
        self._expected: dict[str, float] = {}
        self._done = 0.0
        """Expected seconds (or images) of the work that is done."""
        self._idle = 0.0
        """Seconds that were not spent on images that count."""
        self._began: dict[str, float] = {}

    def expect(self, seconds: Mapping[str, float]) -> None:
        """Take what is expected of each image; once one is finished without, all go by what is measured."""
        if self._done:
            return
        self._expected = {name: max(each, 0.1) for name, each in seconds.items()}

    def waited(self, seconds: float) -> None:
        """Leave out seconds that no later image will take, such as those of compiling."""
        self._idle += seconds

    def begin(self, image: str, elapsed: float) -> None:
        """Note when an image began."""
        self._began[image] = elapsed

    def finish(self, image: str, elapsed: float, *, worked: bool) -> None:
        """Note that an image is over, and whether its work was done now."""
        beside = max(len(self._began), 1)
        began = self._began.pop(image, elapsed)
        if worked:
            self._done += self._of(image)
        else:  # of the time that it took, others at work at the same time used their part
            self._idle += max(elapsed - began, 0.0) / beside
        self._expected.pop(image, None)

    def seconds(self, elapsed: float, under_way: Mapping[str, float], waiting: int) -> float | None:
        """Return what is left.

        Parameters
        ----------
        elapsed
            Seconds since the run began.
        under_way
            Part done, from 0 to 1, of each image that is worked on.
        waiting
            Images that have not begun.
        """
        done = self._done + sum(self._of(name) * fraction for name, fraction in under_way.items())
        left = sum(self._of(name) * (1 - fraction) for name, fraction in under_way.items())
        others = [each for name, each in self._expected.items() if name not in under_way]
        left += waiting * (fmean(others) if others else 1.0 if not self._expected else fmean(self._expected.values()))
        spent = max(elapsed - self._idle, 0.0)
        if self._expected:
            trust = min(_TRUST, left)
            return left * (spent + trust) / (done + trust) if left > 0 else 0.0
        return left * spent / done if done > _ENOUGH else None

    def _of(self, image: str) -> float:
        if image in self._expected:
            return self._expected[image]
        return fmean(self._expected.values()) if self._expected else 1.0
