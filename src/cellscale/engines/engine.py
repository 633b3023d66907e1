"""The interface of all engines, and the choice among those that are installed."""

from typing import Any, Protocol

from cellscale.errors import RequestError
from cellscale.extensions import Extension, extensions
from cellscale.pipeline.events import Listener
from cellscale.pipeline.outcome import RunOutcome
from cellscale.pipeline.request import Request

__all__ = ["Engine", "engine_names", "find_engine"]

_EXTRAS = {"batch": "gcp", "dask": "dask"}
"""What to install cellscale with for an engine that needs more than a plain installation."""


class Engine(Protocol):
    """Works on the images of a dataset, wherever that is."""

    def __call__(self, request: Request, listener: Listener, options: Any = None) -> RunOutcome:
        """Do what a request asks for.

        Parameters
        ----------
        request
            What to do with which images.
        listener
            Is told of progress.
        options
            What is asked of this engine alone, as in `cellscale.engines.engine_request`; None, and not given to
            engines that have no options of their own.

        Returns
        -------
        What became of each image; one that fails does not stop the others. The files are the same whichever engine
        made them.

        Raises
        ------
        RequestError
            The request is wrong: no images, no weights, an extra that is not installed, or another run at work on
            the dataset.
        """


def engine_names() -> tuple[str, ...]:
    """Return the names of the engines that are installed."""
    return tuple(sorted(extensions("engines")))


def find_engine(name: str) -> Engine:
    """Return an engine.

    Raises
    ------
    RequestError
        There is none of that name, or it or what it needs is not installed as it should be.
    """
    installed = extensions("engines")
    if name not in installed:
        raise RequestError(f"there is no engine {name!r}; found {', '.join(sorted(installed))}. Check --engine.")
    found = installed[name]
    try:
        engine: Engine = found.load()
    except ImportError as error:
        if name not in _EXTRAS or (error.name or "").startswith("cellscale"):
            raise
        raise RequestError(
            f"--engine {name} needs {error.name}, which is not installed: pip install 'cellscale[{_EXTRAS[name]}]'"
        ) from error
    return engine if found.is_own else _blamed(engine, found)


def _blamed(engine: Engine, found: Extension) -> Engine:
    """Return another package's engine, whose failures are told to be its own."""

    def run(request: Request, listener: Listener, options: Any = None) -> RunOutcome:
        with found.blamed():
            outcome = engine(request, listener, options) if options is not None else engine(request, listener)
            if not isinstance(outcome, RunOutcome):
                raise found.failure(f"{type(outcome).__name__} was returned, RunOutcome expected")
        return outcome

    return run
