# Two commands for a fresh machine with Python 3.11 or newer:
#   make example   trains the network and writes its results to outputs/
#   make test      runs the whole suite, types and style
# And three more:
#   make test-deep     2,000 random cases of each test in tests/deep
#   make docs          builds the site into docs/_build
#   make paper-quick   the paper's tables and figures, on made-up motion

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DATA ?= synthetic
ARGS ?=

# Threads that wait by spinning would take the time of those that work where
# other programs run too.
export OMP_WAIT_POLICY ?= passive

.PHONY: example test test-deep docs paper-quick clean

example: .venv/example
	$(BIN)/python examples/cmu_mocap.py --data "$(DATA)" $(ARGS)

paper-quick: .venv/example
	$(BIN)/python -m examples.paper all --quick $(ARGS)

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest --without-torch-scatter tests/ops tests/nn/conv tests/nn/pool

test-deep: .venv/test
	$(BIN)/python -m pytest tests/deep --hypothesis-profile=deep \
		--hypothesis-show-statistics $(ARGS)

docs: .venv/docs
	$(BIN)/sphinx-build --quiet --nitpicky --fail-on-warning --keep-going \
		docs docs/_build

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/example: .venv/bin/python setup.cfg pyproject.toml constraints.txt
	$(PIP) -c constraints.txt torch setuptools
	$(PIP) -c constraints.txt --no-build-isolation -e ".[train,vis]"
	touch $@

.venv/docs: .venv/example
	$(PIP) -c constraints.txt --no-build-isolation -e ".[docs]"
	touch $@

# torch-scatter has no wheel for current versions of torch, and its build
# imports torch: it is compiled against the one that is installed.
.venv/test: .venv/example
	$(PIP) -c constraints.txt --no-build-isolation -e ".[test]"
	$(PIP) -c constraints.txt wheel
	$(PIP) --no-build-isolation torch-scatter==2.1.2
	touch $@

clean:
	rm -rf .venv build dist *.egg-info outputs docs/_build docs/api
