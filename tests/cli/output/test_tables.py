"""Tables of the commands fit a terminal, and are lines parted by tabs elsewhere."""

import pytest

from cellscale.cli.output.tables import show_rows

COLUMNS = (
    "image", "compartment", "objects A", "objects B", "matched", "F1 at 0.5", "mean F1", "split in B", "merged in B",
)  # fmt: skip
ROWS = [
    ("TissueSample", "whole-cell", "577", "12,345", "577", "0.979", "0.979", "0", "61"),
    ("[one] b\x1b", *"12345678"),
]


@pytest.fixture
def terminal(monkeypatch):
    """Have standard output taken for a terminal of a width."""

    def of(width):
        for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": str(width)}.items():
            monkeypatch.setenv(name, value)

    return of


def test_at_a_terminal_words_are_whole_and_columns_below_each_other(terminal, capsys):
    terminal(80)
    show_rows(COLUMNS, iter(ROWS), text=("image", "compartment"))
    lines = capsys.readouterr().out.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-2].split() == list(ROWS[0])
    assert lines[-1].split() == [r"[one]", r"b\x1b", *ROWS[1][1:]]
    assert len(lines[-1].rstrip()) == len(lines[-2].rstrip())
    assert {word for line in lines[:-2] for word in line.split()} == {word for one in COLUMNS for word in one.split()}


def test_a_table_that_is_too_wide_for_whole_words_is_one_of_names_and_values(terminal, capsys):
    terminal(50)
    show_rows(COLUMNS, iter(ROWS), text=("image", "compartment"))
    lines = [
        line.rstrip() for line in capsys.readouterr().out.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    ]
    shown = (ROWS[0], (r"[one] b\x1b", *ROWS[1][1:]))
    first, second = ([f"{name:<11}  {value}" for name, value in zip(COLUMNS, row, strict=True)] for row in shown)
    assert lines == [*first, "", *second]


def test_elsewhere_lines_are_parted_by_tabs(capsys):
    show_rows(COLUMNS, iter(ROWS), text=("image", "compartment"))
    found = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert found == [list(COLUMNS), list(ROWS[0]), [r"[one] b\x1b", *ROWS[1][1:]]]
