# The workbook's commands. The first one to run builds .venv from the pip section of environment.yml.
#
#   make workbook [STUDY=data/studies/mine.yaml] [SET="training.epochs=10 name=mine"] [RESUME=1] [ONLY=04]
#   make lab [STUDY=…] [SET="…"]     the same notebooks in JupyterLab
#   make test [TESTS=…] [WORKERS=2] [ALL=1]  the tests, or those of a file; ALL=1: also the slow ones
#   make coverage                    all tests, and which lines of lib they reach
#   make weights                     torchvision's ImageNet weights, once
#   make publish                     rerun the default study, refresh notebooks/ and figures/
#   make house                       counts: modules, lines, docstrings, annotations, long functions
#   make bench                       measure, into runs/benchmarks/
#
# In a conda environment made from environment.yml: make workbook PY=python

PYTHON ?= python3.11
STUDY ?= data/studies/demo.yaml
SET ?=
RESUME ?=
ONLY ?=
TESTS ?=
ALL ?=
WORKERS ?= 2
PY ?= .venv/bin/python

SETTINGS = $(if $(strip $(SET)),--set $(SET))
SET_UP = $(if $(filter .venv/bin/python,$(PY)),.venv/.complete)

.PHONY: workbook test coverage lab weights publish house bench setup
.DEFAULT_GOAL := workbook

workbook: $(SET_UP)
	$(PY) -m lib.workbook run --study "$(STUDY)" $(SETTINGS) $(if $(RESUME),--resume) $(if $(ONLY),--only $(ONLY))

# each worker keeps to one processor
test: export OMP_NUM_THREADS = 1
test: $(SET_UP)
	$(PY) -m pytest -n $(WORKERS) --dist worksteal $(if $(ALL),,-m "not slow") $(TESTS)

coverage: ALL = 1
coverage: TESTS = --cov=lib --cov-report=term:skip-covered --cov-fail-under=95
coverage: test

lab: $(SET_UP)
	$(PY) -m lib.workbook lab --study "$(STUDY)" $(SETTINGS)

weights: $(SET_UP)
	$(PY) -m lib.weights

publish: $(SET_UP)
	$(PY) -m lib.workbook run --study data/studies/demo.yaml
	$(PY) -m lib.workbook.publish runs/demo

house: $(SET_UP)
	$(PY) tests/house.py

bench: $(SET_UP)
	$(PY) tests/benchmarks

setup: $(SET_UP)

# Brought up to date when environment.yml changes, and finished when setting up was interrupted.
.venv/.complete: environment.yml
	@.venv/bin/python -c '' 2>/dev/null && exit 0; \
	python=$$(command -v $(PYTHON) || command -v python3) || \
	  { echo "No Python found. Install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3.11"; exit 1; }; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$$python is $$("$$python" -V 2>&1); the workbook needs Python 3.11 or newer: make PYTHON=…"; exit 1; }; \
	rm -rf .venv; "$$python" -m venv .venv || { rm -rf .venv; \
	  echo "Python cannot make a venv. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Setting up .venv; the first time takes some minutes"
	@sed -n '/- pip:/,$$s/^ *- \([^#:]*[^#: ]\) *\(#.*\)\{0,1\}$$/\1/p' environment.yml > .venv/requirements.txt
	.venv/bin/python -m pip install --quiet --no-compile --disable-pip-version-check -r .venv/requirements.txt -c requirements.lock
	@# on all processors, where pip takes one; templates among the sources that are no Python are left out
	@.venv/bin/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@
