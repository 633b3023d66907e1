"""Make the environments, try cellscale in each, and say what came of it."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tools.versions.environments import Environment, prepare
from tools.versions.interpreters import SUPPORTED, Interpreter, find, look_at
from tools.versions.trial import Outcome, try_out

LOWEST = SUPPORTED[0]


def main(words: list[str] | None = None) -> int:
    """Return 0 if all is well and 1 if not; with ``--record`` 0 as well, since the file tells."""
    options = _options(words)
    default = look_at(options.python)
    if default is None:
        print(f"{options.python} is no Python that runs", file=sys.stderr)
        return 2
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.what == "check":
        return _check(options, default)
    chosen = find(LOWEST) if options.what == "lowest" else default
    if chosen is None:
        print(f"the lowest versions are tried with Python {LOWEST}, which is not on this machine", file=sys.stderr)
        return 2
    prepare(Environment(options.what, chosen, options.folder))
    return 0


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.versions", description=__doc__)
    parser.add_argument(
        "what",
        choices=("check", "newest", "locked", "lowest"),
        help="try all environments; or only make one, for the whole suite",
    )
    parser.add_argument("--python", default=sys.executable, help="the default Python")
    parser.add_argument("--folder", type=Path, default=Path("build/environments"), help="where environments lie")
    parser.add_argument("--record", type=Path, help="write what came of it to this JSON file")
    parser.add_argument("--suite", help="libraries with which the default Python runs the whole suite in any case")
    options = parser.parse_args(words)
    options.folder = options.folder.resolve()
    return options


def _check(options: argparse.Namespace, default: Interpreter) -> int:
    found = {minor: default if minor == default.minor else find(minor) for minor in SUPPORTED}
    missing = [minor for minor, interpreter in found.items() if interpreter is None]
    outcomes: list[Outcome] = []
    for environment in _environments(options.folder, found, default):
        print(f"{environment.name}: Python {environment.interpreter.version}", flush=True)
        whole = environment.name == _whole(options.suite, default)
        outcomes.append(_outcome(environment, tests=not whole))
        print(f"    {outcomes[-1].tests}; {outcomes[-1].run}", flush=True)
    _compare(outcomes)
    print("\n".join(_table(outcomes, missing)), flush=True)
    if options.record:
        facts = {"outcomes": [outcome.facts() for outcome in outcomes], "missing": missing}
        options.record.write_text(json.dumps(facts, indent=1), encoding="utf-8")
        return 0
    return int(any(outcome.problems for outcome in outcomes))


def _environments(folder: Path, found: dict[str, Interpreter | None], default: Interpreter) -> list[Environment]:
    """Return the environments to try, beginning with that of the default Python's newest libraries."""
    there = [default, *(each for each in found.values() if each is not None and each != default)]
    lowest = found[LOWEST]
    wanted = [Environment("newest", each, folder) for each in there]
    wanted.append(Environment("locked", default, folder))
    return [*wanted, *([Environment("lowest", lowest, folder)] if lowest else [])]


def _whole(suite: str | None, default: Interpreter) -> str | None:
    """Return the name of the environment in which the whole suite runs."""
    return f"{suite}-{LOWEST if suite == 'lowest' else default.minor}" if suite else None


def _outcome(environment: Environment, *, tests: bool) -> Outcome:
    try:
        prepare(environment)
    except subprocess.CalledProcessError as error:
        problem = f"the environment could not be made: {' '.join(map(str, error.cmd))}"
        return Outcome(environment.name, environment.interpreter.version, "not run", "not run", problems=[problem])
    return try_out(environment, tests=tests)


def _compare(outcomes: list[Outcome]) -> None:
    """Note in each outcome which masks and tables are not those of the first one that has any."""
    reference = next((outcome for outcome in outcomes if outcome.files), None)
    for outcome in outcomes:
        if reference is None or not outcome.files:
            outcome.problems.append("it made no masks and tables")
            continue
        for name in sorted(reference.files.keys() | outcome.files.keys()):
            if outcome.files.get(name) != reference.files.get(name):
                outcome.problems.append(f"{name} is not the file of {reference.environment}")


def _table(outcomes: list[Outcome], missing: list[str]) -> list[str]:
    rows = [("environment", "Python", "masks and tables", "run", "quick tests")]
    for outcome in outcomes:
        same = not any("is not the file of" in problem for problem in outcome.problems)
        files = ("same bytes" if same else "OTHER BYTES") if outcome.files else "NONE"
        files = f"{len(outcome.files)} {files}"
        rows.append((outcome.environment, outcome.python, files, outcome.run, outcome.tests))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["", *("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)]
    lines += [f"Python {minor} is not on this machine: not tested" for minor in missing]
    if LOWEST in missing:
        lines.append(f"the lowest versions, which are tried with Python {LOWEST}: not tested")
    for outcome in outcomes:
        lines += [f"{outcome.environment}: {problem}" for problem in outcome.problems]
    return lines


if __name__ == "__main__":
    sys.exit(main())
