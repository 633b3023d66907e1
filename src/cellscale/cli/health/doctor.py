"""``cellscale doctor``: whether a run would work here, and what it would choose."""

import json
import shutil
import sys
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from cellscale.cli.options.shared_options import SectionedCommand, model_option
from cellscale.predict.devices import AUTO, PRECISIONS, Precision
from cellscale.weights.catalogue import named_network

if TYPE_CHECKING:
    from cellscale.cli.health.checks import Check

__all__ = ["doctor"]

_MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@click.command(cls=SectionedCommand, short_help="Check what is installed, and that a run works.")
@click.argument("location", metavar="[URI]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of lines.")
@click.option("--device", default=AUTO, show_default=True, metavar="DEVICE", help="As for a run.")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS, case_sensitive=False),
    metavar=f"[{'|'.join(PRECISIONS)}]",
    default="float32",
    show_default=True,
    help="As for a run.",
)
@model_option
@click.option("--model_path", metavar="PATH_OR_URI", help="As for a run.")
@click.pass_context
def doctor(
    ctx: click.Context,
    location: str | None,
    as_json: bool,
    device: str,
    precision: Precision,
    model: str | None,
    model_path: str | None,
) -> None:
    """Show what is installed, check that a run works, and show what it would choose.

    Tiny images are written, read, segmented with a tiny network and measured in a temporary folder, which takes
    seconds (the first time, while numeric code is compiled, a minute or two).

    URI is a folder or an address in an object store. If it is given, a small file is written there and deleted, to
    check that a run could read and write. The exit code is 0 if a run would work, 1 if not. Nothing secret is
    printed.
    """
    import logging
    from dataclasses import asdict

    # The clients of object stores would print their own account of a failure, addresses and all.
    logging.getLogger().addHandler(logging.NullHandler())
    name, path = named_network(model, model_path)
    checks = _checks(location, {"name": name, "path": path, "device": device, "precision": precision})
    ready = all(check.status != "problem" for check in checks)
    if as_json:
        click.echo(json.dumps({"ready": ready, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            _show(f"{_MARKS[check.status]} {check.name:{width}}  ", check.found)
            if check.advice:
                _show(f"{'':{width + 10}}-> ", check.advice)
        click.echo("A run would work." if ready else "A run would fail: see PROBLEM above.")
    ctx.exit(0 if ready else 1)


def _checks(location: str | None, network: Mapping[str, Any]) -> "list[Check]":
    """Return all checks, also where parts of cellscale cannot be loaded."""
    from cellscale.cli.health.checks import libraries, looked

    def machine() -> "list[Check]":
        from cellscale.cli.health.diagnosis import diagnose
        from cellscale.pipeline.request import NetworkChoice

        return diagnose(location, NetworkChoice(**network))

    def proof() -> "list[Check]":
        from cellscale.cli.health.proof import prove

        return prove()

    return [*looked("libraries", libraries), *looked("cellscale", machine), *looked("try", proof)]


def _show(head: str, text: str) -> None:
    """Write a line; at a terminal in as many as its width asks for."""
    if not sys.stdout.isatty():
        click.echo(head + text)
        return
    width = shutil.get_terminal_size().columns
    body = textwrap.wrap(text, max(width - len(head), 30), break_on_hyphens=False) or [""]
    click.echo(head + ("\n" + " " * len(head)).join(body))
