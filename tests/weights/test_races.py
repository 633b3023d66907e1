"""What was faster on a machine is found out once, and again where it cannot be known any more."""

import json
import threading
from pathlib import Path

import pytest

from cellscale.predict.native import Race, RaceConditions
from cellscale.weights.races import KeptRaces

HERE = RaceConditions("znver4", "", "1.32.0", "0.68.1", 2)
FOUND = Race(0.15, 0.25, 1e-6)


class Runner:
    """Counts the races that are run."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self) -> Race:
        self.runs += 1
        return FOUND


def test_a_race_is_run_once_for_each_kind_of_machine(tmp_path: Path) -> None:
    run = Runner()
    for _ in range(2):
        assert KeptRaces(tmp_path / "network").settled(HERE, run) == FOUND
    assert run.runs == 1
    for other in (
        RaceConditions("skylake", "", "1.32.0", "0.68.1", 2),
        RaceConditions("znver4", "", "1.33.0", "0.68.1", 2),
    ):
        assert KeptRaces(tmp_path / "network").settled(other, run) == FOUND
    assert run.runs == 3
    (kept, *others) = sorted((tmp_path / "network").glob("race-*.json"))
    assert len(others) == 2
    assert json.loads(kept.read_text())["machine"].keys() == {
        "cpu", "target", "onnxruntime", "numba", "kernels", "cellscale",
    }  # fmt: skip


@pytest.mark.parametrize("content", ["", "{", "[]", '{"seconds": {}}', '{"seconds": {"native": "x"}}', "\0" * 100])
def test_a_damaged_file_has_the_race_run_again(tmp_path: Path, content: str) -> None:
    run = Runner()
    KeptRaces(tmp_path).settled(HERE, run)
    (kept,) = tmp_path.glob("race-*.json")
    kept.write_text(content)
    assert KeptRaces(tmp_path).settled(HERE, run) == FOUND
    assert KeptRaces(tmp_path).settled(HERE, run) == FOUND
    assert run.runs == 2


def test_a_folder_that_cannot_be_written_to_costs_a_race_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    run = Runner()
    for _ in range(2):
        assert KeptRaces(tmp_path / "file" / "network").settled(HERE, run) == FOUND
    assert run.runs == 2


def test_who_begins_at_the_same_time_waits_for_the_first_race(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    results: list[Race] = []

    def slow() -> Race:
        begun.set()
        assert go_on.wait(30)
        return FOUND

    def other() -> Race:
        raise AssertionError("the first race should have been waited for")

    first = threading.Thread(target=lambda: results.append(KeptRaces(tmp_path).settled(HERE, slow)))
    second = threading.Thread(target=lambda: results.append(KeptRaces(tmp_path).settled(HERE, other)))
    first.start()
    assert begun.wait(30)
    second.start()
    go_on.set()
    first.join(30)
    second.join(30)
    assert results == [FOUND, FOUND]
