"""OME-Zarrs of whose metadata one or a few values are others than their writer gave."""

import copy
import json
import random
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import zarr

from tests.images.ome_files import planes
from tests.images.zarr.test_ome_zarr import written

__all__ = ["zarr_mutation"]

PLANES = planes()
VALUES = (
    None, True, False, 0, 1, 2, 3, -1, 0.5, 1e308, 255, 65_536, 2**31 - 1, 2**31, 2**40, 2**63, 10**30,
    "", " ", "0", "1", "s0", "s1", "..", "../..", "/", "a/b", ".", "c", "y", "x", "z", "t", "q", "Y",
    "0.1", "0.4", "0.5", "0.6", "9.9", "micrometer", "nm", "parsec", "furlong", "scale", "translation", "affine",
    "sequence", "uint8", "uint16", ">u2", "<f4", "float16", "|O", "|S5", "int64", "complex64", "bool", "C", "F",
    "NaN", "Infinity", "blosc", "zstd", "zlib", "gzip", "bytes", "crc32c", "transpose", "sharding_indexed",
    "unknown_codec", "big", "little", "é", "\x00", "x" * 3000, [], {}, [1], [0, 0, 0], [1, 1, 1], [2, 2], ["y", "x"],
    ["c", "x", "y"], [[[[]]]], {"name": "c"}, {"name": "y", "type": "space", "unit": "micrometer"},
)  # fmt: skip
MODES = ("0.4", "0.5", "sharded", "0.6", "bioformats2raw", "spatialdata")


def zarr_mutation(rng: random.Random) -> tuple[str, Callable[[Path], Path]]:
    """Return what is changed, and what writes the changed image into a folder."""
    kind = rng.choice(MODES)
    files = dict(_base(kind))
    changes = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        name = rng.choice(sorted(name for name in files if name.endswith((".json", ".zarray", ".zattrs", ".zgroup"))))
        files[name], change = _changed(files[name], rng)
        changes.append(f"{name} {change}")

    def write(folder: Path) -> Path:
        for name, content in files.items():
            path = folder / "image.ome.zarr" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / "image.ome.zarr"

    return f"{kind}: {', '.join(changes)}", write


@cache
def _base(kind: str) -> tuple[tuple[str, bytes], ...]:
    with TemporaryDirectory() as name:
        folder = Path(name) / "a.zarr"
        scale = [1, 500, 500]
        if kind == "bioformats2raw":
            zarr.open_group(folder, mode="w").attrs["ome"] = {"version": "0.5", "bioformats2raw.layout": 3}
            written(folder / "0", PLANES, "cyx", scale=scale)
        elif kind == "0.6":
            _newest(folder)
        elif kind == "sharded":
            written(folder, PLANES, "cyx", scale=scale)
            group = zarr.open_group(folder, mode="r+")
            shards = {"chunks": (1, 20, 16), "shards": (3, 40, 80), "overwrite": True}
            array = group.create_array("s0", shape=PLANES.shape, dtype=PLANES.dtype, **shards)
            array[...] = PLANES  # zarr 3.1.0 writes data that it is given at once chunk by chunk, over one another
        else:
            written(folder, PLANES, "cyx", scale=scale, version="0.4" if kind == "0.4" else "0.5", levels=2)
        if kind == "spatialdata":
            attributes = zarr.open_group(folder, mode="r+").attrs
            facts = dict(attributes["ome"])
            facts.pop("omero")
            attributes.update({"ome": facts, "channels_metadata": {"channels": [{"label": n} for n in range(3)]}})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # no part of the specification yet, and SpatialData's files have it
                zarr.consolidate_metadata(folder)
        return tuple(
            (path.relative_to(folder).as_posix(), path.read_bytes()) for path in folder.rglob("*") if path.is_file()
        )


def _newest(folder: Path) -> None:
    group = zarr.open_group(folder, mode="w", zarr_format=3)
    group.create_array("0", data=PLANES, chunks=(1, 32, 16))
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    steps = [{"type": "scale", "scale": [1, 0.5, 0.5]}, {"type": "translation", "translation": [0, 1, 1]}]
    way = {"type": "sequence", "transformations": steps, "input": {"path": "0"}, "output": {"name": "p"}}
    scales = {
        "coordinateSystems": [{"name": "p", "axes": axes}],
        "datasets": [{"path": "0", "coordinateTransformations": [way]}],
    }
    group.attrs["ome"] = {"version": "0.6", "multiscales": [scales], "omero": {"channels": [{"label": "DAPI"}]}}


def _changed(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    if rng.random() < 0.04:
        start = rng.randrange(len(content))
        return content[:start], f"cut at {start}"
    try:
        facts = json.loads(content)
    except ValueError:  # cut before
        return content, "nothing"
    places = list(_places(facts))
    if not places:
        return content, "nothing"
    holder, key = rng.choice(places)
    old = holder[key]
    how = rng.choice(["set", "set", "set", "near", "drop", "twice", "swap"])
    if how == "drop":
        del holder[key]
        return json.dumps(facts).encode(), f"{key} dropped"
    if how == "twice" and isinstance(holder, list):
        holder.insert(int(key), copy.deepcopy(old))
    elif how == "swap":
        other, at = rng.choice(places)
        holder[key] = copy.deepcopy(other[at])
    elif how == "near" and isinstance(old, int) and not isinstance(old, bool):
        holder[key] = rng.choice([old + 1, old - 1, 2 * old, -old, 1000 * old])
    else:
        holder[key] = rng.choice(VALUES)
    return json.dumps(facts).encode(), f"{key}: {str(old)[:30]} -> {str(holder[key])[:30]}"


def _places(facts: object) -> Iterator[tuple[dict | list, str | int]]:
    """Return the holder and the key of each value in a tree."""
    pairs = facts.items() if isinstance(facts, dict) else enumerate(facts) if isinstance(facts, list) else ()
    for key, value in pairs:
        yield facts, key
        yield from _places(value)
