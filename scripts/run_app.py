#!/usr/bin/env python3
"""The same as ``cellscale-run-app``: the words of DeepCell's script of this name."""

from cellscale.launch import run_app

run_app()
