"""The options of a command as keys of a settings file: which there are, and what their values mean."""

import os
from collections.abc import Container, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from cellscale.cli.options.shared_options import normalize_word
from cellscale.cli.settings.section import Section
from cellscale.errors import SettingsError
from cellscale.pipeline.request import is_of_project
from cellscale.storage.credentials import without_credentials
from cellscale.storage.uri import is_uri, join

__all__ = ["OptionKeys", "keep_given"]

_GIVEN = "cellscale.given"
"""Key in the context's ``meta`` of the words that were given, before they were made into values."""
_OF_CALL = frozenset({"settings", "overwrite", "overwrite_foreign", "dry_run", "log_file", "verbosity", "wait"})
"""Options that say what one call is to do, and not how: in a file, they would do it each time."""
_PLACES = ("PATH", "FILE", "FOLDER", "URI")
"""What the help calls the value of an option that is a place."""


def keep_given(ctx: click.Context, command: click.Command, words: list[str]) -> None:
    """Keep the options that the command line has, as they were written."""
    given, _, _ = command.make_parser(ctx).parse_args(args=list(words))
    ctx.meta[_GIVEN] = {name: value for name, value in given.items() if value is not None}


class OptionKeys:
    """The options of a command by their keys.

    Parameters
    ----------
    ctx
        The context of the command, whose words `keep_given` has kept.
    """

    def __init__(self, ctx: click.Context) -> None:
        self._ctx = ctx
        options = [param for param in ctx.command.params if isinstance(param, click.Option)]
        self._of_call = {key for option in options if option.name in _OF_CALL for key in _keys(option)}
        self._options = {key: option for option in options if option.name not in _OF_CALL for key in _keys(option)}
        self.given: Mapping[str, Any] = ctx.meta.get(_GIVEN, {})
        """Words of the command line by the names of their options."""

    def option(self, key: str, section: Section) -> click.Option:
        """Return the option that a key means.

        Raises
        ------
        SettingsError
            There is none, or it belongs to one call.
        """
        word = normalize_word(key)
        if word in self._of_call:
            raise SettingsError(
                f"{section.place(key)}: {key} says what one call is to do, and would do it each time; give --{word} "
                "on the command line"
            )
        if word in self._options:
            return self._options[word]
        close = get_close_matches(word, self._options, n=1)
        meant = f"did you mean {close[0]}?" if close else "keys are options without their --, as --help lists them"
        raise SettingsError(f"{section.place(key)}: there is no option {key!r}; {meant}")

    def cast(self, option: click.Option, key: str, value: Any, section: Section) -> tuple[Any, Any]:
        """Return what an option gets from a value in a file, and the words for it that hold from any folder.

        Raises
        ------
        SettingsError
            The value is not one that the option takes.
        """
        try:
            if option.is_flag:
                flag = _flag(value)
                return flag, flag
            if option.multiple:
                words = [_word(option, one, section) for one in (value if isinstance(value, list) else [value])]
                return tuple(self._convert(option, word) for word in words), words
            word = _word(option, value, section)
            return self._convert(option, word), word
        except click.BadParameter as error:
            raise SettingsError(f"{section.place(key)}: {key}: {error.message}") from error

    def words(
        self, options: Mapping[str, Any], written: Mapping[str, Any], *, only: Container[str] | None = None
    ) -> dict[str, Any]:
        """Return the words by key that ask for some values of options again.

        Parameters
        ----------
        options
            Values by the options' names.
        written
            The words of those that files gave, by the options' names.
        only
            Names of the options; None for all that have a value.
        """
        found: dict[str, Any] = {}
        for option in dict.fromkeys(self._options.values()):
            name = str(option.name)
            if only is not None and name not in only:
                continue
            words = written.get(name, self.given.get(name, option.get_default(self._ctx)))
            if option.is_flag:
                found[_keys(option)[0]] = bool(options[name])
            elif only is not None or options[name] not in (None, (), ""):
                found[_keys(option)[0]] = _lasting(option, words, options[name])
        return found

    def _convert(self, option: click.Option, word: str) -> Any:
        return option.type.convert(word, option, self._ctx)


def _keys(option: click.Option) -> list[str]:
    return [normalize_word(word.removeprefix("--")) for word in option.opts if word.startswith("--")]


def _is_place(option: click.Option, word: str) -> bool:
    """Tell whether an option's value leads to a file: ``none`` and other single words do not."""
    named = isinstance(option.type, click.Path) or any(name in (option.metavar or "") for name in _PLACES)
    return named and not is_uri(word) and not is_of_project(word) and any(sign in word for sign in (".", "/", os.sep))


def _flag(value: Any) -> bool:
    """Return a truth value, which sheets have as a word."""
    flag = click.BOOL.convert(value, None, None) if isinstance(value, str) else value
    if not isinstance(flag, bool):
        raise click.BadParameter(f"{value!r} is found; expected true or false")
    return flag


def _word(option: click.Option, value: Any, section: Section) -> str:
    """Return a value as the word that the command line would have for it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        found = "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else str(value).lower()
        raise click.BadParameter(f"{found} is found; expected one value, a text or a number")
    word = without_credentials(str(value))
    return str(join(section.folder, word)) if _is_place(option, word) else word


def _lasting(option: click.Option, words: Any, value: Any) -> Any:
    """Return words as a file keeps them: places from any folder, numbers as numbers."""
    if isinstance(words, list | tuple):
        return [_lasting(option, word, None) for word in words]
    word = str(words)
    if _is_place(option, word):
        return str(Path(word).absolute())
    return value if type(value) in (int, float) and _is_number(word) else word


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
