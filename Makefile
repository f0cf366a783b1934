# `make demo` and `make test` work on a fresh machine with Python >= 3.11, git and make.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest

.PHONY: demo test test-long check docs lock wheel bundle bench bench-quick bench-growth clean

demo: .venv/installed
	$(BIN)/mcp-daan demo --dir .demo

test: check
	$(PYTEST) -n auto -m "not long"

test-long: check
	$(PYTEST) -n auto

check: .venv/developing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: .venv/developing
	$(BIN)/python -m tests.generate

lock: .venv/developing
	env -u PIP_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate requirements-dev.in pyproject.toml -o requirements-dev.txt
	env -u PIP_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate requirements-semantic.in -o requirements-semantic.txt

wheel: .venv/developing
	$(BIN)/python -m hatchling build -t wheel -d dist

bundle: .venv/developing
	$(BIN)/python bundle/pack.py dist/mcp-daan.mcpb

# DATA names a folder of markdown to search in, or one that holds `docs-corpus` and `queries_dev.jsonl`.
bench: .venv/developing
	$(BIN)/python -m bench.peers $(if $(DATA),--data $(DATA))

bench-quick: .venv/developing
	$(BIN)/python -m bench.peers --quick

bench-growth: .venv/developing
	$(BIN)/python -m bench.growth

.venv/created:
	$(PYTHON) -m venv .venv
	touch $@

.venv/installed: .venv/created pyproject.toml
	$(PIP) install --editable .
	touch $@

.venv/developing: .venv/created pyproject.toml requirements-dev.txt
	$(PIP) install --require-hashes -r requirements-dev.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@ .venv/installed

clean:
	rm -rf .venv .demo build dist
