# Every target sets up what it needs: a fresh clone and Python 3.11 to 3.14 are enough.

# The first Python that runs and has one of these versions; choose another with `make PYTHON=... demo`.
# Where pyenv is, the command python3.13 may be there and yet not run; those Pythons are found in its folder.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
ifndef PYTHON
PYTHON := $(shell for version in 3.13 3.12 3.11 3.14 3; do \
	for python in python$$version "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$version.*/bin/python; do \
	$$python -c '$(FITS)' 2>/dev/null && echo $$python && exit; done; done)
endif
VERSION := $(shell $(PYTHON) -c 'import sys; print(*sys.version_info[:2], sep=".")' 2>/dev/null)
PYTEST_FLAGS ?= -n 2

VENV := .venv
BIN := $(VENV)/bin
# Environments that are not locked, and the emulator's.
ENVIRONMENTS := build/environments
# With which versions `make suite` runs: newest, locked or lowest.
SUITE ?= newest
# The network of `make demo`: mesmer, or instanseg, which companies may use.
MODEL ?= mesmer

# Passed on purpose: the README says beside `make demo` that running it accepts the licence of the weights.
ACCEPT := CELLSCALE_ACCEPT_MESMER_LICENSE=1

.DEFAULT_GOAL := help
.PHONY: help venv weights demo dev lint format test-fast test test-hostile test-versions suite coverage docs viewer lock audit \
	container-check clean ecosystem emulator browser writers

help:
	@echo "make demo           simulate two images of tissue, find and measure their cells in ./demo; MODEL=instanseg:"
	@echo "                    with the network that companies may use as well"
	@echo "make dev            install the tools of contributors into ./.venv, and checks of every commit"
	@echo "make lint           check style, types, imports and, where Node.js is, the page of cellscale view"
	@echo "make format         rewrite the code in the project's style"
	@echo "make test-fast      the quick tests"
	@echo "make test           everything that continuous integration checks"
	@echo "make test-hostile   an hour of damaged files, signals, full disks, requests and huge images"
	@echo "make test-versions  every Python of this machine with the newest, the locked and the lowest versions of libraries"
	@echo "make suite          the whole test suite; SUITE=locked or SUITE=lowest: with those versions"
	@echo "make coverage       the whole test suite, and which lines it runs"
	@echo "make docs           build the documentation into ./build/site"
	@echo "make viewer         rebuild the page of cellscale view from ./viewer (needs Node.js)"
	@echo "make lock           renew the versions that are installed, in ./requirements"
	@echo "make audit          look up known faults of the locked versions (needs the internet)"
	@echo "make container-check  build the container images and work in them (docker, podman or buildah)"
	@echo "make ecosystem      open results with the programs that read them, and renew docs/ecosystem.md (Python 3.13)"
	@echo "make venv           only install cellscale into ./.venv"
	@echo "make clean          remove ./.venv, ./build, ./demo and caches"

# Versions and their hashes come from requirements/; CONTRIBUTING.md says how they are renewed.
LOCKED := -m pip install --quiet --require-hashes --requirement

# The name has the version in it: another PYTHON makes the environment anew.
MADE := $(VENV)/.made-$(VERSION)
$(MADE):
	@$(or $(PYTHON),false) -c '$(FITS)' || { echo "No Python 3.11 to 3.14 was found; install one, or name it: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/.installed: pyproject.toml requirements/build.txt requirements/run.txt $(MADE)
	$(BIN)/python $(LOCKED) requirements/build.txt
	$(BIN)/python $(LOCKED) requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.tools: requirements/dev.txt $(VENV)/.installed
	$(BIN)/python $(LOCKED) requirements/dev.txt
	touch $@

venv: $(VENV)/.installed

weights: $(VENV)/.installed
ifeq ($(MODEL),mesmer)
	@echo "The Mesmer weights are for academic, non-commercial use; going on accepts their licence."
	$(ACCEPT) $(BIN)/cellscale models fetch mesmer
else
	$(BIN)/cellscale models fetch $(MODEL)
endif

demo: weights
	$(BIN)/cellscale simulate demo --images 2 --size 1024 --seed 1
	$(BIN)/cellscale segment-and-measure --model $(MODEL) workspace demo
	@echo
	@echo "Open demo/REPORTS/index.html in a browser, or look at every cell with: $(BIN)/cellscale view demo"
	@echo "Masks are in demo/SEGMASK, tables of cells in demo/REPORTS; demo/PROJ/project.qpproj opens in QuPath."
	@echo "Then take your own images, where they are:"
	@echo "  $(BIN)/cellscale segment-and-measure FOLDER_OF_IMAGES"

dev: $(VENV)/.tools
	@if ! git rev-parse --git-dir >/dev/null 2>&1; then echo "This is no clone: commits are not checked."; \
	elif [ -n "$$(git config core.hooksPath)" ]; then echo "git has hooks of its own (core.hooksPath): commits are not checked."; \
	else $(BIN)/pre-commit install; fi

lint: $(VENV)/.tools page-types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Installs in viewer/node_modules what viewer/package-lock.json says.
viewer/node_modules/.installed: viewer/package.json viewer/package-lock.json
	cd viewer && npm ci --no-audit --no-fund --loglevel=error
	touch $@

.PHONY: page-types
ifeq ($(shell command -v npm),)
page-types:
	@echo "The page of cellscale view is not checked: install Node.js (npm) to check it."
else
page-types: viewer/node_modules/.installed
	cd viewer && npm run --silent check
endif

# What it makes is committed, so that nobody else needs Node.js.
viewer: viewer/node_modules/.installed
	cd viewer && npm run build

docs: $(VENV)/.tools
	$(BIN)/mkdocs build --strict

# The emulator looks for its extensions below HOME.
EMULATOR := $(ENVIRONMENTS)/bigquery-emulator
$(EMULATOR)/.installed: tests/records/bigquery_emulator.txt
	$(PYTHON) -m venv --clear $(EMULATOR)
	mkdir -p $(EMULATOR)/home
	$(EMULATOR)/bin/python $(LOCKED) $<
	HOME=$(abspath $(EMULATOR)/home) $(EMULATOR)/bin/python -c \
		"from duckdb_extensions import import_extension; [import_extension(name) for name in ('icu', 'spatial')]"
	touch $@
emulator: $(EMULATOR)/.installed

# Programs that write the images of tests/images/test_formats.py. Where they cannot be installed its tests are skipped, and say so.
WRITERS := $(ENVIRONMENTS)/writers
$(WRITERS)/.installed: tests/images/writers/programs.txt
	$(PYTHON) -m venv --clear $(WRITERS)
	if $(WRITERS)/bin/python $(LOCKED) $<; then touch $@; else echo "Tests of programs that write images are skipped."; fi
ifeq ($(VERSION),3.11)
writers:
	@echo "Some tests are skipped: programs that write images need Python 3.12 or newer"
else
writers: $(WRITERS)/.installed
endif

# Programs that read results, as docs/ecosystem.md says, and Snakemake: in an environment of their own, not part of `make test`.
# IMAGEJ_JAR may name ImageJ's ij.jar (Debian: apt install imagej). napari-spatialdata needs libegl1 and libgl1 of Debian.
ECOSYSTEM := $(ENVIRONMENTS)/ecosystem
$(ECOSYSTEM)/.installed: benchmarks/ecosystem.txt
	$(PYTHON) -m venv --clear $(ECOSYSTEM)
	$(ECOSYSTEM)/bin/python $(LOCKED) requirements/build.txt
	$(ECOSYSTEM)/bin/python $(LOCKED) $<
	$(ECOSYSTEM)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
ecosystem: weights $(ECOSYSTEM)/.installed
	rm -rf build/ecosystem
	$(BIN)/cellscale simulate build/ecosystem --images 2 --size 400 --seed 3
	$(ECOSYSTEM)/bin/cellscale segment-and-measure --export anndata --export spatialdata \
		--mask_format both workspace build/ecosystem
	$(ECOSYSTEM)/bin/cellscale gather build/ecosystem
	$(ECOSYSTEM)/bin/python benchmarks/ecosystem.py build/ecosystem --page docs/ecosystem.md
	$(BIN)/python -m pytest -rs tests/workflows

# Tests of pages need a browser, those of privacy strace and ip. Where they cannot be installed those are skipped, and say so.
browser:
	@wanted=""; \
	command -v chromium || command -v chromium-browser || command -v google-chrome || wanted="chromium fonts-dejavu-core"; \
	if [ "$$(uname)" = Linux ]; then \
		command -v strace >/dev/null || wanted="$$wanted strace"; \
		command -v ip >/dev/null || wanted="$$wanted iproute2"; fi; \
	if [ -z "$$wanted" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $$wanted >/dev/null; } || \
		echo "Some tests are skipped: these could not be installed: $$wanted"; \
	else echo "Some tests are skipped: install these to run them: $$wanted"; fi

test-fast: $(VENV)/.tools
	$(BIN)/python -m pytest $(PYTEST_FLAGS) -m "not slow and not service"

VERSIONS := $(BIN)/python -m tools.versions --python $(PYTHON) --folder $(ENVIRONMENTS)
test-versions: weights $(VENV)/.tools
	$(VERSIONS) check

SUITE_PYTHON := $(if $(filter locked,$(SUITE)),$(BIN)/python,$(ENVIRONMENTS)/$(SUITE)-$(if $(filter lowest,$(SUITE)),3.11,$(VERSION))/bin/python)
suite: weights $(VENV)/.tools emulator browser writers
	$(VERSIONS) $(SUITE)
	$(SUITE_PYTHON) -m pytest $(PYTEST_FLAGS)

# What other versions gave is part of the suite's own result: tests/tools/test_every_version.py.
test: lint weights emulator browser writers
	$(VERSIONS) check --record build/versions.json --suite $(SUITE)
	CELLSCALE_VERSIONS=build/versions.json $(SUITE_PYTHON) -m pytest $(PYTEST_FLAGS)

# Not part of `make test`: it takes an hour. docs/reliability.md has the figures that it prints at the end.
test-hostile: weights $(VENV)/.tools
	$(BIN)/python -m pytest $(PYTEST_FLAGS) -m hostile -rP -o timeout=7200 -o faulthandler_timeout=7300

coverage: weights $(VENV)/.tools emulator browser writers
	$(BIN)/python -m pytest $(PYTEST_FLAGS) --cov --cov-report=term:skip-covered --cov-report=html
	@echo "Line by line: build/coverage/index.html"

# Resolves anew what is installed here and in containers: for every Python from 3.11 on and every system, with hashes, without the
# address of a package index, and so that pip can read it. All lists agree with that of the contributors.
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-python-downloads \
	--upgrade --generate-hashes --no-emit-index-url --no-annotate --no-emit-package cellscale --output-file
lock: $(VENV)/.tools
	rm -f requirements/*.txt
	echo . | $(COMPILE) requirements/dev.txt --constraints requirements/constraints.in --group dev -
	$(COMPILE) requirements/build.txt --constraints requirements/dev.txt --group build
	$(COMPILE) requirements/run.txt --constraints requirements/dev.txt pyproject.toml
	$(COMPILE) requirements/container.txt --constraints requirements/dev.txt --extra anndata --extra gcp --extra s3 pyproject.toml
	$(COMPILE) requirements/container-dask.txt --constraints requirements/dev.txt \
		--extra anndata --extra dask --extra gcp --extra s3 pyproject.toml
	$(COMPILE) requirements/container-gpu.txt --constraints requirements/dev.txt --no-emit-package onnxruntime \
		--extra anndata --extra gcp --extra gpu --extra s3 pyproject.toml
	$(COMPILE) requirements/container-build.txt --constraints requirements/dev.txt container/build.in
	$(COMPILE) requirements/audit.txt requirements/audit.in
	$(COMPILE) tests/records/bigquery_emulator.txt tests/records/bigquery_emulator.in
	$(filter-out --python-version 3.11,$(COMPILE)) tests/images/writers/programs.txt --python-version 3.12 tests/images/writers/programs.in
	$(filter-out --universal --python-version 3.11,$(COMPILE)) benchmarks/ecosystem.txt --python-version 3.13 \
		--extra spatialdata pyproject.toml benchmarks/ecosystem.in
	$(BIN)/python -m tests.images.formats_page

# Not part of `make lint` or `make test`: what becomes known tomorrow must not fail them. Where nothing can be looked up, this fails.
AUDIT := $(ENVIRONMENTS)/audit
audit:
	$(PYTHON) -m venv --clear $(AUDIT)
	$(AUDIT)/bin/python $(LOCKED) requirements/audit.txt
	failed=""; for list in requirements/*.txt; do echo "$$list"; \
		$(AUDIT)/bin/pip-audit --progress-spinner off --strict --disable-pip --require-hashes --requirement "$$list" || failed=1; \
	done; test -z "$$failed"

# Not part of `make test`: it needs a builder of images, gigabytes and half an hour. CHECK="--help" lists options.
container-check: weights
	$(PYTHON) container/check.py $(CHECK)

clean:
	rm -rf $(VENV) build demo dist viewer/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find src tests tools -name __pycache__ -type d -exec rm -rf {} +
