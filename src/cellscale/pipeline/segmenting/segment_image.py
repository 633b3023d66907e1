"""Masks of one image of a dataset: made, resumed, or kept."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cellscale import __version__
from cellscale.errors import DamagedStateError, ImageError
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import (
    RunState,
    asked,
    clear_leftovers,
    decided,
    fingerprint,
    identity_of,
    note_source,
    open_state,
    require_one_source,
)
from cellscale.pipeline.segmenting.block_store import BLOCK, CompartmentLabels
from cellscale.pipeline.segmenting.inputs import NetworkInput, open_input
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.pipeline.segmenting.tile_store import GROUP
from cellscale.pipeline.segmenting.write_masks import write_masks
from cellscale.predict.heads import Compartment
from cellscale.predict.network import Network
from cellscale.records.stopwatch import Stopwatch
from cellscale.storage.uploads import send_folder
from cellscale.storage.uri import join, local_path, make_folder
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.identity import Identity, require_unchanged
from cellscale.workspace.layout import WorkspacePaths, mask_name
from cellscale.workspace.record import FORMATS, SUFFIXES, Ledger, Verdict

__all__ = ["Masks", "earlier_segmentation_mark", "mask_outputs", "run_state", "segment_image", "segmentation_mark"]

ATTEMPTS = 3
"""How often damaged units of work are done again before the image fails."""


@dataclass(frozen=True, slots=True)
class Masks:
    """An image's masks, made or kept."""

    made: bool
    """False where they were there before the run."""
    counts: dict[Compartment, int]
    """Objects found, by compartment; empty where others made the masks."""
    outputs: tuple[Path | str, ...]


def mask_outputs(request: Request, image: str) -> dict[Compartment, list[Path | str]]:
    """Return where an image's masks go, by compartment."""
    return {
        compartment: [
            join(request.paths.segmasks, mask_name(image, compartment, suffix))
            for suffix in FORMATS[request.segmenting.mask_format]
        ]
        for compartment in request.compartments
    }


def _not_asked(request: Request, image: str) -> list[Path | str]:
    """Return the masks of the same compartments in formats that are not asked for."""
    suffixes = set(SUFFIXES).difference(FORMATS[request.segmenting.mask_format])
    return [
        join(request.paths.segmasks, mask_name(image, compartment, suffix))
        for compartment in request.compartments
        for suffix in suffixes
    ]


def segment_image(run: ImageRun, entry: ImageEntry, request: Request, model: Model) -> Masks:
    """Make an image's masks, unless they are there already.

    Raises
    ------
    ImageError
        The image cannot be segmented.
    StorageError
        Something cannot be read or written.
    """
    require_one_source(entry, request.paths, request.outputs)
    ledger = Ledger(request.paths.jobs, entry.name)
    files = mask_outputs(request, entry.name)
    outputs = tuple(output for group in files.values() for output in group)
    identity = identity_of(run, entry, request.images, ledger)
    with open_input(entry, request.channels, run.budget.cache_bytes) as source:
        run.learn_image(source.info)
        for note in source.notes:
            run.notice(note)
        for warning in source.pixel_size.warnings:
            run.notice(warning, "warning")
        mark = segmentation_mark(identity, entry, request, source, model)
        earlier = earlier_segmentation_mark(entry, request, source, model)
        verdict = decided(run, request, ledger, "segmentation", mark, outputs, earlier=earlier)
        if verdict.is_done:
            return _kept(run, request, ledger, outputs, verdict)
        if verdict.stale and not request.outputs.overwrite:
            _tell_of_other_list(run, ledger, source)
        run.budget.require_room(source.info)
        if request.dry_run:
            return Masks(True, {}, outputs)
        make_folder(request.paths.segmasks)  # before the work, in case that it cannot be made
        note_source(entry, request.paths)
        to_make = {name: [output for output in group if output in verdict.to_make] for name, group in files.items()}

        def begin() -> None:  # as late as can be: what a person puts there before is theirs, and not half of ours
            ledger.begin("segmentation", mark, verdict.to_make, asked(request))

        labels = _segmented(run, entry, request, source, model, mark, to_make, identity, begin)
    _learn_certificates(run, labels)
    persons = {name for name, group in files.items() if set(group) <= set(verdict.persons)}
    counts = {compartment: found.count for compartment, found in labels.items() if compartment not in persons}
    clear_leftovers(run, ledger, "segmentation", _not_asked(request, entry.name), mark)
    ledger.finish(
        "segmentation",
        verdict.to_make,
        {
            "objects": counts,
            "certified": True,
            "certificates": {compartment: asdict(found.certificate) for compartment, found in labels.items()},
            "usual_names": source.usual_names,
            "network": model.sha256,
            "image": identity.facts,
            "parameters": {compartment: asdict(request.segmenting.parameters(compartment)) for compartment in labels},
            "version": __version__,
        },
        run.placement.run,
    )
    return Masks(True, counts, outputs)


def _tell_of_other_list(run: ImageRun, ledger: Ledger, source: NetworkInput) -> None:
    """Say that channels may be others because the list of usual names is."""
    then = ledger.facts("segmentation").get("usual_names", 1)  # before there were versions
    if None not in (source.usual_names, then) and source.usual_names != then:
        run.notice(
            f"the list of usual names of channels is another one (version {source.usual_names}, then {then}), so "
            "that other channels may be chosen; to keep to some, name them with --nuclear_channel and "
            "--membrane_channel ('none' for a blank membrane)",
            "warning",
        )


def _learn_certificates(run: ImageRun, labels: Mapping[Compartment, CompartmentLabels]) -> None:
    certificates = [found.certificate for found in labels.values()]
    run.learn(
        blocks=sum(certificate.blocks for certificate in certificates),
        enlarged_blocks=sum(certificate.enlarged for certificate in certificates),
        largest_halo=max(certificate.largest_halo for certificate in certificates),
    )


def _kept(
    run: ImageRun, request: Request, ledger: Ledger, outputs: tuple[Path | str, ...], verdict: Verdict
) -> Masks:
    if not request.dry_run:
        ledger.keep()
    if verdict.persons:
        return Masks(False, {}, outputs)
    made = ledger.finished_in("segmentation", run.placement.run)
    return Masks(made, ledger.facts("segmentation").get("objects", {}), outputs)


def segmentation_mark(
    identity: Identity, entry: ImageEntry, request: Request, source: NetworkInput, model: Model
) -> str:
    """Return a hash of all that the masks depend on, but the version of cellscale."""
    return _mark([identity.facts], entry, request, source, model)


def earlier_segmentation_mark(entry: ImageEntry, request: Request, source: NetworkInput, model: Model) -> str:
    """Return the same as version 0.2 wrote it, which went by the time of the image."""
    return _mark([entry.marker, entry.size], entry, request, source, model)


def _mark(image: list[Any], entry: ImageEntry, request: Request, source: NetworkInput, model: Model) -> str:
    axis = {} if entry.channel_axis in (None, "C") else {"axis": entry.channel_axis}
    facts: dict[str, Any] = {
        **axis,
        "input": [*image, list(source.shape), [str(dtype) for dtype in source.dtypes]],
        "choice": list(source.choice),
        "network": model.sha256,
        "precision": request.network.precision,
        "labels": {
            compartment: asdict(request.segmenting.parameters(compartment)) for compartment in request.compartments
        },
    }
    return fingerprint(facts)


def run_state(
    paths: WorkspacePaths,
    image: str,
    mark: str,
    arithmetic: str,
    *,
    shared: bool = False,
    scratch: Path | None = None,
) -> RunState:
    """Return where the finished units of an image are kept.

    Parameters
    ----------
    paths
        Where work in progress is.
    image
        The image's name.
    mark
        The image's `segmentation_mark`.
    arithmetic
        What the last bits of the network's maps depend on: work begun on one kind of device is not finished on
        another, so that a resumed image has the bytes of an uninterrupted one.
    shared
        Where the dataset is in an object store, keep them there as well, so that another machine can go on. The state
        has to be closed then.
    scratch
        Folder of this machine for copies of what is in the object store; None: one that later runs find again.
    """
    key = fingerprint(
        {"facts": mark, "arithmetic": arithmetic, "version": __version__, "block": BLOCK, "group": GROUP}
    )
    return open_state(paths.jobs, image, key, shared=shared, scratch=scratch)


def _segmented(
    run: ImageRun,
    entry: ImageEntry,
    request: Request,
    source: NetworkInput,
    model: Model,
    mark: str,
    files: dict[Compartment, list[Path | str]],
    identity: Identity,
    begin: Callable[[], None],
) -> dict[Compartment, CompartmentLabels]:
    """Segment the image and write its masks; the state goes when they are there.

    ``begin`` is called before the first mask is written.
    """
    loading = Stopwatch()
    network = loading.around(model.load)()
    computation = network.computation
    for note in computation.notes:
        run.notice(note)
    run.learn(
        network=network.name,
        batch_size=network.batch_size,
        device=computation.device,
        precision=computation.precision,
        model_load_seconds=loading.seconds,
    )
    with run_state(
        request.paths, entry.name, mark, computation.arithmetic, shared=run.placement.shared_state
    ) as state:
        if not run.placement.shared_state:  # else it was made by this run, on machines that work on it now
            state.check()
        _tell_damage(run, state)
        check = partial(_require_unchanged, entry, identity, state)
        for attempt in range(ATTEMPTS):
            try:
                labels = _labelled(run, entry, request, source, network, state, check)
                begin()
                write_masks(run, files, labels, source, check)
                break
            except DamagedStateError as error:
                if attempt == ATTEMPTS - 1:
                    raise
                run.notice(f"{error}; it is done again", "warning")
        state.clear()
    return labels


def _tell_damage(run: ImageRun, state: RunState) -> None:
    """Say in one line that parts of an earlier run's unfinished work are made again."""
    if state.damaged:
        more = f" and {len(state.damaged) - 1} more" if len(state.damaged) > 1 else ""
        run.notice(
            f"{state.folder}: {state.damaged[0]}{more} was damaged or removed; it is done again",
            "warning",
        )


def _require_unchanged(entry: ImageEntry, identity: Identity, state: RunState) -> None:
    """Check that the image is the one of before; else some of the unfinished work is of other pixels, and goes."""
    try:
        require_unchanged(entry, identity)
    except ImageError:
        state.clear()
        raise


def _labelled(
    run: ImageRun,
    entry: ImageEntry,
    request: Request,
    source: NetworkInput,
    network: Network,
    state: RunState,
    check: Callable[[], None],
) -> dict[Compartment, CompartmentLabels]:
    """Return the labels; what ``check`` raises where the image was replaced meanwhile, whatever came of that."""
    name, jobs = f"{entry.name}.zarr", request.paths.jobs
    kept = state.folder.parent / "intermediates" / name if request.segmenting.keep_intermediates else None
    parameters = {compartment: request.segmenting.parameters(compartment) for compartment in request.compartments}
    try:
        labels = segment_channels(run, state, source, network, parameters, kept)
    except ImageError:
        check()
        raise
    check()
    if kept is not None and local_path(jobs) is None:
        send_folder(kept, str(join(jobs, "intermediates", name)))
        shutil.rmtree(kept)
    return labels
