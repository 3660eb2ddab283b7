# petAPI's commands; `make help` lists them. `make run` and `make test` need Python 3.11 or later and nothing else.
VENV ?= .venv
SAM_VENV ?= .venv-sam
CLIENTS_VENV ?= .venv-clients
CHECKOV_VENV ?= .venv-checkov
NOTEBOOK_VENV ?= .venv-notebook
PYTHON ?= python3
export PORT ?= 3000
export DATA ?= .local
export SECONDS ?= 60
export DRY REBUILD KEY RATE STACK PARAMETERS CONFIG_ENV
export STOPS ?= 200
# Of `make test-all`: one more than cores, because slow tests wait for servers, disks and clocks, too.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
N ?= 20000
URL ?= $(or $(PETAPI_URL),http://127.0.0.1:$(PORT))

# The functions' folders, as template.yaml lists them. Modules are imported from them and from this folder.
FUNCTIONS := $(shell sed -n 's|.*CodeUri: \(.*\)/$$|\1|p' template.yaml)
CODE := shared $(FUNCTIONS) tools costs client
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

# What `make run` recognises pictures and searches with, unless you choose otherwise: `make run ENCODER=none` needs none.
LITE0 := $(VENV)/lite0/lite0.onnx
NEEDED := $(if $(filter lite0,$(or $(ENCODER),lite0) $(RECOGNISER)),$(LITE0))

.PHONY: help run token deploy-check env search-check smoke sam audit import export reconcile corpus corpus-fetch check test test-all sam-test http-test checkov contract clients mutants soak reliability
.PHONY: bench bench-quick bench-cold latency worst measure measure-models measure-search measure-mosaic measure-run costs openapi notebook screenshots old-data lock deploy clean

help:  ## List all targets
	@awk -F ':.*##@? *' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' Makefile

##@ Use petAPI on this machine
run: $(VENV)/run.installed $(NEEDED)  ## Serve petAPI on port PORT (3000), with the data in the folder DATA (.local)
	@exec $(BIN)/python -m tools.local

token: $(VENV)/run.installed  ## Print a token for `make run TOKENS=1`, of SUBJECT (me) with the scopes in SCOPE
	@$(BIN)/python -m tools.local.print_token

audit: $(VENV)/client.installed  ## Draw N images of LABEL from the petAPI at URL; fail if the draws are not fair
	@$(if $(LABEL),,echo 'Name a label that has images: make audit LABEL=boat' >&2; exit 2;) \
	  $(BIN)/petapi audit '$(LABEL)' -n '$(N)' --url '$(URL)'

import: $(VENV)/client.installed  ## Upload the pictures of FOLDER under LABEL; OPTIONS="--dry-run" and URL
	@$(if $(and $(FOLDER),$(LABEL)),,echo 'Name a folder and a label: make import FOLDER=photos LABEL=cat' >&2; exit 2;) \
	  $(BIN)/petapi import '$(FOLDER)' --label '$(LABEL)' --url '$(URL)' $(OPTIONS)

export: $(VENV)/client.installed  ## Save all pictures of LABEL, and their weights, in the empty folder FOLDER; URL
	@$(if $(and $(FOLDER),$(LABEL)),,echo 'Name a label and a folder: make export LABEL=cat FOLDER=backup' >&2; exit 2;) \
	  $(BIN)/petapi export '$(LABEL)' '$(FOLDER)' --url '$(URL)' $(OPTIONS)

reconcile: $(VENV)/run.installed  ## Find and repair what disagrees in bucket, tables, index; DRY=1, REBUILD=, KEY=label/name, RATE=10
	@$(BIN)/python -m tools.reconcile

##@ Deploy it to AWS
deploy: export BUILDS = 1
deploy: deploy-check $(SAM_VENV)/sam.installed  ## Validate, build and deploy; STACK=petapi PARAMETERS="Stage=second"; CONFIG_ENV=ci asks nothing
	$(SAM_VENV)/bin/sam validate --lint
	$(SAM_VENV)/bin/sam build
	$(SAM_VENV)/bin/sam deploy $(if $(CONFIG_ENV),--config-env "$$CONFIG_ENV",--guided) \
	  $(if $(STACK),--stack-name "$$STACK") $(if $(PARAMETERS),--parameter-overrides "$$PARAMETERS")
	-git tag "deployed/$(or $(STACK),petapi)/$$(date -u +%Y%m%dT%H%M%SZ)"  # for docs/how-to/operate.md, "Roll back"

deploy-check: $(VENV)/run.installed  ## Ask AWS whether a deploy would fail halfway; STACK=petapi PARAMETERS="Stage=second"
	@$(BIN)/python -m tools.deploy_check

env: $(VENV)/run.installed  ## Print an --env-vars file for `sam local`, from the outputs of the stack STACK
	@$(BIN)/python -m tools.sam_env '$(STACK)'

search-check: $(VENV)/run.installed  ## Try on AWS what the searches of the stack STACK need: its index and its model
	@$(BIN)/python -m tools.search_check '$(STACK)'

smoke: $(VENV)/client.installed  ## Try the deployed petAPI at URL: upload, draw, read, delete; TOKEN=, LABEL=cat
	@URL='$(if $(filter-out file,$(origin URL)),$(URL))' LABEL='$(or $(LABEL),cat)' $(BIN)/python -m tools.smoke

sam: $(SAM_VENV)/sam.installed  ## Install the SAM CLI into .venv-sam

costs: $(VENV)/test.installed  ## Compute a month's costs into costs/README.md; OPTIONS="--draws 1e8 --mode cdn"
	@$(BIN)/python -m costs --write $(OPTIONS)

##@ Check a change
check: $(VENV)/test.installed  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=.:client$(shell printf ':%s' $(FUNCTIONS)) $(BIN)/mypy $(CODE)

test: $(VENV)/test.installed  ## Test everything that petAPI promises; 4 minutes
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-all: $(VENV)/test.installed  ## Run all tests: also faults, thousands of scenarios, browser, soak and mutants; 22 minutes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

sam-test: $(VENV)/test.installed $(SAM_VENV)/sam.installed  ## Build with the SAM CLI, and test over `sam local`; needs Docker
	@$(BIN)/python -m tests.sam_local $(abspath $(SAM_VENV))/bin/sam

http-test: $(VENV)/test.installed  ## Run the HTTP tests on the petAPI at URL, a stack of their own; TESTS=tests/api/test_http.py
	@$(BIN)/python -m tests.http_tests '$(if $(filter-out file,$(origin URL)),$(URL))' $(TESTS)

checkov: $(VENV)/test.installed $(CHECKOV_VENV)/checkov.installed  ## Look for what is insecure in template.yaml; fail if its reason is not there
	@$(BIN)/python -m tests.checkov $(abspath $(CHECKOV_VENV))/bin/checkov

contract: $(VENV)/test.installed  ## Send thousands of requests made from openapi.yaml; fail if a response breaks it
	$(BIN)/python -m tests.contract

clients: $(VENV)/test.installed $(CLIENTS_VENV)/clients.installed  ## Generate clients and use them, lint openapi.yaml; needs Node.js 20.19 or 22.12
	$(BIN)/python -m tests.clients $(abspath $(CLIENTS_VENV))

mutants: $(VENV)/test.installed  ## Drop each condition of the transactions once; fail if the tests do not notice
	$(BIN)/python -m tests.mutants

reliability: $(VENV)/test.installed  ## Inject every fault at every AWS call; write docs/reference/reliability.md
	$(BIN)/python -m tests.reliability

soak: $(VENV)/test.installed  ## Let 32 clients use one label for SECONDS (60), twice, and stop STOPS (200) times; fail if inexact
	$(BIN)/python -m tools.benchmarks.soak

corpus: $(VENV)/test.installed  ## Send all files of DIR through petAPI; fail if a picture is damaged or shown otherwise; URL=
	@$(BIN)/python -m tools.corpus '$(DIR)' $(if $(filter-out file,$(origin URL)),--url '$(URL)') $(OPTIONS)

corpus-fetch: $(VENV)/run.installed  ## Bring the sample pictures of some packages into .corpus, for tests; 100 MB
	$(BIN)/python -m tools.corpus.fetch

##@ Measure
bench: $(VENV)/test.installed  ## Compare petAPI with four other designs, for docs/reference/performance.md; 15 minutes
	$(BIN)/python -m tools.benchmarks.compare
	$(BIN)/python -m tools.benchmarks.service
	$(BIN)/python -m tools.benchmarks.report

bench-quick: $(VENV)/test.installed  ## Fail if a request costs more read units, write units or round trips than before
	$(BIN)/python -m tools.benchmarks.quick

worst: $(VENV)/test.installed  ## Fail if the heaviest pictures that are taken, or a bomb, cost more than their bound; 3 minutes
	$(BIN)/python -m tools.benchmarks.worst

bench-cold: $(VENV)/test.installed  ## Fail if a cold start of what `sam build` made is too slow; WRITE=1 keeps the figures
	$(BIN)/python -m tools.benchmarks.cold

latency: $(VENV)/test.installed  ## Model how long requests take in AWS, for docs/reference/performance.md; 5 minutes
	$(BIN)/python -m tools.benchmarks.latency

measure: $(VENV)/test.installed  ## Measure the other figures of docs/reference/performance.md; 2 minutes
	$(BIN)/python -m tools.benchmarks.measure

measure-models: $(VENV)/test.installed  ## Measure what lite0 takes and finds, for docs/reference/performance.md; a minute
	$(BIN)/python -m tools.benchmarks.lite0_costs

measure-search: $(VENV)/test.installed  ## Measure what indexing and searching take, for the same page; a minute
	$(BIN)/python -m tools.benchmarks.search_costs

measure-run: $(VENV)/test.installed  ## Compare draws a second of `make run` with those of the checkout BEFORE; 3 minutes
	@$(if $(BEFORE),,echo 'Name another checkout: make measure-run BEFORE=../before' >&2; exit 2;) \
	  $(BIN)/python -m tools.benchmarks.run_draws '$(BEFORE)'

measure-mosaic: $(VENV)/test.installed  ## Measure mosaics, for the same page, and draw docs/images/mosaic.jpg; a minute
	$(BIN)/python -m tools.benchmarks.mosaic_costs

##@ Keep files up to date
openapi: $(VENV)/test.installed  ## Write web/openapi.json from openapi.yaml
	$(BIN)/python -m tools.openapi_json

notebook: $(VENV)/test.installed $(LITE0) $(NOTEBOOK_VENV)/notebook.installed  ## Execute docs/client.py on a petAPI of its own, and write docs/client.ipynb; 2 minutes
	$(BIN)/python -m tools.notebook $(abspath $(NOTEBOOK_VENV))/bin/python

screenshots: $(VENV)/test.installed  ## Take docs/images/page*.png; needs Chromium
	PETAPI_SCREENSHOTS=docs/images $(BIN)/python -m pytest -q tests/page/test_screenshots.py

old-data: $(VENV)/test.installed  ## Archive the data folder of this version in tests/data; COMMIT=<another commit>
	$(BIN)/python -m tests.make_old_data $(COMMIT)

lock: $(VENV)/test.installed  ## Lock the newest versions of the dependencies in requirements/
	$(BIN)/pip install --quiet uv
	$(LOCK) --group run --output-file requirements/run.txt
	$(LOCK) --group client --constraint requirements/run.txt --output-file requirements/client.txt
	for group in layer models $(filter $(FUNCTIONS),$(patsubst requirements/%.txt,%,$(wildcard requirements/*.txt))) test; do \
	  $(LOCK) --group $$group --constraint requirements/run.txt --constraint requirements/client.txt \
	    --output-file requirements/$$group.txt || exit; done
	$(LOCK) --group sam --output-file requirements/sam.txt
	$(LOCK) --group clients --output-file requirements/clients.txt
	$(LOCK) --group checkov --output-file requirements/checkov.txt
	$(LOCK) --group notebook --constraint requirements/run.txt --constraint requirements/client.txt \
	  --output-file requirements/notebook.txt
	cd tests/clients && npm update --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean:  ## Remove what these targets made, except the data of `make run`
	rm -rf $(VENV) $(SAM_VENV) $(CLIENTS_VENV) $(CHECKOV_VENV) $(NOTEBOOK_VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .aws-sam

# `sam build` calls these from another folder, in a copy of the code, perhaps in a container.
HERE := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
build-%:
	@PYTHONPATH=$(HERE) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m tools.bundle $* $(ARTIFACTS_DIR)

# The lock is complete; without --no-deps, pip would ask for the hashes of packages with extras once more.
$(SAM_VENV)/sam.installed: requirements/sam.txt | $(VENV)/bin/pip
	@$(BIN)/python -m venv $(SAM_VENV)
	@$(SAM_VENV)/bin/python -m tools.install $< --no-deps
	@touch $@

$(CLIENTS_VENV)/clients.installed: requirements/clients.txt | $(VENV)/bin/pip
	@$(BIN)/python -m venv $(CLIENTS_VENV)
	@$(CLIENTS_VENV)/bin/python -m tools.install $<
	@touch $@

$(CHECKOV_VENV)/checkov.installed: requirements/checkov.txt | $(VENV)/bin/pip
	@$(BIN)/python -m venv $(CHECKOV_VENV)
	@$(CHECKOV_VENV)/bin/python -m tools.install $<
	@touch $@

$(NOTEBOOK_VENV)/notebook.installed: requirements/notebook.txt client/pyproject.toml | $(VENV)/bin/pip
	@$(BIN)/python -m venv $(NOTEBOOK_VENV)
	@$(NOTEBOOK_VENV)/bin/python -m tools.install $<
	@touch $@

# venv installs pip last. An environment without it is incomplete, and the next call completes it.
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "petAPI needs Python 3.11 or later. Name one: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "$(PYTHON) cannot create virtual environments. On Debian or Ubuntu, install what is missing: apt install python3-venv" >&2; exit 1; }
	@echo "Creating the virtual environment $(VENV) with $$($(PYTHON) --version)." >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/%.installed: requirements/%.txt | $(VENV)/petapi.installed
	@$(BIN)/python -m tools.install $<
	@touch $@

$(VENV)/client.installed $(VENV)/test.installed: client/pyproject.toml  # both have the client, as it stands there

$(VENV)/models.installed: | $(VENV)/run.installed  # or else two pips would install at the same time

$(LITE0): $(VENV)/models.installed $(wildcard tools/models/*)
	@$(BIN)/python -m tools.models $(@D)

# A file of paths in the virtual environment names the folders that Python imports our modules from.
$(VENV)/petapi.installed: template.yaml | $(VENV)/bin/pip
	@printf '%s\n' $(patsubst %,'$(CURDIR)/%',. $(FUNCTIONS)) \
	  >"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/petapi.pth"
	@touch $@
