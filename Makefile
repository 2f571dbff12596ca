# Everything here needs only make, git and Python 3.11 (or newer) with venv.
PYTHON ?= python3
BIN := .venv/bin
SAM := .venv-sam/bin/sam
# Environments of their own, since what they need is no part of the product: the SAM CLI, the scanner,
# the fuzzer, the AWS CLI and CDK. What is in them says package/*.in.
TOOLS := sam scan fuzz aws cdk
# Part of Lambda's own Python, so not packaged: boto3's parts that Powertools and X-Ray ask for.
IN_RUNTIME := botocore jmespath python-dateutil six urllib3
# The tests that start no embedded AWS, in three processes. Processes that each import one part are
# done sooner than workers that each import all.
ADAPTERS := tests/aws tests/docs tests/lambdas tests/template
STEPS := tests/decide tests/enforce tests/faults tests/fuzz tests/gates tests/meter

export SAM_CLI_TELEMETRY := 0
# Hundreds of processes would each compile all that they import.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup sandbox demo test test-fast soak adapter-tests step-tests other-tests end-to-end-tests test-browser lint types docs picture package release bench scan satellite lock clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: .venv/installed ## install the command line into .venv/bin/quota-enforcer

sandbox: setup ## an embedded AWS with the whole product in it, until Ctrl-C
	@$(BIN)/quota-enforcer sandbox

demo: setup ## run the whole product on the embedded AWS
	@$(BIN)/quota-enforcer demo

# The longest first and few at once, so that two processors are busy until the end.
test: setup ## lint, types, the manual, and all tests (template checks are among them)
	@$(MAKE) --jobs=3 lint end-to-end-tests other-tests adapter-tests types step-tests docs

test-fast: setup ## lint, types, and the tests that start no embedded AWS
	@HYPOTHESIS_PROFILE=quick $(MAKE) --jobs=3 other-tests adapter-tests types step-tests lint

adapter-tests: setup
	$(BIN)/pytest -q $(ADAPTERS)

step-tests: setup
	$(BIN)/pytest -q $(STEPS)

other-tests: setup
	$(BIN)/pytest -q $(foreach other,tests/end_to_end $(ADAPTERS) $(STEPS),--ignore $(other))

# Each file is one worker's; which are begun first, says their conftest.py. Two workers, each with
# an embedded AWS of its own, whose start and first deployment take as long as ten tests.
end-to-end-tests: setup
	$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests/end_to_end

soak: setup .venv-fuzz/installed ## every fault of every call, every interleaving of two functions, any input; twelve minutes of one processor
	FAULTS=all HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -q -n 2 tests/faults tests/fuzz
	HYPOTHESIS_PROFILE=deep $(BIN)/pytest -q -n 2 -m hypothesis --ignore tests/end_to_end --ignore tests/faults --ignore tests/fuzz
	@mkdir -p .build
	for reader in record item; do \
		PYTHONPATH=src .venv-fuzz/bin/python tests/fuzz/guided.py $$reader -max_total_time=60 -rss_limit_mb=1024 \
			-artifact_prefix=.build/ -verbosity=0 || exit; \
	done

test-browser: setup ## the report's page and the console in a headless Chromium; root gets Debian's installed
	@tests/browser/chromium.sh
	$(BIN)/pytest tests/browser

lint: setup ## lint, formatting, and which package may import which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo

types: setup ## static types
	$(BIN)/mypy

docs: setup ## the manual as a site in .build/docs, with pages that the code writes; a broken link fails
	$(BIN)/python docs/from_code.py
	$(BIN)/sphinx-build -W --keep-going -n -q docs .build/docs

picture: setup ## draw the pictures of the manual: the demo as a terminal shows it, what limits would have done, the report and the console in a Chromium
	$(BIN)/python docs/pictures/draw.py
	$(BIN)/python docs/pictures/limits.py
	PYTHONPATH=tests/support $(BIN)/python tests/support/sample_report.py
	$(BIN)/python docs/pictures/shoot.py

package: setup .venv-sam/installed ## validate the template and build the packages, as for `sam deploy`
	$(SAM) validate --lint
	PYTHON=$(CURDIR)/$(BIN)/python $(SAM) build
	rm -rf .build/bare && $(PYTHON) -m venv --without-pip .build/bare
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(CURDIR)/.aws-sam/build/MeterFunction .venv-sam/bin/cyclonedx-py environment .build/bare/bin/python \
		--pyproject pyproject.toml --output-reproducible \
		| $(BIN)/python package/bill.py src/requirements.txt .aws-sam/bill.cdx.json

release: package .venv-aws/installed .venv-cdk/installed ## wheel, stack that needs no build, bill of materials and checksums in .build/release, and try them
	rm -rf .build/release
	$(BIN)/uv build --quiet --wheel --no-build-isolation --out-dir .build/release
	$(BIN)/python package/release.py .build/release
	$(BIN)/pytest -q tests/release

scan: .venv-scan/installed ## ask a static scanner about the templates; what is skipped has its reason in package/scan*.yaml
	.venv-scan/bin/checkov --config-file package/scan.yaml
	.venv-scan/bin/checkov --config-file package/scan-satellite.yaml

bench: setup ## print how fast it is and how many AWS calls it makes
	@$(BIN)/python bench

satellite: setup ## put the code of a satellite's functions into satellite.yaml
	$(BIN)/python package/weave.py

lock: setup ## renew what is locked: requirements.lock, src/requirements.txt, package/*.lock
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["lambda"], sep="\n")' \
		| $(BIN)/uv pip compile - --constraint requirements.lock --python-version 3.14 \
		--generate-hashes --no-header --no-annotate --quiet \
		$(IN_RUNTIME:%=--no-emit-package %) --output-file src/requirements.txt
	for tool in $(TOOLS); do \
		$(BIN)/uv pip compile package/$$tool.in --universal --python-version 3.11 --upgrade \
			--generate-hashes --no-header --no-annotate --quiet --output-file package/$$tool.lock || exit; \
	done

clean: ## remove everything that can be made again
	rm -rf .venv $(TOOLS:%=.venv-%) .import_linter_cache .aws-sam .build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock >.venv/uv.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
	$(BIN)/uv pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --editable .
	touch $@

$(TOOLS:%=.venv-%/installed): .venv-%/installed: .venv/installed package/%.lock
	$(PYTHON) -m venv .venv-$*
	$(BIN)/uv pip sync --quiet --python .venv-$* --require-hashes package/$*.lock
	touch $@
