"""Write the digests of today's base images into the Dockerfiles and cloudbuild.yaml, so that none changes later.

Needs a registry and skopeo, or docker with buildx. Run it before a release, then `make container-check`, then commit.
"""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = re.compile(r"^ARG PYTHON=(.+)$", re.MULTILINE)
BASE = re.compile(r"^(ARG BASE=)([^@\n]+)(@\S+)?$", re.MULTILINE)
STEP = re.compile(r"^(\s*name: )(gcr\.io/cloud-builders/[^@\n]+)(@\S+)?$", re.MULTILINE)


def digest(image: str) -> str:
    """Ask the registry for an image's digest, that of the list for all processors if there is one."""
    if shutil.which("skopeo"):
        command = [
            "skopeo",
            "inspect",
            "--raw",
            f"docker://{image if '/' in image else f'docker.io/library/{image}'}",
        ]
        raw = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        command = ["skopeo", "manifest-digest", "/dev/stdin"]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, input=raw).stdout.decode().strip()
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", image]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def pinned(text: str, ask: Callable[[str], str]) -> str:
    """Return the text of a Dockerfile or of cloudbuild.yaml with a digest behind each image that others made."""
    python = PYTHON.search(text)

    def with_digest(match: re.Match[str]) -> str:
        image = match[2].replace("${PYTHON}", python[1] if python else "")
        return f"{match[1]}{match[2]}@{ask(image)}"

    return STEP.sub(with_digest, BASE.sub(with_digest, text))


def main() -> None:
    """Rewrite the files."""
    known: dict[str, str] = {}

    def ask(image: str) -> str:
        if image not in known:
            known[image] = digest(image)
            print(f"{image} is {known[image]}")
        return known[image]

    for path in (*sorted(HERE.glob("Dockerfile*")), HERE / "cloudbuild.yaml"):
        path.write_text(pinned(path.read_text(), ask))


if __name__ == "__main__":
    main()
