"""A simulation of many machines at work on many images, event by event.

What a formula cannot say: machines that start late and are taken away, images that wait for one another's end, and
readers that share the bandwidth of a store.
"""

import heapq
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Fleet", "Job", "Outcome", "simulate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One image's work on one machine."""

    seconds: float
    """What it takes undisturbed, storage included."""
    read_bytes: float = 0.0
    written_bytes: float = 0.0
    reads: int = 0
    """Requests to the store."""
    writes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Machines of one kind."""

    machines: int
    start: float = 0.0
    """Seconds until a machine works."""
    losses_per_hour: float = 0.0
    """How often a machine that works is taken away; it is replaced by another."""
    kept_every: float = 60.0
    """Seconds of work between two units that another machine can go on from; half of it is lost each time."""
    retries: int = 10
    """Times that a job is taken up again after a loss before it counts as failed; Batch allows no more."""
    bandwidth: float = float("inf")
    """Bytes a second that all machines together can read; jobs go slower where they ask for more."""


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    seconds: float = 0.0
    """From the first machine's start to the last job's end."""
    machine_seconds: float = 0.0
    """Of all machines, starting included."""
    losses: int = 0
    """Machines that were taken away at work."""
    lost_seconds: float = 0.0
    """Of work done again, and of machines that started in the place of others."""
    failed: int = 0
    """Jobs that were given up."""
    done: int = 0
    events: int = 0
    """Jobs given out, ended or lost: what a scheduler has to see to."""
    busiest: int = 0
    """Events in the busiest second."""
    read_bytes: float = 0.0
    written_bytes: float = 0.0
    reads: int = 0
    writes: int = 0


@dataclass(slots=True)
class _Attempt:
    """A job, as far as it is done."""

    job: Job
    left: float
    tries: int = 0


@dataclass(slots=True)
class _Run:
    """The state of a simulation."""

    fleet: Fleet
    chance: random.Random
    waiting: deque[_Attempt]
    slowness: float
    outcome: Outcome = field(default_factory=Outcome)
    second: int = -1
    in_second: int = 0

    def event(self, now: float) -> None:
        """Count what a scheduler sees."""
        self.outcome.events += 1
        if int(now) != self.second:
            self.second, self.in_second = int(now), 0
        self.in_second += 1
        self.outcome.busiest = max(self.outcome.busiest, self.in_second)


def simulate(jobs: Sequence[Job], fleet: Fleet, seed: int = 0) -> Outcome:
    """Let a fleet work on jobs, in their order, until all are done.

    Parameters
    ----------
    jobs
        What is to be done.
    fleet
        Who does it.
    seed
        Of the chance by which machines are taken away; the same seed gives the same outcome.
    """
    run = _Run(fleet, random.Random(seed), deque(_Attempt(job, job.seconds) for job in jobs), _slowness(jobs, fleet))
    # The earliest machine to become free takes the next job: (when, which machine).
    free = [(fleet.start, machine) for machine in range(min(fleet.machines, len(jobs)))]
    run.outcome.machine_seconds = fleet.start * len(free)
    ends: list[tuple[float, int, _Attempt, bool]] = []
    number = 0
    while run.waiting or ends:
        if run.waiting and free and (not ends or free[0][0] <= ends[0][0]):
            now, machine = heapq.heappop(free)
            number += 1
            heapq.heappush(ends, _begun(run, run.waiting.popleft(), now, number))
            continue
        now, machine, attempt, is_lost = heapq.heappop(ends)
        heapq.heappush(free, (_ended(run, attempt, now, is_lost=is_lost), machine))
    return run.outcome


def _begun(run: _Run, attempt: _Attempt, now: float, number: int) -> tuple[float, int, _Attempt, bool]:
    """Start an attempt; return when it ends, and whether by the loss of its machine."""
    run.event(now)
    needed = attempt.left * run.slowness
    rate = run.fleet.losses_per_hour / 3600
    until_loss = run.chance.expovariate(rate) if rate else float("inf")
    worked = min(needed, until_loss)
    run.outcome.machine_seconds += worked
    if until_loss < needed:
        # Work since the last unit that was kept is done again.
        redone = min(run.chance.uniform(0.0, run.fleet.kept_every), worked)
        attempt.left -= (worked - redone) / run.slowness
        run.outcome.lost_seconds += redone + run.fleet.start
        return now + worked, number, attempt, True
    return now + worked, number, attempt, False


def _ended(run: _Run, attempt: _Attempt, now: float, *, is_lost: bool) -> float:
    """Put down the end of an attempt; return when its machine, or the one in its place, is free."""
    run.event(now)
    outcome, job = run.outcome, attempt.job
    outcome.seconds = max(outcome.seconds, now)
    if not is_lost:
        outcome.done += 1
        outcome.read_bytes += job.read_bytes
        outcome.written_bytes += job.written_bytes
        outcome.reads += job.reads
        outcome.writes += job.writes
        return now
    outcome.losses += 1
    outcome.machine_seconds += run.fleet.start
    attempt.tries += 1
    if attempt.tries > run.fleet.retries:
        outcome.failed += 1
    else:
        run.waiting.appendleft(attempt)
    return now + run.fleet.start


def _slowness(jobs: Sequence[Job], fleet: Fleet) -> float:
    """Return how many times as long jobs take since they share the store's bandwidth."""
    seconds = sum(job.seconds for job in jobs)
    asked = sum(job.read_bytes for job in jobs) / seconds * min(fleet.machines, len(jobs)) if seconds else 0.0
    return max(asked / fleet.bandwidth, 1.0)
