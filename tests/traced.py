"""A program watched by strace where no network is in reach: whom it tries to reach, and which files it writes."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Trace", "traced"]

_HIDING = ("CI", "TF_BUILD", "JENKINS_URL", "GITHUB_ACTIONS", "BUILD_ID", "BUILD_NUMBER", "ORT_DISABLE_TELEMETRY")
"""Variables with which libraries keep quiet by themselves."""
_CALLS = "connect,sendto,sendmsg,sendmmsg,openat,open,creat,mkdir,mkdirat"
_ALONE = ["unshare", "-rn", "sh", "-c", 'ip link set lo up 2>/dev/null; exec "$@"', "sh"]
_LOCAL = re.compile(r'sin_addr=inet_addr\("127\.|inet_pton\(AF_INET6, "::1"')
_DOMAIN = re.compile(r"sin6?_port=htons\(53\)")


@dataclass(frozen=True)
class Trace:
    """What a program did."""

    exit_code: int
    said: str
    reached: list[str]
    """System calls with addresses of other machines, or of a server of names."""
    written: list[Path]
    """Files that were opened for writing, and folders that were made; none of the system's own, such as pipes."""


def traced(words, home, **variables):
    """Run a program with an empty home; skips the test where it cannot be watched."""
    if shutil.which("strace") is None:
        pytest.skip("programs cannot be watched here: strace is not installed")
    log = home.with_suffix(".strace")
    watch = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-s", "300", "-o", str(log), "-e", f"trace={_CALLS}"]
    if subprocess.run([*_ALONE, *watch, "true"], capture_output=True, check=False).returncode:
        pytest.skip("programs cannot be watched here: strace in `unshare -rn` does not work")
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in _HIDING and not name.startswith("XDG_")}
    environment = {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run([*_ALONE, *watch, *words], capture_output=True, text=True, check=False, env=environment)
    calls = log.read_text(errors="replace").splitlines()
    return Trace(done.returncode, done.stdout + done.stderr, list(_reached(calls)), sorted(_written(calls)))


def _reached(calls):
    for call in calls:
        if "sa_family=AF_INET" in call and (_DOMAIN.search(call) or not _LOCAL.search(call)):
            yield call


def _written(calls):
    found = set()
    for call in calls:
        opened = re.search(r"open(?:at)?\(.*O_(?:WRONLY|RDWR).*\) = \d+<(.*)>$", call)
        made = re.search(r'mkdir(?:at)?\((?:AT_FDCWD[^,]*, )?"([^"]*)", \d+\) = 0$', call)
        path = opened[1] if opened else made[1] if made else ""
        if path.startswith("/") and not path.startswith(("/dev/", "/proc/")):
            found.add(Path(path))
    return found
