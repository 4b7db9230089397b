# pluginkit. `make help` lists what there is; everything sets itself up in .venv.

.DEFAULT_GOAL := help
.PHONY: help run test check lint format types floors smoke coverage pythons lowest wheel docs soak bench changelog clean
.DELETE_ON_ERROR:
.PRECIOUS: .venv-%/.test
MAKEFLAGS += --no-print-directory

# The tests see what users have: bytecode is written, nothing is slipped in.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME

# Both must pass; .venv may be either of them, or another.
PYTHONS := 3.11 3.13
OLDEST := $(firstword $(PYTHONS))

# -qq: errors only. Registries may warn, and nobody reads it.
PIP_INSTALL := -m pip install -qq
STEP := @bash .ci/step.sh
WORKERS ?= auto
PYTEST := -m pytest -q --numprocesses $(WORKERS) --dist loadgroup
# For example: make test ARGS="-k reload"
ARGS ?=

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

run: .venv/.run ## Start the host of config.yaml with the plugins of plugins/
	@.venv/bin/pluginkit run $(ARGS)

test: .venv/.test ## Run the tests (ARGS="-k name" for some of them)
	@.venv/bin/python $(PYTEST) $(ARGS)

check: lint types floors smoke coverage pythons lowest wheel ## Everything that must hold before a change lands

lint: .venv/.dev ## ruff: rules and format
	$(STEP) "ruff check" .venv/bin/ruff check --quiet
	$(STEP) "ruff format" .venv/bin/ruff format --check --quiet
	$(STEP) "house rules" .venv/bin/python .ci/house_rules.py

format: .venv/.dev ## Let ruff mend what it can
	@.venv/bin/ruff check --fix --quiet
	@.venv/bin/ruff format

types: .venv/.dev ## mypy --strict and pyright
	$(STEP) "mypy --strict" .venv/bin/mypy
	$(STEP) "pyright" .venv/bin/pyright

floors: .venv/.dev ## import-linter: rooms import from lower floors only
	$(STEP) "floors" .venv/bin/lint-imports --no-logo

smoke: .venv/.run ## The sample host, as where there is no terminal: it must end by itself
	$(STEP) "make run" $(MAKE) run < /dev/null

coverage: .venv/.test ## The tests, with branch coverage and a gate for each room
	$(STEP) "tests" .venv/bin/python $(PYTEST) --cov --cov-report=term --cov-report=json:coverage.json
	$(STEP) "coverage" .venv/bin/python .ci/coverage_gate.py coverage.json

pythons: .venv/.test ## The tests on every Python that must pass
	@for version in $(PYTHONS); do \
	    case "$$(.venv/bin/python -V)" in \
	        "Python $$version."*) echo "=== Python $$version is that of .venv" ;; \
	        *) $(MAKE) test-$$version || exit 1 ;; \
	    esac; \
	done

test-%: .venv-%/.test
	$(STEP) "tests on Python $*" .venv-$*/bin/python $(PYTEST) $(ARGS)

lowest: .venv-lowest/.test ## The tests with the lowest allowed versions of the dependencies
	$(STEP) "tests with the lowest versions" .venv-lowest/bin/python $(PYTEST) -m "not install" $(ARGS)

wheel: .venv/.dev ## Build sdist and wheel, and try the wheel in a clean environment
	$(STEP) "wheel" .venv/bin/python .ci/wheel_trial.py

docs: .venv/.test ## Run every example of README.md, docs/ and the docstrings
	@.venv/bin/python $(PYTEST) tests/docs $(ARGS)

soak: .venv/.test ## The stress tests in full length
	$(STEP) "soak" env PLUGINKIT_SOAK=1 .venv/bin/python $(PYTEST) -m soak $(ARGS)

bench: .venv/.bench ## Measure against the budgets, into docs/benchmarks.md
	@for script in tests/benchmarks/bench_*.py; do .venv/bin/python $$script || exit 1; done

changelog: .venv/.dev ## Gather changelog.d/ into CHANGELOG.md for the version of pyproject.toml
	@.venv/bin/python $(PIP_INSTALL) --group release
	@.venv/bin/towncrier build --yes

clean: ## Remove environments, caches and what was built
	rm -rf .venv .venv-* .*_cache .hypothesis .coverage coverage.json build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Environments. Each stamp says what its environment holds; pyproject.toml makes them old.

.venv/.made: .ci/python.sh .ci/venv.sh
	@bash .ci/venv.sh .venv 3.11+
	@touch $@

.venv/.run: .venv/.made pyproject.toml
	@echo "Installing pluginkit into .venv"
	@.venv/bin/python $(PIP_INSTALL) --editable ".[rich]"
	@touch $@

.venv/.test: .venv/.run
	@echo "Installing what the tests need into .venv"
	@.venv/bin/python $(PIP_INSTALL) --group test
	@touch $@

.venv/.dev: .venv/.test
	@echo "Installing the checkers into .venv"
	@.venv/bin/python $(PIP_INSTALL) --group dev
	@touch $@

.venv/.bench: .venv/.test
	@echo "Installing what the benchmarks measure beside into .venv"
	@.venv/bin/python $(PIP_INSTALL) --group bench
	@touch $@

.venv-lowest/.test: pyproject.toml .ci/lowest.py .ci/python.sh .ci/venv.sh
	@bash .ci/venv.sh .venv-lowest $(OLDEST)
	@.venv-lowest/bin/python .ci/lowest.py pyproject.toml > .venv-lowest/constraints.txt
	@.venv-lowest/bin/python $(PIP_INSTALL) --constraint .venv-lowest/constraints.txt \
	    --editable ".[rich]" --group test
	@touch $@

.venv-%/.test: pyproject.toml .ci/python.sh .ci/venv.sh
	@bash .ci/venv.sh .venv-$* $*
	@.venv-$*/bin/python $(PIP_INSTALL) --editable ".[rich]" --group test
	@touch $@
