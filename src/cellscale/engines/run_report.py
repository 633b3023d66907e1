"""The report at the end of a run."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from typing import Any

import imagecodecs
import numba
import numpy as np

from cellscale import __version__
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.outcome import ImageOutcome, RunOutcome
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import counts_mark
from cellscale.report.image_record import CertificateRecord, ImageRecord, RegionRecord, TissueRecord
from cellscale.report.write import update_report
from cellscale.storage.uri import exists, join
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import SINGLE, WorkspacePaths
from cellscale.workspace.record import Ledger

__all__ = ["write_report"]

_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml")
"""What ONNX Runtime is installed as."""


def write_report(request: Request, outcome: RunOutcome, listener: Listener) -> tuple[str, ...]:
    """Bring the dataset's report up to date, and return where it begins, and its single file where there is one.

    Parameters
    ----------
    request
        What was asked.
    outcome
        What became of the images.
    listener
        Is told of progress.

    Raises
    ------
    StorageError
        Something cannot be written.
    """
    images = {entry.name for entry in discover(request.paths, recursive=request.images.recursive)}
    records = [_record(request.paths, image) for image in outcome.images]
    run = ImageRun("", listener, Budget.choose(request.resources.workers, request.resources.max_memory))
    with run.stage("report", len(records)) as advance:
        index = update_report(
            request.paths,
            records,
            images,
            single_file=request.outputs.report_single_file,
            workers=run.budget.workers,
            advance=advance,
            tell=lambda text: listener(Notice("", "warning", text)),
        )
    single = join(request.paths.reports, SINGLE)
    return (str(index), str(single)) if exists(single) else (str(index),)


def _record(paths: WorkspacePaths, image: ImageOutcome) -> ImageRecord:
    ledger = Ledger(paths.jobs, image.image)
    made = ledger.facts("segmentation")
    return ImageRecord(
        image=image.image,
        status="done" if image.untold and image.status == "kept" else image.status,
        error=image.error,
        cells=image.cells,
        nuclei=image.nuclei,
        unmatched_nuclei=image.unmatched_nuclei,
        warnings=image.warnings,
        notes=image.notes,
        seconds=image.seconds,
        peak_memory=image.peak_memory,
        stages=image.stages,
        machine=image.machine,
        network=image.facts.network,
        network_sha256=made.get("network", ""),
        network_license=made.get("license", ""),
        parameters=made.get("parameters", {}),
        certificates={name: CertificateRecord(**facts) for name, facts in made.get("certificates", {}).items()},
        regions=tuple(_regions(made, ledger.facts("measurement"))),
        segmented_pixels=_segmented_pixels(made.get("regions", {})),
        tissue=TissueRecord(**made["tissue"]) if "tissue" in made else None,
        versions=_versions(),
        finished_utc=image.finished_utc,
    )


def _regions(made: Mapping[str, Any], tables: Mapping[str, Any]) -> Iterator[RegionRecord]:
    """Yield what is on record of regions: as tables of these masks have it, else as the masks do."""
    segmented = made.get("regions", {})
    is_of_these = tables.get("of_masks") in (None, counts_mark(made))
    measured = tables.get("regions", {}) if is_of_these else {}
    for name, found in (measured or segmented).items():
        masks = segmented.get(name, {})
        facts = {**masks, **found} if masks.get("pixels") == found["pixels"] else found
        yield RegionRecord(
            name=name, pixels=found["pixels"], cells=facts.get("whole-cell"), nuclei=facts.get("nuclear")
        )


def _segmented_pixels(segmented: Mapping[str, Any]) -> float | None:
    return sum(float(found["pixels"]) for found in segmented.values()) if segmented else None


def _versions() -> dict[str, str]:
    parts: dict[str, Any] = {"numpy": np, "numba": numba, "imagecodecs": imagecodecs}
    versions = {name: module.__version__ for name, module in parts.items()}
    return {"cellscale": __version__, **_runtime_version(), **versions}


def _runtime_version() -> dict[str, str]:
    """Return the version of ONNX Runtime, which measuring does not load for it."""
    if (loaded := sys.modules.get("onnxruntime")) is not None:
        return {"onnxruntime": loaded.__version__}
    for distribution in _RUNTIMES:
        with suppress(metadata.PackageNotFoundError):
            return {"onnxruntime": metadata.version(distribution)}
    return {}
