"""A process whose work is done ends with its exit code, whatever threads of libraries still do."""

import subprocess
import sys

import pytest


def ended(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["segment", "--no-such"], 2)])
def test_what_was_to_be_done_at_the_end_is_done_and_the_process_over_before_python_is_taken_apart(words, code):
    done = ended(
        "import atexit, sys\nfrom cellscale.cli.main import main\n"
        "class Last:\n    def __del__(self): print('taken apart')\n"
        f"last = Last()\nsys.argv = ['cellscale', *{words!r}]\n"
        # Registered earlier than main's own, and so not reached; and while the command runs, and so reached.
        "import click\nbefore = click.echo\n"
        "def echo(*a, **k):\n    atexit.register(print, 'done at the end')\n    before(*a, **k)\n"
        "click.echo = click.core.echo = click.exceptions.echo = click.decorators.echo = echo\n"
        "main()"
    )
    assert done.returncode == code, done.stderr
    assert "done at the end" in done.stdout
    assert "taken apart" not in done.stdout


def test_threads_that_were_not_given_up_are_waited_for(tmp_path):
    done = ended(
        "import sys, threading, time\nfrom pathlib import Path\nfrom cellscale.cli.main import main\n"
        f"threading.Thread(target=lambda: (time.sleep(0.5), Path({str(tmp_path / 'made')!r}).touch())).start()\n"
        "sys.argv = ['cellscale', '--version']\nmain()"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made").exists()


def test_an_error_that_nobody_foresaw_keeps_its_traceback_and_its_code():
    done = ended(
        "import sys\nfrom cellscale.cli import main as module\n"
        "def broken(**_): raise ZeroDivisionError('outside of the command')\n"
        "module.main(broken)"
    )
    assert done.returncode == 1
    assert "ZeroDivisionError: outside of the command" in done.stderr
