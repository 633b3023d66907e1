"""MkDocs hook: writes the reference of the command line from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import click

from cellscale.cli.main import cellscale

PLACE = "<!-- commands -->"
"""Where in a page the reference goes."""

SHARED = {"segment-and-measure": None, "segment": "segment-and-measure", "measure": "segment-and-measure"}
"""Commands of the same options, and the one under which they are shown."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the reference; MkDocs calls this for every page."""
    return markdown.replace(PLACE, "\n".join(_reference())) if PLACE in markdown else markdown


def _reference() -> Iterator[str]:
    """Yield the lines of the reference of all commands."""
    context = click.Context(cellscale, info_name="cellscale", **cellscale.context_settings)
    for name in cellscale.list_commands(context):
        yield from _described(context, name, level=2)


def _described(parent: click.Context, name: str, level: int) -> Iterator[str]:
    """Yield the lines of a command and those of the commands below it."""
    group = parent.command
    command = group.get_command(parent, name) if isinstance(group, click.Group) else None
    if command is None or command.hidden:
        return
    context = click.Context(command, info_name=name, parent=parent)
    path = context.command_path.removeprefix("cellscale ")
    yield from (f"{'#' * level} {path} {{ #{path.replace(' ', '-')} }}", "")
    yield from (f"```text\n{_usage(context)}\n```", "", _text(command.help or ""), "")
    twin = SHARED.get(path)
    yield from [f"Options: those of [{twin}](#{twin}).", ""] if twin else _options(context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from _described(context, inner, level + 1)


def _usage(context: click.Context) -> str:
    return " ".join([context.command_path, *context.command.collect_usage_pieces(context)])


def _options(context: click.Context) -> Iterator[str]:
    """Yield a table of options for each heading, in the order of declaration."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record and "--help" not in parameter.opts:
            sections.setdefault(getattr(parameter, "heading", "Options"), []).append(record)
    for heading, records in sections.items():
        yield from (f"| {heading} | |", "|---|---|")
        yield from (f"| {_code(words)} | {_cell(meaning)} |" for words, meaning in records)
        yield ""


def _text(help_text: str) -> str:
    """Return a command's help as Markdown."""
    return "\n\n".join(" ".join(part.split()) for part in help_text.replace("\b", "").split("\n\n"))


def _cell(text: str) -> str:
    """Return plain text as a cell of a table."""
    return "".join(f"&#{ord(sign)};" if sign in "<>|*_[]&" else sign for sign in " ".join(text.split()))


def _code(words: str) -> str:
    """Return the words of an option, each marked as code, so that lines break between them."""
    return " ".join(f"`{word}`" for word in words.split())
