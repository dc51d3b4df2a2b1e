# Two commands: `make run` opens the app, `make test` checks everything. Both set up what they need.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PORT ?= 8501

.PHONY: run test install clean
.DEFAULT_GOAL := run

run: .venv/installed.txt
	@$(BIN)/python -m core first-steps --port $(PORT)
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: .venv/installed-test.txt
	.ci/browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --junitxml=build/tests.xml

install: .venv/installed.txt

# pip's own list of what is in .venv; made again when the requirements change. An install that was cut short
# leaves .venv/unfinished behind, and the next one unpacks every package again.
.venv/installed.txt: requirements.txt | .venv/bin/pip
	$(pip-install)

.venv/installed-test.txt: requirements-test.txt requirements.txt | .venv/bin/pip
	$(pip-install)

define pip-install
@echo "Installing $< into .venv; the first time takes some minutes and 6 GB."
@again=; [ ! -e .venv/unfinished ] || again=--ignore-installed; touch .venv/unfinished; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$again -r $<
@$(BIN)/python -m pip freeze > $@
@rm -f .venv/unfinished
endef

.venv/bin/pip:
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "MaskDesk needs Python 3.11 or newer; say which: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "Python lacks venv; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
