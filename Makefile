# make demo   the main job: installs into .venv, trains everything, serves http://127.0.0.1:8000
# make test   the tests, from a fresh clone
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN ?= runs/demo
PRESET ?= quick
PORT ?= 8000
export HF_HUB_OFFLINE ?= 1

# Node.js checks the page's scripts and has no part in what runs. Where it is missing these checks alone are left out, but
# not in CI. `$(call page,what it needs,command)` is a line of a recipe.
page = $(if $(shell command -v $(1)),$(2),$(call missing,$(1)))
missing = @echo "$(1) is missing, so the page's scripts are not checked"$(if $(filter true,$(CI)), >&2; exit 1)
NODE_MODULES := $(if $(shell command -v npm),node_modules/.installed)
TEST_PAGE = $(call page,node,node --test --test-reporter=spec tests/static/*.test.js)

.PHONY: demo pipeline serve evaluate test test-unit test-cluster test-gpu fuzz audit lint types check clean

demo: pipeline serve

pipeline: $(VENV)/installed
	$(BIN)/python -m jobs.pipeline preset=$(PRESET) run=$(RUN)

serve: $(VENV)/installed
	$(BIN)/python -m serve --bundle $(RUN) --port $(PORT)

evaluate: $(VENV)/installed
	$(BIN)/python -m jobs.evaluate preset=$(PRESET) run=$(RUN)

test: $(VENV)/installed-dev
	$(TEST_PAGE)
	$(BIN)/python -m pytest -m "not cluster and not gpu"

test-unit: $(VENV)/installed-dev
	$(TEST_PAGE)
	$(BIN)/python -m pytest -m "not integration and not cluster and not gpu"

test-cluster: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m cluster

test-gpu: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m gpu

# Requests made up from the API's own description, 20,000 and more; `make test` tries some of them.
fuzz: $(VENV)/installed-dev
	SWIGGLE_FUZZ_ROUNDS=12 SWIGGLE_FUZZ_CASES=70 $(BIN)/python -m pytest -s tests/serve/test_fuzz.py

lint: $(VENV)/installed-dev $(NODE_MODULES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(call page,npm,node_modules/.bin/eslint . && node_modules/.bin/tsc)

types: $(VENV)/installed-dev
	$(BIN)/mypy

check: lint types test test-cluster

# Known vulnerabilities of the pinned versions; asks PyPI for them.
audit: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[audit]'
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

# Versions come from constraints.txt; a stamp file remembers what was installed.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 demo")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

node_modules/.installed: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	touch $@

clean:
	rm -rf $(VENV) node_modules runs
