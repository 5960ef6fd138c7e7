# The front door: every job is a target. `make help` lists them.
# Variables: SURVEY (folder below data/raw), AREA (one of its areas), JOBS (notebooks at once; also
# -jN), FORCE=1 (generate again what is there), PYTHON3 (the Python that .venv is made from),
# HOUSEHOLDS (size of the register of bench-scale), TIMES (rounds of bench-pipeline), PLANTED (a log
# of planted errors), CHECK=1 (fail when a limit is missed), HERE=1 (verify what stands here),
# SCHEDULER (run on the Dask cluster with this address, docs/cluster.md); for notebook and lab:
# REPORT (audit, indicators or plan), FRESH=1 (set an earlier working copy aside), NO_BROWSER=1
# (print the address only).

ifeq ($(MAKECMDGOALS),verify)
SURVEY ?= demo
endif
SURVEY ?= baseline2010
AREA ?=
JOBS ?=
FORCE ?=
PYTHON3 ?= python3
HOUSEHOLDS ?=
TIMES ?=
PLANTED ?=
CHECK ?=
SCHEDULER ?=
REPORT ?=
SOURCE ?=
HERE ?=
FRESH ?=
NO_BROWSER ?=
# Recipes read these from the environment, so that no value is ever a piece of shell; and each is
# taken as it was written, so that none is ever a piece of make (`$(shell ...)`).
VARIABLES := SURVEY AREA JOBS FORCE PYTHON3 HOUSEHOLDS TIMES PLANTED CHECK SCHEDULER REPORT SOURCE \
	HERE FRESH NO_BROWSER
$(foreach name,$(VARIABLES),$(eval override $(name) := $$(value $(name))))
export $(VARIABLES)
# Each of some hundred processes would compile all modules anew where nothing may be kept.
unexport PYTHONDONTWRITEBYTECODE

ifeq ($(CONDA_DEFAULT_ENV),povmon)
BIN := $(CONDA_PREFIX)/bin
STAMP := build/conda-stamp
else
BIN := .venv/bin
STAMP := .venv/stamp
endif

PYTHON := "$(BIN)/python"
POVMON := $(PYTHON) -m povmon.pipeline
ROOT := "$${POVMON_ROOT:-.}"

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.PHONY: all default help generate forms codebook rules calibration audit-score why log verify font \
	lock lab notebook test test-all lint strip git-diff bench bench-estimate bench-scale bench-audit \
	bench-pipeline bench-cluster coverage clean distclean

default: all

all: $(STAMP) ## Make every table and page of SURVEY that is not up to date (AREA: one area only)
	@$(POVMON) run --survey "$$SURVEY" --area "$$AREA" --jobs "$$JOBS" --scheduler "$$SCHEDULER"

help: ## Explain every target
	@echo "make [target] [SURVEY=name] [AREA=name] [JOBS=n or -jn] [FORCE=1]"; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' Makefile
	@echo; echo "SURVEY is $$SURVEY; surveys lie in data/raw. Pages are written to reports/SURVEY."

why: $(STAMP) ## Say what is stale in SURVEY and why (REPORT=path: one report)
	@$(POVMON) why --survey "$$SURVEY" "$$REPORT"

verify: $(STAMP) ## Build SURVEY (demo) twice, elsewhere and at another time: are all bytes the same?
	@$(POVMON) verify --survey "$$SURVEY" $${HERE:+--here}

log: $(STAMP) ## Show what the last run of SURVEY did, and how long each task and cell took
	@$(POVMON) log --survey "$$SURVEY"

generate: $(STAMP) ## Write the submissions of a generated SURVEY where absent (FORCE=1: again)
	@$(POVMON) generate --survey "$$SURVEY" $${FORCE:+--force}

calibration: $(STAMP) ## Print each target of the generator and what SURVEY reached
	@$(POVMON) calibration --survey "$$SURVEY"

forms: $(STAMP) ## Write the Excel workbooks that provinces fill in (AREA: one area's)
	@$(POVMON) forms --survey "$$SURVEY" --area "$$AREA"

audit-score: $(STAMP) ## Score the audit of SURVEY on planted errors (PLANTED=log.csv, CHECK=1)
	@$(POVMON) generate --survey "$$SURVEY"
	@$(POVMON) audit-score --survey "$$SURVEY" --planted "$$PLANTED" --jobs "$$JOBS" \
		$${CHECK:+--check}

codebook: $(STAMP) ## Write the codebook of the forms and indicators (HTML and CSV)
	@$(POVMON) codebook

rules: $(STAMP) ## Write the catalogue of audit rules (HTML and CSV), with the findings of SURVEY
	@$(POVMON) rules --survey "$$SURVEY"

lab: $(STAMP) ## Open JupyterLab on the notebooks, with the demo survey made (NO_BROWSER=1)
	@$(POVMON) lab $${NO_BROWSER:+--no-browser}

notebook: $(STAMP) ## Open the executed notebook of AREA to explore (REPORT=audit or plan, FRESH=1)
	@$(POVMON) notebook --survey "$$SURVEY" --area "$${AREA:?say which: make notebook AREA=wumeng}" \
		--report "$${REPORT:-indicators}" $${FRESH:+--fresh} $${NO_BROWSER:+--no-browser}

test: lint ## Check style and types, and run the tests that take minutes at most
	@$(PYTHON) -m pytest -n auto --dist worksteal -m "not slow"

test-all: lint ## Run every test, also the slow ones (notebooks, browser)
	@POVMON_EXAMPLES=thorough $(PYTHON) -m pytest -n auto --dist worksteal

lint: $(STAMP) ## Check style (ruff) and types (mypy)
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

strip: $(STAMP) ## Remove outputs and traces of a run from the notebooks, as they are committed
	@$(PYTHON) tools/strip_notebooks.py notebooks/*/*.ipynb

git-diff: $(STAMP) ## Let git diff of this checkout show notebooks as text, without outputs
	@git config diff.ipynb.textconv '$(PYTHON) tools/strip_notebooks.py --show'
	@echo "git diff and git log -p now show notebooks cell by cell (undo: git config --remove-section diff.ipynb)."

bench: $(STAMP) ## Measure SURVEY from nothing, with nothing to do, and with one area changed
	@$(POVMON) bench --survey "$$SURVEY" --area "$$AREA"

bench-estimate: $(STAMP) ## Measure the estimation core, against svy and the memory's speed
	@$(PYTHON) benchmarks/estimate.py

bench-audit: $(STAMP) ## Measure intake and audit of SURVEY and of a register (HOUSEHOLDS=3000000)
	@$(PYTHON) -m benchmarks.audit --survey "$$SURVEY" --area "$$AREA" $${HOUSEHOLDS:+--households "$$HOUSEHOLDS"}

bench-scale: $(STAMP) ## Estimate a generated register in bounded memory (HOUSEHOLDS=30000000)
	@$(PYTHON) -m benchmarks.scale $${HOUSEHOLDS:+--households "$$HOUSEHOLDS"}

bench-pipeline: $(STAMP) ## Measure SURVEY's pages against the plain Jupyter commands (TIMES=3; CHECK=1)
	@$(PYTHON) -m benchmarks.pipeline --survey "$$SURVEY" --area "$$AREA" $${TIMES:+--times "$$TIMES"} $${CHECK:+--check}

bench-cluster: $(STAMP) ## Compare one core, all cores and a Dask cluster (HOUSEHOLDS=4000000)
	@$(PYTHON) -m benchmarks.ladder $${HOUSEHOLDS:+--households "$$HOUSEHOLDS"}

coverage: $(STAMP) ## Measure how often intervals hold the truth: docs/coverage.md (some minutes)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PYTHON) -m benchmarks.coverage

font: $(STAMP) ## Make the package's fonts again (SOURCE=path of Noto Sans CJK)
	@$(PYTHON) tools/subset_font.py "$${SOURCE:?give SOURCE=path of a NotoSansCJK-*.ttc}"

lock: ## Write requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --python-version 3.11 --extra test --extra bench \
		--extra cluster \
		pyproject.toml --output-file requirements.lock

clean: ## Remove what the pipeline made: data/processed and reports (data/raw stays)
	@rm -rf -- $(ROOT)/data/processed $(ROOT)/reports

distclean: clean ## Remove .venv and the caches as well
	@rm -rf -- .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/stamp: requirements.lock pyproject.toml tools/venv.sh
	@sh tools/venv.sh "$$PYTHON3"

build/conda-stamp: pyproject.toml
	@$(PYTHON) -m pip install --quiet --no-deps --no-build-isolation -e .
	@mkdir -p build && touch build/conda-stamp
