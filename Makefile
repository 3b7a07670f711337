# Two commands for a fresh machine: `make lock` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: lock own-lock test lint types check network rehearsal applications recipes clean

lock: $(VENV)/.tool  ## set up, then make (or confirm) the default lock
	$(BIN)/rdna1-lock resolve

test: $(VENV)/.dev  ## set up, then run the tests that need no network
	$(BIN)/python -m pytest -n auto

network: $(VENV)/.dev  ## the tests that need the package index
	$(BIN)/python -m pytest -m network --run-network

own-lock: $(VENV)/.tool  ## the lock that Nix builds the tool from, after a change of dependencies
	$(BIN)/rdna1-lock resolve -r pyproject.toml --group backend --portable --output-dir locks/rdna1-lock-cp310

rehearsal: $(VENV)/.dev  ## the sweep with the real torch 1.13.1 on the processor (0.9 GB, once)
	$(BIN)/python -m pytest -m torch --run-torch tests/sweep

applications: $(VENV)/.dev  ## run packages beside the real torch 1.13.1, write records and table (long)
	$(BIN)/python -m tools.applications --write $(ARGS)

recipes: $(VENV)/.dev  ## the recipes, and the packages that facts are most about, as they are locked
	$(BIN)/python -m pytest -m torch --run-torch --run-network tests/network

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

$(VENV)/.tool: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.tool
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

clean:
	rm -rf $(VENV) build dist
