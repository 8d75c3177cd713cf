# make demo   environment, installation, and the main figure on real training: learning-curves.png
# make test   the whole test suite
# make docs   the documentation, every example executed: docs/_build/html/index.html
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench docs clean

demo: $(VENV)/installed
	$(BIN)/quadflow figure learning-curves --output learning-curves.png

test: $(VENV)/installed
	$(BIN)/pytest -n auto

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev,bench]' --constraint constraints.txt
	$(BIN)/python -m benchmarks

docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev,docs]' --constraint constraints.txt
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build/html
	$(BIN)/python docs/extensions/check_links.py docs/_build/html

clean:
	rm -rf docs/_build docs/auto_gallery docs/reference/generated
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch $@
