"""A finished dataset that may only be read can be used, and folders that may not be written to are told first."""

import os
import shutil
import signal
import subprocess
import sys
import urllib.request

import pytest

from tests.cli.runs import run
from tests.patience import HANGS
from tests.pipeline.spots import spots, write_dataset

OTHER, GROUP = 65534, 4242
RIGHTS = "-dac_override,-dac_read_search,-fowner,-chown"
"""What lets root do to other users' files as it likes."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or shutil.which("setpriv") is None,
        reason="only root can give files to another user, and setpriv takes its rights over them",
    ),
]


@pytest.fixture(scope="module")
def made_once(tiny_model, tmp_path_factory):
    folder = write_dataset(tmp_path_factory.mktemp("rights") / "data", image=spots((120, 140), seed=6))
    assert run("segment-and-measure", "--model_path", tiny_model, "workspace", folder).exit_code == 0
    return folder


@pytest.fixture
def dataset(made_once, tmp_path):
    """A finished dataset of another user."""
    folder = shutil.copytree(made_once, tmp_path / "data")
    give(folder, OTHER, OTHER)
    return folder


def give(folder, user, group):
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, group)


def command_of_another_user(*words, groups="--clear-groups"):
    taken = ["setpriv", *groups.split(), f"--bounding-set={RIGHTS}"]
    return [*taken, sys.executable, "-m", "cellscale", *map(str, words)]


def by_another_user(*words, **options):
    """Run a command without rights over others' files."""
    command = command_of_another_user(*words, **options)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANGS)


def viewed_by_another_user(dataset, *parts):
    """Return what the viewer answers."""
    command = command_of_another_user("view", "--no_browser", dataset)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip()
            answers = [urllib.request.urlopen(address + part, timeout=60).read() for part in parts]
        finally:
            process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.communicate(timeout=60)[1]
    return answers


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_another_users_dataset_can_be_verified_dry_run_and_measured_elsewhere(made_once, tiny_model, tmp_path):
    dataset = made_once  # not a copy, whose project would have to be made its own
    give(dataset, OTHER, OTHER)
    before = tree(dataset)
    verified = by_another_user("verify", dataset)
    assert verified.returncode == 0, verified.stderr
    image, pixels, mask = viewed_by_another_user(
        dataset, "api/images/0", "api/images/0/channels/0/0/0/0", "api/images/0/masks/cells/0/0/0"
    )
    assert b"Membrane" in image
    assert pixels
    assert mask
    options = ("--model_path", tiny_model)
    dry = by_another_user("segment-and-measure", "--dry_run", *options, "workspace", dataset)
    assert (dry.returncode, "kept" in dry.stdout) == (0, True), dry.stderr
    places = {"images": dataset / "OMETIFF", "segmasks": tmp_path / "own", "reports": tmp_path / "R"}
    shutil.copytree(dataset / "SEGMASK", tmp_path / "own")
    words = [part for name, place in places.items() for part in (f"--{name}_path", place)]
    elsewhere = by_another_user("measure", "paths", *words, "--project_path", tmp_path / "P")
    assert elsewhere.returncode == 0, elsewhere.stderr
    name = "image_QUANT.tsv"
    assert (tmp_path / "R" / name).read_bytes() == (dataset / "REPORTS" / name).read_bytes()
    assert tree(dataset) == before


@pytest.mark.parametrize("folder", ["jobs", "REPORTS"])
def test_a_folder_that_may_not_be_written_to_is_told_before_anything_is_computed(dataset, tiny_model, folder):
    give(dataset, 0, 0)
    give(dataset / folder, OTHER, OTHER)
    before = tree(dataset)
    options = ("--model_path", tiny_model, "--image_mpp", "0.6", "--overwrite")
    done = by_another_user("segment-and-measure", *options, "workspace", dataset)
    assert done.returncode == 1, done.stderr
    assert str(dataset / folder) in done.stderr
    assert "nucleus:" not in done.stderr  # not even the first image was begun
    assert tree(dataset) == before


def test_a_member_of_the_group_goes_on_with_what_another_one_made(tmp_path, tiny_model):
    folder = write_dataset(tmp_path / "data", image=spots((120, 140), seed=6))
    give(folder, OTHER, GROUP)
    for path in (folder, folder / "OMETIFF"):
        path.chmod(0o2775)
    options = ("--model_path", tiny_model, "--mask_format", "both", "--keep_intermediates")
    groups = f"--groups {GROUP}"
    assert by_another_user("segment-and-measure", *options, "workspace", folder, groups=groups).returncode == 0
    give(folder, OTHER, GROUP)  # as if another member had made it
    again = by_another_user("segment-and-measure", *options, "--image_mpp", "0.6", "workspace", folder, groups=groups)
    assert again.returncode == 0, again.stderr
    assert "done" in again.stdout
