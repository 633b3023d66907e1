"""The table of docs/formats.md, made of the tests' cases: ``python -m tests.images.formats_page`` writes it."""

import re
from pathlib import Path

from tests.images.formats import CASES, Case
from tests.images.program_files import PROGRAM_CASES

__all__ = ["PAGE", "page", "table"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "formats.md"
LISTS = (ROOT / "requirements" / "dev.txt", ROOT / "tests" / "images" / "writers" / "programs.txt")
BEGIN, END = "<!-- cases -->\n", "<!-- end of cases -->\n"
HEAD = "| written by | layout | names from | µm/px from | what cellscale does |\n|---|---|---|---|---|\n"


def table() -> str:
    """Return the table of all cases."""
    return HEAD + "".join(
        f"| {_program(one)} | {one.layout} | {one.names_from} | {one.size_from} | {one.result} |\n"
        for one in (*CASES, *PROGRAM_CASES)
    )


def _program(case: Case) -> str:
    """Return a program with the version that is locked: that of the newest Python where there are several."""
    text = LISTS[bool(case.file)].read_text(encoding="utf-8")
    found = re.findall(rf"^{re.escape(case.program.lower())}==(\S+)", text, flags=re.MULTILINE)
    return f"{case.program} {found[-1]}" if found else case.program


def page(text: str) -> str:
    """Return a page with the table of all cases in its place."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
