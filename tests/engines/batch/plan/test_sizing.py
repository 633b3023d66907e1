"""How large machines and disks are, and what they cost, by the images."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
import zarr

from cellscale.engines.batch.compute import CONDUCT, Compute
from cellscale.engines.batch.plan.cost import CostedJob, estimate_cost
from cellscale.engines.batch.plan.sizing import Need, Sizes, measure_sizes, measuring_need, segmenting_need
from cellscale.engines.batch.prices import disk_price, hourly_price
from cellscale.errors import RequestError
from cellscale.workspace.discovery import ImageEntry, discover
from cellscale.workspace.layout import workspace_paths
from tests.pipeline.spots import write_dataset

N1 = Compute()


def sizes(largest, images=1):
    return Sizes(images=images, file_bytes=0, largest=largest, pixels=largest * images)


def test_pixels_are_those_of_the_headers(tmp_path):
    planes = {name: np.zeros((2, *shape), np.uint8) for name, shape in {"a": (100, 200), "b": (300, 50)}.items()}
    write_dataset(tmp_path, **planes)
    (tmp_path / "OMETIFF" / "c.ome.tiff").write_bytes(b"no image")
    found = measure_sizes(discover(workspace_paths(tmp_path)))
    assert (found.images, found.largest, found.pixels) == (3, 20_000, 35_000)


def test_more_files_than_are_opened_count_by_their_bytes(tmp_path):
    write_dataset(tmp_path, a=np.zeros((2, 100, 100), np.uint8))
    (entry,) = discover(workspace_paths(tmp_path))
    others = [ImageEntry(name=f"x{number}", image=entry.image, size=entry.size) for number in range(199)]
    assert measure_sizes([entry, *others]).pixels == 200 * 10_000


def test_what_is_decoded_whole_must_fit_into_the_share_that_a_task_takes(tmp_path):
    pixels = np.zeros((8000, 5000), np.uint16)
    write_dataset(tmp_path, a=np.zeros((2, 100, 100), np.uint8))
    tifffile.imwrite(tmp_path / "OMETIFF" / "b.tif", pixels, compression="zlib", rowsperstrip=8000)
    found = measure_sizes(discover(workspace_paths(tmp_path)))
    assert pixels.nbytes <= found.decoding_bytes <= 3 * pixels.nbytes
    assert found.largest == pixels.size


@pytest.mark.parametrize(("need", "option"), [(segmenting_need, "segmentation"), (measuring_need, "measurement")])
def test_a_machine_that_would_refuse_to_decode_an_image_is_refused(need, option):
    strip = 10 * 10**9  # a machine of 30 GiB gives a run half of its memory
    words = rf"--{option}_compute_config: a machine n1-standard-8 has 30 GiB of memory, and the largest image needs 2"
    assert need(replace(sizes(10**6), decoding_bytes=strip), N1)
    with pytest.raises(RequestError, match=words.replace("needs 2", "needs 4")):
        need(replace(sizes(10**6), decoding_bytes=2 * strip), N1)


def zarrs(folder, *sides):
    """Write OME-Zarr images, all but empty, of so many pixels a side."""
    for number, side in enumerate(sides):
        group = zarr.open_group(folder / "OMETIFF" / f"z{number:03d}.ome.zarr", mode="w", zarr_format=2)
        group.create_array("0", shape=(1, side, side), chunks=(1, side, side), dtype="uint8")
        axes = [{"name": name} for name in "cyx"]
        scale = {"coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1]}], "path": "0"}
        group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [scale]}]


def test_folders_count_each_whatever_their_name(tmp_path):
    write_dataset(tmp_path, a=np.zeros((2, 100, 100), np.uint8))
    zarrs(tmp_path, *[10] * 70, 5000)
    found = measure_sizes(discover(workspace_paths(tmp_path)))
    assert (found.images, found.largest, found.pixels) == (72, 25_000_000, 25_000_000 + 7_000 + 10_000)


def test_files_that_nothing_is_known_of_count_as_the_images_that_can_be_opened(tmp_path):
    (tmp_path / "OMETIFF").mkdir()
    zarrs(tmp_path, 100, 200)
    for number in range(70):
        (tmp_path / "OMETIFF" / f"b{number}.ome.tiff").write_bytes(b"no image")
    assert measure_sizes(discover(workspace_paths(tmp_path))).pixels == 50_000 + 6 * 25_000


def test_the_disk_of_the_system_costs_as_well():
    work = CostedJob(measuring=True, compute=N1, need=Need(8000, 1000, 50), parallelism=1)
    cost = estimate_cost([work], sizes(10**12))
    hours, conducting = cost.machine_hours - cost.elapsed_hours, cost.elapsed_hours
    machines = hours * hourly_price(N1) + conducting * hourly_price(CONDUCT)
    assert cost.dollars - machines == pytest.approx(hours * disk_price(80) + conducting * disk_price(40))


def test_disks_grow_with_the_largest_image():
    small, large = segmenting_need(sizes(10**6), N1), segmenting_need(sizes(10**9), N1)
    assert large.disk_gb - small.disk_gb == pytest.approx(48, abs=1)
    assert (large.cpu_milli, large.memory_mib) == (small.cpu_milli, small.memory_mib) == (8000, small.memory_mib)
    assert small.memory_mib < 30 * 1024


def test_a_machine_of_an_unknown_type_gets_what_is_needed():
    assert segmenting_need(sizes(10**6), Compute(machine="z9-quantum-3")).cpu_milli is None


def test_an_image_too_large_for_a_machine_is_told_before_it_is_rented():
    with pytest.raises(RequestError, match=r"--measurement_compute_config: a machine n1-highcpu-2 has 1\.8 GiB"):
        measuring_need(sizes(10**9), Compute(machine="n1-highcpu-2"))


def test_costs_grow_with_pixels_and_time_falls_with_machines():
    def cost(parallelism, images):
        work = CostedJob(measuring=False, compute=N1, need=Need(8000, 1000, 50), parallelism=parallelism)
        return estimate_cost([work], sizes(10**9, images))

    assert cost(100, 100).elapsed_hours < cost(10, 100).elapsed_hours / 5
    assert cost(100, 100).dollars == pytest.approx(cost(10, 100).dollars, rel=0.3)
    assert cost(100, 1000).dollars > 8 * cost(100, 100).dollars
    unknown = CostedJob(measuring=True, compute=Compute(machine="z9-quantum-3"), need=Need(None, 1, 1), parallelism=1)
    assert "unknown" in str(estimate_cost([unknown], sizes(10**6)))
