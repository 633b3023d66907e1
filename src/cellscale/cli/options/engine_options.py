"""The options that say which engine does the work, and on which machines."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import click

from cellscale.cli.options.shared_options import one_of, option_in
from cellscale.engines.engine import engine_names
from cellscale.engines.engine_request import BatchOptions, DaskOptions
from cellscale.errors import RequestError

__all__ = ["ENGINE_OPTIONS", "ENGINE_WORDS", "chosen_engine"]

EngineOptions: TypeAlias = BatchOptions | DaskOptions

_cloud = option_in("Other machines")

ENGINE_OPTIONS = [
    _cloud(
        "--engine",
        **one_of(*engine_names()),
        help="What runs the work. Default: batch where a cloud environment is given, dask where one of its options "
        "is, or else local.",
    ),
    _cloud("--env_config_uri", metavar="PATH_OR_URI", help="Description of a cloud environment."),
    _cloud(
        "--segmentation_compute_config",
        "--compute_config",
        "segmentation_compute_config",
        metavar="MACHINE",
        help="Machine that segments. Default: n1-standard-8:SPOT+nvidia-tesla-t4:1.",
    ),
    _cloud(
        "--measurement_compute_config",
        metavar="MACHINE",
        help="Machine that measures. Default: n1-standard-8:SPOT.",
    ),
    _cloud(
        "--parallelism",
        type=click.IntRange(min=1),
        metavar="N",
        help="Images at the same time. Default: all, up to Batch's limit.",
    ),
    _cloud(
        "--stages",
        **one_of("fused", "separate"),
        default="fused",
        show_default=True,
        help="One process for an image, or one for each stage.",
    ),
    _cloud("--wait", is_flag=True, help="Follow the work until it is done, rather than leave it."),
    _cloud(
        "--dask_scheduler",
        metavar="ADDRESS",
        help="Dask cluster that does the work, as in tcp://host:8786. Default with --engine dask: processes of this "
        "machine.",
    ),
    _cloud(
        "--dask_workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Processes of this machine, with --engine dask and no scheduler.",
    ),
]

_DASK = {"dask_scheduler": "scheduler", "dask_workers": "workers"}
_BATCH = {
    name: name
    for name in (
        "env_config_uri",
        "segmentation_compute_config",
        "measurement_compute_config",
        "parallelism",
        "stages",
        "wait",
    )
}
_OWN: dict[str, tuple[type[EngineOptions], dict[str, str]]] = {
    "batch": (BatchOptions, _BATCH),
    "dask": (DaskOptions, _DASK),
}
"""The options of each engine that has some of its own, as words and as fields."""
ENGINE_WORDS = frozenset({"engine", *_BATCH, *_DASK})
"""Names of these options, none of which makes part of a request."""
_ADVICE = {
    "batch": "which rents no machines; leave it out, or take --engine batch",
    "dask": "take --engine dask",
}


def chosen_engine(options: Mapping[str, Any]) -> tuple[str, EngineOptions | None]:
    """Return the name of the engine that is meant, and what is asked of it alone.

    Raises
    ------
    RequestError
        An option is given that only means something for another engine.
    """
    name = options["engine"] or _usual_engine(options)
    for other, (kind, words) in _OWN.items():
        if other != name:
            _refuse(name, other, {word: options[word] for word in words}, kind())
    if name not in _OWN:
        return name, None
    kind, words = _OWN[name]
    return name, kind(**{field: options[word] for word, field in words.items()})


def _usual_engine(options: Mapping[str, Any]) -> str:
    """Return the engine that is meant where none is named."""
    if options["env_config_uri"]:
        return "batch"
    return "dask" if options["dask_scheduler"] or options["dask_workers"] else "local"


def _refuse(name: str, other: str, given: Mapping[str, Any], usual: EngineOptions) -> None:
    """Raise an error for the first option of another engine that was given."""
    words = _OWN[other][1]
    for word, value in given.items():
        if value != getattr(usual, words[word]):
            option = f"--{word} {value}" if word == "stages" else f"--{word}"
            separator = ", " if other == "batch" else "; "
            raise RequestError(f"{option} has no meaning with --engine {name}{separator}{_ADVICE[other]}")
