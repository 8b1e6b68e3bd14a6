# Everything here is a plain command that the README shows too.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# What Python has compiled is kept, whatever the machine says: tests start the bot hundreds of times.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test soak coverage bench lint fix words lock clean

demo: .venv/.runtime ## the whole bot on this machine: no account, no token, no money
	$(BIN)/python -m bot demo $(ARGS)

test: lint .venv/conformance/.installed ## what CI runs
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: .venv/.dev .venv/conformance/.installed ## branches reached in process; bots that tests start are not counted
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage report

soak: .venv/.dev ## half an hour of crashes: 30,000 simulated lives, a thousand real kills; and the largest clips
	$(BIN)/python -m pytest -m slow
	$(BIN)/python -m tests.simulation --runs 30000
	$(BIN)/python -m tests.matrix --crowds 105 --pairs 330

bench: .venv/.dev .venv/runtime/.installed .venv/conformance/.installed ## ours beside a floor or a peer, in one run
	$(BIN)/python -m tests.bench $(ARGS)

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

words: .venv/.dev ## what is to be translated, into the translators' files, and what the bot reads of them
	$(BIN)/pybabel -q extract -k say -k many:1,2 -k mark --no-default-keywords --no-location --omit-header --width 100 \
		-o bot/locale/bot.pot bot cogs
	for language in de es; do $(BIN)/pybabel -q update -i bot/locale/bot.pot -d bot/locale -D bot -l $$language \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 100; done
	$(BIN)/pybabel -q compile -d bot/locale -D bot

lock: .venv/.dev ## exact pins with hashes; needs uv
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-config \
		pyproject.toml -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-config \
		pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-config \
		tests/conformance/requirements.in -o tests/conformance/requirements.txt

# What runs in production, without the development tools, for honest figures.
.venv/runtime/.installed: requirements.txt | .venv/bin/python
	$(PYTHON) -m venv .venv/runtime
	.venv/runtime/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	touch $@

# The video service's official client, away from ours: its pins are its own.
.venv/conformance/.installed: tests/conformance/requirements.txt | .venv/bin/python
	$(PYTHON) -m venv .venv/conformance
	.venv/conformance/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis animate-demo

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "animate-bot needs Python 3.11 or newer, and $(PYTHON) is not. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.runtime: requirements.txt pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes -r requirements.txt
	touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	$(PIP) --require-hashes -r requirements-dev.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@
