# Two commands do everything: `make demo` and `make test`. Both make .venv first, from the lock file.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed

# What works through thousands of cases or kills processes runs first, without the weight of coverage.
LONG   := tests/crash tests/connector/test_two_deaths.py tests/connector/test_faults.py tests/connector/test_sick_database.py \
          tests/adapters/test_decode_fuzz.py tests/policies/test_properties.py tests/policies/test_calendars.py \
          tests/policies/test_could_matter.py tests/policies/test_hundred_lives.py

.PHONY: demo test format lock clean

demo: $(READY)
	$(BIN)/uptier demo

test: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest --no-header tests/benchmarks/bench_*.py
	$(BIN)/pytest --no-header --numprocesses 4 $(LONG)
	$(BIN)/pytest --numprocesses 4 --dist loadgroup --cov --cov-report=term:skip-covered $(addprefix --ignore=,$(LONG))

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The lock is universal, carries hashes, and names no index. Run this after changing pyproject.toml.
lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra postgres --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --output-file requirements.lock

$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
