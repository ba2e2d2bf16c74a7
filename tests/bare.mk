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
$(BARE)/conformance: $(wildcard tests/system/guests/conformance/*.c) tests/system/guests/conformance/case.h
$(BARE)/share: tests/system/guests/share/main.c $(addprefix tests/system/guests/bare/,domu.c domu.h hold.c hold.h)
HOSTILE := tests/system/guests/hostile
$(BARE)/hostile: $(addprefix $(HOSTILE)/,main.c self.c random.c calls.c machine.c console.c entry.S hostile.h)
$(BARE)/quiet: $(addprefix $(HOSTILE)/,quiet.c console.c entry.S hostile.h)
$(BARE)/life: tests/system/guests/life/main.c $(addprefix $(HOSTILE)/,console.c hostile.h)
$(BARE)/hostile $(BARE)/quiet $(BARE)/life: BARE_CFLAGS += -DBARE_DOMU -I$(HOSTILE)
$(BARE)/faulty: tests/system/guests/faulty/guest.c $(addprefix tests/system/guests/bare/,domu.c domu.h)
$(BARE)/%: $(BARE_RUNTIME) tests/system/guests/bare/bare.h tests/system/guests/bare/bare.lds tests/bare.mk | $(SYSROOT_ARM64)/.done
	@mkdir -p $(@D)
	@echo "  GUEST $@"; $(HV_CC) $(BARE_CFLAGS) $(BARE_LDFLAGS) $(filter %.c %.S,$^) -o $@.elf
	@aarch64-linux-gnu-objcopy -O binary $@.elf $@

# The hypervisor as it is, but for one object that makes it fault when a guest asks for it. Only a test ever boots it.
FAULTY_OBJ = $(filter-out $(HV)/obj/guest/vpsci.o,$(HV_OBJ)) $(HV)/test/smccc_call.o
$(HV)/test/smccc_call.o: tests/system/guests/faulty/smccc_call.c hypervisor/guest/vpsci.c hypervisor/hypervisor.mk | $(SYSROOT_ARM64)/.done
	@mkdir -p $(@D)
	@$(HV_CC) $(HV_CPPFLAGS) $(HV_CFLAGS) -Wno-infinite-recursion -Wno-missing-prototypes -c $< -o $@
$(HV)/faulty: $(HV_OBJ) $(HV)/test/smccc_call.o hypervisor/arch/arm64/domus.lds hypervisor/lib/symbols.awk
	@echo "  LD hypervisor $@"; $(HV_LINK) $(FAULTY_OBJ) $(SYSROOT_ARM64)/usr/lib/aarch64-linux-gnu/libfdt.a -o $(HV)/test/first.elf
	@aarch64-linux-gnu-nm -n $(HV)/test/first.elf | awk -f hypervisor/lib/symbols.awk > $(HV)/test/symbols.S
	@$(HV_CC) -c $(HV)/test/symbols.S -o $(HV)/test/symbols.o
	@$(HV_LINK) $(FAULTY_OBJ) $(HV)/test/symbols.o $(SYSROOT_ARM64)/usr/lib/aarch64-linux-gnu/libfdt.a -o $@.elf
	@aarch64-linux-gnu-objcopy -O binary $@.elf $@

.PHONY: test-guests-bare
test-guests-bare: $(BARE)/conformance $(BARE)/share $(BARE)/bench $(BARE)/faulty $(HV)/faulty
test-guests: $(HV)/domus test-guests-bare
