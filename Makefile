# Two commands do everything: `make demo` and `make test`. Both make .venv first, from the lock file.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed

.PHONY: demo test bench growth coverage storm undo-storm prove words trace site format lock clean

demo: $(READY)
	$(BIN)/uptier demo

test: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest --no-header tests/benchmarks/bench_*.py
	$(BIN)/pytest --numprocesses 4 --dist loadgroup

# Product and peers back to back on this machine, five times; it takes about an hour and renews RESULTS.md.
# BEFORE=REV measures an older commit too. Redis is the machine's own (redis-server); without it that peer is left out.
PEERS = build/peers/bin/python
bench: $(READY)
	test -x $(PEERS) || $(PYTHON) -m venv build/peers
	$(PEERS) -m pip install --quiet --disable-pip-version-check fastapi uvicorn celery redis packaging httpx
	$(BIN)/python -m tests.benchmarks.bench --runs $(or $(RUNS),5) --peers $(PEERS) $(if $(BEFORE),--before $(BEFORE)) --write

# What a tick, a look and a page cost with 10,000, 100,000 and 1,000,000 known tickets; TICKETS=10000,100000 for less.
growth: $(READY)
	$(BIN)/python -m tests.benchmarks.growth $(if $(TICKETS),--tickets $(TICKETS)) --write

# Which lines no test runs. It takes half as long again, so it is read now and then.
coverage: $(READY)
	$(BIN)/pytest --numprocesses 4 --dist loadgroup --cov --cov-report=term:skip-covered

# A long storm of odd answers on each helpdesk; `make test` has a short one.
storm: $(READY)
	$(BIN)/python -m tests.storm.storm --mutations 1000
	$(BIN)/python -m tests.storm.storm --told

# Five hundred escalations on each helpdesk are undone; `make test` undoes a few.
undo-storm: $(READY)
	UPTIER_STORM=500 $(BIN)/pytest -k storm --timeout=1800 tests/connector/test_undo_of_many.py

# Towns of tickets are lived beside the service, archived and played: the backtest says what the service did. Ten thousand
# tickets a helpdesk take hours; `make test` has some. TICKETS=1000 for less, MINUTES=30 ends after that.
prove: $(READY)
	$(BIN)/python -m tests.connector.equal $(if $(TICKETS),--tickets $(TICKETS)) $(if $(MINUTES),--minutes $(MINUTES))

# The catalogues of the pages, renewed from the templates and the sources.
words: $(READY)
	$(BIN)/python -m tests.connector.console.catalogue

# What one escalation runs through: files, functions, calls.
trace: $(READY)
	$(BIN)/python -m tests.trace

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The locks are universal, carry hashes, and name no index: all of it, what builds the wheel, what an installation needs.
# Run this after changing pyproject.toml.
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate
lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) --extra postgres --extra pdf --group dev --output-file requirements.lock
	$(COMPILE) --extra postgres --extra pdf --constraint requirements.lock --output-file requirements.runtime.lock
	$(BIN)/uv pip compile --group build --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --output-file requirements.build.lock

# The documentation as a site, in build/site: pages that need nothing from elsewhere.
site: $(READY)
	$(BIN)/sphinx-build -W --keep-going -q -b html docs build/site

# The bill of materials of an installation, as CycloneDX, in uptier.cdx.json.
sbom:
	test -x build/sbom/bin/python || $(PYTHON) -m venv build/sbom
	build/sbom/bin/python -m pip install --quiet 'cyclonedx-bom>=7,<8'
	build/sbom/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
	  --output-file uptier.cdx.json requirements.runtime.lock

# What is published: a bill of materials, and an image whose base is named by its digest.
release: sbom
	@case '$(BASE)' in *@sha256:*) ;; *) echo 'say which base: make release BASE=python:3.13-slim@sha256:DIGEST' >&2; exit 2;; esac
	docker build --build-arg BASE='$(BASE)' --tag uptier .

# The lock is whole, so nothing is left to resolve: some releases of pip look past a pin where an extra is asked for.
$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
