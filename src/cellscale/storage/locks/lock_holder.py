"""Who holds a lock, in words for those who wait for it."""

import getpass
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

__all__ = ["described", "this_holder"]


def this_holder() -> dict[str, Any]:
    """Return this process as JSON-serialisable facts: host, process, user and the time (UTC)."""
    user = ""
    with suppress(Exception):  # a container's user may have no name; Python's versions raise differently
        user = getpass.getuser()
    since = datetime.now(UTC).isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")
    return {"host": socket.gethostname(), "process": os.getpid(), "user": user, "since": since}


def described(holder: Mapping[str, Any]) -> str:
    """Say who holds a lock, as far as its facts tell; empty where they tell nothing."""
    if not isinstance(holder.get("process"), int):
        return ""
    user = f" of {holder['user']}" if holder.get("user") else ""
    since = f", since {holder['since']} UTC" if holder.get("since") else ""
    return f"process {holder['process']}{user} on {holder.get('host')}{since}"
