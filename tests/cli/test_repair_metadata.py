"""``cellscale repair-metadata``: what is said, and that nothing is lost."""

import pytest

from cellscale.images.tiff import description
from tests.cli.runs import run
from tests.images.ome_files import ome_xml, planes, write_ome


@pytest.fixture
def image(tmp_path):
    return write_ome(tmp_path / "x.ome.tif", ome_xml(channel='Color="red"'))


def test_a_copy_is_written_and_what_was_corrected_is_said(image):
    done = run("repair-metadata", image)
    assert done.exit_code == 0
    assert 'Channel Color="red": taken out (3 times)' in done.stdout
    assert f"written: {image.with_name('x_repaired.ome.tiff')}" in done.stdout
    assert "already" in run("repair-metadata", image).stderr
    assert run("repair-metadata", "--output", image.with_name("y.ome.tif"), image).exit_code == 0
    again = run("repair-metadata", image.with_name("y.ome.tif"))
    assert "nothing was written" in again.stdout


def test_what_cannot_be_corrected_is_refused(tmp_path, image):
    run("repair-metadata", "--in_place", "--output", "x", image).explains("exclude each other")
    (tmp_path / "text.tif").write_text("no TIFF")
    assert "not a TIFF" in run("repair-metadata", tmp_path / "text.tif").stderr
    missing = run("repair-metadata", tmp_path / "none.tif")
    assert (missing.exit_code, "none.tif" in missing.stderr) == (1, True)
    plain = write_ome(tmp_path / "plain.tif", "no XML", planes(1))
    assert "no OME-XML found" in run("repair-metadata", plain).stderr


@pytest.mark.parametrize("in_place", [True, False])
def test_a_failure_leaves_what_was_there(image, monkeypatch, in_place):
    before = image.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(description.os, "fsync", full)
    done = run("repair-metadata", *(["--in_place"] if in_place else []), image)
    assert done.exit_code == 1
    assert image.read_bytes() == before
    assert [path.name for path in image.parent.iterdir()] == ["x.ome.tif"]
