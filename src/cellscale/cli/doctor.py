"""``cellscale doctor``: whether a run would work here, and what it would choose."""

import json

import click

from cellscale.cli.options import SectionedCommand
from cellscale.predict.devices import AUTO, PRECISIONS, Precision

__all__ = ["doctor"]

_MARKS = {"ok": "ok     ", "note": "note   ", "problem": "PROBLEM"}


@click.command(cls=SectionedCommand)
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
@click.option("--model_path", metavar="PATH_OR_URI", help="As for a run.")
@click.pass_context
def doctor(
    ctx: click.Context, location: str | None, as_json: bool, device: str, precision: Precision, model_path: str | None
) -> None:
    """Say what is installed here, whether a run would work, and what it would choose.

    With URI, a folder or an address in an object store, also whether a run could read and write there: a small file
    is written and deleted. The exit code is 0 if a run would work, 1 if not. Nothing secret is printed.
    """
    import logging
    from dataclasses import asdict

    from cellscale.cli.diagnosis import diagnose

    # The clients of object stores would print their own account of a failure, addresses and all.
    logging.getLogger().addHandler(logging.NullHandler())
    checks = diagnose(location, device=device, precision=precision, model_path=model_path)
    ready = all(check.status != "problem" for check in checks)
    if as_json:
        click.echo(json.dumps({"ready": ready, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            click.echo(f"{_MARKS[check.status]} {check.name:{width}}  {check.found}")
            if check.advice:
                click.echo(f"{'':{width + 10}}-> {check.advice}")
        click.echo("A run would work." if ready else "A run would fail: see PROBLEM above.")
    ctx.exit(0 if ready else 1)
