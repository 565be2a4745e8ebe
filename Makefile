# make demo   the main job: installs into .venv, trains everything, serves http://127.0.0.1:8000
# make test   the tests, from a fresh clone
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN ?= runs/demo
PRESET ?= quick
PORT ?= 8000
export HF_HUB_OFFLINE ?= 1

.PHONY: demo pipeline serve evaluate test test-unit fuzz lint types check clean

demo: pipeline serve

pipeline: $(VENV)/installed
	$(BIN)/python -m jobs.pipeline preset=$(PRESET) run=$(RUN)

serve: $(VENV)/installed
	$(BIN)/python -m serve --bundle $(RUN) --port $(PORT)

evaluate: $(VENV)/installed
	$(BIN)/python -m jobs.evaluate preset=$(PRESET) run=$(RUN)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest

test-unit: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m "not integration"

# Requests made up from the API's own description, 20,000 and more; `make test` tries some of them.
fuzz: $(VENV)/installed-dev
	SWIGGLE_FUZZ_ROUNDS=12 SWIGGLE_FUZZ_CASES=70 $(BIN)/python -m pytest -s tests/serve/test_fuzz.py

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

check: lint types test

# Versions come from constraints.txt; a stamp file remembers what was installed.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 demo")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) runs
