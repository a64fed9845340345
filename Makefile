# Needs make, git and Python 3.11 or newer; installs everything else.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help new test test-quick test-docker test-alone test-faults test-faults-full test-full engine lint locks images bench bench-quick bench-matrix pictures clean

PYTHON ?= python3
WORKERS ?= auto
BIN := .venv/bin
FAULTS := $(addprefix tests/docker/,test_failures.py test_proxy.py test_deploy.py test_stops.py)
# Tests and scripts start programs of the virtual environment by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A later --output-dir in ARGS wins.
new: .venv/new.stamp ## Generate a project beside this directory: with questions, or: make new ARGS="my-shop --framework fastapi"
	@$(BIN)/dockwright new --output-dir .. $(ARGS)

# Without an engine the quick tests still run; the Docker tests then fail and say why.
test: ## Run every test, the quick ones first
	@tools/engine.sh && tools/programs.sh || export INSTALL=no; \
		$(MAKE) test-quick && $(MAKE) test-docker && $(MAKE) test-alone

test-quick: .venv/test.stamp ## Run the tests that need no Docker: the generator, and static checks of what it generates
	$(BIN)/pytest tests/unit tests/render --numprocesses $(WORKERS)

test-docker: images ## Build, start and probe every combination with Docker, or some: make test-docker ARGS="-k alpine"
	$(BIN)/pytest tests/docker -m 'not alone' --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder $(ARGS)

test-alone: images ## Try Swarm under load, and the manifests for Kubernetes: as root, while nothing else runs
	-@tools/programs.sh
	$(BIN)/pytest tests/docker -m alone $(ARGS)

test-faults: images ## Break what runs in production, and count the requests that fail
	$(BIN)/pytest $(FAULTS) --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder $(ARGS)

test-faults-full: images ## The same on every combination, and what takes long: full disks, many replicas
	$(BIN)/pytest $(FAULTS) tests/docker/test_outages.py --long --full --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder $(ARGS)

test-full: images ## Ask every Docker test of every combination, not of a sample: takes hours
	$(BIN)/pytest tests/docker --full -m 'not alone' --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder $(ARGS)

engine: ## Install and start Docker Engine, without asking (Debian, as root)
	@INSTALL=yes tools/engine.sh

lint: .venv/bench.stamp ## Check style, types, scripts and workflows
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/shellcheck --external-sources --source-path=SCRIPTDIR .ci/run tools/*.sh stand-ins/*.sh stand-ins/*/*.sh
	$(BIN)/actionlint

locks: .venv/test.stamp ## Lock the template's dependencies
	$(BIN)/python tools/lock.py

images: .venv/test.stamp ## Pull the base images, or build stand-ins if no registry can be reached
	@PYTHON=$(CURDIR)/$(BIN)/python tools/images.sh

bench: .venv/bench.stamp images ## Run all benchmarks (needs wrk), or some: make bench ARGS="builds --rounds 3"
	$(BIN)/python -m benchmarks $(ARGS)

bench-quick: .venv/bench.stamp images ## Compare the main ratios with the recorded ones, in three minutes
	$(BIN)/python -m benchmarks --quick $(ARGS)

bench-matrix: .venv/bench.stamp images ## Measure the Docker tests
	$(BIN)/python -m benchmarks.matrix

pictures: .venv/test.stamp ## Re-take the picture in the README (needs tmux and Docker)
	$(BIN)/python docs/capture.py

clean: ## Remove the virtual environment, caches and builds
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache dist

# Re-installed only when pyproject.toml has changed.
.venv/new.stamp: pyproject.toml | .venv/bin/python
	@echo 'Installing Dockwright into .venv, once'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/test.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[lint,test]'
	@touch $@

.venv/bench.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench,lint,test]'
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'error: Python 3.11 or newer is needed: install it, or name one: make PYTHON=python3.13 …' >&2; exit 1; }
	@echo 'Creating .venv'
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || \
		{ rm -rf .venv; echo 'error: Python cannot create a virtual environment: install its venv module (Debian: apt install python3-venv)' >&2; exit 1; }
