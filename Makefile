# The three commands of the README, and what they share.
PYTHON ?= python3
BIN    := .venv/bin

.PHONY: install demo test bench fast format
install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make install PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet -e '.[dev]'
	touch $@

demo: install
	$(BIN)/st-sf demo

fast: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: fast
	$(BIN)/pytest -n 2

bench: install
	$(BIN)/python -m st_sf_pipelines_tests.benchmarks

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
