"""Ctrl-C is heard while the command is still loading."""

import os
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


def test_threads_of_openblas_sleep_unless_told_otherwise():
    script = "import os; from cellscale.launch import main; import sys; sys.argv = ['cellscale', '--version']\n"
    script += "try:\n    main()\nfinally:\n    print(os.environ['OPENBLAS_THREAD_TIMEOUT'])"
    for given, expected in ((None, "4"), ("20", "20")):
        environment = {name: text for name, text in os.environ.items() if name != "OPENBLAS_THREAD_TIMEOUT"}
        environment |= {} if given is None else {"OPENBLAS_THREAD_TIMEOUT": given}
        words = [sys.executable, "-c", script]
        found = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        assert found.stdout.splitlines()[-1] == expected, found.stderr
