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

# ---- format and lint -------------------------------------------------------------------------------------------------
C_FILES     = $(shell git ls-files '*.c' '*.h')
SHELL_FILES = $(shell git grep -lE '^\#!.*bash' -- . ':!*.md')
TIDY_FILES  = $(filter agent/%.c,$(C_FILES))
TIDY_FLAGS  = -D_GNU_SOURCE -DDOMUS_VERSION=\"$(VERSION)\" -Iagent -std=gnu11 --target=aarch64-linux-gnu \
	--sysroot=$(SYSROOT_ARM64) -isystem $(SYSROOT_ARM64)/usr/include/aarch64-linux-gnu

.PHONY: format format-check lint lint-c lint-shell
format: ## lay out the C sources with clang-format
	@packaging/install-packages lint
	@clang-format -i $(C_FILES)

format-check: # the layout depends on clang-format's version, so CI does not ask for it
	@packaging/install-packages lint
	@clang-format --dry-run -Werror $(C_FILES)

lint: lint-c lint-shell lint-webui ## clang-tidy, cppcheck, shellcheck, eslint

lint-c: $(SYSROOT_ARM64)/.done $(SYSROOT_HOST)/.done
	@packaging/install-packages lint
	@echo "  CPPCHECK"; cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 --suppress=missingInclude -j2 -Iagent $(filter agent/%.c,$(C_FILES))
	@echo "  CLANG-TIDY"; printf '%s\n' $(TIDY_FILES) | xargs -P2 -n6 bash -c 'clang-tidy --quiet "$$@" -- $(TIDY_FLAGS)' clang-tidy

lint-shell:
	@packaging/install-packages lint
	@echo "  SHELLCHECK"; shellcheck $(SHELL_FILES)

.PHONY: clean
clean: ## remove everything that was built, the appliance's state included
	rm -rf $(BUILD)
