"""Ctrl-C is heard while the command is still loading."""

import signal
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signals")


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_while_libraries_load(number, name):
    script = f"""
        import os, sys

        class Bell:
            def find_spec(self, module, *rest):
                if module == "click":  # the first that the command line loads
                    os.kill(os.getpid(), {int(number)})

        sys.meta_path.insert(0, Bell())
        sys.argv = ["cellscale", "--version"]
        from cellscale.launch import main
        main()
    """
    words = [sys.executable, "-c", textwrap.dedent(script)]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert found.returncode == 128 + number
    assert found.stderr == f"Stopped by {name} before anything was begun.\n"
    assert found.stdout == ""
