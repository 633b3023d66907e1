"""Without a store's client everything local works, and a path there is told what to install."""

import subprocess
import sys

import pytest

from tests.pipeline.spots import spots, write_dataset

BLOCKED = """
import sys
for name in ("gcsfs", "s3fs", "google", "google.cloud", "google.auth", "botocore", "aiobotocore"):
    sys.modules[name] = None
from cellscale.cli.main import main
main()
"""


def run(*words):
    command = [sys.executable, "-c", BLOCKED, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "extra"), [("gs", "gcp"), ("s3", "s3")])
@pytest.mark.parametrize(
    "words", [("segment", "workspace", "{}d"), ("stage", "finish", "--tasks_spec_uri", "{}x.json")]
)
def test_what_is_missing_is_named(scheme, extra, words) -> None:
    done = run(*(word.format(f"{scheme}://bucket/") for word in words))
    assert done.returncode == 2
    assert f"pip install 'cellscale[{extra}]'" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.slow
def test_everything_local_works(tmp_path, tiny_model) -> None:
    dataset = write_dataset(tmp_path, image=spots((300, 300)))
    done = run("segment-and-measure", "--model_path", tiny_model, "workspace", dataset)
    assert done.returncode == 0, done.stderr
