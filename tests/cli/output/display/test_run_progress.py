"""What is known of a run under way, and how it is told."""

import io

import pytest
from rich.console import Console

from cellscale.cli.output.display import log_lines, screen
from cellscale.cli.output.display.compilation import Compilation
from cellscale.cli.output.display.lines import image_line, run_line
from cellscale.cli.output.display.progress_words import clock, roughly
from cellscale.cli.output.display.run_progress import RunProgress
from cellscale.pipeline.events import Advanced, ImageFinished, ImageStarted, StageFinished, StageStarted
from cellscale.records.stage_cost import StageRecord
from tests.patience import wait_for


class Clock:
    """Seconds that pass when told."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def now():
    return Clock()


@pytest.fixture
def run(now):
    return RunProgress(now)


def finish(run, name, status="done"):
    run(ImageFinished(name, status))


def at_network(run, name, position, count, done, total=10):
    run(ImageStarted(name, position, count))
    run(StageStarted(name, "labels", 4, 0))
    run(StageStarted(name, "network", total, 0))
    run(Advanced(name, "network", done))


def test_a_run_is_told_in_one_line(run, now):
    at_network(run, "a", 1, 3, 10)
    now.seconds = 100
    finish(run, "a")
    run(ImageStarted("b", 2, 3))
    assert run_line(run) == "1 of 3 images done · 1:40 so far · about 3 min left"


def test_an_image_is_told_in_one_line_with_its_cells(run):
    at_network(run, "a", 1, 1, 3)
    run(Advanced("a", "labels", 1, 1234))
    line = image_line(run.at_work()[0], Compilation(), 79)
    assert line.startswith("a: network 3/10, labels 1/4 · 1,234 cells so far ━")
    assert len(line) <= 79


def test_lines_never_exceed_the_width(run):
    at_network(run, "an image with a very long name, as microscopes give them to every image" * 3, 1, 1, 3)
    run(Advanced(run.at_work()[0].name, "labels", 1, 123_456_789))
    for width in (20, 40, 79, 200):
        assert len(image_line(run.at_work()[0], Compilation(), width)) <= width


def test_compiling_is_told_in_place_of_a_bar_that_stands(run):
    compilation = Compilation()
    at_network(run, "a", 1, 1, 0)
    compilation.started()
    line = image_line(run.at_work()[0], compilation, 79)
    assert line == "a: compiling numeric code, once per installation"
    compilation.ended()
    assert "network" in image_line(run.at_work()[0], compilation, 79)


def test_the_compiler_is_watched_without_being_loaded_by_us():
    from numba import njit

    compilation = Compilation()
    compilation.watch()
    njit(lambda x: x + 1)(1)
    assert compilation.seconds() > 0
    assert compilation.seconds() == 0
    assert not compilation.is_running


def test_images_that_were_kept_say_nothing_of_those_to_come(run, now):
    for position in range(1, 9):
        run(ImageStarted(f"kept {position}", position, 10))
        now.seconds += 0.1
        finish(run, f"kept {position}", "kept")
    assert run.seconds_left() is None
    at_network(run, "new", 9, 10, 10)
    now.seconds += 60
    finish(run, "new")
    assert run.seconds_left() == pytest.approx(60, rel=0.01)


def test_images_that_fail_beside_others_take_their_part_of_the_time_alone(run, now):
    run.time_left.expect(dict.fromkeys("abcd", 100))
    for position, name in enumerate("ab", 1):
        run(ImageStarted(name, position, 4))
    now.seconds = 200
    finish(run, "a", "failed")
    finish(run, "b")
    assert run.seconds_left() == pytest.approx(200)


def test_expectations_are_corrected_by_what_was_measured(run, now):
    run.time_left.expect({"small": 100, "large": 1000})
    run(ImageStarted("small", 1, 2))
    assert run.seconds_left() == pytest.approx(1100)
    now.seconds = 300
    finish(run, "small")
    assert 2000 < run.seconds_left() < 3000  # thrice as slow as expected, and not quite believed yet


def test_the_end_of_a_short_run_goes_by_its_own_pace(run, now):
    names = [f"{number}" for number in range(20)]
    run.time_left.expect(dict.fromkeys(names, 0.5))
    for position, name in enumerate(names, 1):  # twice as slow as expected
        run(ImageStarted(name, position, len(names)))
        now.seconds += 1
        finish(run, name)
        left = len(names) - position
        assert 0.5 * left <= run.seconds_left() <= left
        assert position < 15 or run.seconds_left() == pytest.approx(left, rel=0.15)
    assert run_line(run) == "20 of 20 images done · 0:20 so far"


def test_the_last_seconds_are_counted(run, now):
    run.time_left.expect(dict.fromkeys("abc", 3))
    told = []
    for position, name in enumerate("abc", 1):
        run(ImageStarted(name, position, 3))
        told.append(run_line(run).split("about ")[1])
        now.seconds += 3
        finish(run, name)
    assert told == ["9 s left", "6 s left", "3 s left"]


def test_compiling_is_not_taken_for_the_pace_of_the_run(run, now):
    run.time_left.expect({"a": 100, "b": 100})
    run(ImageStarted("a", 1, 2))
    now.seconds = 140
    run.time_left.waited(40)
    finish(run, "a")
    assert run.seconds_left() == pytest.approx(100)


def test_a_failed_image_is_counted(run):
    run(ImageStarted("a", 1, 2))
    finish(run, "a", "failed")
    assert run_line(run).startswith("1 of 2 images done · 1 failed")


def test_images_that_only_wait_to_enter_the_project_are_told_last(run):
    for position, name in enumerate("abc", 1):
        run(ImageStarted(name, position, 3))
    run(StageStarted("b", "project", 10, 0))
    run(StageStarted("b", "tables", 2, 0))
    assert [image.name for image in run.at_work()] == ["a", "b", "c"]
    run(StageFinished("b", StageRecord("tables", 1.0, 0, 2, 1.0)))
    assert [image.name for image in run.at_work()] == ["a", "c", "b"]
    run(Advanced("b", "project", 5))
    assert [image.name for image in run.at_work()] == ["a", "b", "c"]


def test_stages_that_end_leave_the_line(run):
    run(ImageStarted("a", 1, 1))
    assert image_line(run.at_work()[0], Compilation(), 79) == "a: getting ready"
    run(StageStarted("a", "statistics", 2, 0))
    run(StageFinished("a", StageRecord("statistics", 1.0, 0, 2, 1.0)))
    assert image_line(run.at_work()[0], Compilation(), 79).startswith("a: between two steps")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.2, "1 s"),
        (2, "2 s"),
        (9.4, "9 s"),
        (9.6, "10 s"),
        (42, "40 s"),
        (100, "2 min"),
        (4000, "1.1 h"),
        (4e5, "5 days"),
    ],
)
def test_times_to_come_are_told_roughly(seconds, told):
    assert roughly(seconds) == told


@pytest.mark.parametrize(("seconds", "told"), [(0, "0:00"), (61.9, "1:01"), (3725, "1:02:05")])
def test_times_so_far_are_told_as_by_a_stopwatch(seconds, told):
    assert clock(seconds) == told


def test_the_lines_at_a_terminal_move_by_themselves_and_are_gone_afterwards():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, height=24, color_system=None)
    with screen(console) as listener:
        listener(ImageStarted("a", 1, 2))
        wait_for(lambda: file.getvalue().count("0 of 2 images done") >= 2)
    written = file.getvalue()
    assert written.endswith("\x1b[2K")


def test_a_terminal_that_is_gone_costs_nothing():
    class Gone(io.StringIO):
        def write(self, text):
            raise OSError(5, "Input/output error")

    with screen(Console(file=Gone(), force_terminal=True, width=80)) as listener:
        listener(ImageStarted("a", 1, 2))


def test_logs_tell_of_each_image_when_it_is_over_and_how_far_the_run_is(now):
    lines = []
    with log_lines(lines.append, now=now) as listener:
        for position, (name, status) in enumerate((("a", "done"), ("b", "failed"), ("c", "kept")), 1):
            listener(ImageStarted(name, position, 3))
            now.seconds += 60
            listener(ImageFinished(name, status))
    assert [line for line in lines if ": image " not in line] == [
        "a: done · 1 of 3 images done · 1:00 so far · about 2 min left",
        "b: failed · 2 of 3 images done · 1 failed · 2:00 so far · about 1 min left",
        "c: kept · 3 of 3 images done · 1 failed · 3:00 so far",
    ]


def test_logs_of_thousands_of_images_tell_every_few_seconds_which_are_over(now):
    lines, count = [], 3000
    with log_lines(lines.append, now=now) as listener:
        for position in range(1, count + 1):
            listener(ImageStarted(f"{position}", position, count))
            now.seconds += 0.125
            listener(ImageFinished(f"{position}", "done"))
    told = [line for line in lines if "images done" in line]
    assert len(told) == pytest.approx(count * 0.125 / 5, abs=2)
    assert told[0].startswith("40: done · 40 of 3,000 images done · 0:05 so far")
    assert told[-1] == "3000: done · 3,000 of 3,000 images done · 6:15 so far"


def test_logs_of_one_image_leave_its_end_to_the_closing_words():
    lines = []
    with log_lines(lines.append) as listener:
        listener(ImageStarted("a", 1, 1))
        listener(ImageFinished("a", "done"))
    assert not lines


def test_logs_get_a_line_for_each_image_and_one_now_and_then():
    lines = []
    with log_lines(lines.append, seconds=0.05) as listener:
        listener(ImageStarted("a", 1, 2))
        listener(StageStarted("a", "network", 9, 2))
        wait_for(lambda: len(lines) > 1)
    assert lines[0] == "a: image 1 of 2 · 0:00 so far"
    assert lines[1].startswith("a: network 2/9 · 0 of 2 images done")
    assert len(lines) < 8
