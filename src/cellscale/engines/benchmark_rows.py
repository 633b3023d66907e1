"""Benchmark records of a run, from what became of its images."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cellscale import __version__
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.request import Request
from cellscale.records.benchmark_table import STAGES, Row, Stage, record_id, validated
from cellscale.records.stage_cost import StageRecord

__all__ = ["benchmark_rows"]

_PARTS: dict[Stage, tuple[str, ...]] = {
    "preprocessing": ("range", "statistics", "equalisation", "input"),
    "prediction": ("network", "maps"),
    "postprocessing": ("labels", "numbering", "masks"),
    "measurement": ("measurement", "tables", "project"),
}
_WRITERS = ("input", "maps", "masks", "tables", "project")
"""Stages of the pipeline that only write."""
_MAPS = 2
"""Channels that the network sees."""


@dataclass(frozen=True, slots=True)
class _StageOutcome:
    """One stage of the table, and the part of the work on the image that it belongs to."""

    part: ImageOutcome
    records: tuple[StageRecord, ...]


def benchmark_rows(
    request: Request, outcomes: Iterable[ImageOutcome], run_id: str, failed: Collection[str] = (), *, engine: str
) -> list[Row]:
    """Return a record for each image on which something was done.

    Parameters
    ----------
    request
        What was asked.
    outcomes
        What became of the images; several of one image, where its stages were done on several machines, in order.
    run_id
        Names the run.
    failed
        Images that failed, whatever the outcomes say: machines that were lost leave none.
    engine
        Name of the engine that did the work.
    """
    parts: dict[str, list[ImageOutcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.stages or outcome.status == "failed":
            parts[outcome.image].append(outcome)
    return [
        _row(
            request,
            image,
            found,
            run_id,
            engine,
            done=image not in failed and all(part.status != "failed" for part in found),
        )
        for image, found in parts.items()
    ]


def _row(request: Request, image: str, parts: Sequence[ImageOutcome], run_id: str, engine: str, *, done: bool) -> Row:
    run_id = parts[-1].run or run_id
    finished = max(part.finished_utc for part in parts)
    stages = {stage: found for stage in STAGES if (found := _found(stage, parts)) is not None}
    values = {
        "input_file_id": image,
        "compartment": "both" if len(request.compartments) > 1 else request.compartments[0],
        "benchmark_datetime_utc": datetime.fromisoformat(finished) if finished else None,
        "success": done,
        "record_id": record_id(run_id, image, finished),
        "run_id": run_id,
        "cellscale_version": __version__,
        "engine": engine,
        **_image_values(parts),
        **_machine_values(parts[0]),
    }
    for stage, found in stages.items():
        values |= {f"{stage}_{name}": value for name, value in _stage_values(found).items()}
    values |= _processor_values(stages)
    if "prediction" in stages:
        facts = stages["prediction"].part.facts
        values["prediction_model_load_time_s"] = facts.model_load_seconds
        values["prediction_batch_size"] = facts.batch_size or None
    failed = next((stage for stage in _expected(request.segment, request.measure) if stage not in stages), None)
    if failed is not None and not done:
        values[f"{failed}_success"] = False
    return validated(values)


def _found(stage: Stage, parts: Sequence[ImageOutcome]) -> _StageOutcome | None:
    """Return the last part of the work that has a stage."""
    for part in reversed(parts):
        records = tuple(record for record in part.stages if record.stage in _PARTS[stage])
        if records:
            return _StageOutcome(part, records)
    return None


def _expected(segment: bool, measure: bool) -> Iterator[Stage]:
    if segment:
        yield from STAGES[:3]
    if measure:
        yield "measurement"


def _image_values(parts: Sequence[ImageOutcome]) -> dict[str, Any]:
    """Return what is known of an image from all parts of the work together."""
    facts = next((part.facts for part in parts if part.facts.network), parts[-1].facts)
    last = parts[-1]
    return {
        "pixels_m": facts.height * facts.width or None,
        "numpy_size_mb": round(facts.height * facts.width * _MAPS * facts.sample_bytes / 1e6, 2) or None,
        "network": facts.network or None,
        "device": facts.device or None,
        "precision": facts.precision or None,
        "workers": facts.workers or None,
        "side_by_side": max(part.facts.side_by_side for part in parts) or None,
        "height_px": facts.height or None,
        "width_px": facts.width or None,
        "network_pixels": facts.network_height * facts.network_width or None,
        "channels": facts.channels or None,
        "sample_bytes": facts.sample_bytes or None,
        "file_mb": facts.file_bytes / 1e6 or None,
        "output_mb": sum(part.facts.output_bytes for part in parts) / 1e6,
        "cells": last.cells,
        "nuclei": last.nuclei,
        "total_time_s": sum(part.seconds for part in parts),
        "total_processor_time_s": sum(part.processor_seconds for part in parts) or None,
        "segmentation_time_s": _segmentation_seconds(parts),
        "peak_memory_gb": max(part.peak_memory for part in parts) / 1e9,
        "resumed": any(record.earlier_units > 0 for part in parts for record in part.stages),
        "certified": True if facts.blocks else None,
        "certified_blocks": facts.blocks or None,
        "enlarged_blocks": facts.enlarged_blocks if facts.blocks else None,
        "largest_halo_px": facts.largest_halo if facts.blocks else None,
    }


def _segmentation_seconds(parts: Sequence[ImageOutcome]) -> float | None:
    """Return the wall time of all stages of segmenting; the network works while blocks are labelled."""
    names = {name for stage in STAGES[:3] for name in _PARTS[stage]} - {"network"}
    found = [record for part in parts for record in part.stages if record.stage in names]
    return _seconds(found) if found else None


def _machine_values(part: ImageOutcome) -> dict[str, Any]:
    machine = part.machine
    return {
        "cloud_region": machine.region or None,
        "cpu": machine.cpu or None,
        "cores": machine.cores or None,
        "machine_memory_gb": machine.memory / 1e9 or None,
    }


def _stage_values(found: _StageOutcome) -> dict[str, Any]:
    """Return a stage's columns, by what follows the stage in their names."""
    machine, workers = found.part.machine, max(found.part.facts.workers, 1)
    reading = min(sum(record.read_seconds for record in found.records) / workers, _seconds(found.records))
    # The network writes its maps in between, other stages that write do nothing else.
    writers = [record for record in found.records if record.stage in _WRITERS]
    writing = _seconds(writers) + sum(record.write_seconds for record in found.records if record not in writers)
    working = sum(_working(record, workers) for record in found.records if record not in writers)
    return {
        "instance_type": machine.instance_type,
        "gpu_type": machine.gpu_type,
        "num_gpus": machine.num_gpus,
        "is_preemptible": machine.is_preemptible,
        "success": True,
        "peak_memory_gb": max(record.peak_memory for record in found.records) / 1e9,
        "input_load_time_s": reading,
        "time_s": working,
        "output_write_time_s": writing,
    }


def _processor_values(stages: Mapping[Stage, _StageOutcome]) -> dict[str, float | None]:
    """Return the processor time of each stage; labelling and the network, which run at the same time, told apart."""
    records = [record for found in stages.values() for record in found.records]
    times = {record.stage: record.processor_seconds for record in records}
    if not any(times.values()):  # an engine that does not know
        return {}
    for record in records:
        if record.stage == "labels":
            times |= {"network": max(times["labels"] - record.busy_seconds, 0.0), "labels": record.busy_seconds}
    spent = {
        f"{stage}_processor_time_s": sum(times[record.stage] for record in found.records)
        for stage, found in stages.items()
    }
    return {**spent, "labelling_processor_time_s": times.get("labels")}


def _working(record: StageRecord, workers: int) -> float:
    """Return the seconds that a stage worked, without its own reading and writing."""
    if record.stage == "labels":  # runs while the network does, and waits for it
        return record.busy_seconds / workers
    if record.stage == "network":  # reads ahead while it computes
        return max(record.seconds - record.write_seconds, 0.0)
    return max(record.seconds - record.read_seconds / workers, 0.0)


def _seconds(records: Iterable[StageRecord]) -> float:
    return sum(record.seconds for record in records)
