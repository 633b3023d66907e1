import io
import json
from datetime import UTC, datetime

from cellscale.cli.output.progress import log
from cellscale.cli.output.telling import SteadyFile
from cellscale.pipeline.events import ImageStarted, Notice

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EARLIER = datetime(2026, 1, 2, 3, 4, 1, tzinfo=UTC)


def test_events_have_the_time_at_which_they_happened():
    file = io.StringIO()
    listener = log(SteadyFile(file, print, "the log"), now=lambda: NOW)
    for event in (ImageStarted("a", 1, 2), Notice("a", "info", "now"), Notice("b", "info", "before", EARLIER)):
        listener(event)
    assert [json.loads(line) for line in file.getvalue().splitlines()] == [
        {"time": NOW.isoformat(), "event": "ImageStarted", "image": "a", "position": 1, "count": 2},
        {"time": NOW.isoformat(), "event": "Notice", "image": "a", "level": "info", "text": "now"},
        {"time": EARLIER.isoformat(), "event": "Notice", "image": "b", "level": "info", "text": "before"},
    ]
