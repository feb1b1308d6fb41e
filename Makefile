# Each command works on a fresh machine with Python 3.11 or newer:
#   make example       trains the network and writes results to outputs/
#   make test          runs tests, type checks and style checks
#   make coverage      runs the tests and lists the lines that none of them runs
#   make test-deep     runs 2,000 random cases of each test in tests/deep
#   make test-matrix   tests layers and data with the oldest and newest torch
#   make test-oldest   the same with the oldest version of everything
#   make dist          builds and checks the source distribution and the wheel
#   make sbom          lists what the wheel installs, in dist/
#   make audit         checks that list for known vulnerabilities
#   make docs          builds the site into docs/_build
#   make paper-quick   runs the paper's experiments on synthetic motion, quickly
#   make results       writes the pages in docs/results again; needs
#                      DATA=path/to/cmu_mocap.zip, and trains what
#                      outputs/paper/runs lacks
#   make benchmarks    measures the tables of docs/benchmarks.md again

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DATA ?= synthetic
# For test-matrix: the index with CPU builds, and the requirements to test.
TORCH_INDEX ?= --index-url https://download.pytorch.org/whl/cpu
OLDEST ?= torch==$(shell sed -n 's/^ *torch>=//p' setup.cfg).*
TORCHES ?= $(OLDEST) torch
CONSTRAINTS ?= build/constraints.txt
RELEASE := build/release
# The pages of the paper that are kept.
PAPER := $(basename $(notdir $(wildcard docs/results/table-*.md \
	docs/results/figure-*.md)))
BENCHMARKS ?= operators edges blocks train_step inference recognition
ARGS ?=
# One process per core; the tests of a file share their fixtures in one process.
PARALLEL := -n logical --maxprocesses=8 --dist=loadscope

# Spinning threads slow down working ones when other programs share the machine.
export OMP_WAIT_POLICY ?= passive

.PHONY: example test coverage test-deep test-matrix test-oldest dist sbom \
	audit docs paper-quick results benchmarks clean

example: .venv/example
	$(BIN)/python examples/cmu_mocap.py --data "$(DATA)" $(ARGS)

paper-quick: .venv/example
	$(BIN)/python -m examples.paper all --quick $(ARGS)

# Each page of the paper names its command.
results: .venv/example
	$(BIN)/python examples/evaluate.py --weights cmu-light-long --mirror \
		--data "$(DATA)" --json docs/results/cmu-light-long.json \
		--plot docs/results/cmu.png
	$(BIN)/python examples/evaluate.py --weights cmu-light-short \
		--data "$(DATA)" --json docs/results/cmu-light-short.json
	set -e; for page in $(PAPER); do \
		command=$$(sed -n 's/^- command: python -m //p' \
			docs/results/$$page.md | sed "s|--data [^ ]*|--data $(DATA)|"); \
		$(BIN)/python -m $$command; \
		cp outputs/paper/$$page.md outputs/paper/$$page.json \
			outputs/paper/$$page.png outputs/paper/$$page.svg docs/results; \
	done

benchmarks: .venv/test
	$(BIN)/python -m benchmarks $(BENCHMARKS) --threads 1 \
		--page docs/benchmarks.md $(ARGS)

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

# Torch is not pinned here, nor is setuptools, which old versions of torch limit;
# torch-scatter is left out because it would have to be compiled for each version.
test-matrix:
	mkdir -p build
	grep -Ev "^(setuptools|torch|triton)==" constraints.txt \
		> build/constraints.txt
	set -e; for torch in $(TORCHES); do \
		venv="build/$${torch%.\*}"; pip="$$venv/bin/python -m pip install -q"; \
		$(PYTHON) -m venv "$$venv"; \
		$$pip $(TORCH_INDEX) "$$torch" "setuptools>=77"; \
		$$pip -c $(CONSTRAINTS) --no-build-isolation -e ".[test]" "$$torch"; \
		"$$venv/bin/python" -c "import torch; print('torch', torch.__version__)"; \
		"$$venv/bin/python" -m pytest --without-torch-scatter \
			tests/io tests/ops tests/nn tests/data tests/transforms; \
	done

# Old versions of other packages have no wheels for Python 3.13.
test-oldest:
	mkdir -p build
	sed -n 's/^ *\([a-z][a-z0-9-]*\)>=\([0-9.]*\).*/\1==\2/p' setup.cfg \
		| grep -v "^torch==" > build/oldest.txt
	$(MAKE) test-matrix TORCHES="$(OLDEST)" CONSTRAINTS=build/oldest.txt

$(RELEASE)/tools: constraints.txt
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install -q -c constraints.txt \
		build cyclonedx-bom pip-audit twine
	touch $@

dist: $(RELEASE)/tools
	rm -f dist/*.whl dist/*.tar.gz
	$(RELEASE)/tools/bin/python -m build --outdir dist
	$(RELEASE)/tools/bin/twine check --strict dist/*.whl dist/*.tar.gz

sbom: dist
	$(PYTHON) -m venv --clear --without-pip $(RELEASE)/wheel
	$(RELEASE)/tools/bin/python -m pip --python $(RELEASE)/wheel/bin/python \
		install -q -c constraints.txt dist/*.whl
	$(RELEASE)/tools/bin/cyclonedx-py environment \
		$(RELEASE)/wheel/bin/python --of JSON -o dist/symgnn_pyg.cdx.json

audit: sbom
	$(RELEASE)/tools/bin/python .ci/audit.py $(RELEASE)/wheel $(ARGS)

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
