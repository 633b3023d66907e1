"""What `cellscale doctor` looks at: each check tells what it found and, where a run would fail, what to do."""

import platform
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import psutil

from cellscale import __version__
from cellscale.cli.health.checks import Check, looked
from cellscale.engines.preflight import checked_model
from cellscale.errors import CellscaleError
from cellscale.pipeline.budget import Budget, available_memory, usable_cores
from cellscale.pipeline.request import NetworkChoice
from cellscale.predict.devices import DEVICES
from cellscale.predict.heads import COMPARTMENTS
from cellscale.predict.instanseg import SeedNetwork
from cellscale.predict.network import require_finite
from cellscale.predict.onnx_file import CHANNELS
from cellscale.predict.sessions import RUNTIME
from cellscale.predict.tiles import TILE
from cellscale.privacy import ONNXRUNTIME_SWITCH, onnxruntime_reports
from cellscale.storage.atomic import write_bytes
from cellscale.storage.redaction import redacted
from cellscale.storage.uri import delete, join, listing, local_path, read_bytes
from cellscale.weights.catalogue import cache_folder
from cellscale.weights.resolve import ResolvedModel, resolve_model

__all__ = ["diagnose"]

EXTRAS = {
    "anndata": ("anndata",),
    "dask": ("distributed",),
    "gcp": ("gcsfs", "google-cloud-batch", "google-cloud-bigquery"),
    "gpu": ("onnxruntime-gpu",),
    "openvino": ("openvino",),
    "s3": ("s3fs",),
    "spatialdata": ("spatialdata",),
}
"""The packages that tell whether an extra is installed."""

_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")
_LEAST_DISK = 2_000_000_000
"""Bytes of free disk below which even small images may not fit."""

_ANY_NETWORK = NetworkChoice()

_CARD_FACTS = "name,memory.total,memory.free,driver_version"


def diagnose(location: str | None = None, network: NetworkChoice = _ANY_NETWORK) -> list[Check]:
    """Look at everything that a run needs.

    Parameters
    ----------
    location
        Folder or URI that a run would read from and write to; None for not looking at any.
    network
        Which network a run would take, and on what.

    Returns
    -------
    The checks in the order in which a person reads them, without anything secret.
    """
    checks = [check for name, look in _LOOKS.items() for check in looked(name, _alone(look))]
    weights, model = _weights(network)
    checks.append(weights)
    if model is not None:
        checks += looked("network", lambda: [_network(network, model)])
    checks += looked("workers", lambda: [_workers()])
    if location is not None:
        checks += looked("storage", lambda: [_storage(location)])
    return [Check(check.name, check.status, redacted(check.found), redacted(check.advice)) for check in checks]


def _alone(look: Callable[[], Check]) -> Callable[[], list[Check]]:
    return lambda: [look()]


def _versions() -> Check:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return Check("versions", "ok", f"cellscale {__version__}, Python {platform.python_version()}, {system}")


def _runtime() -> Check:
    installed = {name: found for name in _RUNTIMES if (found := _version(name))}
    packages = ", ".join(f"{name} {found}" for name, found in installed.items()) or "none from a package"
    providers = ", ".join(RUNTIME.providers())
    if len(installed) > 1:
        wanted = next(name for name in installed if name != "onnxruntime")
        return Check(
            "ONNX Runtime",
            "note",
            f"{packages}, which overwrite each other's files; providers: {providers}",
            f"keep one: pip uninstall -y onnxruntime, then pip install --force-reinstall --no-deps {wanted}",
        )
    return Check("ONNX Runtime", "ok", f"{packages}; providers: {providers}")


def _telemetry() -> Check:
    if onnxruntime_reports():
        return Check(
            "telemetry",
            "note",
            f"ONNX Runtime may report to its maker: {ONNXRUNTIME_SWITCH} is set to that end",
            f"to send nothing, unset {ONNXRUNTIME_SWITCH} or set it to 1",
        )
    return Check("telemetry", "ok", "off: neither ONNX Runtime nor OpenVINO reports to its maker")


def _extras() -> Check:
    have = [name for name, packages in EXTRAS.items() if all(map(_version, packages))]
    lack = [name for name in EXTRAS if name not in have]
    return Check(
        "extras", "ok", f"installed: {', '.join(have) or 'none'}; not installed: {', '.join(lack) or 'none'}"
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cards() -> Check:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Check("NVIDIA cards", "ok", "none (there is no nvidia-smi)")
    words = [tool, f"--query-gpu={_CARD_FACTS}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Check("NVIDIA cards", "note", f"nvidia-smi fails: {error}", "check the driver, or take --device cpu")
    cards = [", ".join(part.strip() for part in line.split(",")) for line in answer.splitlines() if line.strip()]
    found = "; ".join(f"{number}: {card}" for number, card in enumerate(cards)) or "none"
    if cards and DEVICES["cuda"].provider not in RUNTIME.providers():
        return Check("NVIDIA cards", "note", f"{found}; not used", f"to use them: {DEVICES['cuda'].install}")
    return Check("NVIDIA cards", "ok", found)


def _processor() -> Check:
    return Check("processor", "ok", f"{usable_cores()} cores of {psutil.cpu_count()} may be used")


def _memory() -> Check:
    total = psutil.virtual_memory().total
    return Check("memory", "ok", f"{_gigabytes(available_memory())} of {_gigabytes(total)} may be used")


def _disk() -> Check:
    places = {"here": Path.cwd(), "temporary files": Path(tempfile.gettempdir()), "cache": cache_folder()}
    free = {name: shutil.disk_usage(_existing(place)).free for name, place in places.items()}
    found = ", ".join(f"{_gigabytes(size)} free ({name})" for name, size in free.items())
    short = min(free.values()) < _LEAST_DISK
    return Check("disk", "note" if short else "ok", found, "make room before a large run" if short else "")


def _existing(folder: Path) -> Path:
    """Return a folder or the nearest one above it that is there."""
    return folder if folder.exists() or folder == folder.parent else _existing(folder.parent)


def _weights(choice: NetworkChoice) -> tuple[Check, ResolvedModel | None]:
    try:
        model = resolve_model(choice.path, choice.checksum, choice.name)
    except CellscaleError as error:
        return Check("weights", "problem", str(error)), None
    return Check("weights", "ok", f"{model.name}, intact (SHA-256 {model.sha256[:12]}...)"), model


def _network(choice: NetworkChoice, model: ResolvedModel) -> Check:
    checked = checked_model(choice, COMPARTMENTS)
    network, side = checked.load(), checked.input_format.tile or TILE
    if isinstance(network, SeedNetwork):
        network.predict(np.zeros((1, 1, TILE, TILE), np.float32), np.zeros((2, 2), np.int64))
    else:
        require_finite(network.predict(np.zeros((1, side, side, CHANNELS), np.float32)), model.name)
    where = network.computation
    cards = f", cards {', '.join(map(str, where.cards))}" if where.cards else ""
    found = f"a run computes on {where.device}{cards} ({where.provider}), {where.precision}, "
    amount = "a square at a time" if isinstance(network, SeedNetwork) else f"{network.batch_size} tiles a batch"
    notes = "; ".join(filter(None, (where.reason, *where.notes)))
    return Check("network", "ok", f"{found}{amount}{f' ({notes})' if notes else ''}")


def _workers() -> Check:
    budget = Budget.choose()
    return Check("workers", "ok", f"a run has {budget.workers} and stays under {_gigabytes(budget.memory)}")


def _storage(location: str) -> Check:
    """List a folder, write to it, read that back and delete it."""
    path = local_path(location)
    if path is not None and not path.is_dir():
        advice = "make it, or check the name"
        return Check("storage", "problem", f"{path} is not a folder", advice)
    count = len(listing(location))
    probe = join(location, f".cellscale-doctor-{uuid.uuid4().hex}")
    write_bytes(probe, b"cellscale")
    try:
        intact = read_bytes(probe) == b"cellscale"
    finally:
        delete(probe)
    if not intact:
        return Check("storage", "problem", f"{location} gives back other bytes than were written")
    return Check("storage", "ok", f"{location} can be listed ({count} entries), read and written")


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


_LOOKS: dict[str, Callable[[], Check]] = {
    "versions": _versions,
    "ONNX Runtime": _runtime,
    "telemetry": _telemetry,
    "extras": _extras,
    "NVIDIA cards": _cards,
    "processor": _processor,
    "memory": _memory,
    "disk": _disk,
}
"""What is looked at on this machine, whatever is asked for."""
