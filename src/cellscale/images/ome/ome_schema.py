"""What values attributes of OME-XML may have for Bio-Formats to read it.

Bio-Formats, and so QuPath, reads a document into Java objects. One number or word that it does not know ends that,
and the whole document is thrown away. The rules are those of the schema 2016-06 (OME, CC-BY) for what programs write.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["IDENTIFIED", "RULES", "Rule"]

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DOUBLE = re.compile(r"\s*[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)\s*")
"""As Java reads numbers: a point, no comma; whole numbers without white space."""

_SIDES = ("", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "µ", "n", "p", "f", "a", "z", "y", "Y")
_LENGTHS = frozenset(f"{prefix}m" for prefix in _SIDES) | {
    "Å", "thou", "li", "in", "ft", "yd", "mi", "ua", "ly", "pc", "pt", "pixel", "reference frame",
}  # fmt: skip
_TIMES = frozenset(f"{prefix}s" for prefix in _SIDES) | {"min", "h", "d"}


@dataclass(frozen=True, slots=True)
class Rule:
    """What an attribute may be."""

    fits: Callable[[str], bool]
    expected: str

    words: frozenset[str] = frozenset()
    """All that it may be, where these are words."""


def _whole(low: int, high: int, expected: str) -> Rule:
    return Rule(lambda text: _INTEGER.fullmatch(text) is not None and low <= int(text) <= high, expected)


def _words(*words: str) -> Rule:
    known = frozenset(words)
    shown = ", ".join(words[:4]) + (", ..." if len(words) > 4 else "")
    return Rule(lambda text: text in known, f"one of {shown}", known)


def _is_positive(text: str) -> bool:
    return _DOUBLE.fullmatch(text) is not None and not _low(text)


def _low(text: str) -> bool:
    number = text.strip().rstrip("fFdD") if "Infinity" not in text else text.strip()
    return float(number) <= 0


_POSITIVE = _whole(1, 2**31 - 1, "a whole number from 1")
_COUNT = _whole(0, 2**31 - 1, "a whole number from 0")
_NUMBER = Rule(lambda text: _DOUBLE.fullmatch(text) is not None, "a number")
_ABOVE_0 = Rule(_is_positive, "a number above 0, with a decimal point")
_COLOR = _whole(-(2**31), 2**31 - 1, "a signed 32-bit RGBA number")
_LENGTH = Rule(lambda text: text in _LENGTHS, 'a unit of length of the schema, such as "µm" (micro sign)', _LENGTHS)
_TIME = Rule(lambda text: text in _TIMES, 'a unit of time of the schema, such as "s"', _TIMES)

_ORDERS = _words("XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC")
_TYPES = _words(
    "uint8", "uint16", "uint32", "int8", "int16", "int32", "float", "double", "complex", "double-complex", "bit"
)  # fmt: skip
_MODES = _words(
    "WideField", "LaserScanningConfocalMicroscopy", "SpinningDiskConfocal", "SlitScanConfocal",
    "MultiPhotonMicroscopy", "StructuredIllumination", "SingleMoleculeImaging", "TotalInternalReflection",
    "FluorescenceLifetime", "SpectralImaging", "FluorescenceCorrelationSpectroscopy",
    "NearFieldScanningOpticalMicroscopy", "SecondHarmonicGenerationImaging", "PALM", "STORM", "STED", "TIRF", "FSM",
    "LCM", "Other", "BrightField", "SweptFieldConfocal", "SPIM",
)  # fmt: skip
_CONTRASTS = _words(
    "Brightfield", "Phase", "DIC", "HoffmanModulation", "ObliqueIllumination", "PolarizedLight", "Darkfield",
    "Fluorescence", "Other",
)  # fmt: skip
_CORRECTIONS = _words(
    "UV", "PlanApo", "PlanFluor", "SuperFluor", "VioletCorrected", "Achro", "Achromat", "Fluor", "Fl", "Fluar",
    "Neofluar", "Fluotar", "Apo", "PlanNeofluar", "Other",
)  # fmt: skip
_DETECTORS = _words(
    "CCD", "IntensifiedCCD", "AnalogVideo", "PMT", "Photodiode", "Spectroscopy", "LifetimeImaging",
    "CorrelationSpectroscopy", "FTIR", "EMCCD", "APD", "CMOS", "EBCCD", "Other",
)  # fmt: skip


def _measured(rule: Rule, unit: Rule, *names: str) -> dict[str, Rule]:
    """Return the rules of numbers that have a unit."""
    return {**dict.fromkeys(names, rule), **{f"{name}Unit": unit for name in names}}


RULES: Mapping[str, Mapping[str, Rule]] = {
    "Pixels": {
        "DimensionOrder": _ORDERS,
        "Type": _TYPES,
        "SignificantBits": _POSITIVE,
        **dict.fromkeys(("SizeX", "SizeY", "SizeZ", "SizeC", "SizeT"), _POSITIVE),
        **_measured(_ABOVE_0, _LENGTH, "PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ"),
        **_measured(_NUMBER, _TIME, "TimeIncrement"),
    },
    "Channel": {
        "Color": _COLOR,
        "SamplesPerPixel": _POSITIVE,
        "IlluminationType": _words("Transmitted", "Epifluorescence", "Oblique", "NonLinear", "Other"),
        "AcquisitionMode": _MODES,
        "ContrastMethod": _CONTRASTS,
        "NDFilter": _NUMBER,
        "PockelCellSetting": _whole(-(2**31), 2**31 - 1, "a whole number"),
        **_measured(_ABOVE_0, _LENGTH, "ExcitationWavelength", "EmissionWavelength"),
        **_measured(_NUMBER, _LENGTH, "PinholeSize"),
    },
    "Plane": {
        **dict.fromkeys(("TheZ", "TheC", "TheT"), _COUNT),
        **_measured(_NUMBER, _TIME, "DeltaT", "ExposureTime"),
        **_measured(_NUMBER, _LENGTH, "PositionX", "PositionY", "PositionZ"),
    },
    "TiffData": dict.fromkeys(("IFD", "FirstZ", "FirstC", "FirstT", "PlaneCount"), _COUNT),
    "Objective": {
        "Correction": _CORRECTIONS,
        "Immersion": _words("Oil", "Water", "WaterDipping", "Air", "Multi", "Glycerol", "Other"),
        **dict.fromkeys(("NominalMagnification", "CalibratedMagnification", "LensNA"), _NUMBER),
        **_measured(_NUMBER, _LENGTH, "WorkingDistance"),
    },
    "ObjectiveSettings": {
        "Medium": _words("Air", "Oil", "Water", "Glycerol", "Other"),
        "RefractiveIndex": _NUMBER,
    },
    "Microscope": {"Type": _words("Upright", "Inverted", "Dissection", "Electrophysiology", "Other")},
    "Detector": {"Type": _DETECTORS, "Gain": _NUMBER, "Zoom": _NUMBER, "Offset": _NUMBER},
    "DetectorSettings": {
        "Binning": _words("1x1", "2x2", "4x4", "8x8", "Other"),
        "Gain": _NUMBER,
        "Offset": _NUMBER,
    },
    "StageLabel": _measured(_NUMBER, _LENGTH, "X", "Y", "Z"),
}
"""By element and attribute."""

IDENTIFIED = frozenset(
    {
        "Image", "Pixels", "Channel", "Instrument", "Objective", "Detector", "Filter", "Dichroic", "FilterSet",
        "Experimenter", "ROI", "XMLAnnotation", "MapAnnotation", "CommentAnnotation", "TagAnnotation",
    }
)  # fmt: skip
"""Elements that need an ``ID``."""
