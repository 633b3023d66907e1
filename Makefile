# Every target sets up what it needs: a fresh clone and Python 3.11 or newer are enough.

# The first Python that runs and is new enough; choose another with `make PYTHON=... demo`.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PYTEST_FLAGS ?= -n 2

VENV := .venv
BIN := $(VENV)/bin
# Passed on purpose: the README says beside `make demo` that running it accepts the licence of the weights.
ACCEPT := CELLSCALE_ACCEPT_MESMER_LICENSE=1

.DEFAULT_GOAL := help
.PHONY: help venv weights demo test lint format clean viewer browser docs lock

help:
	@echo "make demo    simulate two images of tissue, find and measure their cells in ./demo"
	@echo "make test    lint, then run the whole test suite"
	@echo "make lint    check style and types"
	@echo "make format  rewrite the code in the project's style"
	@echo "make docs    build the documentation into ./build/site"
	@echo "make viewer  rebuild the page of cellscale view from ./viewer (needs Node.js)"
	@echo "make lock    renew the versions that are installed, in ./requirements"
	@echo "make venv    only install cellscale into ./.venv"
	@echo "make clean   remove ./.venv, ./demo and caches"

# Versions and their hashes come from requirements/; CONTRIBUTING.md says how they are renewed.
LOCKED := -m pip install --quiet --require-hashes --requirement
EDITABLE := -m pip install --quiet --no-deps --no-build-isolation --editable

$(VENV)/.made: requirements/build.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found; install one, or name it: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(LOCKED) requirements/build.txt
	touch $@

$(VENV)/.installed: pyproject.toml requirements/run.txt $(VENV)/.made
	$(BIN)/python $(LOCKED) requirements/run.txt
	$(BIN)/python $(EDITABLE) .
	touch $@

# The emulator looks for its extensions below HOME.
EMULATOR := $(VENV)/bigquery-emulator
$(EMULATOR)/.installed: tests/records/bigquery_emulator.txt | $(VENV)/.made
	$(PYTHON) -m venv $(EMULATOR)
	mkdir -p $(EMULATOR)/home
	$(EMULATOR)/bin/python $(LOCKED) $<
	HOME=$(abspath $(EMULATOR)/home) $(EMULATOR)/bin/python -c \
		"from duckdb_extensions import import_extension; [import_extension(name) for name in ('icu', 'spatial')]"
	touch $@

$(VENV)/.ready-for-tests: requirements/dev.txt $(EMULATOR)/.installed $(VENV)/.installed
	$(BIN)/python $(LOCKED) requirements/dev.txt
	touch $@

venv: $(VENV)/.installed

weights: $(VENV)/.installed
	@echo "The Mesmer weights are for academic, non-commercial use; going on accepts their licence."
	$(ACCEPT) $(BIN)/cellscale models fetch mesmer

demo: weights
	$(BIN)/cellscale simulate demo --images 2 --size 1024 --seed 1
	$(BIN)/cellscale segment-and-measure workspace demo
	@echo
	@echo "Open demo/REPORTS/index.html in a browser, or look at every cell with: $(BIN)/cellscale view demo"
	@echo "Masks are in demo/SEGMASK, tables of cells in demo/REPORTS; demo/PROJ/project.qpproj opens in QuPath."
	@echo "Then take your own images: put OME-TIFFs into FOLDER/OMETIFF and run"
	@echo "  $(BIN)/cellscale segment-and-measure workspace FOLDER"

# Tests of pages need a browser. Where it cannot be installed they are skipped, and say so.
browser:
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium fonts-dejavu-core; } || \
		echo "Tests of pages are skipped: Chromium could not be installed."; \
	else echo "Tests of pages are skipped: install Chromium to run them."; fi

# What it makes is committed, so that nobody else needs Node.js.
viewer:
	cd viewer && npm ci && npm run build

docs: $(VENV)/.ready-for-tests
	$(BIN)/mkdocs build --strict

test: lint weights browser
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

lint: $(VENV)/.ready-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready-for-tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Resolves anew what is installed here and in containers: for every Python from 3.11 on and every system, with hashes, without the
# address of a package index, and so that pip can read it. All lists agree with that of the contributors.
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-python-downloads \
	--upgrade --generate-hashes --no-emit-index-url --no-annotate --no-emit-package cellscale --output-file
lock: $(VENV)/.ready-for-tests
	rm -f requirements/*.txt
	echo . | $(COMPILE) requirements/dev.txt --constraints requirements/constraints.in --group dev -
	$(COMPILE) requirements/build.txt --constraints requirements/dev.txt --group build
	$(COMPILE) requirements/run.txt --constraints requirements/dev.txt pyproject.toml
	$(COMPILE) requirements/container.txt --constraints requirements/dev.txt --extra anndata --extra gcp --extra s3 pyproject.toml
	$(COMPILE) requirements/container-dask.txt --constraints requirements/dev.txt \
		--extra anndata --extra dask --extra gcp --extra s3 pyproject.toml
	$(COMPILE) requirements/container-gpu.txt --constraints requirements/dev.txt --no-emit-package onnxruntime \
		--extra anndata --extra gcp --extra gpu --extra s3 pyproject.toml
	$(COMPILE) tests/records/bigquery_emulator.txt tests/records/bigquery_emulator.in

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -exec rm -rf {} +
