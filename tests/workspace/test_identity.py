"""An image is the one of before by what it holds; size and time alone are no identity."""

import os
import shutil

import pytest

from cellscale.errors import ImageError
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.identity import identify, require_unchanged

SIZE = 5 * 2**20


@pytest.fixture
def entry(tmp_path):
    path = tmp_path / "image.tiff"
    path.write_bytes(os.urandom(SIZE))
    return ImageEntry(name="image", image=path)


def replace_byte(path, place, *, keep_time=True):
    facts = path.stat()
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))
    if keep_time:
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def test_a_copy_with_other_times_is_the_same_image(entry, tmp_path):
    known = identify(entry, {})
    copy = shutil.copyfile(entry.image, tmp_path / "copy.tiff")
    os.utime(copy, (1, 1))
    assert identify(ImageEntry(name="image", image=copy), known.files).facts == known.facts
    assert identify(ImageEntry(name="image", image=copy), {}).facts == known.facts


def test_a_change_that_keeps_size_and_time_is_another_image(entry):
    known = identify(entry, {})
    replace_byte(entry.image, 0)
    assert identify(entry, known.files).facts != known.facts
    with pytest.raises(ImageError, match="changed while it was worked on"):
        require_unchanged(entry, known)


def test_a_file_put_in_its_place_with_the_same_size_and_time_is_another_image(entry, tmp_path):
    known = identify(entry, {})
    facts = entry.image.stat()
    other = tmp_path / "other"
    other.write_bytes(os.urandom(SIZE))
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    other.replace(entry.image)
    assert identify(entry, known.files).facts != known.facts


def test_a_touched_image_is_unchanged(entry):
    known = identify(entry, {})
    os.utime(entry.image, (5, 5))
    require_unchanged(entry, known)


def between_samples(size):
    return 256 * 1024 + 16 * 1024 + 1000  # after the first block that is read, before the second


def test_what_a_sample_does_not_see_is_seen_by_reading_all(entry):
    known = identify(entry, {}, "content")
    assert known.facts == identify(entry, {}).facts
    replace_byte(entry.image, between_samples(SIZE))
    assert identify(entry, known.files).facts == known.facts
    found = identify(entry, known.files, "content")
    assert found.facts != known.facts
    assert identify(entry, found.files).facts == found.facts
    assert identify(entry, found.files, "content").facts == found.facts


def test_the_npz_file_is_a_part_of_it(entry, tmp_path):
    npz = tmp_path / "image.npz"
    npz.write_bytes(b"one")
    both = ImageEntry(name="image", image=entry.image, npz=npz)
    known = identify(both, {})
    npz.write_bytes(b"two")
    assert identify(both, known.files).facts != known.facts


def test_an_image_that_is_gone_is_an_error_of_this_image(entry):
    known = identify(entry, {})
    entry.image.unlink()
    with pytest.raises(ImageError, match="no longer there"):
        identify(entry, known.files)
