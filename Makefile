# Domus: the front door. `make help` lists what it opens.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

BUILD      := build
RUN        ?= $(BUILD)/run
PORT       ?= 8443
CPUS       ?= 4
MEMORY     ?= 4G
HYPERVISOR ?= xen
DETACH     ?=
FRESH      ?=
VERSION    := $(shell cat VERSION)
export RUN PORT CPUS MEMORY HYPERVISOR DETACH FRESH BUILD

.PHONY: help
help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

include packaging/sysroot.mk
include agent/agent.mk
-include $(sort $(filter-out packaging/sysroot.mk agent/agent.mk,$(wildcard */*.mk)))

.PHONY: clean
clean: ## remove everything that was built, the appliance's state included
	rm -rf $(BUILD)
