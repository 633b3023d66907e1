"""Finding and correcting what makes Bio-Formats, and so QuPath, throw OME-XML away as a whole."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from cellscale.images.ome.ome_schema import IDENTIFIED, RULES, Rule
from cellscale.images.ome.units import micrometres

__all__ = ["Fault", "corrected", "faults_of", "refusals"]

_YEAR = re.compile(r"\{[^}]*?/([0-9]{4})-[0-9]{2}\}")
_FIRST_YEAR, _WORDS_YEAR = 2010, 2015
"""Older schemas are translated first, which changes words, and before the first of these years more than that."""

_SHOWN = 3
_HEX = re.compile(r"#?([0-9a-fA-F]{6})([0-9a-fA-F]{2})?")
_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+)")
_TYPES = {"float32": "float", "float64": "double", "single": "float", "unsigned short": "uint16"}


@dataclass(frozen=True, slots=True)
class Fault:
    """An attribute that Bio-Formats cannot read, or an ID that is missing."""

    element: ElementTree.Element
    attribute: str
    found: str | None
    rule: Rule | None

    @property
    def text(self) -> str:
        """What was found where."""
        where = self.element.tag.rpartition("}")[2]
        return (
            f"{where} without {self.attribute}" if self.found is None else f'{where} {self.attribute}="{self.found}"'
        )

    @property
    def expected(self) -> str:
        """What the attribute may be."""
        return self.rule.expected if self.rule is not None else "an identifier"


def faults_of(root: ElementTree.Element) -> list[Fault]:
    """Return all faults of an OME-XML document, in its order."""
    year = _YEAR.match(root.tag)
    return [] if year is not None and int(year[1]) < _FIRST_YEAR else list(_faults(root, year))


def _faults(root: ElementTree.Element, year: re.Match[str] | None) -> Iterator[Fault]:
    has_words = year is None or int(year[1]) >= _WORDS_YEAR
    for element in root.iter():
        name = _name(element)
        if name in IDENTIFIED and "ID" not in element.attrib:
            yield Fault(element, "ID", None, None)
        for attribute, rule in RULES.get(name, {}).items():
            found = element.get(attribute)
            if found is not None and not rule.fits(found) and (has_words or not rule.words):
                yield Fault(element, attribute, found, rule)


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def refusals(text: str) -> tuple[str, ...]:
    """Return a warning of what Bio-Formats refuses of an OME-XML document; none where it refuses nothing."""
    faults = faults_of(ElementTree.fromstring(text))
    if not faults:
        return ()
    kinds = list({fault.text: f"{fault.text} ({fault.expected} expected)" for fault in faults}.values())
    more = f" and {len(kinds) - _SHOWN} more" if len(kinds) > _SHOWN else ""
    return (
        f"the OME-XML has {', '.join(kinds[:_SHOWN])}{more}: Bio-Formats, and so QuPath, reads nothing of such "
        "OME-XML and shows the channels as time points, without names; cellscale repair-metadata corrects it",
    )


def corrected(root: ElementTree.Element, pixel_type: str) -> list[str]:
    """Correct all faults of a document, and return what was done, in words.

    What was meant is kept where it can be known; an attribute whose meaning is lost is taken out.

    Parameters
    ----------
    root
        The document; it is changed.
    pixel_type
        Type of the pixels that are stored, by OME's name.
    """
    done: list[str] = []
    for fault in faults_of(root):
        if fault.found is None:
            fault.element.set("ID", _new_id(root, _name(fault.element)))
            done.append(f"{fault.text}: {fault.element.get('ID')}")
        elif fault.attribute in fault.element.attrib:  # it may have gone with its unit
            value = pixel_type if fault.attribute == "Type" and _name(fault.element) == "Pixels" else _mended(fault)
            done.append(f"{fault.text}: {_applied(fault, value)}")
    return done


def _applied(fault: Fault, value: str | None) -> str:
    if value is not None:
        fault.element.set(fault.attribute, value)
        return value
    stem = fault.attribute.removesuffix("Unit")
    for attribute in {fault.attribute, stem, f"{stem}Unit"} & set(fault.element.attrib):
        del fault.element.attrib[attribute]
    return "taken out"


def _new_id(root: ElementTree.Element, name: str) -> str:
    known = {element.get("ID") for element in root.iter()}
    kind = {"XMLAnnotation": "Annotation", "MapAnnotation": "Annotation"}.get(name, name)
    stem = f"{kind}:0:" if name == "Channel" else f"{kind}:"
    return next(f"{stem}{number}" for number in range(len(known) + 1) if f"{stem}{number}" not in known)


def _mended(fault: Fault) -> str | None:
    """Return the value that was meant; None where nobody can know."""
    found, rule = (fault.found or "").strip(), fault.rule
    assert rule is not None, "an attribute that is there has a rule"
    guesses = [found, *_number_guesses(found)]
    if fault.attribute == "Color":
        guesses = _color_guesses(found)
    elif fault.attribute.endswith("Unit"):
        guesses.append(_unit_guess(found))
    elif rule.words:
        plain = {_plain(word): word for word in rule.words}
        guesses += [plain.get(_plain(found), ""), _TYPES.get(found.lower(), ""), "Other"]
    return next((guess for guess in guesses if rule.fits(guess)), None)


def _number_guesses(found: str) -> list[str]:
    """Return what was meant by a number: with a comma for a point, unless it may part thousands; 2.0 for 2."""
    guesses = []
    comma = _COMMA.fullmatch(found)
    if comma is not None and (len(comma[2]) != 3 or comma[1].lstrip("+-0") == ""):
        guesses.append(f"{comma[1]}.{comma[2]}")
    return [*guesses, re.sub(r"\.0+$", "", found)]


def _color_guesses(found: str) -> list[str]:
    hexadecimal = _HEX.fullmatch(found) if found.startswith("#") else None
    if hexadecimal is not None:
        number = int(hexadecimal[1] + (hexadecimal[2] or "ff"), 16)
    elif re.fullmatch("[0-9]{1,10}", found):
        number = int(found)
    else:
        return []
    return [str(number - 2**32 if 2**31 <= number < 2**32 else number)]


def _unit_guess(found: str) -> str:
    """Return the schema's name of a unit of length that is written in another way."""
    size = micrometres(1.0, found)
    return next(
        (unit for unit in ("µm", "nm", "mm", "cm", "m", "pm", "Å", "in") if micrometres(1.0, unit) == size), ""
    )


def _plain(word: str) -> str:
    return re.sub("[^a-z0-9]", "", word.lower())
