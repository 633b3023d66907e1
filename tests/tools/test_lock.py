"""The lists of locked versions fit what ``pyproject.toml`` asks for, and say nothing of where packages come from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
APART = [ROOT / "tests" / "records" / "bigquery_emulator.txt", ROOT / "tests" / "images" / "writers" / "programs.txt"]
LISTS = [*sorted((ROOT / "requirements").glob("*.txt")), *APART]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
SYSTEMS = [
    {"sys_platform": system, "platform_machine": machine, "platform_system": name}
    for system, machine, name in (
        ("linux", "x86_64", "Linux"),
        ("linux", "aarch64", "Linux"),
        ("darwin", "arm64", "Darwin"),
        ("darwin", "x86_64", "Darwin"),
        ("win32", "AMD64", "Windows"),
    )
]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
EVERYWHERE = [
    {"python_version": version, "python_full_version": f"{version}.7", "implementation_name": "cpython", **system}
    for version in PYTHONS
    for system in SYSTEMS
]


def pins(path, environment):
    """The versions that a list has for a kind of machine."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if "==" in line and not line.startswith("#"):
            pin = Requirement(line.removesuffix("\\").strip())
            if pin.marker is None or pin.marker.evaluate(environment):
                assert pin.name not in found, f"{path.name} has two versions of {pin.name} for {environment}"
                (version,) = pin.specifier
                found[pin.name] = version.version
    return found


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def asked(*extras, groups=()):
    """What the project asks for."""
    words = list(PROJECT["project"]["dependencies"])
    words += [word for extra in extras for word in EXTRAS[extra]]
    for group in groups:
        for word in PROJECT["dependency-groups"][group]:
            words += asked(groups=[word["include-group"]]) if isinstance(word, dict) else [word]
    return [word for word in words if not str(word).startswith("cellscale[")]


WANTED = {
    "run.txt": asked(),
    "dev.txt": asked("anndata", "dask", "gcp", "openvino", "s3", groups=["dev"]),
    "container.txt": asked("anndata", "gcp", "s3"),
    "container-dask.txt": asked("anndata", "dask", "gcp", "s3"),
    "container-gpu.txt": [
        word for word in asked("anndata", "gcp", "gpu", "s3") if Requirement(word).name != "onnxruntime"
    ],
    "build.txt": PROJECT["dependency-groups"]["build"],
}


def test_every_list_is_known():
    assert {path.name for path in LISTS} == {
        *WANTED, "audit.txt", "bigquery_emulator.txt", "container-build.txt", "programs.txt",
    }  # fmt: skip


@pytest.mark.parametrize("name", WANTED)
def test_a_list_has_a_version_within_the_range_of_all_that_is_asked_for(name):
    for environment in EVERYWHERE:
        versions = pins(ROOT / "requirements" / name, environment)
        for word in WANTED[name]:
            requirement = Requirement(word)
            if requirement.marker is None or requirement.marker.evaluate(environment):
                version = versions.get(normal(requirement.name))
                assert version is not None, f"no {requirement.name} for {environment}: run 'make lock'"
                assert requirement.specifier.contains(version, prereleases=True), f"{word}: run 'make lock'"


@pytest.mark.parametrize("name", [name for name in WANTED if name != "dev.txt"])
def test_lists_agree(name):
    for environment in EVERYWHERE:
        common = pins(ROOT / "requirements" / "dev.txt", environment)
        for package, version in pins(ROOT / "requirements" / name, environment).items():
            assert common.get(package, version) == version


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_a_list_has_hashes_and_no_addresses(path):
    text = path.read_text(encoding="utf-8")
    entries = re.split(r"^(?=\w)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
    assert len(entries) > 5
    assert all("--hash=sha256:" in entry for entry in entries if entry.strip())
    assert "://" not in text
    assert "index" not in re.sub(r"^\w[\w.-]*==.*$", "", text, flags=re.MULTILINE)
