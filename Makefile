# Two commands for a fresh machine: `make lock` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: lock own-lock test lint types network rehearsal applications recipes docs-data fuzz measure trace mutation clean

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

docs-data: $(VENV)/.dev  ## the pages of docs/ that are made from data
	$(BIN)/python tools/make_docs.py

fuzz: $(VENV)/.dev  ## 10,000 mutated inputs, and 200 as processes (2 minutes)
	RDNA1_LOCK_FUZZ=10000 RDNA1_LOCK_FUZZ_PROCESSES=200 $(BIN)/python -m pytest -n auto tests/property/test_fuzz.py

measure: $(VENV)/.dev  ## the size and shape of the code, as a table
	$(BIN)/python tools/measure.py

trace: $(VENV)/.dev  ## the way of one requirement through the modules
	$(BIN)/python tools/trace_requirement.py

mutation: $(VENV)/.dev  ## change the code in small ways; how many changes do tests notice? (long)
	$(BIN)/python tools/mutation.py

clean:
	rm -rf $(VENV) build dist
