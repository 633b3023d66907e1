"""What people read is told in the images' order, and progress at once."""

from datetime import UTC, datetime

import pytest

from cellscale.engines.flow import ToldInOrder
from cellscale.pipeline.events import Advanced, ImageFinished, ImageStarted, Notice


def notice(image, text):
    return Notice(image, "info", text)


@pytest.fixture
def events():
    return []


@pytest.fixture
def told(events):
    told = ToldInOrder(events.append, "abc")
    for position, name in enumerate("abc", 1):
        told(ImageStarted(name, position, 3))
    events.clear()
    return told


def test_notices_wait_for_the_images_before(told, events):
    told(notice("b", "1"))
    told(notice("a", "2"))
    told(Advanced("c", "network"))
    told(notice("c", "3"))
    assert events == [notice("a", "2"), Advanced("c", "network")]
    told(ImageFinished("b", "done"))
    told(notice("", "of the run"))
    told(ImageFinished("a", "done"))
    told(notice("c", "4"))
    assert events[2:] == [
        ImageFinished("b", "done"),
        notice("", "of the run"),
        ImageFinished("a", "done"),
        notice("b", "1"),
        notice("c", "3"),
        notice("c", "4"),
    ]


def test_why_an_image_failed_waits_for_no_other(told, events):
    failure = Notice("c", "error", "damaged")
    told(notice("c", "1"))
    told(failure)
    assert events == [failure]


def test_what_was_held_back_is_told_at_the_end(told, events):
    told(notice("c", "1"))
    told(notice("b", "2"))
    told.close()
    assert events == [notice("b", "2"), notice("c", "1")]


def test_work_that_was_given_up_ends_where_it_tells_of_itself(told, events):
    told.give_up(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        told(Advanced("a", "network"))
    assert events == []


def test_what_is_held_back_keeps_the_time_at_which_it_happened(told, events):
    before = datetime.now(UTC)
    told(notice("b", "1"))
    after = datetime.now(UTC)
    told(notice("a", "2"))
    told(ImageFinished("a", "done"))
    early, _, late = events
    assert early.happened is None
    assert before <= late.happened <= after
