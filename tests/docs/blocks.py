"""The blocks of code of a page, and how they are run."""

import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.docs.places import ROOT

__all__ = ["RUNNABLE", "Block", "blocks", "run_page"]

RUNNABLE = {"bash", "python"}
"""Languages whose blocks are run unless a comment above them says why not."""

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)```[ \t]*$", re.MULTILINE | re.DOTALL
)
_REASON = re.compile(r"<!-- not run: (.+) -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """A block of code."""

    page: Path
    line: int
    language: str
    code: str
    reason: str | None
    """Why it is not run."""


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            line=text.count("\n", 0, match.start()) + 1,
            language=match["language"],
            code=textwrap.dedent(match["code"]),
            reason=reason[1] if (reason := _REASON.search(text[: match.start()])) else None,
        )
        for match in _FENCE.finditer(text)
    ]


def run_page(page: Path, folder: Path) -> None:
    """Run the blocks of a page in order in a folder, as a reader would; those in Python share their names."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.reason is None and block.language == "bash":
            _run_bash(block, folder)
        elif block.reason is None and block.language == "python":
            # The name of the file makes tracebacks point to the page.
            lines = "\n" * block.line + block.code
            exec(compile(lines, str(page), "exec"), names)


def _run_bash(block: Block, folder: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    place = f"{block.page.relative_to(ROOT)}:{block.line}"
    assert done.returncode == 0, f"{place} ends with {done.returncode}:\n{block.code}\n{done.stdout}\n{done.stderr}"
