"""A base image from Debian's packages, for machines that reach Debian's archive and no registry of images."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from builders import Builder

__all__ = ["TAG", "make_debian_base"]

TAG = "localhost/cellscale-base:debian-trixie"

SUITE = "trixie"
"""The release of Debian whose Python is that of the Dockerfiles."""

REMOVED = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
)
"""Folders that are emptied, as in the registry's base image."""

CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")


def make_debian_base(builder: Builder) -> str:
    """Make an image of Debian and its Python unless it is there, and return its tag.

    This machine's certificates come with it: through a company's proxy, packages are reached as from here.
    """
    if builder.has(TAG):
        return TAG
    if os.getuid() != 0 or not shutil.which("debootstrap"):
        raise SystemExit("A base of Debian is made as root with debootstrap: install it, or name a base with --base.")
    with tempfile.TemporaryDirectory() as folder:
        root, archive = Path(folder) / "root", Path(folder) / "root.tar"
        packages = "ca-certificates,python3,python3-venv"
        command = ["debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(root)]
        subprocess.run(command, check=True)
        for name in REMOVED:
            shutil.rmtree(root / name)
            (root / name).mkdir()
        for name in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial"):
            (root / name).mkdir(parents=True)
        for name in ("python", "python3"):
            (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
        if (Path("/") / CERTIFICATES).is_file():
            shutil.copyfile(Path("/") / CERTIFICATES, root / CERTIFICATES)
        subprocess.run(["tar", "--create", "--file", str(archive), "--directory", str(root), "."], check=True)
        builder.take_in(archive, TAG)
    return TAG
