"""What the quick tests and a real run gave with other Pythons and other versions of libraries.

``make test`` tries them before it runs the suite, and names the file of what came of it.
"""

import json
import os
from pathlib import Path

import pytest

from tools.versions.interpreters import SUPPORTED

RECORD = os.environ.get("CELLSCALE_VERSIONS")
FACTS = json.loads(Path(RECORD).read_text(encoding="utf-8")) if RECORD else {"outcomes": [], "missing": []}
TRIED = {outcome["environment"]: outcome for outcome in FACTS["outcomes"]}


@pytest.mark.skipif(not RECORD, reason="`make test` and `make test-versions` try other versions")
def test_all_pythons_are_accounted_for():
    newest = {name.removeprefix("newest-") for name in TRIED if name.startswith("newest-")}
    assert newest | set(FACTS["missing"]) == set(SUPPORTED)
    assert any(name.startswith("locked-") for name in TRIED)
    assert f"lowest-{SUPPORTED[0]}" in TRIED or SUPPORTED[0] in FACTS["missing"]


@pytest.mark.parametrize("name", TRIED)
def test_all_is_well_with(name):
    problems = TRIED[name]["problems"]
    assert not problems, "\n".join(problems)
    assert TRIED[name]["files"]


@pytest.mark.parametrize("version", FACTS["missing"])
def test_python(version):
    pytest.skip(f"Python {version} is not on this machine: not tested")
