# Everything a developer does here, each with its own set-up: "make" alone lists it.
# The first run of any target makes .venv and installs jobfleet and its tools there; later runs use it.

VENV := .venv
PYTHON := $(VENV)/bin/python
# Named for where the checkout is: after a move its environment is made anew.
INSTALLED := $(VENV)/installed-$(shell pwd -P | cksum | cut -d ' ' -f 1)

# What a developer's shell exports must not change what is installed or tested.
unexport PYTHONPATH PYTHONHOME PIP_USER PIP_REQUIRE_VIRTUALENV PIP_TARGET

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench bench-tenants bench-scrape soak dashboards pictures clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(INSTALLED) ## a whole fleet on this machine for a minute, with its own servers
	@$(VENV)/bin/jobfleet demo

test: $(INSTALLED) ## every test but the long ones, on servers that the tests start
	@$(PYTHON) -m pytest -q -n 3 --dist loadscope --no-loadscope-reorder

lint: $(INSTALLED) ## ruff and mypy
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) .ci/types

format: $(INSTALLED) ## mend what ruff can mend
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

bench: $(INSTALLED) ## measure the broker; PEERS=yes beside all others too, BENCH="..." for more (BENCH=--help lists it)
	@$(if $(PEERS),$(PYTHON) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[bench]")
	@$(PYTHON) benchmarks/run.py $(if $(PEERS),--peers) $(BENCH)

bench-tenants: $(INSTALLED) ## measure noisy neighbours, shares, and what limits cost, about a quarter of an hour; BENCH="..." for a part
	@$(PYTHON) benchmarks/tenants.py $(BENCH)

bench-scrape: $(INSTALLED) ## measure a scrape of the monitor while a million jobs wait, about four minutes; BENCH="..." for less
	@$(PYTHON) benchmarks/scrape.py $(BENCH)

soak: $(INSTALLED) ## the tests that run for minutes, about a quarter of an hour
	@$(PYTHON) -m pytest -q -m soak -n 2 --dist load

dashboards: $(INSTALLED) ## write grafana/dashboards anew from the panels in grafana/
	@$(PYTHON) -m jobfleet.grafana

pictures: $(INSTALLED) ## draw the dashboards of a fleet at work, ten minutes; PICTURES="--again queue" for less; needs npm, chromium, prometheus
	@$(PYTHON) pictures/run.py $(PICTURES)

clean: ## remove what make and the tools have made, the fleet's data not included
	@rm -rf $(VENV) .pictures build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@.ci/install $(VENV) $@
