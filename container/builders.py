"""What builds and runs images: docker, podman or buildah, whichever is there and answers."""

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

__all__ = ["Builder", "Layer", "find_builder"]


@dataclass(frozen=True)
class Layer:
    """A layer of an image."""

    size: int
    """Bytes, uncompressed."""
    open_to_all: tuple[str, ...]
    """Files and folders that everybody may write to, but for folders like ``/tmp``, whose files are their makers'."""
    largest: tuple[tuple[str, int], ...]
    """The folders (two levels deep) that take most, with their bytes."""


@dataclass(frozen=True)
class Builder:
    """A program that builds images; ``buildah`` needs no daemon."""

    program: str

    def build(self, dockerfile: Path, tag: str, base: str | None) -> None:
        """Build an image from the folder of the sources, which is the current one."""
        words = ["build", "--file", str(dockerfile), "--tag", tag]
        if self.program == "buildah":
            words += ["--isolation", "chroot", "--layers"]
        if base:
            words += ["--build-arg", f"BASE={base}"]
        subprocess.run([self.program, *words, "."], check=True)

    def take_in(self, archive: Path, tag: str) -> None:
        """Make an image of one layer from the archive of a system's files."""
        path = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        if self.program != "buildah":
            self._say("import", "--change", f"ENV {path}", str(archive), tag)
            return
        container = self._say("from", "scratch")
        try:
            self._say("add", "--quiet", container, str(archive), "/")
            self._say("config", "--env", path, container)
            self._say("commit", "--quiet", container, tag)
        finally:
            self._say("rm", container)

    def has(self, tag: str) -> bool:
        """Tell whether an image is on this machine."""
        words = ["inspect", "--type", "image", tag]
        return subprocess.run([self.program, *words], capture_output=True, check=False).returncode == 0

    def run(
        self, tag: str, words: Sequence[str], *, user: str = "10001", mounted: Sequence[str] = (), told: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a new container, with ``FOLDER:PLACE[:ro]`` mounted; return (and print) what it says."""
        volumes = [word for volume in mounted for word in ("--volume", volume)]
        if self.program != "buildah":
            options = ["run", "--rm", "--user", user, *volumes, "--entrypoint", words[0]]
            return _run([self.program, *options, tag, *words[1:]], told=told)
        container = self._say("from", tag)
        try:
            options = ["run", "--isolation", "chroot", "--user", user, *volumes]
            return _run([self.program, *options, container, "--", *words], told=told)
        finally:
            self._say("rm", container)

    def layers(self, tag: str) -> Iterator[Layer]:
        """Yield an image's layers, lowest first."""
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "image.tar"
            if self.program == "buildah":
                self._say("push", "--quiet", tag, f"docker-archive:{archive}")
            else:
                self._say("save", "--output", str(archive), tag)
            with tarfile.open(archive) as whole:
                manifest = json.load(_member(whole, "manifest.json"))
                for name in manifest[0]["Layers"]:
                    with tarfile.open(fileobj=_member(whole, name)) as layer:
                        yield _look_at(layer)

    def _say(self, *words: str) -> str:
        return subprocess.run([self.program, *words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def find_builder(wanted: str | None = None) -> Builder | None:
    """Return the builder of a name, or the first that is installed and answers; None if there is none."""
    for program in [wanted] if wanted else ["docker", "podman", "buildah"]:
        if shutil.which(program):
            done = subprocess.run([program, "info"], capture_output=True, check=False)
            if done.returncode == 0:
                return Builder(program)
    return None


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    member = archive.getmember(name)
    if member.issym():  # a layer that was there before
        member = archive.getmember(str(Path(name).parent / member.linkname).replace("../", ""))
    found = archive.extractfile(member)
    assert found is not None
    return found


def _look_at(layer: tarfile.TarFile) -> Layer:
    size = 0
    open_to_all: list[str] = []
    folders: dict[str, int] = {}
    for member in layer:
        size += member.size
        place = "/".join(member.name.strip("./").split("/")[:2])
        folders[place] = folders.get(place, 0) + member.size
        shared = member.isdir() and member.mode & 0o1000
        if (member.isfile() or member.isdir()) and member.mode & 0o002 and not shared:
            open_to_all.append(member.name)
    largest = sorted(folders.items(), key=lambda item: -item[1])[:3]
    return Layer(size, tuple(open_to_all), tuple(largest))


def _run(command: Sequence[str], *, told: bool) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it says, both outputs as one."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            if told:
                print(f"    {line}", end="", flush=True)
            lines.append(line)
    return subprocess.CompletedProcess(list(command), process.returncode, "".join(lines), None)
