# Vedette. `make run` on a fresh machine: environment, page, demo. `make test`: everything that CI checks.
# Needs only Python >= 3.11 and make; the rest is fetched, pinned and hashed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := .venv/bin
STEP := scripts/step.sh
PAGE := src/vedette/console/static/index.html
PAGE_SOURCES := $(shell find web -path web/node_modules -prune -o -type f -print)
CODE := src tests scripts
WORKERS ?= 2
SECONDS_EACH ?= 300
COUNT ?= 350
EVALUATION ?= evaluation

.PHONY: help run install page page-check test lint format types unit lock notices nightly bench model screenshot wheel gate evaluation clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(BIN)/.run $(PAGE) ## start the demo; ARGS="--config vedette.toml" starts a real station
	@$(BIN)/vedette run $(ARGS)

install: $(BIN)/.run $(PAGE) ## everything `make run` needs, without starting

page: $(PAGE) ## build the web page into the package

test: $(BIN)/.test $(PAGE) ## lint, types, page check and all tests
	@scripts/counterparts.sh
	@$(MAKE) lint types page-check unit

lint: $(BIN)/.test ## ruff: rules and format; what people read
	@$(STEP) "ruff check" $(BIN)/ruff check $(CODE)
	@$(STEP) "ruff format" $(BIN)/ruff format --check $(CODE)
	@$(STEP) "words" $(BIN)/vedette check-templates

format: $(BIN)/.test ## let ruff format the code
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

types: $(BIN)/.test ## mypy --strict
	@$(STEP) "mypy --strict" $(BIN)/mypy

page-check: $(PAGE) ## tsc over the page's source, and its own tests
	@scripts/page.sh check

# Compiled first, once: two workers that compile the same kernel at a time may mix up its files.
unit: $(BIN)/.test $(PAGE) ## the tests alone; TESTS=tests/wire narrows, WORKERS=1 runs them in line
	@$(STEP) "kernels" $(BIN)/vedette warm
	@$(BIN)/pytest -n $(WORKERS) $(TESTS)

gate: $(BIN)/.run ## a small frozen set of encounters; fails, in a sentence, if warnings got worse
	@$(STEP) "gate" $(BIN)/vedette evaluate --gate --workers $(WORKERS)

evaluation: $(BIN)/.run ## the whole report, an hour or more: EVALUATION=folder, COUNT=350, WORKERS=2
	@mkdir -p $(EVALUATION)
	@$(BIN)/vedette evaluate --count $(COUNT) --workers $(WORKERS) --days 30 --trouble all --without all \
	--keep $(EVALUATION)/kept.jsonl --json $(EVALUATION)/evaluation.json --report $(EVALUATION)/evaluation.html \
	>/dev/null

bench: $(BIN)/.run ## the figures: one JSON object for each benchmark
	@for name in odid sapient-detections beast asterix cot lines; do $(BIN)/vedette bench decode --format $$name; done
	@for name in log latency "latency --flood 20000" sweep "tracker --targets 10000"; do $(BIN)/vedette bench $$name; done
	@made=$$(mktemp -d); trap 'rm -rf "$$made"' EXIT; \
	for seed in 1 2 3 4; do $(BIN)/vedette bench case "$$made/$$seed" --seed $$seed >/dev/null; done; \
	$(BIN)/vedette bench tracker "$$made/1"; $(BIN)/vedette bench accuracy "$$made"/*

nightly: $(BIN)/.test ## fuzz each decoder for SECONDS_EACH seconds, then by coverage; the tracker's properties
	@$(STEP) "Python packages for fuzzing" $(BIN)/pip install --require-hashes --requirement requirements/fuzz.txt
	@scripts/nightly.sh $(SECONDS_EACH)

model: $(BIN)/.run ## fit the risk model anew: TOOL=threat_bench.py (the shared bench), WORK=folder; about an hour
	@scripts/fit_model.sh "$(TOOL)" "$(WORK)"

screenshot: $(BIN)/.test $(PAGE) ## docs/demo.png from a running demo
	@$(STEP) "picture of the demo" $(BIN)/python scripts/demo_picture.py docs/demo.png

notices: $(BIN)/.test $(PAGE) ## write THIRD_PARTY_NOTICES from what is installed
	@$(BIN)/python scripts/notices.py

lock: $(BIN)/.test ## resolve requirements/*.in anew; UPGRADE=1 takes the newest versions
	@$(STEP) "pip-tools" $(BIN)/pip install --require-hashes --requirement requirements/lock.txt
	@scripts/lock.sh $(if $(UPGRADE),--upgrade)

wheel: $(BIN)/.run $(PAGE) ## dist/vedette-*.whl, the page inside
	@rm -rf build
	@$(STEP) "wheel" $(BIN)/pip wheel --no-deps --no-build-isolation --wheel-dir dist .

clean: ## remove what these targets made (not state/)
	@rm -rf .venv web/node_modules src/vedette/console/static build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .test-state
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@scripts/venv.sh

# Each stamp stands for one set of requirements; the project itself is installed last, from this folder.
$(BIN)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@$(STEP) "Python packages" $(BIN)/pip install --require-hashes --requirement requirements/run.txt
	@$(STEP) "vedette itself" $(BIN)/pip install --no-deps --no-build-isolation --editable .
	@touch $@

# taky comes as source only: pip builds it apart (--use-pep517), with build tools that carry no hashes.
# That is why it stays a tool of the tests and never reaches a station.
$(BIN)/.test: requirements/test.txt $(BIN)/.run
	@$(STEP) "Python packages for the tests" $(BIN)/pip install --use-pep517 --require-hashes --requirement requirements/test.txt
	@touch $@

$(PAGE): $(PAGE_SOURCES) scripts/page.sh | $(BIN)/python
	@scripts/page.sh
	@touch $@
