# Tests. Each suite builds what it needs; tests/run adds the results up and ends with "N passed, N failed".
#   UNIT_TESTS   cmocka programs (under ASan and UBSan); set beside the rules that build them
#   FUZZ_TESTS   commands, separated by ";", each a fuzz target that runs for a moment and exits 0
# TEST_ARGS goes to pytest: make test-api TEST_ARGS="-x -k upload"
TEST_RUN  ?= $(BUILD)/run-test
TEST_PORT ?= 8521
export TEST_ARGS
TEST_ENV = BUILD=$(abspath $(BUILD)) UNIT_TESTS='$(UNIT_TESTS)' FUZZ_TESTS='$(FUZZ_TESTS)' \
	TEST_RUN='$(TEST_RUN)' TEST_PORT='$(TEST_PORT)' MAKE='$(MAKE)'

.PHONY: test test-packages test-unit test-fuzz test-api test-system test-xen test-browser unit-programs fuzz-programs
test-packages:
	@packaging/install-packages build run test

test: test-packages ## run every test: unit, fuzz smoke, API, system (boots the appliance in QEMU), stock Xen, browser
	@+$(TEST_ENV) tests/run unit fuzz api+browser system xen
test-unit: test-packages ## run the unit tests and the fuzz targets for a moment
	@+$(TEST_ENV) tests/run unit fuzz
test-api: test-packages ## run the API tests against the agent on this host
	@+$(TEST_ENV) tests/run api
test-system: test-packages ## run the system tests against the appliance in QEMU
	@+$(TEST_ENV) tests/run system
test-xen: test-packages ## run the main parts of the story on stock Xen
	@+$(TEST_ENV) tests/run xen
test-browser: test-packages ## run the browser tests in Chromium
	@+$(TEST_ENV) tests/run browser

unit-programs: $(UNIT_TESTS) ; @:
fuzz-programs: $(FUZZ_PROGRAMS) ; @:
.PHONY: test-system-prepare test-browser-prepare
test-system-prepare: appliance test-guests hypervisor lab hostile-guests
test-browser-prepare: api agent-host webui

# ---- guests of the system tests --------------------------------------------------------------------------------------
GUESTS := $(BUILD)/test-guests
TEST_GUESTS := $(GUESTS)/initrd.gz $(GUESTS)/crash $(GUESTS)/idle $(GUESTS)/arrive $(BUILD)/agent/arm64/keeperctl
.PHONY: test-guests
test-guests: $(TEST_GUESTS)
$(GUESTS)/initrd.gz: $(wildcard tests/system/guests/*) $(BUILD)/image/base.squashfs
	@mkdir -p $(@D)
	@echo "  GUEST $@"; tests/system/guests/make-initrd $(BUILD)/image/root $@
$(GUESTS)/crash $(GUESTS)/idle $(GUESTS)/arrive: $(GUESTS)/%: tests/system/guests/%.S tests/system/guests/image-header.S
	@packaging/install-packages build
	@mkdir -p $(@D)
	@echo "  GUEST $@"; aarch64-linux-gnu-gcc -nostdlib -static -Wl,--build-id=none -Wl,-Ttext=0 -o $@.elf $<
	@aarch64-linux-gnu-objcopy -O binary $@.elf $@

# programs of Dom0's userland; and all that the tests of domains in the laboratory need
$(GUESTS)/registers: tests/system/guests/scu/registers.c
$(GUESTS)/hypercalls: $(CALLS) $(addprefix tests/system/guests/calls/,domctl.c calls.h dom0.h)
$(GUESTS)/hypercalls $(GUESTS)/hold $(GUESTS)/debugger: $(GUESTS)/%: tests/system/guests/%.c
$(GUESTS)/hypercalls $(GUESTS)/hold $(GUESTS)/debugger $(GUESTS)/registers: | $(SYSROOT_ARM64)/.done
	@mkdir -p $(@D)
	@echo "  CC $@"; $(AGENT_CC_arm64) $(AGENT_CFLAGS_arm64) -Wall -Wextra -Werror -o $@ $(filter %.c,$^) $(AGENT_LDFLAGS_arm64)
.PHONY: hostile-guests
hostile-guests: $(GUESTS)/hypercalls $(GUESTS)/hold $(GUESTS)/debugger $(GUESTS)/registers $(GUESTS)/bare/hostile $(GUESTS)/bare/quiet $(GUESTS)/bare/life \
	$(GUESTS)/bare/calls

.PHONY: guest
guest: $(IMAGE)/boot/initramfs.gz $(GUESTS)/initrd.gz ## make a small Linux guest to try: build/guest/kernel and initrd.gz
	@mkdir -p $(BUILD)/guest && cp -u $(IMAGE)/boot/kernel $(GUESTS)/initrd.gz $(BUILD)/guest/
	@echo "A small Debian guest: $(BUILD)/guest/kernel, $(BUILD)/guest/initrd.gz, command line console=hvc0"
