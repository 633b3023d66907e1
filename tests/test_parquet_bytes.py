"""Parquet tables in memory are read whole or by column, as Arrow reads files, and without threads."""

import io
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from cellscale.parquet_bytes import read_parquet_bytes

TABLE = pa.table(
    {"name": ["a", "b", None], "size": [1.5, None, 3.0], "kind": pa.array(["x", "y", "x"]).dictionary_encode()}
)


@pytest.fixture(scope="module")
def content():
    stream = io.BytesIO()
    pa_parquet.write_table(TABLE, stream, row_group_size=2)
    return stream.getvalue()


def test_a_table_is_what_arrow_reads_from_a_file(content, tmp_path):
    (tmp_path / "t.parquet").write_bytes(content)
    assert read_parquet_bytes(content).equals(pa_parquet.read_table(tmp_path / "t.parquet"))
    assert read_parquet_bytes(memoryview(content)).equals(TABLE)


def test_columns_come_in_the_order_asked_for(content):
    assert read_parquet_bytes(content, ["size", "name"]).equals(TABLE.select(["size", "name"]))


def test_a_column_that_is_not_there_is_named(content):
    with pytest.raises(KeyError, match="no column 'area'"):
        read_parquet_bytes(content, ["name", "area"])


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"nothing of the kind"])
def test_what_is_no_table_is_refused(damage):
    with pytest.raises(pa.ArrowException):
        read_parquet_bytes(damage)


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted by Linux's files")
def test_no_thread_is_left_behind(content, tmp_path):
    (tmp_path / "t.parquet").write_bytes(content)
    program = (
        "import os, sys\nfrom cellscale.parquet_bytes import read_parquet_bytes\n"
        "content = open(sys.argv[1], 'rb').read()\nbefore = len(os.listdir('/proc/self/task'))\n"
        "read_parquet_bytes(content).to_pylist()\nprint(len(os.listdir('/proc/self/task')) - before)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "t.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
