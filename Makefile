# make train: set up, then train and evaluate on the built-in sample set.  make test: set up, then every check.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: train test

train: .venv
	$(BIN)/python tools/train_net.py --config configs/ava/avslowfast.yaml --sample

test: .venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

# The stamp makes a half-finished set-up start again, and a changed setup.py install again.
.PHONY: .venv
.venv: .venv/installed

.venv/installed: setup.py
	@echo "Installing avdet and what it needs into .venv: some minutes and 5 GB the first time"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python tools/check_install.py
	touch $@
