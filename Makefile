# What there is to do here, a target each. Needed: make, git and Python 3.11 or newer; all else is installed.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help new test test-quick test-docker engine lint locks images bench bench-quick bench-matrix pictures clean

PYTHON ?= python3
WORKERS ?= auto
BIN := .venv/bin
# For what the tests and scripts start by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

new: .venv/new.stamp ## Make a project: asks in the terminal, or not at all: make new ARGS="--no-input --framework fastapi"
	@$(BIN)/dockwright $(ARGS)

test: engine test-quick test-docker ## Run every test, the quick ones first

test-quick: .venv/test.stamp ## Run the tests that need no Docker: of the generator, and of what it writes
	$(BIN)/pytest tests/unit tests/render --numprocesses $(WORKERS)

test-docker: images ## Build, start and probe every combination with Docker: all of them, or make test-docker ARGS="-k alpine"
	$(BIN)/pytest tests/docker --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder $(ARGS)

# What has no need of an engine is tested without one too; what needs it fails, and says why.
engine:
	@tests/images/engine.sh || true

lint: .venv/bench.stamp ## Check style, types, scripts and workflows
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/shellcheck --external-sources --source-path=SCRIPTDIR .ci/run tests/images/*.sh tests/images/*/*.sh
	$(BIN)/actionlint

locks: .venv/test.stamp ## Resolve the template's dependencies anew
	$(BIN)/python tools/lock.py

images: .venv/test.stamp ## Make sure that Docker answers and has the base images
	@PYTHON=$(CURDIR)/$(BIN)/python tests/images/ensure.sh

bench: .venv/bench.stamp images ## Measure everything beside what people use today (needs wrk): make bench ARGS="builds --rounds 3"
	$(BIN)/python -m benchmarks $(ARGS)

bench-quick: .venv/bench.stamp images ## Print the main ratios beside those that were kept, in three minutes
	$(BIN)/python -m benchmarks --quick $(ARGS)

bench-matrix: .venv/bench.stamp images ## Measure the proof of all combinations
	$(BIN)/python -m benchmarks.matrix

pictures: .venv/test.stamp ## Take the pictures of the documentation anew (needs tmux)
	$(BIN)/python docs/capture.py

clean: ## Remove what the targets above made here
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache dist

# A virtual environment, filled anew only when pyproject.toml has changed.
.venv/new.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/test.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[lint,test]'
	@touch $@

.venv/bench.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench,lint,test]'
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'error: Python 3.11 or newer is needed: install it, or name it: make PYTHON=python3.13 …' >&2; exit 1; }
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || \
		{ rm -rf .venv; echo 'error: Python can make no virtual environment: install its venv module (Debian: apt install python3-venv)' >&2; exit 1; }
