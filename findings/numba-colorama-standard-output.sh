#!/usr/bin/env bash
# numba 0.68.1 with colorama 0.4.6 (Python 3.11 or newer): a thread compiles functions, some of which have a typing
# error; meanwhile the main thread collects what it prints with contextlib.redirect_stdout.
# Guess: no library here turns sys.stdout elsewhere outside of Windows, so all lines are collected.
# Seen: lines go to the real standard output, the buffer stays empty: numba has colorama wrap sys.stdout and put the
# earlier one back around the text of each error, printed or not, in whichever thread compiles. Without colorama none is lost.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numba==0.68.1 colorama==0.4.6 numpy==2.5.5
cd "$folder"
cat > lost.py <<'EOF'
import contextlib
import io
import sys
import threading
import time

import numba


def compile_all():
    while not over.is_set():

        @numba.njit
        def wrong(number):
            return number.nothing

        with contextlib.suppress(numba.TypingError):
            wrong(1)


over = threading.Event()
thread = threading.Thread(target=compile_all)
thread.start()
until, lost = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < until and not lost:
    with contextlib.redirect_stdout(io.StringIO()) as buffer:
        time.sleep(0.001)
        print("a line")
    lost = buffer.getvalue() != "a line\n"
over.set()
thread.join()
sys.__stdout__.write("lost\n" if lost else "all collected\n")
EOF
venv/bin/python lost.py 120 | tail -n 1 | tee with
venv/bin/pip uninstall --quiet --yes colorama
venv/bin/python lost.py 20 | tail -n 1 | tee without
[ "$(cat with)" = lost ] && [ "$(cat without)" = "all collected" ] || { echo "the behaviour has changed"; exit 1; }
echo "as described"
