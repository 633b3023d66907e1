"""While libraries load nobody looks for cycles, and afterwards as before."""

import gc
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cellscale.cli.main import cellscale
from cellscale.loading import loading
from tests.pipeline.spots import spots, write_dataset


@pytest.mark.parametrize("stays", [True, False])
def test_cycles_are_left_alone_until_it_is_over(stays):
    before = gc.get_freeze_count()
    try:
        with loading(stays=stays):
            assert not gc.isenabled()
        assert gc.isenabled()
        assert (gc.get_freeze_count() > before) is stays
    finally:
        gc.unfreeze()


def test_what_cannot_be_loaded_leaves_it_on():
    with pytest.raises(ImportError), loading(stays=False):
        import cellscale.no_such_module  # noqa: F401
    assert gc.isenabled()


def test_who_has_turned_it_off_finds_it_off():
    gc.disable()
    try:
        with loading(stays=True):
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_command_works_with_it_on():
    program = (
        "import gc, sys, cellscale.launch, cellscale.cli.main as cli\n"
        "cli.main = lambda: print(gc.isenabled(), gc.get_freeze_count() > 1000)\n"
        "cellscale.launch.main()"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert found.stdout == "True True\n", found.stderr


def test_a_command_of_a_process_that_calls_several_keeps_nothing_for_ever(tmp_path, tiny_model):
    write_dataset(tmp_path, core=spots((64, 64), 1))
    before = gc.get_freeze_count()
    words = ["segment", "--dry_run", "--model_path", str(tiny_model), "workspace", str(tmp_path)]
    done = CliRunner().invoke(cellscale, words)
    assert done.exit_code == 0, done.output
    assert gc.get_freeze_count() == before == 0
