"""The description of a cloud environment: which containers run where, as whom, on which network."""

import json
import re
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from cellscale.errors import RequestError, StorageError
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, read_bytes

__all__ = ["Environment", "NetworkInterface", "ServiceAccount", "read_environment"]

_JAVA_IMAGE = "qupath-project-initializer"
_ORIGINAL_IMAGE = "deepcell-imaging"


def _pattern(pattern: str, expected: str, *, blank: bool = False) -> AfterValidator:
    """Return a check that a text has a form; the message says which."""
    form = re.compile(pattern)

    def check(text: str) -> str:
        if not (form.fullmatch(text) or (blank and not text)):
            raise ValueError(f"{text!r} is not {expected}")
        return text

    return AfterValidator(check)


_ContainerImage: TypeAlias = Annotated[
    str,
    _pattern(
        r"[a-z0-9][A-Za-z0-9.:_/@-]*",
        "a container image; expected for example us-central1-docker.pkg.dev/project/repository/cellscale:tag",
    ),
]


def _runs_stages(image: str) -> str:
    if _repository(image) == _ORIGINAL_IMAGE:
        raise ValueError(
            f"{image!r} is the original system's container, which has no cellscale in it: each machine would be paid "
            "for and fail. Build cellscale's own from container/ and name that"
        )
    return image


def _repository(image: str) -> str:
    """Return the last part of a container image's name, without registry, tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


_Region: TypeAlias = Annotated[
    str, _pattern(r"[a-z]+(-[a-z]+)+\d+", "a region; expected for example us-central1, without a zone's letter")
]
_Table: TypeAlias = Annotated[
    str, _pattern(r"[^.\s]+\.[^.\s]+\.[^.\s]+", "a table; expected project.dataset.table, or nothing", blank=True)
]
_Email: TypeAlias = Annotated[str, _pattern(r"[^@\s]+@[^@\s]+", "the email of a service account", blank=True)]


class _Part(BaseModel):
    """What all parts have in common: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NetworkInterface(_Part):
    """The network that the machines are on; blank: the project's default network."""

    network: str = ""
    subnetwork: str = ""
    no_external_ip_address: bool = False


class ServiceAccount(_Part):
    """As whom the machines run; blank: Compute Engine's default service account."""

    email: _Email = ""
    scopes: list[str] = Field(default_factory=list)


class Environment(_Part):
    """A cloud environment, in the words of the original system's JSON file."""

    region: _Region
    """Region in which machines are rented."""
    segment_container_image: Annotated[_ContainerImage, AfterValidator(_runs_stages)]
    """Container that segments, and conducts the run."""
    quantify_container_image: _ContainerImage
    """Container that measures."""
    segment_model_path: str = ""
    """URI of the network; blank: that of the container."""
    segment_model_hash: str = ""
    """SHA-256 or MD5 of the network's file; blank: not checked."""
    bigquery_benchmarking_table: _Table = ""
    """``project.dataset.table`` to which benchmarks are appended; blank: none."""
    networking_interface: NetworkInterface = Field(default_factory=NetworkInterface)
    service_account: ServiceAccount = Field(default_factory=ServiceAccount)

    @property
    def measures_with_java(self) -> bool:
        """Whether the container that measures is the original's, which is called in another way.

        The rule is its name, whatever registry, tag or digest: ``qupath-project-initializer`` is the original's Java
        program, which measures all images in one task; any other name is a cellscale container, which measures one
        image a task.
        """
        return _repository(self.quantify_container_image) == _JAVA_IMAGE


def read_environment(location: Location) -> Environment:
    """Read the description of a cloud environment.

    Parameters
    ----------
    location
        Path or URI of a JSON file.

    Raises
    ------
    RequestError
        It cannot be read, is no JSON, or holds an unknown key, a wrong type or an impossible value; each is named
        with its path.
    """
    try:
        content = read_bytes(location)
    except StorageError as error:
        raise RequestError(f"--env_config_uri: {error}") from error
    return _parsed(content, str(location))


def _parsed(content: bytes, location: str) -> Environment:
    try:
        facts: Any = parsed_json(content)
    except ValueError as error:
        raise RequestError(f"the environment config {location} is not JSON: {error}") from error
    if not isinstance(facts, dict):
        raise RequestError(
            f"the environment config {location} holds a {type(facts).__name__}; expected an object with the keys "
            f"{', '.join(Environment.model_fields)}"
        )
    try:
        return Environment.model_validate(facts)
    except ValidationError as error:
        problems = "; ".join(_problem(detail) for detail in error.errors())
        raise RequestError(f"the environment config {location} is wrong: {problems}") from error


def _problem(detail: Any) -> str:
    """Say what is wrong with one key, in words that do not need pydantic's manual."""
    path = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{path} is missing"
    if detail["type"] == "extra_forbidden":
        return f"{path} is no key of this file; expected {', '.join(_keys(detail['loc'][:-1]))}"
    if detail["type"] == "value_error":
        return f"{path}: {detail['ctx']['error']}"
    return f"{path} is {json.dumps(detail['input'])}; {detail['msg'].removeprefix('Input ')}"


def _keys(path: tuple[str | int, ...]) -> list[str]:
    """Name the keys of the object at a path."""
    parts: dict[str, type[_Part]] = {"networking_interface": NetworkInterface, "service_account": ServiceAccount}
    part: type[_Part] = parts[str(path[0])] if path else Environment
    return list(part.model_fields)
