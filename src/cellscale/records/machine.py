"""The machine that does the work, as benchmark records name it. Never its host name, addresses or accounts."""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Machine", "this_machine"]

_SMI_SECONDS = 10
_METADATA_SECONDS = 1
_PRODUCT = Path("/sys/class/dmi/id/product_name")
_CPU_FACTS = Path("/proc/cpuinfo")
_METADATA_HOST = "GCE_METADATA_HOST"
"""Environment variable by which Google's own clients find a stand-in of the metadata server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a machine is made of, and what it is called where it is rented."""

    cpu: str = ""
    """Name of the processor."""
    cores: int = 0
    """Cores that this process may use."""
    memory: int = 0
    """Bytes of memory in all."""
    gpu_type: str = ""
    """Name of the NVIDIA cards; empty for none."""
    num_gpus: int = 0
    instance_type: str = ""
    """Google Cloud's machine type; empty elsewhere."""
    region: str = ""
    """Google Cloud's region; empty elsewhere."""
    is_preemptible: bool | None = None
    """Whether it is a spot machine; None where that means nothing."""


@cache
def this_machine() -> Machine:
    """Return the facts of this machine, looked up once; what cannot be known stays empty."""
    import psutil  # `cellscale --help` does without

    gpus = _gpus()
    cloud = _cloud()
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=int(psutil.virtual_memory().total),
        gpu_type=gpus[0] if gpus else "",
        num_gpus=len(gpus),
        instance_type=cloud.get("machine-type", "").rpartition("/")[2],
        region=_region(cloud.get("zone", "")),
        is_preemptible=cloud["scheduling/preemptible"].upper() == "TRUE" if cloud else None,
    )


def _cpu() -> str:
    """Return the processor's name; its architecture where the system does not tell."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", _CPU_FACTS.read_text(errors="replace"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def _gpus() -> list[str]:
    """Return the name of each NVIDIA card."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    words = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=_SMI_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):  # a driver without a card, or one that hangs
        return []
    return [name.strip() for name in answer.splitlines() if name.strip()]


def _cloud() -> dict[str, str]:
    """Return what Google Cloud's metadata server says of this machine; empty elsewhere."""
    host = os.environ.get(_METADATA_HOST, "169.254.169.254")
    if _METADATA_HOST not in os.environ and not _is_google():
        return {}
    from urllib.error import HTTPError  # only rented machines need them
    from urllib.request import Request, urlopen

    facts = {}
    for name in ("machine-type", "zone", "scheduling/preemptible"):
        question = Request(f"http://{host}/computeMetadata/v1/instance/{name}", headers={"Metadata-Flavor": "Google"})
        try:
            with urlopen(question, timeout=_METADATA_SECONDS) as answer:
                facts[name] = answer.read(1000).decode("utf-8", "replace").strip()
        except HTTPError as refusal:
            refusal.close()
            return {}
        except OSError:
            return {}
    return facts


def _is_google() -> bool:
    """Tell whether this is a machine of Google Compute Engine, without asking any network."""
    try:
        return "Google" in _PRODUCT.read_text(errors="replace")
    except OSError:
        return False


def _region(zone: str) -> str:
    """Return the region of ``projects/1/zones/europe-west4-b``: ``europe-west4``."""
    return zone.rpartition("/")[2].rpartition("-")[0]
