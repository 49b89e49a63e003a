# Every target sets up what it needs by itself: Debian packages of the host (as root), and a
# virtual environment of the project's own. Nothing is installed into the system's Python.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONWARNINGS := ignore
export PYTHONDONTWRITEBYTECODE := 1

# A fresh host may still be busy with its own first updates: wait for them.
APT_GET := DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600
HOST_PACKAGES := python3-venv python3-dev gcc systemd-container debootstrap iproute2 nftables \
	dpkg-dev util-linux pacemaker-cli-utils resource-agents sip-tester dash postgresql
PY_DIRS := _utils _modules _states _runners lab tests bench docs
TYPED := _utils lab

.PHONY: help demo test lint lint-truth unit functional browser lab-test bench venv host docs spm clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: venv host ## Bring up two nodes, apply the formula, make a drift, switch over
	$(BIN)/python -m lab.demo

test: lint unit functional browser lab-test ## Everything

lint: venv ## Style, types, templates, shell
	$(BIN)/ruff check $(PY_DIRS)
	$(BIN)/ruff format --check $(PY_DIRS)
	MYPYPATH=_utils $(BIN)/mypy $(TYPED)
	$(BIN)/yamllint --strict .
	$(BIN)/salt-lint $$(git ls-files 'fsha/*.sls' 'fsha/*.jinja')
	for shell in sh dash bash; do \
		$(BIN)/shellcheck --external-sources --shell=$$shell fsha/files/FSSofia fsha/files/*.sh fsha/files/ocf/* || exit 1; done
	$(BIN)/shellcheck .ci/run findings/*.sh lab/files/*/usr/local/sbin/lab-address

unit: venv host ## The library without Salt, the stand-in, the init script
	$(BIN)/pytest -n 4 tests/unit

functional: venv host ## States with Salt's loader on a CIB in a file
	$(BIN)/pytest -n 2 tests/functional

test browser: HOST_PACKAGES += chromium fonts-dejavu-core
browser: venv host ## The report in headless Chromium; FSHA_SCREENSHOTS names where its pictures go
	$(BIN)/pytest -n 2 tests/browser

lab-test: venv host ## Two real nodes, in two labs side by side
	$(BIN)/pytest -v -n 2 tests/lab

CIBS ?=
lint-truth: venv host ## What fsha.lint says against crm_simulate; CIBS names files and folders of CIBs
	$(BIN)/python -m tests.truth $(CIBS)

bench: HOST_PACKAGES += strace
bench: venv host ## Figures, side by side in one run
	$(BIN)/python -m bench

docs: venv ## Generate docs/pillar.md and fsha/parameters/defaults.yaml
	$(BIN)/python docs/make_pillar.py

spm: venv ## Build the formula's package into build/
	rm -rf build && mkdir -p build/fsha
	git archive HEAD | tar --extract --directory build/fsha
	printf 'spm_build_dir: %s\n' $(CURDIR)/build > build/spm
	$(BIN)/spm --config-dir=build build build/fsha

venv: $(VENV)/.done

$(VENV)/.done: requirements.lock
	@if ! $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
		$(APT_GET) update -qq && $(APT_GET) install -y -qq python3-venv python3-dev gcc; fi
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.lock
	@touch $@

host:
	@missing=$$(for p in $(HOST_PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		echo "installing on this machine:" $$missing; \
		$(APT_GET) update -qq && $(APT_GET) install -y -qq --no-install-recommends $$missing >/dev/null; fi

clean: ## Remove the lab, the virtual environment and what was built
	if [ -x $(BIN)/python ]; then $(BIN)/python -m lab down; fi
	rm -rf $(VENV) build
