"""Freed memory goes back to the system between stages."""

import subprocess
import sys

import pytest

PROGRAM = """
import psutil
from cellscale.pipeline.trim import give_back

rss = psutil.Process().memory_info
kept = [bytes(1000) for _ in range(200_000)]
every_tenth = kept[::10]
del kept
before = rss().rss
give_back()
print(before - rss().rss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries give memory back by themselves")
def test_memory_in_many_small_pieces_is_given_back():
    freed = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout
    assert int(freed) > 50_000_000
