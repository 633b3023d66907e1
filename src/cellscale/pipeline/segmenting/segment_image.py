"""Masks of one image of a dataset: made, resumed, or kept."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from cellscale import __version__
from cellscale.errors import DamagedStateError, ImageError
from cellscale.pipeline.area import Part, part_in_tissue, part_of, tell_regions
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import (
    RunState,
    asked,
    clear_leftovers,
    decided,
    identity_of,
    note_made,
    note_source,
    require_one_source,
    require_right,
)
from cellscale.pipeline.segmenting.block_store import CertificateSummary, SettledLabels
from cellscale.pipeline.segmenting.inputs import NetworkInput, input_of
from cellscale.pipeline.segmenting.intermediates import (
    clear_intermediates,
    intermediates_to_make,
    note_intermediates,
    send_intermediates,
)
from cellscale.pipeline.segmenting.kept_labels import masks_not_asked, opened_labels, with_same_labels
from cellscale.pipeline.segmenting.mask_marks import (
    MaskMarks,
    earlier_mask_mark,
    growth_of,
    label_facts,
    mask_marks,
    run_state,
)
from cellscale.pipeline.segmenting.methods import AnyNetwork, grown_cells, selections_of
from cellscale.pipeline.segmenting.predict_and_label import segment_channels
from cellscale.pipeline.segmenting.write_masks import write_masks
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.records.stopwatch import Stopwatch
from cellscale.storage.uri import Location, join, make_folder
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.identity import Identity
from cellscale.workspace.layout import mask_name
from cellscale.workspace.record import FORMATS, SUFFIXES, Ledger, Verdict

__all__ = ["Masks", "mask_outputs", "masks_to_make", "segment_image"]

_FACTS = frozenset(
    {
        "objects",
        "certified",
        "certificates",
        "usual_names",
        "network",
        "network_mpp",
        "license",
        "image",
        "parameters",
        "regions",
        "tissue",
        "version",
    }
)
"""What is noted of how masks were made."""
ATTEMPTS = 3
"""How often damaged units of work are done again before the image fails."""


@dataclass(frozen=True, slots=True)
class Masks:
    """An image's masks, made or kept."""

    made: bool
    """False where they were there before the run."""
    counts: dict[Compartment, int]
    """Objects found, by compartment; empty where others made the masks."""
    outputs: tuple[Location, ...]


def mask_outputs(request: Request, image: str) -> dict[Compartment, list[Location]]:
    """Return where an image's masks go, by compartment."""
    return {
        compartment: [
            join(request.paths.segmasks, mask_name(image, compartment, suffix))
            for suffix in FORMATS[request.segmenting.mask_format]
        ]
        for compartment in request.compartments
    }


def masks_to_make(
    files: Mapping[Compartment, Sequence[Location]], verdict: Verdict
) -> dict[Compartment, list[Location]]:
    """Return those of an image's masks that are to be written, by compartment."""
    return {name: [output for output in group if output in verdict.to_make] for name, group in files.items()}


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
    ledger = Ledger(request.paths.jobs, entry.name, run.fence)
    files = mask_outputs(request, entry.name)
    outputs = tuple(output for group in files.values() for output in group)
    identity = identity_of(run, entry, request.images, ledger)
    with input_of(run, entry, request, model) as source:
        run.learn_image(source.info)
        for note in source.notes:
            run.notice(note)
        for warning in source.pixel_size.warnings:
            run.notice(warning, "warning")
        growth, of_nuclei = growth_of(request, source), request.cells_of_nuclei
        part = part_of(request, entry, source.shape, growth, of_nuclei=of_nuclei)
        marks = mask_marks(identity, entry, request, source, model)
        by_name = marks.of_files(ledger)
        earlier = earlier_mask_mark(entry, request, source, model)
        verdict = decided(run, request, ledger, "segmentation", by_name, outputs, earlier=earlier)
        maps = intermediates_to_make(run, request, ledger, marks)
        if verdict.is_done and not maps:
            return _kept(run, request, ledger, outputs, verdict)
        if verdict.stale and not request.outputs.overwrite:
            _tell_of_other_list(run, ledger, source)
        run.budget.require_room(source.info)
        if request.dry_run:
            return Masks(True, {}, outputs)
        make_folder(request.paths.segmasks)  # before the work, in case that it cannot be made
        note_source(entry, request.paths)
        to_make = masks_to_make(files, verdict)
        copied = None if maps else with_same_labels(request.paths.segmasks, ledger, marks, to_make)
        earlier_facts = ledger.facts("segmentation")
        facts = {name: value for name, value in earlier_facts.items() if name in _FACTS}

        def begin() -> None:  # as late as can be: what a person puts there before is theirs, and not half of ours
            if verdict.to_make:
                ledger.begin("segmentation", by_name, verdict.to_make, asked(request))

        if copied:
            with opened_labels(copied, source.shape, run.budget.cache_bytes) as labels:
                begin()
                write_masks(run, to_make, labels, source, partial(require_right, run, entry, identity))
        else:
            part, tissue = part_in_tissue(
                run,
                source.channels,
                source.shape,
                source.pixel_size.mpp,
                request.area,
                part,
                growth,
                of_nuclei=of_nuclei,
            )
            found = _segmented(
                run, entry, request, source, model, marks, part, to_make, identity, begin, keep_maps=maps
            )
            _learn_certificates(run, [found[compartment].certificate for compartment in request.predicted])
            made = _facts(request, source, model, identity, found)
            if part is not None:
                made["regions"] = tell_regions(run, part.area, selections_of(found), source.pixel_size.size)
            made |= {"tissue": tissue} if tissue else {}
            facts = _with_earlier(made, earlier_facts, by_name, entry.name)
    if maps:
        note_intermediates(run, request, ledger, marks)
    persons = {name for name, group in files.items() if group and set(group) <= set(verdict.persons)}
    counts = {name: count for name, count in facts["objects"].items() if name not in persons}
    others = masks_not_asked(request, ledger)
    clear_leftovers(run, ledger, "segmentation", others, by_name)
    clear_intermediates(run, request, ledger, marks)
    if verdict.to_make:
        ledger.finish("segmentation", verdict.to_make, {**facts, "objects": counts}, run.placement.run)
        note_made(run, verdict)
    return Masks(True, {name: counts[name] for name in request.compartments if name in counts}, outputs)


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


def _learn_certificates(run: ImageRun, certificates: Sequence[CertificateSummary]) -> None:
    run.learn(
        blocks=sum(certificate.blocks for certificate in certificates),
        enlarged_blocks=sum(certificate.enlarged for certificate in certificates),
        largest_halo=max(certificate.largest_halo for certificate in certificates),
    )


def _facts(
    request: Request,
    source: NetworkInput,
    model: Model,
    identity: Identity,
    labels: Mapping[Compartment, SettledLabels],
) -> dict[str, Any]:
    """Return what is worth knowing of how masks were made."""
    return {
        "objects": {compartment: found.count for compartment, found in labels.items()},
        "certified": True,
        "certificates": {compartment: asdict(found.certificate) for compartment, found in labels.items()},
        "usual_names": source.usual_names,
        "network": model.sha256,
        "network_mpp": model.input_format.mpp,
        "license": model.license,
        "image": identity.facts,
        "parameters": label_facts(request, source),
        "version": __version__,
    }


def _with_earlier(
    facts: dict[str, Any], earlier: Mapping[str, Any], good: Collection[str], image: str
) -> dict[str, Any]:
    """Return facts with those of earlier runs of compartments whose masks are still good."""
    kept = [name for name in COMPARTMENTS if any(mask_name(image, name, suffix) in good for suffix in SUFFIXES)]
    both = {
        key: {name: earlier[key][name] for name in kept if name in earlier.get(key, {})} | facts[key]
        for key in ("objects", "certificates", "parameters")
    }
    return facts | both


def _kept(run: ImageRun, request: Request, ledger: Ledger, outputs: tuple[Location, ...], verdict: Verdict) -> Masks:
    if not request.dry_run:
        ledger.keep()
    if verdict.persons:
        return Masks(False, {}, outputs)
    made = ledger.finished_in("segmentation", run.placement.run)
    return Masks(made, ledger.facts("segmentation").get("objects", {}), outputs)


def _segmented(
    run: ImageRun,
    entry: ImageEntry,
    request: Request,
    source: NetworkInput,
    model: Model,
    marks: MaskMarks,
    part: Part | None,
    files: Mapping[Compartment, Sequence[Location]],
    identity: Identity,
    begin: Callable[[], None],
    *,
    keep_maps: bool,
) -> dict[Compartment, SettledLabels]:
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
        request.paths, entry.name, marks, computation.arithmetic, shared=run.placement.shared_state
    ) as state:
        if not run.placement.shared_state:  # else it was made by this run, on machines that work on it now
            state.check()
        _tell_damage(run, state)

        state.before_commit = partial(require_right, run, entry, identity)

        def check() -> None:
            try:
                require_right(run, entry, identity)
            except ImageError:  # some of the unfinished work is of other pixels
                state.clear()
                raise

        for attempt in range(ATTEMPTS):
            try:
                labels = _labelled(run, entry.name, request, source, network, state, part, check, keep_maps=keep_maps)
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


def _labelled(
    run: ImageRun,
    image: str,
    request: Request,
    source: NetworkInput,
    network: AnyNetwork,
    state: RunState,
    part: Part | None,
    check: Callable[[], None],
    *,
    keep_maps: bool,
) -> dict[Compartment, SettledLabels]:
    """Return the labels; what ``check`` raises where the image was replaced meanwhile, whatever came of that."""
    here = state.folder.parent / "intermediates" / f"{image}.zarr" if keep_maps else None
    parameters = {compartment: request.segmenting.parameters(compartment) for compartment in request.predicted}
    try:
        labels = segment_channels(run, state, source, network, parameters, here, part)
    except ImageError:
        check()
        raise
    check()
    if here is not None:
        send_intermediates(here, request.paths.jobs, image)
    growth = None if part is not None else growth_of(request, source)  # of a part they have grown already
    return labels if growth is None else grown_cells(labels, growth, of_nuclei=request.cells_of_nuclei)
