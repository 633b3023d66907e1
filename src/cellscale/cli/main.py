"""The command ``cellscale``."""

import os
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from cellscale import __version__
from cellscale.cli.ending import Ending
from cellscale.cli.options.shared_options import CONTEXT, CRASH, VERBOSITY, LazyGroup
from cellscale.cli.output.printable import printable
from cellscale.cli.output.telling import end_output
from cellscale.cli.stops import Stops
from cellscale.errors import CellscaleError, RequestError
from cellscale.faults import failure_text
from cellscale.stopping import Stopped, has_lost
from cellscale.storage.credentials import without_credentials
from cellscale.storage.redaction import redacted
from cellscale.storage.storage_errors import failures

__all__ = ["Outermost", "cellscale", "main"]

_COMMANDS = {
    "segment-and-measure": "cellscale.cli.commands.segment:segment_and_measure",
    "segment": "cellscale.cli.commands.segment:segment",
    "measure": "cellscale.cli.commands.segment:measure",
    "view": "cellscale.cli.commands.view:view",
    "tune": "cellscale.cli.tuning.tune:tune",
    "classify": "cellscale.cli.commands.classify:classify",
    "compare": "cellscale.cli.commands.compare:compare",
    "gather": "cellscale.cli.commands.gather:gather",
    "verify": "cellscale.cli.commands.verify:verify",
    "jobs": "cellscale.cli.commands.jobs:jobs",
    "estimate": "cellscale.cli.commands.estimate:estimate",
    "benchmark": "cellscale.cli.commands.benchmark:benchmark",
    "repair-metadata": "cellscale.cli.commands.repair_metadata:repair_metadata",
    "simulate": "cellscale.cli.commands.simulate:simulate",
    "models": "cellscale.cli.commands.models:models",
    "doctor": "cellscale.cli.health.doctor:doctor",
    "stage": "cellscale.cli.commands.stage:stage",
}


class _WrongRequest(click.ClickException):
    """The request is wrong; shown as one message."""

    exit_code = 2


class _Defect(click.ClickException):
    """Nobody foresaw this; no image and no request is to blame."""

    exit_code = CRASH


class Outermost(LazyGroup):
    """The outermost command, which turns errors into messages."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line; what gives access is taken out of its URIs before anything is made of them."""
        return super().parse_args(ctx, [without_credentials(word) for word in args])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors that a user can cause become one line, with ``-v -v`` the traceback as well."""
        _require_folder()
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):  # click ends with these
            raise
        except Exception as error:  # whatever it is, a person is told what to do
            if ctx.meta.get(VERBOSITY, 0) > 1:
                sys.stderr.write(redacted(traceback.format_exc()))
            raise _kind(error)(printable(failure_text(error), keep="\n")) from error


def _require_folder() -> None:
    """Refuse to work in a folder that is gone: every name would lead nowhere, and no message could say so of each."""
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise _WrongRequest(
            "the folder that this command was started in was removed; change to one that is there (cd) and run the "
            "command again"
        ) from error


def _kind(error: Exception) -> type[click.ClickException]:
    """Return how an error ends the command."""
    if isinstance(error, RequestError):
        return _WrongRequest
    return click.ClickException if isinstance(error, (CellscaleError, MemoryError, *failures())) else _Defect


@click.group(cls=Outermost, lazy_commands=_COMMANDS, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="cellscale")
def cellscale() -> None:
    """Find and measure every cell in multiplexed tissue images of any size."""


def main(command: click.Command = cellscale, name: str = "cellscale") -> None:
    """Run a command line, cellscale's own if none is given, until the process ends."""
    ending = Ending()
    stops = Stops()
    try:
        try:
            command(prog_name=name)
        except SystemExit as end:
            ending.take(end)
            if has_lost():  # Python would wait for it
                stops.close()
                end_output()
                os._exit(end.code if isinstance(end.code, int) else 1)
            raise
        finally:
            stops.close()
            end_output()
    except Stopped:  # whatever it was that a signal interrupted
        pass
    finally:
        stops.leave()
