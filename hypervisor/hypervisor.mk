# The hypervisor: `make hypervisor` -> build/hypervisor/domus (arm64 Image for QEMU -kernel and U-Boot booti) and domus.elf.
# Freestanding; from the sysroot come only Xen's public headers and the static libfdt (boot only).
HV := $(BUILD)/hypervisor
HV_CC := aarch64-linux-gnu-gcc
HV_C := $(wildcard $(addprefix hypervisor/,lib/*.c arch/arm64/*.c core/*.c boot/*.c drivers/*.c boards/*.c guest/*.c xen/*.c))
HV_S := $(wildcard hypervisor/arch/arm64/*.S)
HV_OBJ := $(HV_C:hypervisor/%.c=$(HV)/obj/%.o) $(HV_S:hypervisor/%.S=$(HV)/obj/%.S.o)
HV_WARN := -Wall -Wextra -Wconversion -Wvla -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
HV_CPPFLAGS := -Ihypervisor -Ihypervisor/arch/arm64 -DDOMUS_VERSION='"$(VERSION)"' -nostdinc \
	-isystem $(shell $(HV_CC) -print-file-name=include) -idirafter $(SYSROOT_ARM64)/usr/include \
	-idirafter $(SYSROOT_ARM64)/usr/include/aarch64-linux-gnu
HV_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -mgeneral-regs-only -ffixed-x18 -march=armv8-a -mno-outline-atomics -fno-pic -mcmodel=tiny -fno-common \
	-ffunction-sections -fdata-sections -fno-stack-protector -fno-asynchronous-unwind-tables -fno-omit-frame-pointer \
	-fno-strict-aliasing -falign-functions=4 -falign-jumps=4 -falign-loops=4 -ffile-prefix-map=$(CURDIR)=. $(HV_WARN) $(if $(LOCK_ORDER),-DLOCK_ORDER)
# what runs before the MMU is on may not use unaligned accesses
$(addprefix $(HV)/obj/,arch/arm64/early.o boards/early_console.o lib/dt.o lib/dt_check.o lib/dt_walk.o): HV_CFLAGS += -mstrict-align
# what runs once, or once in a domain's life, or waits for firmware, had better be small (a list: % would not match domctl.o)
HV_SMALL := $(wildcard $(addprefix hypervisor/,boot/*.c boards/*.c xen/*.c lib/dt*.c lib/gzip.c lib/inflate.c lib/print.c drivers/scu*.c drivers/gicv3.c guest/vscu.c guest/vuart*.c \
	guest/load_store.c arch/arm64/fault.c arch/arm64/mmu.c arch/arm64/psci.c arch/arm64/stage2.c core/power*.c core/domain*.c core/pool.c \
	core/cpu_power.c core/console.c drivers/uart*.c core/sched_admin.c arch/arm64/id_registers.c arch/arm64/inject.c core/memory.c core/page.c core/grant.c core/watchdog.c))
HV_SMALL += $(addprefix hypervisor/,core/irq.c core/event.c core/grant_map.c core/time.c core/vcpu.c guest/hooks.c \
	guest/aarch32.c guest/walk.c guest/vgic_cpu.c guest/vgic_lr.c guest/vgic_states.c guest/vsysreg.c guest/vtimer.c)
$(HV_SMALL:hypervisor/%.c=$(HV)/obj/%.o): HV_CFLAGS += -Os
# these functions are what the compiler would call for such loops
$(HV)/obj/lib/string.o: HV_CFLAGS += -fno-tree-loop-distribute-patterns

$(HV)/obj/%.o: hypervisor/%.c hypervisor/hypervisor.mk VERSION | $(SYSROOT_ARM64)/.done
	@mkdir -p $(@D)
	@echo "  CC hypervisor $<"; $(HV_CC) $(HV_CPPFLAGS) $(HV_CFLAGS) -MMD -MP -c $< -o $@
$(HV)/obj/%.S.o: hypervisor/%.S hypervisor/hypervisor.mk | $(SYSROOT_ARM64)/.done
	@mkdir -p $(@D)
	@echo "  AS hypervisor $<"; $(HV_CC) $(HV_CPPFLAGS) -D__ASSEMBLY__ -g -MMD -MP -c $< -o $@

HV_LINK = $(HV_CC) -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments \
	-T hypervisor/arch/arm64/domus.lds
# Linked twice: the second time with the table of the first one's symbols, which lies behind everything it describes.
$(HV)/symbols.S: hypervisor/lib/symbols.awk $(HV_OBJ) hypervisor/arch/arm64/domus.lds
	@$(HV_LINK) $(HV_OBJ) $(SYSROOT_ARM64)/usr/lib/aarch64-linux-gnu/libfdt.a -o $(HV)/first.elf
	@aarch64-linux-gnu-nm -n $(HV)/first.elf | awk -f hypervisor/lib/symbols.awk > $@
$(HV)/symbols.o: $(HV)/symbols.S
	@$(HV_CC) -c $< -o $@
$(HV)/domus.elf: $(HV)/symbols.o
	@echo "  LD hypervisor $@"; $(HV_LINK) $(HV_OBJ) $(HV)/symbols.o $(SYSROOT_ARM64)/usr/lib/aarch64-linux-gnu/libfdt.a -o $@
$(HV)/domus: $(HV)/domus.elf
	@aarch64-linux-gnu-objcopy -O binary $< $@ && echo "  IMAGE $@: $$(stat -c %s $@) bytes"
-include $(HV_OBJ:.o=.d)

.PHONY: hypervisor
hypervisor: $(HV)/domus ## build our hypervisor (arm64 Image)

# The Dom0 tree builder over every arm64 device tree of Debian's kernel package: no crash, and either a tree that dtc takes
# without an error or one sentence. DTBS names another folder of .dtb files. Not part of `make test`: unit/dom0_tree takes some.
HV_HOST := $(HV)/host
HV_HOST_CFLAGS = -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -DLOCK_ORDER -Ihypervisor -Itests/unit/hypervisor/fake \
	$(call sysroot_flags,host,$(SYSROOT_HOST),$(HOST_TRIPLE)) -Wall -Wextra
DTBS ?= $(BUILD)/image/debian/usr/lib
HV_TREE_SOURCES := hypervisor/boot/dom0_tree.c hypervisor/boot/dom0_facts.c hypervisor/lib/dt.c hypervisor/lib/dt_check.c hypervisor/lib/dt_walk.c \
	hypervisor/lib/print.c tests/unit/hypervisor/boot/dom0_rules.c
$(HV_HOST)/dom0_trees: tests/unit/hypervisor/boot/dom0_trees.c $(HV_TREE_SOURCES) hypervisor/boot/dom0_tree.h hypervisor/lib/dt.h \
		tests/unit/hypervisor/boot/dom0_rules.h | $(SYSROOT_HOST)/.done
	@mkdir -p $(@D)
	@echo "  CC host $@"; gcc $(HV_HOST_CFLAGS) $(filter %.c,$^) $(AGENT_LDFLAGS_asan) -o $@ -lfdt
.PHONY: hypervisor-trees
hypervisor-trees: $(HV_HOST)/dom0_trees | $(if $(filter file,$(origin DTBS)),$(BUILD)/image/debian/.done) ## build Dom0's tree for every board of Debian's kernel, and check it
	@packaging/install-packages trees
	@rm -rf $(HV_HOST)/trees $(HV_HOST)/trees.*; mkdir -p $(HV_HOST)/trees
	@find $(DTBS) -name '*.dtb' -print0 | sort -z | xargs -0 -P $(shell nproc) -n 16 sh -c \
		'$(HV_HOST)/dom0_trees $(HV_HOST)/trees "$$@" > $(HV_HOST)/trees.$$$$' trees || { grep -h FAILED $(HV_HOST)/trees.*; exit 1; }
	@find $(HV_HOST)/trees -name '*.dtb' -print0 | xargs -0 -P $(shell nproc) -n 16 sh -c \
		'for t; do dtc -q -I dtb -O dtb -o /dev/null "$$t" 2>&1 || echo "dtc refuses $$t"; done' dtc > $(HV_HOST)/dtc.log
	@! grep -E 'ERROR|refuses' $(HV_HOST)/dtc.log
	@awk -F': ' '/^built/ {b++} /^not supported/ {w[$$3]++} END {print b " trees built"; for (i in w) print w[i] " boards: " i}' \
		$(HV_HOST)/trees.*

# tests/unit/hypervisor/x/y.c tests hypervisor/x/y.c on the build host against the fake machine, under ASan and UBSan.
# Every program is linked with the same rooms: those that need no register of the machine.
HV_ASAN := $(HV_HOST)/obj
HV_HOST_ROOMS := hypervisor/guest/vgic.c hypervisor/guest/vgic_cpu.c hypervisor/guest/vgic_lr.c hypervisor/guest/vgic_mmio.c hypervisor/guest/vgic_registers.c hypervisor/guest/vgic_states.c hypervisor/guest/mmio.c \
	hypervisor/guest/vtimer.c hypervisor/core/vcpu.c hypervisor/core/lock_order.c hypervisor/core/domain.c hypervisor/core/domain_kill.c hypervisor/core/watchdog.c hypervisor/core/event.c hypervisor/core/grant.c hypervisor/core/grant_map.c \
	hypervisor/core/credit.c hypervisor/core/pool.c tests/unit/hypervisor/fake/machine.c \
	tests/unit/hypervisor/fake/xen_machine.c $(wildcard hypervisor/xen/*.c)
HV_UNIT := vgic event grant credit credit_histories pool table
HV_FUZZ := vgic hypercall grant
HV_GUEST_UNIT := vpsci vtimer vsysreg load_store aarch32
HV_HOST_ROOMS += $(addprefix hypervisor/guest/,vpsci.c vsysreg.c load_store.c aarch32.c) tests/unit/hypervisor/fake/guest_machine.c
HV_UNIT += $(HV_GUEST_UNIT)
# power rails and the system controller of i.MX8, against a simulator of it
HV_HOST_ROOMS += $(wildcard hypervisor/core/power*.c hypervisor/drivers/scu*.c) hypervisor/guest/vscu.c \
	tests/unit/hypervisor/fake/scu_sim.c tests/unit/hypervisor/fake/power_machine.c
HV_UNIT += scu scu_filter power power_op power_tree power_boot vscu
HV_FUZZ += scu
$(HV_HOST)/unit/scu: $(HV_ASAN)/tests/unit/hypervisor/drivers/scu.o
$(HV_HOST)/unit/power_op: $(HV_ASAN)/tests/unit/hypervisor/xen/power_op.o
$(HV_HOST)/unit/scu_filter: $(HV_ASAN)/tests/unit/hypervisor/drivers/scu_filter.o
$(HV_HOST)/unit/vscu: $(HV_ASAN)/tests/unit/hypervisor/guest/vscu.o
$(HV_HOST)/unit/power: $(HV_ASAN)/tests/unit/hypervisor/core/power.o
# the rails of real boards: their trees come with Debian's kernel, which the appliance's image fetches
$(HV_ASAN)/tests/unit/hypervisor/boot/trees.o: HV_HOST_CFLAGS += -DDTBS='"$(abspath $(DTBS))"'
$(HV_ASAN)/tests/unit/hypervisor/boot/trees.o: | $(if $(filter file,$(origin DTBS)),$(BUILD)/image/debian/.done)
HV_POWER_TREE := $(patsubst %.c,$(HV_ASAN)/%.o,tests/unit/hypervisor/boot/trees.c hypervisor/boot/power_tree.c hypervisor/lib/dt.c \
	hypervisor/lib/dt_check.c hypervisor/lib/dt_walk.c)
HV_POWER_BOOT := $(patsubst %.c,$(HV_ASAN)/%.o,hypervisor/boot/power.c hypervisor/boards/imx8qm.c tests/unit/hypervisor/fake/scu_sim.c \
	hypervisor/core/lock_order.c $(wildcard hypervisor/core/power*.c hypervisor/drivers/scu*.c))
$(HV_HOST)/unit/power_tree: $(HV_ASAN)/tests/unit/hypervisor/boot/power_tree.o $(HV_POWER_TREE)
$(HV_HOST)/unit/power_boot: $(HV_ASAN)/tests/unit/hypervisor/boot/power.o $(HV_POWER_TREE) $(HV_POWER_BOOT)
$(HV_HOST)/unit/power_tree $(HV_HOST)/unit/power_boot: tests/unit/hypervisor/fake/units.lds
	@mkdir -p $(@D); echo "  LD hypervisor unit $(@F)"; gcc $(HV_HOST_CFLAGS) $(filter %.o,$^) $(HV_HOST_LDFLAGS) -o $@ -lfdt -lcmocka
HV_HOST_LDFLAGS = $(AGENT_LDFLAGS_asan) -T tests/unit/hypervisor/fake/units.lds
HV_HOST_LIB := $(HV_HOST_ROOMS:%.c=$(HV_ASAN)/%.o)
$(HV_ASAN)/%.o: %.c hypervisor/hypervisor.mk | $(SYSROOT_HOST)/.done
	@mkdir -p $(@D)
	@echo "  CC host $<"; gcc $(HV_HOST_CFLAGS) -Itests/unit/hypervisor -MMD -MP -c $< -o $@
# Xen's public headers for Arm, whatever the build host is
$(HV_ASAN)/hypervisor/xen/%.o $(HV_ASAN)/tests/unit/hypervisor/xen/%.o: HV_HOST_CFLAGS += -DDOMUS_VERSION='"$(VERSION)"' \
	-idirafter $(SYSROOT_ARM64)/usr/include -include tests/unit/hypervisor/fake/xen_abi.h
$(HV_HOST_LIB) $(HV_ASAN)/tests/unit/hypervisor/xen/table.o $(HV_ASAN)/tests/unit/hypervisor/xen/power_op.o: | $(SYSROOT_ARM64)/.done
$(HV_HOST)/unit/table: $(HV_ASAN)/tests/unit/hypervisor/xen/table.o
$(HV_GUEST_UNIT:%=$(HV_HOST)/unit/%): $(HV_HOST)/unit/%: $(HV_ASAN)/tests/unit/hypervisor/guest/%.o
$(HV_HOST)/unit/vgic: $(HV_ASAN)/tests/unit/hypervisor/guest/vgic.o
$(HV_HOST)/unit/credit: $(HV_ASAN)/tests/unit/hypervisor/core/credit.o
$(HV_HOST)/unit/credit_histories: $(HV_ASAN)/tests/unit/hypervisor/core/credit_histories.o
$(HV_HOST)/unit/grant: $(HV_ASAN)/tests/unit/hypervisor/core/grant.o
$(HV_HOST)/unit/pool: $(HV_ASAN)/tests/unit/hypervisor/core/pool.o
$(HV_HOST)/unit/event: $(HV_ASAN)/tests/unit/hypervisor/core/event.o
$(HV_HOST)/unit/%: $(HV_HOST_LIB) tests/unit/hypervisor/fake/units.lds
	@mkdir -p $(@D); echo "  LD hypervisor unit $*"; gcc $(HV_HOST_CFLAGS) $(filter %.o,$^) $(HV_HOST_LDFLAGS) -o $@ -lcmocka
$(HV_HOST)/fuzz/%: $(HV_ASAN)/tests/fuzz/hypervisor/%.o $(HV_ASAN)/tests/fuzz/driver.o $(HV_HOST_LIB) tests/unit/hypervisor/fake/units.lds
	@mkdir -p $(@D); echo "  LD hypervisor fuzz $*"; gcc $(HV_HOST_CFLAGS) $(filter %.o,$^) $(HV_HOST_LDFLAGS) -o $@
# The boot's rooms, against a machine of their own (fake/boot_machine): the device tree, memory, modules, Dom0's tree.
HV_BOOT_ROOMS := $(addprefix hypervisor/,boards/boards.c boards/early_console.c boot/dom0_facts.c boot/dom0_tree.c boot/modules.c \
	boot/ram.c core/lock_order.c core/page.c lib/dt.c lib/dt_check.c lib/dt_walk.c lib/print.c)
HV_BOOT_LIB := $(HV_BOOT_ROOMS:%.c=$(HV_ASAN)/%.o)
HV_BOOT_FAKE := $(addprefix $(HV_ASAN)/tests/unit/hypervisor/,fake/boot_machine.o fake/boards.o boot/dom0_rules.o)
HV_BOOT_UNIT := dt page ram dom0_tree
HV_BOOT_LDFLAGS = $(AGENT_LDFLAGS_asan) -T tests/unit/hypervisor/fake/boot_machine.lds
$(HV_BOOT_LIB) $(HV_BOOT_FAKE): HV_HOST_CFLAGS += -DDTBS='"$(abspath $(BUILD))/image/debian/usr/lib"'
$(HV_HOST)/unit/dt: $(HV_ASAN)/tests/unit/hypervisor/lib/dt.o
$(HV_HOST)/unit/page: $(HV_ASAN)/tests/unit/hypervisor/core/page.o
$(HV_HOST)/unit/ram: $(HV_ASAN)/tests/unit/hypervisor/boot/ram.o
$(HV_HOST)/unit/dom0_tree: $(HV_ASAN)/tests/unit/hypervisor/boot/dom0_tree.o
$(HV_HOST)/unit/dt $(HV_HOST)/unit/dom0_tree: | $(BUILD)/image/debian/.done
$(HV_BOOT_UNIT:%=$(HV_HOST)/unit/%): $(HV_BOOT_LIB) $(HV_BOOT_FAKE) tests/unit/hypervisor/fake/boot_machine.lds
	@mkdir -p $(@D); echo "  LD hypervisor unit $(@F)"; gcc $(HV_HOST_CFLAGS) $(filter %.o,$^) $(HV_BOOT_LDFLAGS) -o $@ -lfdt -lcmocka
$(HV_HOST)/fuzz/device_tree: $(HV_ASAN)/tests/fuzz/hypervisor/device_tree.o $(HV_ASAN)/tests/fuzz/driver.o $(HV_BOOT_LIB) $(HV_BOOT_FAKE) \
		tests/unit/hypervisor/fake/boot_machine.lds
	@mkdir -p $(@D); echo "  LD hypervisor fuzz $(@F)"; gcc $(HV_HOST_CFLAGS) $(filter %.o,$^) $(HV_BOOT_LDFLAGS) -o $@ -lfdt
# Frames, stage 2 and the end of domains, together on one machine: the tables' stores are watched (fake/stage2_machine.h).
HV_MEMORY := $(patsubst %.c,$(HV_ASAN)/%.o,tests/unit/hypervisor/core/memory.c tests/unit/hypervisor/fake/stage2_machine.c \
	tests/unit/hypervisor/fake/boot_machine.c hypervisor/arch/arm64/stage2.c hypervisor/lib/print.c \
	$(addprefix hypervisor/core/,page.c memory.c domain.c domain_kill.c lock_order.c))
$(HV_ASAN)/hypervisor/arch/arm64/stage2.o: HV_HOST_CFLAGS += -DFAKE_STAGE2 -include tests/unit/hypervisor/fake/stage2_machine.h
$(HV_HOST)/unit/memory: $(HV_MEMORY) tests/unit/hypervisor/fake/units.lds tests/unit/hypervisor/fake/boot_machine.lds
	@mkdir -p $(@D); echo "  LD hypervisor unit $(@F)"; gcc $(HV_HOST_CFLAGS) $(filter %.o,$^) $(HV_BOOT_LDFLAGS) \
		-T tests/unit/hypervisor/fake/units.lds -o $@ -lcmocka
HV_UNIT += memory
$(HV_HOST)/unit/console: $(patsubst %.c,$(HV_ASAN)/%.o,tests/unit/hypervisor/core/console.c $(addprefix hypervisor/,core/console.c \
	core/lock_order.c lib/print.c))
	@mkdir -p $(@D); echo "  LD hypervisor unit $(@F)"; gcc $(HV_HOST_CFLAGS) $(filter %.o,$^) $(AGENT_LDFLAGS_asan) -o $@ -lcmocka
HV_UNIT += console
# unpacking needs nothing of the machine
HV_GZIP := $(HV_ASAN)/hypervisor/lib/gzip.o $(HV_ASAN)/hypervisor/lib/inflate.o
$(HV_HOST)/unit/gzip: $(HV_ASAN)/tests/unit/hypervisor/lib/gzip.o $(HV_GZIP)
	@mkdir -p $(@D); echo "  LD hypervisor unit $(@F)"; gcc $(HV_HOST_CFLAGS) $^ $(AGENT_LDFLAGS_asan) -o $@ -lz -lcmocka
$(HV_HOST)/fuzz/gzip: $(HV_ASAN)/tests/fuzz/hypervisor/gzip.o $(HV_ASAN)/tests/fuzz/driver.o $(HV_GZIP)
	@mkdir -p $(@D); echo "  LD hypervisor fuzz $(@F)"; gcc $(HV_HOST_CFLAGS) $^ $(AGENT_LDFLAGS_asan) -o $@ -lz
HV_FUZZ += gzip
# seeds: QEMU's board, and a dozen and a half of real ones that the driver can hold
HV_TREE_SEEDS := $(HV_HOST)/corpus/device_tree
$(HV_TREE_SEEDS): tests/fuzz/corpus/device_tree/qemu-virt $(BUILD)/image/debian/.done
	@rm -rf $@; mkdir -p $@; cp $< $@
	@find $(BUILD)/image/debian/usr/lib -name '*.dtb' -size -64k | sort | awk 'NR % 50 == 1' | xargs cp -t $@
HV_UNIT += $(HV_BOOT_UNIT) gzip
FUZZ_PROGRAMS += $(HV_HOST)/fuzz/device_tree $(HV_TREE_SEEDS)
FUZZ_TESTS += $(HV_HOST)/fuzz/device_tree $(HV_TREE_SEEDS) 10000;
UNIT_TESTS += $(HV_UNIT:%=$(HV_HOST)/unit/%)
FUZZ_PROGRAMS += $(HV_FUZZ:%=$(HV_HOST)/fuzz/%)
FUZZ_TESTS += $(foreach f,$(HV_FUZZ),$(HV_HOST)/fuzz/$(f) tests/fuzz/corpus/$(f) 3000;)
-include $(shell find $(HV_ASAN) -name '*.d' 2>/dev/null)
.SECONDARY: $(HV_HOST_LIB)
