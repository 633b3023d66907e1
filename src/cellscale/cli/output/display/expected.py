"""What each image is expected to take, from its header and the records of runs."""

from contextlib import suppress
from threading import Thread

from cellscale.cli.output.display.time_left import TimeLeft
from cellscale.pipeline.events import ImagesSeen

__all__ = ["expect"]

_RUNS = 8
"""Records of so many runs are looked at: a file of them takes hundredths of a second."""


def expect(event: ImagesSeen, time_left: TimeLeft) -> None:
    """Have the time that is left begin with an expectation, as soon as there is one; the run does not wait for it."""
    if not event.segment:
        return  # what says how much there is to do would load the network, and measuring is soon extrapolated
    with suppress(RuntimeError):  # no thread is to be had
        Thread(target=_expect, args=(event, time_left), name="cellscale-expect").start()


def _expect(event: ImagesSeen, time_left: TimeLeft) -> None:
    with suppress(Exception):  # without, the time is extrapolated from what was measured
        from cellscale.pipeline.budget import side_by_side
        from cellscale.pipeline.segmenting import grid_of
        from cellscale.planning.image_sizes import image_size
        from cellscale.records.machine import this_machine
        from cellscale.records.shipped_rates import known_rates

        machine = this_machine()
        rates = known_rates(event.jobs, machine, (), event.network, grid_of(event.interface), newest=_RUNS)
        expected: dict[str, float] = {}
        for name, info, mpp in event.images:
            size = image_size(info, mpp, network=event.interface)
            seconds = rates.segmenting(size, machine.cores) if event.segment else 0.0
            seconds += rates.measuring_time(size, machine.cores) if event.measure else 0.0
            beside = min(side_by_side(size.network_pixels, machine.cores), len(event.images))
            loading = 0.0 if expected else rates.loading  # the first one waits for the network
            expected[name] = loading + rates.start + seconds - rates.saved(size, beside)
        time_left.expect(expected)
