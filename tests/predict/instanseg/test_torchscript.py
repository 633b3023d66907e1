"""TorchScript archives give their numbers and run nothing."""

import io
import zipfile

import numpy as np
import pytest

from cellscale.errors import ModelError
from cellscale.predict.instanseg.torchscript import read_parameters
from tests.predict.instanseg.archive import torchscript_archive

PARAMETERS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "inner.0.bias": np.array([1.5, -2], np.float32),
    "inner.deep.one": np.float32(7).reshape(()),
}


class Command:
    """Unpickled by Python's own rules, it would run a command."""

    def __reduce__(self):
        return print, ("it ran",)


def test_parameters_have_the_names_and_values_of_the_archive():
    found = read_parameters(io.BytesIO(torchscript_archive(PARAMETERS)))
    assert found.keys() == PARAMETERS.keys()
    for name, values in PARAMETERS.items():
        np.testing.assert_array_equal(found[name], values)


def test_nothing_in_an_archive_is_run(capsys):
    with pytest.raises(ModelError, match="print, which describes no tensor"):
        read_parameters(io.BytesIO(torchscript_archive(PARAMETERS, extra=Command())))
    assert "it ran" not in capsys.readouterr().out


@pytest.mark.parametrize("cut", [0, 10, 500])
def test_half_an_archive_is_told(cut):
    with pytest.raises(ModelError, match="not a TorchScript archive"):
        read_parameters(io.BytesIO(torchscript_archive(PARAMETERS)[:cut]))


def test_a_zip_file_of_something_else_is_told():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(ModelError, match=r"holds no data\.pkl"):
        read_parameters(content)


def test_a_tensor_that_is_larger_than_its_numbers_is_told():
    content = io.BytesIO(torchscript_archive(PARAMETERS))
    short = io.BytesIO()
    with zipfile.ZipFile(content) as archive, zipfile.ZipFile(short, "w") as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name)[: 8 if name.startswith("net/data/") else None])
    with pytest.raises(ModelError, match="larger than its numbers"):
        read_parameters(short)
