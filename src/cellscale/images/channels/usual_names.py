"""What nuclear and membrane channels are usually called."""

import re
from collections.abc import Sequence

__all__ = ["usual_membrane", "usual_nucleus"]

_CERTAIN_NUCLEUS = (
    r"dapi\d*",
    r"hoechst\d*",
    r"draq[57]",
    r"sytox?\d*",
    r"topro\d*",
    r"nuc(blue|red|green|spot)\d*",
    r"ir19[13]|19[13]ir",
    r"ha?ematoxylin",
    r"propidium",
)
"""Stains of DNA, the most usual first; further words do not change what they are (``DAPI-01``, ``Cycle 2 DAPI``)."""

_PLAIN_NUCLEUS = (
    r"hh3",
    r"(ds)?dna\d*",
    r"(histone)?h3",
    r"histone",
    r"nuc|nuclear|nucleus|nuclei",
)
"""Words that mean the nucleus alone but not beside others (``DNA-PK``, ``p-HH3``, ``H3 pS10``, ``nuclear pore``)."""

_MEMBRANE = (r"membranes?\d*", r"na\+?k\+?atpase\d*", r"atp1a1", r"wga\d*")
"""Of every cell. Markers of some cells only (E-cadherin, CD45, keratin) are left to the user to name."""

_NEUTRAL = re.compile(
    r"\d+|\d{2,3}[a-z]{1,2}|(?!(?:p[sty]|ph|ac|me|ub)\d\d$)[a-z]{2}\d{2,3}|[rc]\d+|(cyc|cycle|round|ch|channel)\d*|stain|counterstain|marker|nuc|nuclear|"
    r"nucleus|nuclei|histone|dna\d*|mono|ms|rb|anti|raw|total"
)
"""Parts of names that change nothing: numbers, isotopes (but not modified residues, as ``pS10``), rounds of staining,
hosts of antibodies."""

_MEMBRANE_NEUTRAL = re.compile(
    _NEUTRAL.pattern.replace("nuc|nuclear|nucleus|nuclei|", "") + r"|cell|pan|plasma|cocktail"
)
_NOT_THE_STAIN = {
    "background", "bg", "bkg", "af", "autofluorescence", "blank", "empty", "mask", "label", "labels", "bleached",
    "quenched", "residual",
}  # fmt: skip


def usual_nucleus(names: Sequence[str]) -> int | None:
    """Return the first channel with the most usual name of a nuclear stain; None if there is none."""
    parts = [_parts(name) for name in names]
    for pattern in _CERTAIN_NUCLEUS:
        for index, words in enumerate(parts):
            if not _NOT_THE_STAIN.intersection(words) and any(re.fullmatch(pattern, word) for word in words):
                return index
    return _first_plain(parts, _PLAIN_NUCLEUS, _NEUTRAL)


def usual_membrane(names: Sequence[str]) -> int | None:
    """Return the first channel with the most usual name of a membrane stain; None if there is none."""
    return _first_plain([_parts(name) for name in names], _MEMBRANE, _MEMBRANE_NEUTRAL)


def _first_plain(parts: list[list[str]], patterns: Sequence[str], neutral: re.Pattern[str]) -> int | None:
    for pattern in patterns:
        for index, words in enumerate(parts):
            rest = [word for word in words if not re.fullmatch(pattern, word)]
            if len(rest) < len(words) and all(neutral.fullmatch(word) for word in rest):
                return index
    return None


def _parts(name: str) -> list[str]:
    """Return the words of a name in lower case; spellings with inner separators made one word."""
    text = name.casefold()
    text = re.sub(r"\bna\+?[\s/_,-]*k\+?[\s/_-]*atpase", "nakatpase", text)
    text = re.sub(r"\bto-?pro(-(?=\d))?", "topro", text)
    return [word for word in re.split(r"[^a-z0-9]+", text) if word]
