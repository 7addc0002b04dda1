# make app     installs what is needed, once, and opens the app
# make test    the same for the tests
# make check   format, lint, types, import floors and tests
# make clean   throws away what was installed and cached

# The Python to use, where python3 is not the one; any of 3.11 or newer.
PYTHON =
# An address of package pages to look at besides the usual ones; README.md says what it is for.
TORCH_INDEX =
# More options: make app ARGS="--server.port 8600", make test ARGS="-k text".
ARGS =

export PYTHON TORCH_INDEX
.DEFAULT_GOAL = help
.PHONY: help app test check lint setup setup-dev clean

help:
	@sed -n 's/^# \(make [a-z]*  .*\)/\1/p' Makefile

app: setup
	@.venv/bin/python -m streamlit run app.py $(ARGS)

# Browser tests want the computer to themselves. Status 5: ARGS chose none of this half.
test: setup-dev
	@.venv/bin/python -m pytest -n auto -m "not browser" $(ARGS) || [ $$? -eq 5 ]
	@.venv/bin/python -m pytest -m browser $(ARGS) || [ $$? -eq 5 ]

check: lint test

lint: setup-dev
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m ruff check .
	.venv/bin/python -m mypy
	.venv/bin/lint-imports

setup:
	@sh tools/environment app

setup-dev:
	@sh tools/environment dev

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache test-results
