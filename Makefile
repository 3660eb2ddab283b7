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

CODE := shared upload random delete images edit web authorize uploads receive notify reconcile audit local bundle costs
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: run test sam-test check bench bench-quick bench-cold contract mutants reliability measure costs soak deploy reconcile audit openapi screenshots lock clean

run: $(VENV)/run.installed  ## petAPI on http://127.0.0.1:$(PORT), with its data in $(DATA)
	@exec $(BIN)/python -m local

test: $(VENV)/test.installed  ## all tests
	$(BIN)/python -m pytest -n auto

sam-test: $(VENV)/test.installed $(SAM_VENV)/sam.installed  ## the same over the real SAM CLI; needs Docker
	@PYTHONPATH=.:upload:random:delete:images:edit:web:authorize:uploads:receive:notify $(BIN)/python tests/sam_local.py $(abspath $(SAM_VENV))/bin/sam

check: $(VENV)/test.installed  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)

bench: $(VENV)/test.installed  ## docs/reference/performance.md: petAPI against four other designs, and each request; a quarter of an hour
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/service.py
	$(BIN)/python benchmarks/report.py

bench-quick: $(VENV)/test.installed  ## fails if a request costs more units or round trips than it did
	$(BIN)/python benchmarks/quick.py

bench-cold: $(VENV)/test.installed  ## CPU time of cold starts from .aws-sam/build, against stock boto3
	$(BIN)/python benchmarks/cold.py

contract: $(VENV)/test.installed  ## thousands of requests, made from openapi.yaml; each answer has to be as it says
	$(BIN)/python tests/contract.py

mutants: $(VENV)/test.installed  ## drop each condition of the transactions once; the tests have to notice
	$(BIN)/python tests/mutants.py

reliability: $(VENV)/test.installed  ## docs/reference/reliability.md: inject every fault at every AWS call
	PYTHONPATH=.:upload:random:delete:images:edit:web:authorize:uploads:receive:notify:tests:tests/faults $(BIN)/python tests/faults/reliability.py

measure: $(VENV)/test.installed  ## the figures of the README
	$(BIN)/python benchmarks/measure.py

costs: $(VENV)/test.installed  ## what a month costs on AWS; OPTIONS="--draws 1e8 --mode cdn"; writes costs/README.md
	@$(BIN)/python -m costs --write $(OPTIONS)

soak: $(VENV)/test.installed  ## 32 clients on one label for SECONDS, twice; then everything has to be exact
	$(BIN)/python benchmarks/soak.py

openapi: $(VENV)/test.installed  ## web/openapi.json from openapi.yaml
	$(BIN)/python tests/openapi_json.py

screenshots: $(VENV)/test.installed  ## docs/images/page*.png, made by the browser's tests
	PETAPI_SCREENSHOTS=docs/images $(BIN)/python -m pytest -q tests/test_page.py

reconcile: $(VENV)/run.installed  ## find and mend images without pictures and pictures without images
	$(BIN)/python -m reconcile

audit: | $(VENV)/bin/python  ## draw N images of LABEL from the petAPI at URL; fails if it does not draw as it says
	$(BIN)/python -m audit $(LABEL) $(N) $(URL)

deploy: $(SAM_VENV)/sam.installed  ## build, validate and deploy with the AWS credentials of the environment
	$(SAM_VENV)/bin/sam validate --lint
	$(SAM_VENV)/bin/sam build
	$(SAM_VENV)/bin/sam deploy --guided

lock: $(VENV)/test.installed  ## lock the dependencies of pyproject.toml anew
	$(BIN)/pip install --quiet uv
	$(LOCK) --group run --output-file requirements/run.txt
	$(LOCK) --group layer --constraint requirements/run.txt --output-file requirements/layer.txt
	$(LOCK) --group upload --constraint requirements/run.txt --output-file requirements/upload.txt
	$(LOCK) --group receive --constraint requirements/run.txt --output-file requirements/receive.txt
	$(LOCK) --group images --constraint requirements/run.txt --output-file requirements/images.txt
	$(LOCK) --group authorize --constraint requirements/run.txt --output-file requirements/authorize.txt
	$(LOCK) --group notify --constraint requirements/run.txt --output-file requirements/notify.txt
	$(LOCK) --group test --constraint requirements/run.txt --output-file requirements/test.txt
	$(LOCK) --group sam --output-file requirements/sam.txt

# `sam build` calls these, from elsewhere: in a copy of the code, perhaps in a container.
HERE := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
build-%:
	@PYTHONPATH=$(HERE) PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m bundle $* $(ARTIFACTS_DIR)

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

$(VENV)/%.installed: requirements/%.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
