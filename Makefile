# Shanlu: `make demo` plans the bundled county's day, `make test` passes the tests; both set everything up first.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup demo test lint bench bench-service clean

setup: $(VENV)/.setup-done

$(VENV)/.setup-done: pyproject.toml constraints.txt
	$(PYTHON) -m venv "$(VENV)"
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	"$(BIN)/python" -m routing.solver.precompile
	touch "$@"

demo: setup
	"$(BIN)/python" -m api.cli demo

test: setup
	"$(BIN)/python" -m pytest --numprocesses 2 --cov --cov-report term:skip-covered

lint: setup
	"$(BIN)/python" -m ruff check .
	"$(BIN)/python" -m ruff format --check .
	"$(BIN)/python" -m mypy
	"$(BIN)/lint-imports"

bench: setup
	"$(BIN)/python" -m benchmarks.acceptance synthetic small --seeds 1-3

bench-service: setup
	"$(BIN)/python" -m benchmarks.service

clean:
	rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
