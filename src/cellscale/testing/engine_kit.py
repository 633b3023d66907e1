"""Whether an engine does what `cellscale.engines.engine.Engine` asks of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cellscale.engines.engine import Engine, find_engine
from cellscale.errors import RequestError
from cellscale.pipeline.events import Event
from cellscale.pipeline.outcome import RunOutcome
from cellscale.pipeline.request import NetworkChoice, Outputs, Request
from cellscale.predict.onnx_file import tiny_network
from cellscale.testing.claims import claim
from cellscale.workspace.layout import workspace_paths

__all__ = ["check_engine"]

_SIDE = 192
_GAP = 48
"""Pixels between the centres of neighbouring spots."""
_IMAGES = ("first", "second")
_BROKEN = "broken"


def check_engine(engine: Engine, options: Any = None) -> None:
    """Check an engine on a small dataset with a tiny network, in a temporary folder, against the engine ``local``.

    Parameters
    ----------
    engine
        The engine.
    options
        What is asked of this engine alone; None and not given to engines without options of their own.

    Raises
    ------
    AssertionError
        The engine does something wrong; the message says what.
    """
    with TemporaryDirectory(prefix="cellscale-", ignore_cleanup_errors=True) as name:
        expected, checked = Path(name) / "expected", Path(name) / "checked"
        model = Path(name) / "tiny.onnx"
        model.write_bytes(tiny_network())
        for root in (expected, checked):
            _write_dataset(root)
        find_engine("local")(_request(expected, model), lambda event: None)
        events: list[Event] = []
        request = _request(checked, model)

        def run(request: Request) -> RunOutcome:
            return engine(request, events.append) if options is None else engine(request, events.append, options)

        planned = run(replace(request, dry_run=True))
        claim(not (checked / "SEGMASK").exists(), "a dry run writes masks; expected only to say what would be done")
        _check_statuses(planned, "planned")
        _check_outcome(run(request))
        claim(events, "the listener is told nothing; expected the events of cellscale.pipeline.events")
        found, wanted = _contents(checked), _contents(expected)
        claim(found.keys() == wanted.keys(), f"files are {sorted(found)}; expected {sorted(wanted)}")
        other = [file for file in wanted if found[file] != wanted[file]]
        claim(not other, f"other bytes than the engine local writes are in {', '.join(other)}")
        _check_statuses(run(request), "kept")
        claim(_contents(checked) == found, "a second run changes files that were finished")
        _check_refusals(run, request, Path(name) / "nothing")


def _check_outcome(outcome: RunOutcome) -> None:
    """Check what is told of a run with a broken image."""
    _check_statuses(outcome, "done")
    (failed,) = outcome.failed
    claim(failed.error, "the broken image has no error; expected why it failed")
    claim(outcome.exit_code == 1, f"the exit code is {outcome.exit_code} with a broken image; expected 1")
    for image in outcome.images:
        claim(
            image.status == "failed" or (image.cells == (_SIDE // _GAP) ** 2 and image.outputs),
            f"{image.cells} cells and the outputs {image.outputs} are told of the image {image.image}",
        )


def _check_statuses(outcome: RunOutcome, expected: str) -> None:
    claim(isinstance(outcome, RunOutcome), f"the engine returns {type(outcome).__name__}; expected RunOutcome")
    statuses = {image.image: image.status for image in outcome.images}
    wanted = {_BROKEN: "failed", **dict.fromkeys(_IMAGES, expected)}
    claim(statuses == wanted, f"images are {statuses}; expected {wanted}")


def _check_refusals(run: Callable[[Request], RunOutcome], request: Request, nothing: Path) -> None:
    (nothing / "OMETIFF").mkdir(parents=True)
    try:
        run(replace(request, paths=workspace_paths(nothing)))
    except RequestError:
        return
    raise AssertionError("a dataset without images is not refused; expected RequestError")


def _request(root: Path, model: Path) -> Request:
    network = NetworkChoice(path=str(model), device="cpu")
    return Request(paths=workspace_paths(root), network=network, outputs=Outputs(report=False))


def _write_dataset(root: Path) -> None:
    """Write two images of bright spots, and one that is broken."""
    folder = root / "OMETIFF"
    folder.mkdir(parents=True)
    names = {"axes": "CYX", "Channel": {"Name": ["DAPI", "Membrane"]}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    for position, name in enumerate(_IMAGES, 1):
        path = folder / f"{name}.ome.tiff"
        tifffile.imwrite(path, _pixels(position), ome=True, photometric="minisblack", metadata=names)
    (folder / f"{_BROKEN}.ome.tiff").write_bytes(b"II*\0 and then nothing")


def _pixels(brightness: int) -> NDArray[np.uint16]:
    """Return two channels of bright spots in a grid."""
    rows, columns = np.mgrid[:_SIDE, :_SIDE] % _GAP - _GAP // 2
    spots = (10_000 * brightness * np.exp(-(rows**2 + columns**2) / 60)).astype(np.uint16)
    return np.stack([spots, spots // 2])


def _contents(root: Path) -> dict[str, bytes]:
    """Return the content of the files of masks and tables; a project has the times of its images in it."""
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for folder in ("SEGMASK", "REPORTS")
        for file in sorted((root / folder).rglob("*"))
        if file.is_file() and file.suffix != ".html"
    }
