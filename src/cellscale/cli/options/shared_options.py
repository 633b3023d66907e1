"""How all commands take their words: hyphens and underscores alike, amounts with units, options in sections."""

import csv
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeAlias

import click

from cellscale.weights.catalogue import MODEL_NAMES
from cellscale.written_numbers import decimal_number

__all__ = [
    "CONTEXT",
    "CRASH",
    "VERBOSITY",
    "LazyGroup",
    "Option",
    "SectionedCommand",
    "WordGroup",
    "at_terminal",
    "byte_size",
    "closest",
    "model_option",
    "name_list",
    "normalize_word",
    "one_of",
    "option_in",
    "positive_number",
]

_NO_MACHINE = 1_000_000
"""Bytes with which no machine works: whoever gives so few means another unit."""
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_SIZE = re.compile(r"(\d+\.?\d*|\.\d+)\s*([KMGT]?)(I?)B?", re.IGNORECASE | re.ASCII)


def normalize_word(word: str) -> str:
    """Return the one spelling of an option, command or choice: ``whole-cell`` and ``whole_cell`` are the same."""
    return word.replace("-", "_")


CONTEXT: dict[str, Any] = {
    "token_normalize_func": normalize_word,
    "help_option_names": ["-h", "--help"],
    "max_content_width": 110,
}
"""Context settings of the outermost command; the inner ones inherit them."""

CRASH = 70
"""Exit code of what nobody foresaw (1 says that an image failed, 2 that the request is wrong)."""

VERBOSITY = "cellscale.verbosity"
"""Key in the context's ``meta`` under which commands leave how often ``-v`` was given."""


model_option = click.option(
    "--model",
    metavar=f"[{'|'.join(MODEL_NAMES)}|PATH_OR_URI]",
    help="The network, by name or as an .onnx file. Default: mesmer.",
)
"""The option of commands that look at a network, or ask what one takes."""


def at_terminal() -> bool:
    """Tell whether a person is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


class _SectionOption(click.Option):
    """An option that knows under which heading the help shows it."""

    def __init__(self, *args: Any, heading: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.heading = heading


Option: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]
"""A decorator that gives a command an option."""


class _Words(click.Choice[str]):
    """One of some words; what is none of them is told with the one that was meant, all as they are written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            words = [str(word) for word in self.choices]
            meant = closest(str(value), words)
            self.fail(f"{value!r} is not one of {', '.join(words)}{meant}", param, ctx)


def closest(word: str, words: Iterable[str]) -> str:
    """Return a question for the word that was meant, to be put behind a message; empty where none is like it."""
    known = {normalize_word(one).lower(): one for one in words}
    wanted = normalize_word(word).lower()
    found = [one for one in known if wanted in one] if len(wanted) > 2 else []
    like = get_close_matches(wanted, known, 1, 0.6) or found
    return f". Did you mean {known[like[0]]!r}?" if like else ""


def one_of(*values: str) -> dict[str, Any]:
    """Return the settings of an option that takes one of some words."""
    # The metavar, because click would show the values in their normalised spelling.
    return {"type": _Words(values, case_sensitive=False), "metavar": f"[{'|'.join(values)}]"}


def option_in(heading: str) -> Callable[..., Option]:
    """Return a maker of options, called like ``click.option``, that the help shows under one heading."""

    def option(*names: str, **settings: Any) -> Option:
        return click.option(*names, cls=_SectionOption, heading=heading, **settings)

    return option


class SectionedCommand(click.Command):
    """A command whose help shows its options under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, a section for each heading, in the order in which they were declared."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)):
                sections.setdefault(getattr(param, "heading", "Options"), []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=34)


class WordGroup(SectionedCommand, click.Group):
    """A group whose commands may be written with hyphens or underscores."""

    command_class = SectionedCommand

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command by its name, however it is spelt."""
        wanted = normalize_word(cmd_name)
        names = (name for name in self.list_commands(ctx) if normalize_word(name) == wanted)
        return super().get_command(ctx, next(names, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names, or say which one may have been meant."""
        word = args[0]
        # A shell that completes words wants no message.
        if self.get_command(ctx, word) is None and not (ctx.resilient_parsing or word.startswith("-")):
            meant = closest(word, self.list_commands(ctx)) or f". Known: {', '.join(self.list_commands(ctx))}"
            ctx.fail(f"there is no command {word!r}{meant}")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings, then the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


class LazyGroup(WordGroup):
    """A group that imports a command's module only when the command is asked for.

    Parameters
    ----------
    lazy_commands
        ``module:attribute`` for each command name.
    """

    def __init__(self, *args: Any, lazy_commands: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._lazy_commands = lazy_commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which a new user meets them."""
        return list(self._lazy_commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, however its name is spelt."""
        wanted = normalize_word(cmd_name)
        for name, location in self._lazy_commands.items():
            if normalize_word(name) == wanted:
                module, _, attribute = location.partition(":")
                command: click.Command = getattr(importlib.import_module(module), attribute)
                return command
        return None


def byte_size(text: str) -> int:
    """Read an amount of memory such as ``3GB``, ``512MiB`` or ``3000000000``: GB are 10^9 bytes, GiB are 2^30."""
    if text.strip().isdecimal() and int(text) < _NO_MACHINE:
        raise click.BadParameter(f"{text!r} has no unit; write {text.strip()}GB, or the bytes in full")
    size = 0
    if match := _SIZE.fullmatch(text.strip()):
        amount, unit, binary = match.groups()
        size = int(Decimal(amount) * (1024 if binary else 1000) ** _POWERS[unit.upper()])
    if size < 1:
        raise click.BadParameter(f"{text!r} is not an amount of memory; write for example 3GB, 512MB or 8GiB")
    return size


def positive_number(text: str) -> float:
    """Read a finite number above 0."""
    value = decimal_number(text)
    if value is None:
        raise click.BadParameter(f"{text!r} is not a finite number")
    if not value > 0:
        raise click.BadParameter(f"{text} is out of range; give a finite number above 0")
    return value


def name_list(text: str) -> tuple[str, ...]:
    """Read names separated by commas; a name that has a comma itself is put in double quotes."""
    try:
        names = tuple(name.strip() for row in csv.reader([text], skipinitialspace=True) for name in row)
    except csv.Error as error:
        raise click.BadParameter(f"{text!r} is not a list of names: {error}") from None
    if not names or not all(names):
        raise click.BadParameter(f"{text!r} holds an empty name")
    return names
