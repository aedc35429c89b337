# make train: sets up, then trains and evaluates on the synthetic data set. make test: sets up, then runs every check.
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

# The stamp is written last, so an interrupted set-up starts again. New dependencies or a new version install again.
.PHONY: .venv
.venv: .venv/installed

.venv/installed: pyproject.toml avdet/__init__.py
	@echo "Installing avdet and its dependencies into .venv: some minutes and 5 GB the first time"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python tools/check_install.py
	touch $@
