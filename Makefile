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
HYPERVISOR ?= domus
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
HV_TIDY_FILES = $(filter hypervisor/%.c,$(C_FILES))
TIDY_FLAGS  = -D_GNU_SOURCE -DDOMUS_VERSION=\"$(VERSION)\" -Iagent -I. -std=gnu11 --target=aarch64-linux-gnu \
	--sysroot=$(SYSROOT_ARM64) -isystem $(SYSROOT_ARM64)/usr/include/aarch64-linux-gnu
HV_TIDY_FLAGS = -DDOMUS_VERSION=\"$(VERSION)\" -Ihypervisor -Ihypervisor/arch/arm64 -std=gnu11 --target=aarch64-linux-gnu -ffreestanding \
	-mgeneral-regs-only -ffixed-x18 --sysroot=$(SYSROOT_ARM64) -isystem $(SYSROOT_ARM64)/usr/include/aarch64-linux-gnu

.PHONY: format format-check lint lint-c lint-shell
format: ## lay out the C sources with clang-format
	@packaging/install-packages lint
	@clang-format -i $(C_FILES)

format-check: # the layout depends on clang-format's version, so CI does not ask for it
	@packaging/install-packages lint
	@clang-format --dry-run -Werror $(C_FILES)

lint: lint-c lint-shell lint-webui ## clang-tidy, cppcheck, shellcheck, eslint

# cppcheck has models of libc and OpenSSL of its own and loses its way in the real headers; jansson's it needs for the
# loops that are macros. clang-tidy sees all of the sysroot.
LINT_INCLUDE = $(BUILD)/lint/include
lint-c: $(SYSROOT_ARM64)/.done
	@packaging/install-packages lint
	@mkdir -p $(LINT_INCLUDE)
	@ln -sf $(SYSROOT_ARM64)/usr/include/jansson.h $(SYSROOT_ARM64)/usr/include/aarch64-linux-gnu/jansson_config.h $(LINT_INCLUDE)
	@echo "  CPPCHECK"; cppcheck --quiet --std=c11 --platform=unix64 --library=posix,gnu,openssl --enable=warning,performance,portability \
		--inline-suppr --suppressions-list=.cppcheck --error-exitcode=1 -j2 -Iagent -I. -I$(LINT_INCLUDE) $(TIDY_FILES)
	@echo "  CPPCHECK hypervisor"; cppcheck --quiet --std=c11 --platform=unix64 --enable=warning,performance,portability \
		--suppress=comparePointers --inline-suppr --suppressions-list=.cppcheck --error-exitcode=1 -j2 -D__aarch64__ -DCPPCHECK \
		-Ihypervisor -Ihypervisor/arch/arm64 $(filter hypervisor/%.c,$(C_FILES)) # a section's bounds are two symbols of the linker
	@echo "  CLANG-TIDY"; printf '%s\n' $(TIDY_FILES) | $(call tidy,$(TIDY_FLAGS))
	@echo "  CLANG-TIDY hypervisor"; printf '%s\n' $(HV_TIDY_FILES) | $(call tidy,$(HV_TIDY_FLAGS))
# what it counts last is in others' headers
tidy = xargs -P2 -n2 bash -o pipefail -c 'clang-tidy --quiet "$$@" -- $1 2>&1 | \
	sed -E "/^[0-9]+ warnings?( and [0-9]+ errors?)? generated\.\$$/d"' clang-tidy

lint-shell:
	@packaging/install-packages lint
	@echo "  SHELLCHECK"; shellcheck $(SHELL_FILES)

.PHONY: clean
clean: ## remove everything that was built, the appliance's state included
	rm -rf $(BUILD)
