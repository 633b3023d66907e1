"""Tries cellscale with every Python of this machine, and the newest, the locked and the lowest versions of libraries.

``make test-versions`` and ``make test`` run it; by hand: ``.venv/bin/python -m tools.versions --help``.
"""
