# `make help` lists the targets. PYTHON picks the interpreter: make test PYTHON=python3.12
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check lint format types bench soak lock schema dist clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make the virtual environment from the lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY) ## The main job against the sandbox: auth-check, users, dry run, two passes, status; PORTAL=1: into a portal
	$(BIN)/python -m tests.demo

test: $(READY) ## The test suite
	$(BIN)/python -m pytest -q -n 3 -m "not soak"

test-all: ## The test suite on every Python that is supported and present
	PYTHON="$(PYTHON)" sh tests/every_python.sh

check: lint types test-all ## What CI runs: linters, format, imports, types, tests

lint: $(READY) ## Linter, format check, and who may import whom
	$(BIN)/ruff check zoomsync tests
	$(BIN)/ruff format --check zoomsync tests
	$(BIN)/lint-imports

types: $(READY) ## mypy, strict
	$(BIN)/mypy

format: $(READY) ## Format the code
	$(BIN)/ruff format zoomsync tests
	$(BIN)/ruff check --fix --quiet zoomsync tests

bench: $(READY) ## Benchmarks, side by side
	$(BIN)/python -m tests.bench

soak: $(READY) ## The long tests: crash loops and soaks at full count
	$(BIN)/python -m pytest -q -m soak --timeout 3600
	$(BIN)/python -m pytest -q -n 2 --hypothesis-profile explore tests/rules tests/test_naming.py tests/state

schema: $(READY) ## Write the config's JSON schema again
	$(BIN)/python -m zoomsync.config.json_schema

lock: $(READY) ## Lock the dependencies again
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --extra dev --extra ffmpeg --extra notify -o requirements.lock pyproject.toml tests/build.in

dist: $(READY) ## Build wheel and sdist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean: ## Remove what make made
	rm -rf $(VENV) .venv-* .demo build dist .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
