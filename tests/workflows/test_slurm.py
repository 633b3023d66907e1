"""The scripts for Slurm, run by a real Slurm of one machine (Debian's slurm-wlm and munge, as root).

Its daemons take a while to find each other on a busy machine, which is why this runs with `make test-hostile` alone.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.pipeline.spots import spots, write_dataset

SUBMIT = Path(__file__).resolve().parents[2] / "workflows" / "slurm" / "submit.sh"
NEEDED = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "sinfo", "squeue")
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
SlurmctldParameters=enable_configless
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=6000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def said(environment, *words):
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False).stdout


def wait_for(condition, daemons, seconds=240):
    end = time.monotonic() + seconds
    while not condition():
        assert all(daemon.poll() is None for daemon in daemons), "a daemon of Slurm's ended"
        assert time.monotonic() < end, "Slurm did not come to it"
        time.sleep(0.5)


@pytest.fixture
def slurm(tmp_path_factory):
    """The environment in which Slurm's commands find a cluster of this machine, and its daemons."""
    if os.geteuid() != 0 or not all(shutil.which(name, path=PATH) for name in NEEDED):
        pytest.skip("needs root, and slurm-wlm and munge of Debian")
    folder = tmp_path_factory.mktemp("s")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    facts = {"host": socket.gethostname(), "controller": free_port(), "node": free_port(), "folder": folder}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**facts))
    environment = os.environ | {"PATH": PATH, "SLURM_CONF": str(folder / "slurm.conf")}
    key = folder / "munge.key"
    subprocess.run(["mungekey", "--create", "--keyfile", key], env=environment, check=True)
    munge = [
        f"--{name}={folder}/munge.{name.split('-')[0]}" for name in ("socket", "pid-file", "log-file", "seed-file")
    ]
    commands = [
        ["munged", "--foreground", "--force", f"--key-file={key}", *munge],
        ["slurmctld", "-D", "-i"],
        ["slurmd", "-D", "-N", facts["host"]],
    ]
    with ExitStack() as stack:
        daemons = []
        for command in commands:
            log = stack.enter_context((folder / f"{command[0]}.log").open("w"))
            daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            stack.callback(daemons[-1].wait, 30)
            stack.callback(daemons[-1].terminate)
            if command[0] == "munged":
                wait_for((folder / "munge.socket").exists, daemons)
        wait_for(lambda: "idle" in said(environment, "sinfo", "--noheader", "--format=%t"), daemons)
        yield environment, daemons


@pytest.mark.hostile
def test_an_array_works_on_all_images_and_the_run_is_finished_after_it(slurm, tiny_model, tmp_path):
    environment, daemons = slurm
    dataset = write_dataset(tmp_path / "data set", alpha=spots((120, 130)), beta=spots((150, 130), seed=1))
    words = ["bash", SUBMIT, dataset, "--run", "night", "--model_path", tiny_model]
    asked = environment | {"CORES": "1", "MEMORY_GB": "2", "HOURS": "1"}
    done = subprocess.run(words, env=asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "tasks 0 to 1" in done.stdout
    run = dataset / "jobs" / "night"
    try:
        wait_for(lambda: not said(environment, "squeue", "--noheader"), daemons, seconds=900)
        outcome = json.loads((run / "outcome.json").read_text())
    except (AssertionError, FileNotFoundError):
        for log in run.glob("*.log"):
            print(log, log.read_text())
        print(said(environment, "squeue"))
        raise
    assert {image["image"]: image["status"] for image in outcome["images"]} == {"alpha": "done", "beta": "done"}
    assert {log.name for log in run.glob("slurm-*.log")} == {"slurm-0.log", "slurm-1.log", "slurm-finish.log"}
    assert (dataset / "PROJ" / "project.qpproj").is_file()
