# The benchmark: our hypervisor beside stock Xen, in exact instructions (docs/bench.md).
BENCH := $(BUILD)/bench
# The hypervisor that ours is measured against: Debian's package.
STOCK_XEN := $(abspath $(BUILD))/sysroot/xen
$(STOCK_XEN)/.done: packaging/make-sysroot tests/bench.mk
	@packaging/install-packages build
	@echo "  FETCH stock Xen"; packaging/make-sysroot arm64 $(STOCK_XEN) xen-hypervisor-4.20-arm64 && touch $@

# a program of Dom0's userland, and a plugin of the build host's QEMU (8.2 and later want version 2 of the interface at least)
$(BENCH)/mark: tests/bench/mark.c | $(SYSROOT_ARM64)/.done
	@mkdir -p $(@D)
	@echo "  CC $@"; $(AGENT_CC_arm64) $(AGENT_CFLAGS_arm64) -Wall -Wextra -Werror -o $@ $< $(AGENT_LDFLAGS_arm64)
$(BENCH)/levels.so: tests/bench/levels.c
	@packaging/install-packages build run
	@mkdir -p $(@D)
	@echo "  CC $@"; api=$$(qemu-system-aarch64 --version | sed -nE '1s/.*version ([0-9]+)\.([0-9]+).*/\1 \2/p' | \
		awk '{ print ($$1 > 8 || ($$1 == 8 && $$2 >= 2)) ? 2 : 1 }') && \
		$(AGENT_CC_host) -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -DPLUGIN_API=$$api -o $@ $<

.PHONY: bench bench-programs
bench-programs: $(BENCH)/mark $(BENCH)/levels.so $(BARE)/bench $(BUILD)/test-guests/hypercalls
bench: lab bench-programs $(STOCK_XEN)/.done ## measure the hypervisor beside stock Xen, in exact instructions
	@packaging/install-packages run
	@STOCK_XEN=$(STOCK_XEN)/boot/xen-4.20-arm64 tests/bench/run $(BUILD)
