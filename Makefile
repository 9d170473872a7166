# Tapedeck. `make run` and `make test` set up everything they need; `make help` lists the rest.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
SEEDS ?= 100
FIRST ?= 0
RATES ?=

# Tests start hundreds of processes: what they load is compiled once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test coverage lint format sim endurance sim-mutants bench setup-run setup-test need-python need-programs lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup-run ## set up everything and serve on 127.0.0.1:3002 (PORT, TAPEDECK_DATA_DIR, ... as in config.toml)
	@exec "$(BIN)/tapedeck" serve

# Files go to the workers in the order of their names: those that start servers first, the many short ones of tests/unit last.
# Four workers on two cores: those that start servers mostly wait. The simulation never does, and its tests go one by one.
test: setup-test lint need-programs ## set up everything and pass all tests
	@"$(BIN)/python" -m pytest -n 4 --dist loadfile --no-loadscope-reorder --ignore=tests/simulation tests
	@"$(BIN)/python" -m pytest -n 2 tests/simulation

coverage: setup-test ## measure what the tests reach that run in one process with the code; at least 85 per cent
	@export COVERAGE_FILE=$$(mktemp -d)/coverage && trap 'rm -rf "$$(dirname $$COVERAGE_FILE)"' EXIT && \
		"$(BIN)/python" -m pytest -n 2 --dist loadfile --cov --cov-report= tests/unit tests/contract tests/integration && \
		"$(BIN)/coverage" report --fail-under=85 --format=total

lint: setup-test ## formatting, lint, types, import rules, locks
	@"$(BIN)/ruff" format --check -q .
	@"$(BIN)/ruff" check -q .
	@"$(BIN)/mypy"
	@said=$$("$(BIN)/lint-imports" --no-cache 2>&1) || { printf '%s\n' "$$said"; exit 1; }
	@! grep -n '://' requirements*.lock || { echo 'a lock holds a URL'; exit 1; }

format: setup-test ## format the code
	@"$(BIN)/ruff" check -q --fix . ; "$(BIN)/ruff" format -q .

sim: setup-test ## run the simulation: SEEDS=100 FIRST=0, or SEED=n for one story (RATES="webhook.lost=1 ..." are not drawn)
	@"$(BIN)/python" -m tests.simulation $(if $(SEED),--seed $(SEED) --rates "$(RATES)",--seeds $(SEEDS) --first $(FIRST))

sim-mutants: setup-test ## take out the rules one by one, and see that the simulation notices; SEARCH=200 looks for new seeds, with RATES
	@"$(BIN)/python" -m tests.simulation.mutate $(if $(SEARCH),--search $(SEARCH) --first $(FIRST) --rates "$(RATES)")

endurance: setup-test ## run real servers under changing faults and kills, and compare what is left: SECONDS=60 SEED=1
	@"$(BIN)/python" -m tests.acceptance.endurance --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1)

bench: setup-test ## measure ratios against bare mechanisms and other libraries; benchmarks/README.md says what
	@for name in broadcast memory recovery signing simulation start sweep upload; do "$(BIN)/python" -m benchmarks.$$name; done

setup-run: need-python
	@$(PYTHON) scripts/bootstrap.py run

setup-test: need-python
	@$(PYTHON) scripts/bootstrap.py test

need-python:
	@test -n "$(PYTHON)" || { echo 'tapedeck needs Python 3.11 or newer; set PYTHON to one' >&2; exit 1; }

# The README's tour is tested as it stands, with curl, and the pages in a browser.
need-programs:
	@missing=$$(for p in curl chromium; do command -v $$p > /dev/null || echo $$p; done); test -z "$$missing" || { \
		sudo=$$(test "$$(id -u)" = 0 || echo sudo); \
		$$sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -q $$missing; }

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header -q --group build -o requirements.lock
	uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header -q --group build --group dev -o requirements-dev.lock

clean: ## remove the environment and all caches, but never data
	rm -rf .venv .venv.lock .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
