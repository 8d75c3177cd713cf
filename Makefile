# make demo   environment, installation, and the main figure on real training: learning-curves.png
# make test   the test suite, but for what is marked slow (make test-all: everything)
# make docs   the documentation, every example executed: docs/_build/html/index.html
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow test-all fuzz mutants lint bench docs clean

demo: $(VENV)/installed
	$(BIN)/quadflow figure learning-curves --output learning-curves.png

test: $(VENV)/installed
	$(BIN)/pytest -n auto -m "not slow"

test-slow: $(VENV)/installed
	$(BIN)/pytest -n auto -m slow

test-all: $(VENV)/installed
	$(BIN)/pytest -n auto

# make fuzz N=10000 SEED=1: hostile calls of every command
N ?= 1000
SEED ?= 0
fuzz: $(VENV)/installed
	$(BIN)/python -m tools.fuzz --count $(N) --seed $(SEED)

# make mutants COUNT=200 SEED=1, and OPTIONS="--package dynamics": do the tests notice changes of the code?
COUNT ?= 200
mutants: $(VENV)/installed
	$(BIN)/python -m tools.mutants --count $(COUNT) --seed $(SEED) $(OPTIONS)

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

bench: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev,bench]' --constraint constraints.txt
	$(BIN)/python -m benchmarks

# make docs JOBS=8: each of them takes up to a gigabyte
JOBS ?= 2
docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev,docs]' --constraint constraints.txt
	$(BIN)/pytest -n auto tests/test_docs.py tests/test_doc_directives.py tests/test_reference.py
	$(BIN)/sphinx-build --jobs $(JOBS) --fail-on-warning --keep-going --quiet docs docs/_build/html
	$(BIN)/python docs/extensions/check_links.py docs/_build/html
	$(BIN)/python docs/extensions/check_search.py docs/_build/html
	$(BIN)/python docs/extensions/check_width.py docs/_build/html

clean:
	rm -rf docs/_build docs/auto_gallery docs/reference/generated
	rm -rf $(VENV) build dist .mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch $@
