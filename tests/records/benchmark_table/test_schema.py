import json
from pathlib import Path

from cellscale.records.benchmark_table.schema import COLUMNS, bigquery_schema

ORIGINAL = Path(__file__).with_name("original_columns.txt")


def test_the_table_begins_with_the_columns_of_the_original_system():
    """Names and types of the table that deepcell-imaging writes, in its order."""
    original = [tuple(line.split()) for line in ORIGINAL.read_text(encoding="utf-8").splitlines()]
    assert [(column.name, column.kind) for column in COLUMNS[: len(original)]] == original


def test_no_name_appears_twice_and_every_column_is_described():
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    assert all(column.description for column in COLUMNS)


def test_the_schema_is_json_that_bigquery_reads():
    for field in json.loads(json.dumps(bigquery_schema())):
        assert field.keys() == {"mode", "name", "type", "description"}
        assert field["mode"] == "NULLABLE"
        assert len(field["description"]) <= 1024
