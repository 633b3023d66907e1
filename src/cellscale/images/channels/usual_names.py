"""What nuclear and membrane channels are usually called."""

import re
from collections.abc import Sequence

__all__ = ["USUAL_NAMES_VERSION", "is_of_some_cells", "usual_membrane", "usual_nucleus"]

USUAL_NAMES_VERSION = 2
"""Grows with every change of what is chosen here, so that records tell why other channels are chosen. 2: membrane
markers beside Na/K-ATPase and WGA, among them those of some cells only; isotopes as mass cytometers write them."""

_CERTAIN_NUCLEUS = (
    r"dapi\d*",
    r"hoechst\d*",
    r"draq[57]",
    r"sytox?\d*",
    r"topro\d*",
    r"nuc(blue|red|green|spot)\d*",
    r"ir19[13](di)?|19[13]ir(di)?",
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

_MEMBRANE = (
    r"membranes?\d*",
    r"na\+?k\+?atpase\d*",
    r"atp1a1",
    r"pancadherin",
    r"wga\d*",
    r"cd298|atp1b3",
    r"icsk\d?",
    r"hlaabc|hla|b2m|beta2microglobulin",
    r"betacatenin\d?|ctnnb1",
)
"""Of every cell, or of nearly all; ICSK are the channels of a kit to segment cells in mass cytometry."""

_OF_SOME_CELLS = (r"ecadherin|cdh1|cd324", r"panck|keratins?|cytokeratins?", r"cd45|lca|ptprc", r"vimentin")
"""Of epithelium, of leukocytes and of mesenchyme: where nothing better is there. Several are left to the user to
name."""

_SPELLINGS = (
    (r"β", "beta"),
    (r"(?<![a-z0-9])na\+?[\s/_,-]*k\+?[\s/_-]*atpase", "nakatpase"),
    (r"(?<![a-z0-9])to-?pro(-(?=\d))?", "topro"),
    (r"(?<![a-z0-9])pan[\s_-]*cad(herin)?s?(?![a-z0-9])", "pancadherin"),
    (r"(?<![a-z0-9])e[\s_-]*cad(herin)?(?![a-z0-9])", "ecadherin"),
    (r"(?<![a-z0-9])b(eta)?[\s_-]*catenin", "betacatenin"),
    (r"(?<![a-z0-9])p(an)?[\s_-]*(ck|cytok|(cyto)?keratins?)(?![a-z0-9])", "panck"),
    (r"(?<![a-z0-9])ae1[\s/_-]*(ae)?3(?![a-z0-9])", "panck"),
    (r"(?<![a-z0-9])(cyto)?keratin[\s_-]*(\d{1,2})(?!\d)", r"keratin\2"),
    (r"(?<![a-z0-9])(hla|mhc)[\s_-]*(a[\s,/_-]*b[\s,/_-]*c|(class[\s_-]*)?[i1])(?![a-z0-9])", "hlaabc"),
    (r"(?<![a-z0-9])beta[\s_-]*2[\s_-]*microglobulin", "beta2microglobulin"),
)
"""Spellings with separators inside, which are made one word."""

_NEUTRAL = re.compile(
    r"\d+|\d{2,3}[a-z]{1,2}(?:di)?|(?!(?:p[sty]|ph|ac|me|ub)\d\d$)[a-z]{2}\d{2,3}(?:di)?|[rc]\d+|(cyc|cycle|round|ch|channel)\d*|stain|counterstain|marker|nuc|nuclear|"
    r"nucleus|nuclei|histone|dna\d*|mono|ms|rb|anti|raw|total"
)
"""Parts of names that change nothing: numbers, isotopes (but not modified residues, as ``pS10``), rounds of staining,
hosts of antibodies."""

_MEMBRANE_NEUTRAL = re.compile(
    _NEUTRAL.pattern.replace("nuc|nuclear|nucleus|nuclei|", "")
    + r"|cell|pan|plasma|cocktail|opal|alexa|fluor|cy\d|fitc"
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
    """Return the first channel with the most usual name of a membrane stain, or else of a marker of some cells."""
    return _first_plain([_parts(name) for name in names], (*_MEMBRANE, *_OF_SOME_CELLS), _MEMBRANE_NEUTRAL)


def is_of_some_cells(name: str) -> bool:
    """Return whether a channel's name is that of a membrane marker that only some cells have."""
    return _first_plain([_parts(name)], _OF_SOME_CELLS, _MEMBRANE_NEUTRAL) is not None


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
    for pattern, word in _SPELLINGS:
        text = re.sub(pattern, word, text)
    return [word for word in re.split(r"[^a-z0-9]+", text) if word]
