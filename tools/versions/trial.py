"""What is tried in an environment: the quick tests, and a run on real images."""

import hashlib
import re
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.versions.environments import ROOT, Environment

__all__ = ["QUICK", "Outcome", "try_out"]

QUICK = "not slow and not service"
IMAGES = ROOT.parent / "shared" / "data" / "workspace" / "OMETIFF"
LONGEST = 1800
"""Seconds after which something hangs: the quick tests take three minutes on two cores that do nothing else."""


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    environment: str
    python: str = ""
    tests: str = ""
    """Pytest's closing line, or why there is none."""

    run: str = ""
    """How the run ended."""

    files: dict[str, str] = field(default_factory=dict)
    """Hashes of masks and tables."""

    problems: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """Return all of it for a JSON file."""
        return asdict(self)


def try_out(environment: Environment, *, tests: bool) -> Outcome:
    """Run the quick tests, if asked to, and segment and measure the images."""
    outcome = Outcome(environment.name, environment.interpreter.version)
    if tests:
        _test(environment, outcome)
    else:
        outcome.tests = "the whole suite"
    _segment_and_measure(environment, outcome)
    return outcome


def _test(environment: Environment, outcome: Outcome) -> None:
    log = environment.folder / f"{environment.name}-tests.log"
    words = ["-m", "pytest", "-n", "2", "-m", QUICK, "--override-ini", f"cache_dir={environment.folder / 'cache'}"]
    if environment.libraries == "lowest":
        words += ["-W", "default"]  # what old libraries say of newer ones beside them is theirs
    code, _ = _logged(environment, log, *words)
    text = log.read_text(encoding="utf-8", errors="replace")
    closing = re.findall(r"^=+ (.*\d+ (?:passed|failed|error).*?) =+$", text, re.MULTILINE)
    outcome.tests = closing[-1] if closing else "no result"
    if code != 0:
        failed = re.findall(r"^(?:FAILED|ERROR) .*$", text, re.MULTILINE)
        outcome.problems += failed or [f"pytest ended with {code}"]
        outcome.problems.append(f"all of it: {log}")


def _segment_and_measure(environment: Environment, outcome: Outcome) -> None:
    dataset = environment.folder / f"{environment.name}-run"
    shutil.rmtree(dataset, ignore_errors=True)
    shutil.copytree(_images(environment), dataset / "OMETIFF")
    log = environment.folder / f"{environment.name}-run.log"
    words = ["-m", "cellscale", "segment-and-measure", "--device", "cpu", "workspace", str(dataset)]
    code, seconds = _logged(environment, log, *words)
    outcome.run = f"done in {seconds:.0f} s" if code == 0 else f"ended with {code}"
    if code != 0:
        outcome.problems.append(f"segment-and-measure ended with {code}: {log}")
    made = [*dataset.glob("SEGMASK/*.tiff"), *dataset.glob("REPORTS/*_QUANT.tsv")]
    for path in sorted(made):
        outcome.files[path.relative_to(dataset).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()


def _images(environment: Environment) -> Path:
    """Return the folder of images that all environments work on; simulated ones are made once."""
    if IMAGES.is_dir():
        return IMAGES
    simulated = environment.folder / "simulated"
    if not (simulated / "OMETIFF").is_dir():
        print(f"    there are no real images ({IMAGES}): simulated ones take their place", flush=True)
        words = ["-m", "cellscale", "simulate", str(simulated), "--images", "2", "--size", "512", "--seed", "1"]
        subprocess.run([environment.python, *words], cwd=ROOT, env=environment.variables, check=True)
    return simulated / "OMETIFF"


def _logged(environment: Environment, log: Path, *words: str) -> tuple[int, float]:
    """Run Python in an environment with its words in a file; return its exit code and the seconds that it took."""
    start = time.monotonic()
    with log.open("wb") as file:
        try:
            code = subprocess.run(
                [environment.python, *words],
                cwd=ROOT,
                env=environment.variables,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=LONGEST,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            file.write(f"\nended after {LONGEST} seconds\n".encode())
            code = 124
    return code, time.monotonic() - start
