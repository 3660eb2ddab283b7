# petAPI: what people call. `make run` and `make test` need Python 3.11 or later and nothing else.
VENV ?= .venv
SAM_VENV ?= .venv-sam
PYTHON ?= python3
export PORT ?= 3000
export DATA ?= .local
export SECONDS ?= 60
LABEL ?= cat
N ?= 20000
URL ?= http://127.0.0.1:$(PORT)

# Each function's folder, as template.yaml lists them: what the code is imported from, beside this folder.
FUNCTIONS := $(shell sed -n 's|.*CodeUri: \(.*\)/$$|\1|p' template.yaml)
CODE := shared $(FUNCTIONS) tools costs
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: run test sam-test check bench bench-quick bench-cold contract mutants reliability measure costs soak deploy reconcile audit openapi screenshots lock clean

run: $(VENV)/run.installed  ## petAPI on http://127.0.0.1:$(PORT), with its data in $(DATA)
	@exec $(BIN)/python -m tools.local

test: $(VENV)/test.installed  ## all tests
	$(BIN)/python -m pytest -n auto

sam-test: $(VENV)/test.installed $(SAM_VENV)/sam.installed  ## the same over the real SAM CLI; needs Docker
	@$(BIN)/python -m tests.sam_local $(abspath $(SAM_VENV))/bin/sam

check: $(VENV)/test.installed  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=.$(shell printf ':%s' $(FUNCTIONS)) $(BIN)/mypy $(CODE)

bench: $(VENV)/test.installed  ## docs/reference/performance.md: petAPI against four other designs, and each request; a quarter of an hour
	$(BIN)/python -m tools.benchmarks.compare
	$(BIN)/python -m tools.benchmarks.service
	$(BIN)/python -m tools.benchmarks.report

bench-quick: $(VENV)/test.installed  ## fails if a request costs more units or round trips than it did
	$(BIN)/python -m tools.benchmarks.quick

bench-cold: $(VENV)/test.installed  ## CPU time of cold starts from .aws-sam/build, against stock boto3
	$(BIN)/python -m tools.benchmarks.cold

contract: $(VENV)/test.installed  ## thousands of requests, made from openapi.yaml; each answer has to be as it says
	$(BIN)/python -m tests.contract

mutants: $(VENV)/test.installed  ## drop each condition of the transactions once; the tests have to notice
	$(BIN)/python -m tests.mutants

reliability: $(VENV)/test.installed  ## docs/reference/reliability.md: inject every fault at every AWS call
	$(BIN)/python -m tests.reliability

measure: $(VENV)/test.installed  ## the figures of the README
	$(BIN)/python -m tools.benchmarks.measure

costs: $(VENV)/test.installed  ## what a month costs on AWS; OPTIONS="--draws 1e8 --mode cdn"; writes costs/README.md
	@$(BIN)/python -m costs --write $(OPTIONS)

soak: $(VENV)/test.installed  ## 32 clients on one label for SECONDS, twice; then everything has to be exact
	$(BIN)/python -m tools.benchmarks.soak

openapi: $(VENV)/test.installed  ## web/openapi.json from openapi.yaml
	$(BIN)/python -m tools.openapi_json

screenshots: $(VENV)/test.installed  ## docs/images/page*.png, made by the browser's tests
	PETAPI_SCREENSHOTS=docs/images $(BIN)/python -m pytest -q tests/page/test_page.py

reconcile: $(VENV)/run.installed  ## find and mend images without pictures and pictures without images
	$(BIN)/python -m tools.reconcile

audit: | $(VENV)/bin/python  ## draw N images of LABEL from the petAPI at URL; fails if it does not draw as it says
	$(BIN)/python -m tools.audit $(LABEL) $(N) $(URL)

deploy: $(SAM_VENV)/sam.installed  ## build, validate and deploy with the AWS credentials of the environment
	$(SAM_VENV)/bin/sam validate --lint
	$(SAM_VENV)/bin/sam build
	$(SAM_VENV)/bin/sam deploy --guided

lock: $(VENV)/test.installed  ## lock the dependencies of pyproject.toml anew
	$(BIN)/pip install --quiet uv
	$(LOCK) --group run --output-file requirements/run.txt
	for group in layer $(filter $(FUNCTIONS),$(patsubst requirements/%.txt,%,$(wildcard requirements/*.txt))) test; do \
	  $(LOCK) --group $$group --constraint requirements/run.txt --output-file requirements/$$group.txt || exit; done
	$(LOCK) --group sam --output-file requirements/sam.txt

# `sam build` calls these, from elsewhere: in a copy of the code, perhaps in a container.
HERE := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
build-%:
	@PYTHONPATH=$(HERE) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m tools.bundle $* $(ARTIFACTS_DIR)

clean:  ## what the targets made, but not the data of `make run`
	rm -rf $(VENV) $(SAM_VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .aws-sam

# The lock is complete; pip would ask it for the hashes of packages with extras once more.
$(SAM_VENV)/sam.installed: requirements/sam.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(SAM_VENV)
	$(SAM_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "petAPI needs Python 3.11 or later; name one: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.installed: requirements/%.txt | $(VENV)/petapi.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Python finds our modules by a file of paths in the virtual environment; the folders are those of template.yaml.
$(VENV)/petapi.installed: template.yaml | $(VENV)/bin/python
	@printf '%s\n' $(patsubst %,'$(CURDIR)/%',. $(FUNCTIONS)) \
	  >"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/petapi.pth"
	@touch $@
