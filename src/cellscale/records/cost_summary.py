"""Benchmark records in a few lines: what a megapixel takes, machine by machine."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from cellscale.records.benchmark_table.row import Row
from cellscale.records.benchmark_table.schema import STAGES, Stage

__all__ = ["MachineSummary", "machine_name", "stage_seconds", "summarize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSummary:
    """Records of one kind of machine, with one way to compute the network."""

    machine: str
    device: str
    batch_size: int | None
    images: int
    failed: int
    pixels: int
    """Of the images that were finished in one go."""
    seconds_per_megapixel: float | None
    """Median over the images; None where none was finished in one go."""
    stages: dict[Stage, float]
    """The same of each stage, which may run side by side."""
    peak_memory: float | None
    """Bytes, the largest."""


def machine_name(row: Row) -> str:
    """Return what a machine is called: its type where it is rented, else its processor."""
    instance = next((row[f"{stage}_instance_type"] for stage in STAGES if row[f"{stage}_instance_type"]), None)
    return instance or f"{row['cpu'] or 'unknown'}, {row['cores'] or '?'} cores"


def summarize(rows: Iterable[Row]) -> list[MachineSummary]:
    """Return a summary for each kind of machine, device and batch size, sorted by name."""
    groups: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for row in rows:
        precision = row["precision"] if row["precision"] != "float32" else None
        device = " ".join(filter(None, (row["device"], precision))) or "-"
        groups[machine_name(row), device, row["prediction_batch_size"] or 0].append(row)
    return [_summary(*key, found) for key, found in sorted(groups.items())]


def _summary(machine: str, device: str, batch: int, rows: Sequence[Row]) -> MachineSummary:
    whole = [row for row in rows if row["success"] and not row["resumed"] and row["pixels_m"]]
    memory = [row["peak_memory_gb"] for row in rows if row["peak_memory_gb"]]
    stages = {stage: _rate(whole, partial(stage_seconds, stage=stage)) for stage in STAGES}
    return MachineSummary(
        machine=machine,
        device=device,
        batch_size=batch or None,
        images=len(rows),
        failed=sum(not row["success"] for row in rows),
        pixels=sum(row["pixels_m"] for row in whole),
        seconds_per_megapixel=_rate(whole, lambda row: row["total_time_s"]),
        stages={stage: rate for stage, rate in stages.items() if rate is not None},
        peak_memory=max(memory) * 1e9 if memory else None,
    )


def stage_seconds(row: Row, stage: Stage) -> float | None:
    """Return what a stage took without the time spent on reading; None where it was not done."""
    working, writing = row[f"{stage}_time_s"], row[f"{stage}_output_write_time_s"]
    return None if working is None else working + (writing or 0.0)


def _rate(rows: Iterable[Row], seconds: Callable[[Row], float | None]) -> float | None:
    rates = [found / row["pixels_m"] * 1e6 for row in rows if (found := seconds(row)) is not None]
    return median(rates) if rates else None
