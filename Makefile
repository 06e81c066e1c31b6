# Every target sets up what it needs by itself: Python 3.11+, pip and make are enough to begin with.
PYTHON ?= python3
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
UV := .tools/bin/uv
RUN := .venv/bin
WORKSPACE ?= demo-workspace
PORT ?= 8000

.PHONY: demo test check test-e2e test-faults test-spark bench bench-full format clean help

help:            ## what there is
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: .venv/.ready  ## open a fictional company to step into; the others and the real data are one click away
	$(RUN)/nobishiro demo --workspace $(WORKSPACE) --serve --port $(PORT)

test: .venv/.ready  ## the fast tests
	$(RUN)/python -m pytest -q -n 2 --dist loadfile

check: .venv/.ready  ## style, types, direction of imports
	$(RUN)/ruff format --check src tests benchmarks
	$(RUN)/ruff check src tests benchmarks
	NOBISHIRO_WORKSPACE=.tools/check-workspace $(RUN)/mypy
	$(RUN)/lint-imports

test-e2e: .venv/.ready-e2e  ## the report in a real browser
	sh scripts/need chromium
	$(RUN)/python -m pytest -q -m e2e

test-faults: .venv/.ready  ## processes killed, disks filled, slow properties, the pages on a real PostgreSQL
	$(RUN)/python -m pytest -q -m "faults or slow"
	$(RUN)/python scripts/on_postgresql.py $(RUN)/python -m pytest -q -n 2 --dist loadfile tests/web

test-spark: .venv/.ready-spark  ## the same results on a real local Spark
	sh scripts/need java
	$(RUN)/python -m pytest -q -m spark

bench: .venv/.ready-bench  ## every benchmark on a tenth of the data, peers in the same run
	sh scripts/bench tenth

bench-full: .venv/.ready-bench  ## the same on 30 million lines
	sh scripts/bench full

format: .venv/.ready
	$(RUN)/ruff format src tests benchmarks
	$(RUN)/ruff check --fix src tests benchmarks

# uv lives apart from the environment it manages; --target works without the venv module and on managed systems
$(UV):
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Nobishiro needs Python 3.11 or later; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools uv

.venv/.ready: pyproject.toml uv.lock $(UV)
	$(UV) sync --quiet --frozen --inexact --python $(PYTHON) --extra web
	@touch $@

.venv/.ready-e2e: .venv/.ready
	$(UV) sync --quiet --frozen --inexact --python $(PYTHON) --extra web --group e2e
	@touch $@

.venv/.ready-spark: .venv/.ready
	$(UV) sync --quiet --frozen --inexact --python $(PYTHON) --extra web --extra spark
	@touch $@

.venv/.ready-bench: .venv/.ready
	$(UV) sync --quiet --frozen --inexact --python $(PYTHON) --extra web --group bench
	@touch $@

clean:
	rm -rf .venv .tools demo-workspace .mypy_cache .ruff_cache .pytest_cache .hypothesis
