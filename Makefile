# Two commands do all the set-up: `make run` and `make test`. Without make: README.md.
PYTHON ?= python3
PORT ?= 8000
PYTEST ?=
PY := .venv/bin/python
MANAGE := $(PY) manage.py
TRAIN ?= --dataset mnist --architecture compact --augment --activate
EVALUATE ?= --full --write --model-card docs/model-card.md
TRAIN_FAST ?= --dataset mnist --architecture quick --epochs 2 --no-augment --learning-rate 0.004 --label-smoothing 0.02

.PHONY: run test browser-ready train train-fast fonts evaluate bench check format superuser demo help

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: .venv/ready  ## set up and start the site on http://127.0.0.1:8000
	DEBUG=1 $(MANAGE) migrate --verbosity 0 --skip-checks
	DEBUG=1 $(MANAGE) install_pretrained
	DEBUG=1 $(MANAGE) runserver 127.0.0.1:$(PORT)

test: .venv/ready-dev browser-ready  ## set up and run the whole test suite (PYTEST="-k name" for a part)
	$(PY) -m pytest $(PYTEST)

train: .venv/ready  ## train the site's network (TRAIN="..." for other options)
	DEBUG=1 $(MANAGE) migrate --verbosity 0 --skip-checks
	DEBUG=1 $(MANAGE) train_model $(TRAIN)

train-fast: .venv/ready  ## train a small network in about a minute
	DEBUG=1 $(MANAGE) migrate --verbosity 0 --skip-checks
	DEBUG=1 $(MANAGE) train_model $(TRAIN_FAST)

fonts:  ## fetch fonts of handwriting for train_model --dataset fonts (npm; DIGITS_DATA_DIR=folder)
	@test -d "$(DIGITS_DATA_DIR)" || { echo "Say where the data sets lie: make fonts DIGITS_DATA_DIR=folder" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "npm was not found. Install Node.js (Debian: apt install npm) and run make fonts again." >&2; exit 1; }
	@set -e; packed=$$(mktemp -d); trap 'rm -rf "$$packed"' EXIT; \
	xargs npm pack --loglevel error --pack-destination "$$packed" < fixtures/handwriting_fonts.txt > /dev/null; \
	for pack in "$$packed"/*.tgz; do tar -xzf "$$pack" -C "$$packed" || exit 1; done; \
	found=$$(ls "$$packed"/package/files/*-latin-400-normal.woff | wc -l); \
	test "$$found" -eq "$$(wc -l < fixtures/handwriting_fonts.txt)" \
	|| { echo "Only $$found of the fonts in fixtures/handwriting_fonts.txt came; none was kept. Run make fonts again." >&2; exit 1; }; \
	mkdir -p "$(DIGITS_DATA_DIR)/fonts"; cp "$$packed"/package/files/*-latin-400-normal.woff "$(DIGITS_DATA_DIR)/fonts"; \
	echo "$$found fonts lie in $(DIGITS_DATA_DIR)/fonts."

evaluate: .venv/ready  ## examine the active model; write report, plots and model card (DIGITS_DATA_DIR=folder)
	DEBUG=1 $(MANAGE) migrate --verbosity 0 --skip-checks
	DEBUG=1 $(MANAGE) install_pretrained --verbosity 0
	DEBUG=1 $(MANAGE) evaluate_model $(EVALUATE)

bench: .venv/ready-dev  ## measure, and write docs/benchmarks.md
	$(PY) -m tests.benchmarks

check: .venv/ready-dev  ## lint, types, import rules, migrations; changes nothing
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	.venv/bin/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	.venv/bin/djlint --lint --quiet templates
	DEBUG=1 $(MANAGE) makemigrations --check --dry-run

format: .venv/ready-dev  ## put code and templates in order
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	.venv/bin/djade --target-version 5.2 $$(git ls-files 'templates/*.html') || true

superuser: .venv/ready  ## make an account for the admin
	DEBUG=1 $(MANAGE) migrate --verbosity 0 --skip-checks
	DEBUG=1 $(MANAGE) createsuperuser

demo: .venv/ready  ## fill the site with sample predictions
	DEBUG=1 $(MANAGE) migrate --verbosity 0 --skip-checks
	DEBUG=1 $(MANAGE) install_pretrained
	DEBUG=1 $(MANAGE) loaddata sample_predictions

.venv/ready: requirements.txt requirements/serve.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 run" if sys.version_info < (3, 11) else 0)'
	@test -x $(PY) || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "The virtual environment could not be made. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/ready-dev: .venv/ready requirements/dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

# The browser tests drive the system's Chromium; where there is none, Playwright brings its own.
browser-ready: .venv/ready-dev
	@command -v chromium chromium-browser google-chrome >/dev/null || $(PY) -m playwright install chromium \
	|| { echo "No Chromium was found. Install one (Debian: apt install chromium) and run make test again." >&2; exit 1; }
