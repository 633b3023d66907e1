"""Build the images of this folder for real, work with them as their users do, and say how large they are.

Needs docker, podman or buildah. Where no registry of images can be reached, `--base debian` makes the base image from
Debian's packages (debootstrap, as root). Lists of what is in the images (CycloneDX) go to build/containers.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from builders import Builder, find_builder
from debian_base import make_debian_base

HERE = Path(__file__).resolve().parent
LISTS = HERE.parent / "build" / "containers"
ENTRY = "/opt/cellscale/bin/entry"
STRANGER = "12345:12345"
"""A user and a group whom the images do not know."""


@dataclass(frozen=True)
class Image:
    """An image and what is asked of it."""

    dockerfile: str
    limit: int | None = None
    """Bytes that it may take."""
    options: tuple[str, ...] = ()
    """More options of its run."""


IMAGES = {
    "cellscale": Image("Dockerfile", limit=900_000_000),
    "cellscale-dask": Image("Dockerfile.dask", limit=950_000_000, options=("--dask_workers", "2")),
    "cellscale-gpu": Image("Dockerfile.gpu", options=("--device", "cpu")),
}


def main() -> int:
    """Return 0 if all is well, 1 if not and 2 if nothing could be tried."""
    options = _options()
    builder = find_builder(options.builder)
    if builder is None:
        print(
            "No builder of images answers: install docker, podman or buildah (buildah needs no daemon).",
            file=sys.stderr,
        )
        return 2
    os.chdir(HERE.parent)
    base = make_debian_base(builder) if options.base == "debian" else options.base
    wrong = []
    for name in options.images or IMAGES:
        wrong += [f"{name}: {line}" for line in check(builder, name, base, options)]
    for line in wrong:
        print(f"WRONG  {line}")
    return int(bool(wrong))


def _options() -> argparse.Namespace:
    models = Path(os.environ.get("CELLSCALE_CACHE", "~/.cache/cellscale")).expanduser() / "models"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"of {', '.join(IMAGES)}; default: all")
    parser.add_argument("--builder", choices=("docker", "podman", "buildah"), help="default: the first that answers")
    parser.add_argument("--base", metavar="IMAGE|debian", help="base image instead of the Dockerfiles' own")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="OME-TIFFs to work on; default: a simulated one")
    parser.add_argument("--weights", type=Path, default=models, metavar="FOLDER", help="default: %(default)s")
    options = parser.parse_args()
    if unknown := set(options.images) - set(IMAGES):
        parser.error(f"there is no image {', '.join(sorted(unknown))}")
    if not (options.weights / "mesmer.onnx").is_file():
        parser.error(f"no weights are in {options.weights}: run make weights, or name their folder with --weights")
    return options


def check(builder: Builder, name: str, base: str | None, options: argparse.Namespace) -> list[str]:
    """Build one image and try it; return what is wrong with it."""
    image, tag = IMAGES[name], f"localhost/{name}:{version()}"
    print(f"== {tag}", flush=True)
    builder.build(HERE / image.dockerfile, tag, base)
    wrong = sizes(builder, tag, image.limit)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        for user in ("10001", STRANGER):
            wrong += run(builder, tag, user, data / user.split(":")[0], image, options)
    wrong += contents(builder, tag, name)
    return wrong


def version() -> str:
    """Return the version of the sources, which is the images' tag."""
    text = (HERE.parent / "src" / "cellscale" / "__init__.py").read_text()
    (found,) = re.findall(r'^__version__ = "(.+)"$', text, flags=re.MULTILINE)
    return str(found)


def sizes(builder: Builder, tag: str, limit: int | None) -> list[str]:
    """Print the size of an image by layer; return what is wrong."""
    wrong, layers = [], list(builder.layers(tag))
    for number, layer in enumerate(layers):
        largest = ", ".join(f"{place or '.'} {size / 1e6:.0f}" for place, size in layer.largest)
        print(f"layer {number}: {layer.size / 1e6:7.1f} MB ({largest})")
        wrong += [f"everybody may write to {path}" for path in layer.open_to_all]
    total = sum(layer.size for layer in layers)
    print(f"together: {total / 1e6:.1f} MB", flush=True)
    if limit and total > limit:
        wrong.append(f"takes {total / 1e6:.0f} MB; {limit / 1e6:.0f} MB were allowed")
    return wrong


def run(builder: Builder, tag: str, user: str, data: Path, image: Image, options: argparse.Namespace) -> list[str]:
    """Segment and measure in the image as a user, with weights mounted; return what is wrong."""
    (data / "OMETIFF").mkdir(parents=True)
    if options.data:
        for path in options.data.glob("*.ome.tif*"):
            shutil.copyfile(path, data / "OMETIFF" / path.name)
    for folder in (data, data / "OMETIFF"):
        folder.chmod(0o777)  # the user of a container is nobody here
    words = ["segment-and-measure", *image.options, "workspace", "/data"]
    simulate = "" if options.data else "cellscale simulate /data --images 1 --size 512 --seed 1 && "
    asked = '--squeeze --nuclear-image "$1" --membrane-image "$1" --membrane-channel 1 --output-directory'
    deepcell = (
        f"set -- /data/OMETIFF/* && python /usr/src/app/run_app.py mesmer {asked} /data/script "
        f"&& {ENTRY} mesmer {asked} /data/entry && cmp /data/script/mask.tif /data/entry/mask.tif"
    )
    program = (
        "kernels() { find $NUMBA_CACHE_DIR -type f | sort; }; before=$(kernels); "
        f'{simulate}{ENTRY} {" ".join(words)} && {deepcell} && test "$before" = "$(kernels)" || exit 9'
    )
    print(f"-- user {user}: cellscale {' '.join(words)}", flush=True)
    mounted = [f"{data}:/data", f"{options.weights.resolve()}:/var/cache/cellscale/models:ro"]
    done = builder.run(tag, ["sh", "-c", program], user=user, mounted=mounted)
    tables = {path.name: len(path.read_text().splitlines()) - 1 for path in sorted((data / "REPORTS").glob("*.tsv"))}
    print(f"-- user {user}: cells {tables}", flush=True)
    if done.returncode == 9:
        return [f"user {user}: the run failed, or compiled kernels that the image should have"]
    if done.returncode or not tables or not all(tables.values()):
        return [f"user {user}: the run ended with {done.returncode} and found {tables}"]
    return []


def contents(builder: Builder, tag: str, name: str) -> list[str]:
    """Look at an image from inside, and write the list of what it contains; return what is wrong."""
    wrong, told = [], {}
    mounted = [f"{HERE / 'inside.py'}:/inside.py:ro"]
    for user in ("10001", STRANGER):
        done = builder.run(tag, ["python", "/inside.py"], user=user, mounted=mounted, told=False)
        if done.returncode:
            print(done.stdout)
            return [f"user {user}: not everything loads, or kernels are not used; see above"]
        told = json.loads(done.stdout.splitlines()[-1])
    bill = json.loads(_file(builder, tag, "/opt/cellscale/sbom.cdx.json"))
    listed = {_plain(component["name"]): component["version"] for component in bill["components"]}
    for package, number in told["packages"].items():
        if listed.get(_plain(package)) != number:
            wrong.append(f"{package} {number} is installed and not in the image's list")
    bill["components"].append({"type": "application", "name": "python", "version": told["python"]})
    for package, number in told["system"].items():
        purl = f"pkg:deb/debian/{package}@{number}"
        bill["components"].append(
            {"type": "library", "name": package, "version": number, "purl": purl, "bom-ref": purl}
        )
    LISTS.mkdir(parents=True, exist_ok=True)
    path = LISTS / f"{name}-{version()}.cdx.json"
    path.write_text(json.dumps(bill, indent=1) + "\n")
    print(f"-- {len(bill['components'])} components: {path.relative_to(HERE.parent)}")
    return wrong


def _file(builder: Builder, tag: str, path: str) -> str:
    """Return what a file of an image holds: through a folder, as buildah may lose the end of what a pipe is told."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # the container's user is nobody's here
        builder.run(tag, ["cp", path, "/mnt/file"], mounted=[f"{folder}:/mnt"], told=False)
        return (Path(folder) / "file").read_text(encoding="utf-8")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
