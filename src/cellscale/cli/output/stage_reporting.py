"""How single steps tell what they do: JSON lines for machines, words for people."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cellscale.cli.options.shared_options import CRASH, VERBOSITY, at_terminal
from cellscale.cli.stops import stops_told
from cellscale.engines.tasks.retries import TRY_AGAIN
from cellscale.errors import CellscaleError, RequestError, TaskInProgressError
from cellscale.storage.storage_errors import is_away

if TYPE_CHECKING:
    from cellscale.pipeline.events import Listener

__all__ = ["in_words", "passing_told", "reported"]


class _TryAgain(click.ClickException):
    """A store was away; the same words may do a little later."""

    exit_code = TRY_AGAIN


@contextmanager
def passing_told() -> Iterator[None]:
    """Give what passes by itself inside the ``with`` block an exit code of its own, for who would try again.

    Raises
    ------
    ClickException
        A store or service was away.
    """
    try:
        yield
    except CellscaleError as error:
        if _passes(error):
            raise _TryAgain(str(error)) from error
        raise


def _passes(error: CellscaleError) -> bool:
    return is_away(error) or isinstance(error, TaskInProgressError)


def in_words(log_format: str | None) -> bool:
    """Tell whether messages are for people, rather than lines of JSON."""
    return (log_format or ("text" if at_terminal() else "json")) == "text"


@contextmanager
def reported(log_format: str | None, verbosity: int, labels: dict[str, Any]) -> Iterator["Listener"]:
    """Give a listener; what goes wrong is told in the chosen form.

    Parameters
    ----------
    log_format
        ``json`` or ``text``; None for text at a terminal.
    verbosity
        How often ``-v`` was given.
    labels
        What every line of JSON says; may grow meanwhile.
    """
    if in_words(log_format):
        from cellscale.cli.output.progress import SteadyConsole, listening

        click.get_current_context().meta[VERBOSITY] = verbosity
        with (
            listening(SteadyConsole(stderr=True), verbose=verbosity, log_file=None) as listener,
            passing_told(),
        ):
            yield listener
        return
    from cellscale.cli.output.json_log import json_logging

    with (
        json_logging(sys.stdout, labels, verbose=verbosity) as (log, listener),
        stops_told(partial(log.write, "WARNING")),
    ):
        try:
            yield listener
        except click.ClickException:
            raise
        except CellscaleError as error:
            log.write("ERROR", str(error))
            sys.exit(TRY_AGAIN if _passes(error) else 2 if isinstance(error, RequestError) else 1)
        except Exception as error:  # told as one line, and by an exit code that is no image's failure
            log.crash(error)
            sys.exit(CRASH)
