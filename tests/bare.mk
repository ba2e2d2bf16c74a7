# Bare-metal guests of ours: tests/system/guests/bare is their runtime, each program is one arm64 Image that boots as Dom0,
# hostile, quiet and life as guests.
BARE := $(BUILD)/test-guests/bare
BARE_RUNTIME := $(addprefix tests/system/guests/bare/,start.S bare.c)
BARE_CFLAGS = -std=gnu11 -O2 -g -ffreestanding -mgeneral-regs-only -march=armv8-a -mno-outline-atomics -mstrict-align -fpie \
	-fvisibility=hidden -fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing -Wall -Wextra -Werror \
	-nostdinc -isystem $(shell $(HV_CC) -print-file-name=include) -idirafter $(SYSROOT_ARM64)/usr/include \
	-idirafter $(SYSROOT_ARM64)/usr/include/aarch64-linux-gnu -Itests/system/guests/bare
BARE_LDFLAGS = -nostdlib -static -Wl,-pie,--no-dynamic-linker,--build-id=none,-z,max-page-size=4096,--no-warn-rwx-segments \
	-T tests/system/guests/bare/bare.lds
$(BARE)/bench: $(addprefix tests/bench/,bench.c domains.c bench.h) $(addprefix tests/system/guests/bare/,domu.c domu.h hold.c hold.h)
$(BARE)/conformance: $(wildcard tests/system/guests/conformance/*.c) $(addprefix tests/system/guests/conformance/,case.h timer.h)
$(BARE)/share: tests/system/guests/share/main.c $(addprefix tests/system/guests/bare/,domu.c domu.h hold.c hold.h)
HOSTILE := tests/system/guests/hostile
$(BARE)/hostile: $(addprefix $(HOSTILE)/,main.c self.c random.c calls.c machine.c console.c entry.S hostile.h)
$(BARE)/quiet: $(addprefix $(HOSTILE)/,quiet.c console.c entry.S hostile.h)
$(BARE)/life: tests/system/guests/life/main.c $(addprefix $(HOSTILE)/,console.c hostile.h)
# rows that Dom0's program of hypercalls has too
CALLS := $(addprefix tests/system/guests/calls/,calls.c event.c grant.c memory.c small.c vcpu.c)
$(BARE)/calls: $(CALLS) $(addprefix tests/system/guests/calls/,guest.c calls.h) $(addprefix $(HOSTILE)/,console.c hostile.h)
$(BARE)/hostile $(BARE)/quiet $(BARE)/life $(BARE)/calls: BARE_CFLAGS += -DBARE_DOMU -I$(HOSTILE)
$(BARE)/faulty: tests/system/guests/faulty/guest.c $(addprefix tests/system/guests/bare/,domu.c domu.h)
$(BARE)/%: $(BARE_RUNTIME) tests/system/guests/bare/bare.h tests/system/guests/bare/bare.lds tests/bare.mk | $(SYSROOT_ARM64)/.done
	@mkdir -p $(@D)
	@echo "  GUEST $@"; $(HV_CC) $(BARE_CFLAGS) $(BARE_LDFLAGS) $(filter %.c %.S,$^) -o $@.elf
	@aarch64-linux-gnu-objcopy -O binary $@.elf $@

# The hypervisor as it is, but for one object, for tests alone: faulty faults when a guest asks for it, simulated has the system
# controller of i.MX8 that QEMU's board lacks (the unit tests' simulator of it).
$(HV)/faulty: HV_TEST_OBJ = $(filter-out $(HV)/obj/guest/vpsci.o,$(HV_OBJ)) $(HV)/test/faulty/smccc_call.o
$(HV)/test/faulty/smccc_call.o: tests/system/guests/faulty/smccc_call.c hypervisor/hypervisor.mk | $(SYSROOT_ARM64)/.done
$(HV)/faulty: $(HV)/test/faulty/smccc_call.o
$(HV)/simulated: HV_TEST_OBJ = $(filter-out $(HV)/obj/boot/power.o,$(HV_OBJ)) $(addprefix $(HV)/test/simulated/,power.o scu_sim.o)
$(HV)/test/simulated/power.o: tests/system/guests/scu/power.c hypervisor/hypervisor.mk | $(SYSROOT_ARM64)/.done
$(HV)/test/simulated/scu_sim.o: tests/unit/hypervisor/fake/scu_sim.c hypervisor/hypervisor.mk | $(SYSROOT_ARM64)/.done
$(HV)/simulated: $(HV)/test/simulated/power.o $(HV)/test/simulated/scu_sim.o
$(HV)/test/faulty/%.o $(HV)/test/simulated/%.o:
	@mkdir -p $(@D)
	@$(HV_CC) $(HV_CPPFLAGS) -Itests/unit/hypervisor $(HV_CFLAGS) -Wno-infinite-recursion -Wno-missing-prototypes -MMD -MP -c $< -o $@
-include $(wildcard $(HV)/test/*/*.d)
$(HV)/faulty $(HV)/simulated: $(HV_OBJ) hypervisor/arch/arm64/domus.lds hypervisor/lib/symbols.awk
	@echo "  LD hypervisor $@"; $(HV_LINK) $(HV_TEST_OBJ) $(SYSROOT_ARM64)/usr/lib/aarch64-linux-gnu/libfdt.a -o $(HV)/test/$(@F)/first.elf
	@aarch64-linux-gnu-nm -n $(HV)/test/$(@F)/first.elf | awk -f hypervisor/lib/symbols.awk > $(HV)/test/$(@F)/symbols.S
	@$(HV_CC) -c $(HV)/test/$(@F)/symbols.S -o $(HV)/test/$(@F)/symbols.o
	@$(HV_LINK) $(HV_TEST_OBJ) $(HV)/test/$(@F)/symbols.o $(SYSROOT_ARM64)/usr/lib/aarch64-linux-gnu/libfdt.a -o $@.elf
	@aarch64-linux-gnu-objcopy -O binary $@.elf $@

.PHONY: test-guests-bare
test-guests-bare: $(BARE)/conformance $(BARE)/share $(BARE)/bench $(BARE)/faulty $(HV)/faulty $(HV)/simulated
test-guests: $(HV)/domus test-guests-bare
