# `make help` lists the targets. PYTHON picks the interpreter: make test PYTHON=python3.12
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready
unexport PYTHONDONTWRITEBYTECODE # else each process of the tests compiles all anew

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lowest newest check lint format types bench soak lock schema man pictures dist clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make the virtual environment from the lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY) ## The main job against the sandbox: auth-check, users, dry run, two passes, status; PORTAL=1: into a portal; REMOTE=1: into S3
	$(BIN)/python -m tests.demo

test: $(READY) ## The test suite
	$(BIN)/python -m pytest -q -n 3 --dist worksteal -m "not soak"

test-all: ## The test suite on every Python that is supported and present; a part of it with other releases of the libraries
	PYTHON="$(PYTHON)" sh tests/every_python.sh

# What meets each library at its edges: click, requests and urllib3, pydantic, yaml, rich, tenacity, pathvalidate, ffmpeg.
MEETS_LIBRARIES = tests/test_cli.py tests/test_streams.py tests/http tests/test_naming.py tests/config \
                  tests/commands tests/state/test_state.py tests/zoom/test_client.py tests/zoom/test_download.py \
                  tests/media/test_stitch.py tests/e2e/test_stitched.py tests/e2e/test_portal.py

lowest: RELEASES = $$(sed -n '/^dependencies/,/^\]/ s/ *"\(.*\)>=\(.*\)".*/\1==\2/p' pyproject.toml)
lowest: ## A part of the tests with the lowest release of each library that pyproject.toml admits
newest: RELEASES = --upgrade --upgrade-strategy eager
newest: ## A part of the tests with the newest release of everything
lowest newest:
	$(PYTHON) -m venv .venv-$@
	.venv-$@/bin/python -m pip install --quiet --disable-pip-version-check $(RELEASES) --editable '.[ffmpeg,notify,rclone,dask,test]'
	.venv-$@/bin/python -m pytest -q -n 3 --dist worksteal -m "not soak" $(MEETS_LIBRARIES)

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

bench: $(READY) ## Benchmarks, side by side, and the table of marks in the manual; QUICK=1: a short form that writes nothing
	$(BIN)/python -m tests.bench

ifndef SEED
SEED := $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
endif

soak: $(READY) ## The long tests: crash loops at full count, and 20 minutes of histories that nobody saw before
	@echo "seed $(SEED): make soak SEED=$(SEED) draws the same again"
	SOAK_SEED=$(SEED) $(BIN)/python -m pytest -q -m soak --timeout 3600
	$(BIN)/python -m pytest -q -n 2 --hypothesis-profile explore --hypothesis-seed $(SEED) --timeout 3600 \
		tests/rules tests/test_naming.py tests/test_formatting.py tests/state tests/config tests/media/test_webvtt.py tests/item

schema: $(READY) ## Write the JSON schemas of the config and of the documents again
	$(BIN)/python -m zoomsync.config.json_schema
	$(BIN)/python -m tests.documents

man: $(READY) ## Write the man page and the shells' completions again
	$(BIN)/python -m tests.shell

pictures: $(READY) ## Draw the README's pictures again
	$(BIN)/python -m tests.pictures

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
       --no-emit-index-url --no-emit-find-links

lock: $(READY) ## Lock the dependencies again: of a checkout, and those that zoomsync runs on
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) --extra dev --extra ffmpeg --extra notify --extra rclone --extra dask -o requirements.lock pyproject.toml tests/build.in
	$(LOCK) --constraint requirements.lock -o requirements-runtime.lock pyproject.toml

dist: $(READY) ## Build the wheel, alone in dist/
	rm -rf dist build
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean: ## Remove what make made
	rm -rf $(VENV) .venv-* .demo build dist .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
