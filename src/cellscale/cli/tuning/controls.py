"""What of the options is tuned in the browser, and with which control."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import click

from cellscale.label.growth import Growth
from cellscale.label.parameters import Parameters
from cellscale.predict.input_format import InputFormat

__all__ = ["CONTROLS", "Control", "controls_of", "shown_values"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """An option that is tuned."""

    key: str
    """Key of the option in settings files."""
    group: str
    label: str
    kind: str
    """``number``, ``length``, ``choice``, ``channels`` or ``text``."""
    ends: tuple[float, float, float] = (0, 0, 0)
    """Of a slider, whose ends are usual values and no limits: first, last, step."""
    again: bool = False
    """Whether another value has the network predict again."""

    def facts(self, option: click.Option, value: str) -> dict[str, Any]:
        """Return what the page has to know."""
        low, high, step = self.ends
        choices = list(option.type.choices) if isinstance(option.type, click.Choice) else []
        return {
            "key": self.key,
            "group": self.group,
            "label": self.label,
            "kind": self.kind,
            "low": low,
            "high": high,
            "step": step,
            "again": self.again,
            "choices": choices,
            "help": option.help or "",
            "value": value,
        }


_ENDS: Mapping[str, tuple[float, float, float]] = {
    "maxima_threshold": (0.005, 0.6, 0.005),
    "interior_threshold": (0.02, 0.9, 0.02),
    "interior_smoothing": (0, 8, 0.5),
    "maxima_smoothing": (0, 8, 0.5),
    "radius": (1, 12, 1),
    "small_objects": (0, 300, 5),
    "holes": (0, 300, 5),
    "label_erosion": (0, 6, 1),
}


def _controls() -> Iterator[Control]:
    found, again = "What is found", "What the network sees"
    yield Control(key="compartment", group=found, label="Find", kind="choice")
    yield Control(key="expand_cells", group=found, label="Grow cells by", kind="length", ends=(0, 10, 0.5))
    for prefix, group in (("whole_cell", "Cells"), ("nuclear", "Nuclei")):
        for field in fields(Parameters):
            label = field.name.replace("_", " ").capitalize()
            yield Control(
                key=f"{prefix}_{field.name}", group=group, label=label, kind="number", ends=_ENDS[field.name]
            )
    yield Control(key="nuclear_channel", group=again, label="Nuclei from", kind="channels", again=True)
    yield Control(key="membrane_channel", group=again, label="Membranes from", kind="channels", again=True)
    yield Control(key="combine", group=again, label="Merge by", kind="choice", again=True)
    yield Control(key="rescale_channels", group=again, label="Rescale before", kind="choice", again=True)
    yield Control(
        key="percentile", group=again, label="Clip above percentile", kind="number", ends=(90, 100, 0.1), again=True
    )
    yield Control(key="clahe", group=again, label="Even out contrast", kind="choice", again=True)
    yield Control(
        key="clahe_kernel", group=again, label="Contrast squares", kind="number", ends=(16, 512, 16), again=True
    )
    yield Control(key="image_mpp", group=again, label="µm/px", kind="text", again=True)


CONTROLS = tuple(_controls())

_OF_MESMERS_INPUT = frozenset({"percentile", "clahe", "clahe_kernel"})


def controls_of(given: InputFormat) -> tuple[Control, ...]:
    """Return what of a network's settings is tuned; what does nothing with its input is left out."""
    left_out = frozenset() if given.normalisation is None else _OF_MESMERS_INPUT
    return tuple(control for control in CONTROLS if control.key not in left_out)


def shown_values(options: Mapping[str, Any], parameters: Mapping[str, Parameters]) -> dict[str, str]:
    """Return the values of options as the page shows them, by key.

    Parameters
    ----------
    options
        Values of all options by their names.
    parameters
        How maps become labels, with the network's own values where the options give none; by the beginning of the
        options' names.
    """
    growth = options["expand_cells"]
    if growth is None and options["pixel_expansion"] is not None:
        growth = Growth(length=options["pixel_expansion"])
    named = {
        "nuclear_channel": _names(options["nuclear_channels"]),
        "membrane_channel": _names(options["membrane_channels"]),
        "expand_cells": "" if growth is None else str(growth),
    }
    values = {control.key: named.get(control.key, options.get(control.key)) for control in CONTROLS}
    for prefix, given in parameters.items():
        values |= {f"{prefix}_{name}": value for name, value in asdict(given).items()}
    return {key: "" if value is None else _text(value) for key, value in values.items()}


def _names(given: tuple[tuple[str, ...], ...]) -> str:
    return ",".join(f'"{name}"' if set(name) & set('," ') else name for names in given for name in names)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
