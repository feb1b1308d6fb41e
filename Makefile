# Each command works on a fresh machine with Python 3.11 or newer:
#   make example       trains the network and writes results to outputs/
#   make test          runs tests, type checks and style checks
#   make coverage      runs the tests and lists the lines that none of them runs
#   make test-deep     runs 2,000 random cases of each test in tests/deep
#   make test-matrix   tests layers and data with the oldest and newest torch
#   make audit         builds the wheel and checks its dependencies for known
#                      vulnerabilities
#   make docs          builds the site into docs/_build
#   make paper-quick   runs the paper's experiments on synthetic motion, quickly

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DATA ?= synthetic
# For test-matrix: the index with CPU builds, and the requirements to test.
TORCH_INDEX ?= --index-url https://download.pytorch.org/whl/cpu
TORCHES ?= torch==$(shell sed -n 's/^ *torch>=//p' setup.cfg).* torch
AUDIT := build/audit
ARGS ?=
# One process per core; the tests of a file share their fixtures in one process.
PARALLEL := -n logical --maxprocesses=8 --dist=loadscope

# Spinning threads slow down working ones when other programs share the machine.
export OMP_WAIT_POLICY ?= passive

.PHONY: example test coverage test-deep test-matrix audit docs paper-quick clean

example: .venv/example
	$(BIN)/python examples/cmu_mocap.py --data "$(DATA)" $(ARGS)

paper-quick: .venv/example
	$(BIN)/python -m examples.paper all --quick $(ARGS)

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy & types=$$!; \
	$(BIN)/python -m pytest --without-torch-scatter \
		tests/ops/test_edge_mix.py tests/nn/conv/test_graph_mix_conv.py \
		&& wait $$types
	$(BIN)/python -m pytest $(PARALLEL)

coverage: .venv/test
	$(BIN)/python -m pytest $(PARALLEL) --cov=symgnn_pyg

test-deep: .venv/test
	$(BIN)/python -m pytest tests/deep --hypothesis-profile=deep \
		--hypothesis-show-statistics $(ARGS)

# Torch is not pinned here, and torch-scatter is left out because it would have to
# be compiled for each version.
test-matrix:
	mkdir -p build
	grep -Ev "^(torch|triton)==" constraints.txt > build/constraints.txt
	set -e; for torch in $(TORCHES); do \
		venv="build/$${torch%.\*}"; pip="$$venv/bin/python -m pip install -q"; \
		$(PYTHON) -m venv "$$venv"; \
		$$pip $(TORCH_INDEX) "$$torch"; \
		$$pip -c build/constraints.txt setuptools; \
		$$pip -c build/constraints.txt --no-build-isolation -e ".[test]"; \
		"$$venv/bin/python" -c "import torch; print('torch', torch.__version__)"; \
		"$$venv/bin/python" -m pytest --without-torch-scatter \
			tests/ops tests/nn tests/data tests/transforms; \
	done

audit:
	$(PYTHON) -m venv $(AUDIT)/tools
	$(AUDIT)/tools/bin/python -m pip install -q -c constraints.txt \
		pip-audit cyclonedx-bom
	rm -f dist/*.whl
	$(AUDIT)/tools/bin/python -m pip wheel -q --no-deps -w dist .
	$(PYTHON) -m venv --clear --without-pip $(AUDIT)/wheel
	$(AUDIT)/tools/bin/python -m pip --python $(AUDIT)/wheel/bin/python \
		install -q -c constraints.txt dist/*.whl
	$(AUDIT)/tools/bin/cyclonedx-py environment $(AUDIT)/wheel/bin/python \
		--of JSON -o dist/symgnn_pyg.cdx.json
	$(AUDIT)/tools/bin/python .ci/audit.py $(AUDIT)/wheel $(ARGS)

docs: .venv/docs
	$(BIN)/sphinx-build --quiet --nitpicky --fail-on-warning --keep-going \
		docs docs/_build

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/torch: .venv/bin/python constraints.txt
	$(PIP) -c constraints.txt torch setuptools wheel
	touch $@

.venv/example: .venv/torch setup.cfg pyproject.toml
	$(PIP) -c constraints.txt --no-build-isolation -e ".[train,vis]"
	touch $@

.venv/docs: .venv/torch setup.cfg pyproject.toml
	$(PIP) -c constraints.txt --no-build-isolation -e ".[docs]"
	touch $@

# torch-scatter has no wheels for current versions of torch, and its setup imports
# torch, so it is compiled without isolation against the installed version,
# while the other packages are downloaded.
.venv/test: .venv/torch setup.cfg pyproject.toml
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation -w build torch-scatter==2.1.2 & compiled=$$!; \
	$(PIP) -c constraints.txt --no-build-isolation -e ".[test]" \
		&& wait $$compiled
	$(PIP) --no-index --no-deps --find-links build torch-scatter==2.1.2
	touch $@

clean:
	rm -rf .venv build dist *.egg-info outputs docs/_build docs/api
