"""Of the kinds of processors that kernels were compiled for, the best one that this processor is is taken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from llvmlite.binding import get_host_cpu_features

from cellscale.kernel_target import TARGETS, targets

HERE = "+" + next(name for name, has in sorted(get_host_cpu_features().items()) if has)
NOT_HERE = "+no-processor-has-this"
TOLD = """
import json, os
from cellscale import compiled
import numba
own = [os.environ[name] for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")]
print(json.dumps([numba.config.CPU_NAME, numba.config.CPU_FEATURES, *own]))
"""


def chosen(tmp_path: Path, lines: str, features: str, before: str = "") -> list[str | None]:
    """Return what is compiled for in a process of its own, and what those that it starts are told."""
    (tmp_path / "targets.txt").write_text(lines)
    own = {TARGETS: str(tmp_path / "targets.txt"), "NUMBA_CPU_NAME": "least", "NUMBA_CPU_FEATURES": features}
    done = subprocess.run(
        [sys.executable, "-c", before + TOLD], env=os.environ | own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_a_file_has_a_kind_in_each_line() -> None:
    assert targets("# said\n\nbest +a,+b\nleast +a\n") == {"best": "+a,+b", "least": "+a"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (f"best {HERE},{NOT_HERE}\nbetter {HERE}\nleast {NOT_HERE}\n", "better"),
        (f"best {NOT_HERE}\nleast {NOT_HERE}\n", "least"),
    ],
)
def test_the_first_kind_is_taken_whose_features_are_all_here(tmp_path: Path, lines: str, expected: str) -> None:
    features = HERE if expected == "better" else NOT_HERE
    assert chosen(tmp_path, lines, NOT_HERE) == [expected, features] * 2


def test_what_a_person_names_is_kept(tmp_path: Path) -> None:
    assert chosen(tmp_path, f"better {HERE}\nleast {NOT_HERE}\n", "+sse2")[:2] == ["least", "+sse2"]


def test_what_numba_has_begun_with_is_kept(tmp_path: Path) -> None:
    begun = "import numba\n@numba.njit\ndef f():\n    pass\n"
    assert chosen(tmp_path, f"better {HERE}\nleast {NOT_HERE}\n", NOT_HERE, begun)[0] == "least"


@pytest.mark.parametrize("content", [None, b"x86-64-v4\n", b"a +a b\n", b"\xff\xfe+\x00"])
def test_a_file_that_is_damaged_or_not_there_says_nothing(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "targets.txt").write_bytes(content)
    own = {TARGETS: str(tmp_path / "targets.txt"), "NUMBA_CPU_NAME": "least", "NUMBA_CPU_FEATURES": "+sse2"}
    done = subprocess.run([sys.executable, "-c", TOLD], env=os.environ | own, capture_output=True, check=True)
    assert json.loads(done.stdout)[0] == "least"
