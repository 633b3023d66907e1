"""What a library prints is dropped in its own thread, and nowhere else."""

import sys
from contextlib import ExitStack
from threading import Thread

from cellscale.predict.quiet import quiet


def test_only_this_thread_is_quiet(capsys):
    with quiet():
        print("a library")
        other = Thread(target=print, args=("the table",))
        other.start()
        other.join()
    print("the end")
    assert capsys.readouterr().out == "the table\nthe end\n"


def test_an_output_that_was_turned_elsewhere_meanwhile_stays_so(capsys):
    before = sys.stdout
    with ExitStack() as stack:
        stack.enter_context(quiet())
        sys.stdout = elsewhere = sys.stderr
        stack.close()
        assert sys.stdout is elsewhere
        sys.stdout = before
