# The three commands of the README, and what they share.
PYTHON ?= python3
BIN    := .venv/bin

.PHONY: install demo test bench fast format payload
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

# A real Payload CMS for the contract suite: Node from the machine, or from Debian, its packages from npm.
payload: install
	@command -v npm >/dev/null || [ "$$(id -u)" != 0 ] || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; }
	$(BIN)/python -c 'from st_sf_pipelines.simulators.crm.payload import install; install()'

test: fast payload
	$(BIN)/pytest -n 2

bench: install
	$(BIN)/python -m st_sf_pipelines_tests.benchmarks

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
