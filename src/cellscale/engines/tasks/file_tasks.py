"""Stages from file to file as tasks: what became of them, and what they cost."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cellscale import __version__
from cellscale.engines.benchmark_rows import benchmark_rows
from cellscale.engines.preflight import INSTANSEG, choose_model
from cellscale.errors import RequestError
from cellscale.images.image_names import image_name
from cellscale.images.masks import write_mask
from cellscale.images.npz import ARRAY, NpzArray, open_npz, write_npz
from cellscale.label.parameters import Parameters, usual_parameters
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.image import attempt, process_image
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.request import ChannelChoice, NetworkChoice, Outputs, Request
from cellscale.pipeline.run_context import Placement
from cellscale.pipeline.segmenting import IMAGE, postprocess_file, predict_file, preprocess_file
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.records.benchmark_table import COLUMNS, STAGES, RecordFile, Row, record_id, validated
from cellscale.regions import RegionReader, blocks
from cellscale.storage.atomic import write_bytes
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, base_name, join, make_folder, read_bytes
from cellscale.weights.catalogue import named_network
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.layout import mask_name, picture_name, workspace_paths

__all__ = ["gather_files", "postprocess_task", "predict_task", "preprocess_task", "visualize_task"]

_ROWS = 512
_PLACEMENT = Placement(tried_again=True)
_NAMES = {column.name: column.kind for column in COLUMNS}


def preprocess_task(
    listener: Listener,
    *,
    image_uri: str,
    output_uri: str,
    image_array_name: str = ARRAY,
    image_mpp: float | None = None,
    model: str | None = None,
    model_path: str | None = None,
    benchmark_output_uri: str | None = None,
) -> ImageOutcome:
    """Make the network's input; see `cellscale.pipeline.segmenting.npz_stages.preprocess_file`.

    Raises
    ------
    ModelError
        The weights are missing of a network that is named, whose file says what it is to be given.
    """
    request = _request(channels=ChannelChoice(mpp=image_mpp))
    name, path = named_network(model, model_path)
    given: dict[str, Any] = {}
    if path is not None or name == INSTANSEG:  # Mesmer's input, and its successor's, needs no weights
        found = choose_model(_request(network=NetworkChoice(name=name, path=path)), computes=False)
        assert found is not None, "the request segments"
        given = {"kind": found.kind, "input_format": found.input_format}

    def work(run: ImageRun) -> ImageOutcome:
        _make_parent(output_uri)
        preprocess_file(run, image_uri, output_uri, array=image_array_name, image_mpp=image_mpp, **given)
        return ImageOutcome(image=run.image, status="done", outputs=(output_uri,))

    return _costed(listener, request, image_uri, work, benchmark_output_uri)


def predict_task(
    listener: Listener,
    *,
    image_uri: str,
    output_uri: str,
    model: str | None = None,
    model_path: str | None = None,
    model_hash: str | None = None,
    batch_size: int | None = None,
    benchmark_output_uri: str | None = None,
) -> ImageOutcome:
    """Run the network; see `cellscale.pipeline.segmenting.npz_stages.predict_file`.

    Raises
    ------
    ModelError
        The weights are missing or not the ones asked for.
    """
    name, path = named_network(model, model_path)
    request = _request(network=NetworkChoice(name=name, path=path, checksum=model_hash, batch_size=batch_size))
    found = choose_model(request)
    assert found is not None, "the request segments"

    def work(run: ImageRun) -> ImageOutcome:
        _make_parent(output_uri)
        predict_file(run, image_uri, output_uri, found.load(), found.input_format)
        return ImageOutcome(image=run.image, status="done", outputs=(output_uri,))

    return _costed(listener, request, image_uri, work, benchmark_output_uri)


def postprocess_task(
    listener: Listener,
    *,
    raw_predictions_uri: str,
    input_rows: int,
    input_cols: int,
    output_uri: str,
    model: str | None = None,
    compartment: str = "whole-cell",
    wholecell_tiff_output_uri: str | None = None,
    nuclear_tiff_output_uri: str | None = None,
    benchmark_output_uri: str | None = None,
) -> ImageOutcome:
    """Make labels; see `cellscale.pipeline.segmenting.npz_stages.postprocess_file`.

    Raises
    ------
    RequestError
        A mask is asked for of what is not labelled.
    """
    wanted = COMPARTMENTS if compartment == "both" else tuple(one for one in COMPARTMENTS if one == compartment)
    places = {"whole-cell": wholecell_tiff_output_uri, "nuclear": nuclear_tiff_output_uri}
    for one, option in (("whole-cell", "--wholecell_tiff_output_uri"), ("nuclear", "--nuclear_tiff_output_uri")):
        if places[one] is not None and one not in wanted:
            raise RequestError(
                f"{option} has no meaning with --compartment {compartment}; take --compartment {one} or both"
            )
    masks = {one: place for one in wanted if (place := places[one])}
    usual = usual_parameters(named_network(model, None)[0])
    parameters: dict[Compartment, Parameters] = dict(zip(COMPARTMENTS, usual, strict=True))
    request = _request(compartments=wanted)

    def work(run: ImageRun) -> ImageOutcome:
        for place in (output_uri, *masks.values()):
            _make_parent(place)
        shape = (input_rows, input_cols)
        counts = postprocess_file(
            run,
            raw_predictions_uri,
            output_uri,
            shape=shape,
            compartments=wanted,
            masks=masks,
            parameters=parameters,
        )
        return ImageOutcome(
            image=run.image,
            status="done",
            cells=counts.get("whole-cell"),
            nuclei=counts.get("nuclear"),
            outputs=(output_uri, *masks.values()),
        )

    return _costed(listener, request, raw_predictions_uri, work, benchmark_output_uri)


def visualize_task(
    listener: Listener,
    *,
    image_uri: str,
    predictions_uri: str,
    visualized_input_uri: str,
    visualized_predictions_uri: str,
    image_array_name: str = ARRAY,
) -> ImageOutcome:
    """Draw the input, and the labels' outlines over it, as PNG files."""
    with TemporaryDirectory(prefix="cellscale-visualize-") as folder:
        name = image_name(image_uri)
        paths = workspace_paths(folder)
        npz = _dataset(Path(folder), name, image_uri, image_array_name, predictions_uri)
        request = Request(paths=paths, segment=False, measure=False, outputs=Outputs(visualize=True))
        entry = ImageEntry(name=name, image=None, npz=npz)
        outcome = process_image(entry, request, None, Budget.choose(), listener, _PLACEMENT)
        if outcome.status == "failed":
            return outcome
        for what, place in (("input", visualized_input_uri), ("overlay", visualized_predictions_uri)):
            _make_parent(place)
            write_bytes(place, read_bytes(join(paths.reports, picture_name(name, what))))
        return outcome


def gather_files(
    listener: Listener,
    *,
    preprocess_benchmarking_uri: str,
    prediction_benchmarking_uri: str,
    postprocess_benchmarking_uri: str,
    bigquery_benchmarking_table: str | None = None,
) -> Row:
    """Put what three stages wrote about their costs into one record, and append it to a table if one is given.

    Raises
    ------
    RequestError
        A file holds no such costs.
    StorageError
        A file cannot be read, or the table cannot be written.
    """
    found = [
        _costs(place)
        for place in (preprocess_benchmarking_uri, prediction_benchmarking_uri, postprocess_benchmarking_uri)
    ]
    values = dict(found[0])
    for costs in found[1:]:
        values |= {name: value for name, value in costs.items() if name.startswith(STAGES) or name not in values}
    values["success"] = all(bool(values.get(f"{stage}_success")) for stage in STAGES[:3])
    values["total_time_s"] = sum(costs.get("total_time_s") or 0.0 for costs in found)
    image, finished = str(values.get("input_file_id", "")), str(values.get("benchmark_datetime_utc", ""))
    row = validated({**values, "record_id": record_id("", image, finished), "cellscale_version": __version__})
    if bigquery_benchmarking_table:
        from cellscale.records.bigquery import append_file, open_client

        file = RecordFile(f"{row['record_id']}.parquet", (row,))
        append_file(open_client(bigquery_benchmarking_table), bigquery_benchmarking_table, file)
    listener(Notice(image, "info", f"{bigquery_benchmarking_table or 'no table'}: {json.dumps(_known(row))}"))
    return row


def _request(**options: Any) -> Request:
    return Request(paths=workspace_paths("."), measure=False, **options)


def _costed(
    listener: Listener,
    request: Request,
    source: str,
    work: Callable[[ImageRun], ImageOutcome],
    benchmark_output_uri: str | None,
) -> ImageOutcome:
    """Do the work and write what it cost, also where it failed."""
    entry = ImageEntry(name=image_name(source), image=source)
    outcome = attempt(entry, Budget.choose(), listener, _PLACEMENT, work)
    if benchmark_output_uri:
        (row,) = benchmark_rows(request, [outcome], "", engine="local")
        _make_parent(benchmark_output_uri)
        write_bytes(benchmark_output_uri, json.dumps(_known(row)).encode())
    return outcome


def _known(row: Row) -> dict[str, Any]:
    """Return what a record tells, as JSON."""
    times = {name: value.isoformat() for name, value in row.items() if isinstance(value, datetime)}
    return {name: value for name, value in {**row, **times}.items() if value is not None}


def _costs(place: str) -> dict[str, Any]:
    try:
        found = parsed_json(read_bytes(place))
        facts = found if isinstance(found, dict) else {}
        known = {name: value for name, value in facts.items() if name in _NAMES}
        times = {name: datetime.fromisoformat(str(known[name])) for name in known if _NAMES[name] == "DATETIME"}
    except ValueError as error:
        raise RequestError(f"{place} does not hold the costs of a stage: {error}") from error
    return known | times


def _dataset(folder: Path, name: str, image_uri: str, array: str, predictions_uri: str) -> Path:
    """Make a dataset of an image and its labels; return the place of the image."""
    for part in ("NPZ_INTERMEDIATE", "SEGMASK", "REPORTS", "jobs"):
        make_folder(folder / part)
    target = folder / "NPZ_INTERMEDIATE" / f"{name}.npz"
    image = open_npz(image_uri, array=array, scratch=folder)
    labels = open_npz(predictions_uri, array=IMAGE, samples=None, scratch=folder)
    try:
        shape = image.info.shape
        strips = list(blocks(shape, (_ROWS, shape[1])))
        pixels = (image.read((0, 1), strip).transpose(1, 2, 0) for strip in strips)
        write_npz(target, [NpzArray(ARRAY, (*shape, 2), image.info.dtype, pixels)])
        for index, compartment in enumerate(COMPARTMENTS[: len(labels.info.channels)]):
            write_mask(folder / "SEGMASK" / mask_name(name, compartment), _plane(labels, index), labels.info.shape)
    finally:
        image.close()
        labels.close()
    return target


def _plane(labels: Any, index: int) -> RegionReader:
    return lambda region: labels.read((index,), region)[0].astype("int32", copy=False)


def _make_parent(location: Location) -> None:
    text = str(location)
    make_folder(text[: -len(base_name(text)) - 1] or ".")
