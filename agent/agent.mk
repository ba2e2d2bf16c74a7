# The agent: domusd and keeper, three times from one source tree.
#   arm64  for Dom0: hardened, links libxl        host  the same on the build host, simulated board, for tests
#   asan   as host, under AddressSanitizer and UndefinedBehaviorSanitizer, for unit tests and fuzz targets
AGENT_COMMON := $(wildcard agent/common/*.c)
AGENT_MIGRATIONS := $(BUILD)/agent/store_migrations.c
AGENT_DOMUSD := $(wildcard agent/domusd/*.c agent/domusd/api/*.c) $(AGENT_MIGRATIONS)
AGENT_KEEPER := $(filter-out agent/keeper/machine_%.c,$(wildcard agent/keeper/*.c))
KEEPER_MACHINE_arm64 := $(wildcard agent/keeper/machine_libxl*.c)
KEEPER_MACHINE_host  := $(wildcard agent/keeper/machine_sim*.c)
KEEPER_MACHINE_asan  := $(KEEPER_MACHINE_host)

DOMUSD_LIBS := -lmicrohttpd -lgnutls -ljansson -lsqlite3 -lssl -lcrypto -lwslay -lz -lpthread
KEEPER_LIBS_arm64 := -lfdt -lxenlight -lxenstore -lxencall -lxentoollog -lxentoolcore -lpthread
KEEPER_LIBS_host  := -lfdt -lpthread
KEEPER_LIBS_asan  := -lfdt -lpthread

AGENT_CC_arm64 := aarch64-linux-gnu-gcc
AGENT_CC_host  := gcc
AGENT_CC_asan  := gcc
AGENT_WARN := -Wall -Wextra -Wconversion -Wvla -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
# the root of the tree for the one header of the hypervisor that keeper includes
AGENT_CPPFLAGS := -D_GNU_SOURCE -DDOMUS_VERSION='"$(VERSION)"' -Iagent -I.
# $(call sysroot_flags,variant,sysroot,triple): Debian 13's headers and libraries and nothing of the host's
sysroot_flags = --sysroot=$(2) -nostdinc -isystem $(shell $(AGENT_CC_$(1)) -print-file-name=include) \
	-isystem $(2)/usr/include -isystem $(2)/usr/include/$(3) -B $(2)/usr/lib/$(3)
AGENT_CFLAGS_arm64 = -std=gnu11 -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -ffile-prefix-map=$(CURDIR)=. $(call sysroot_flags,arm64,$(SYSROOT_ARM64),aarch64-linux-gnu)
AGENT_CFLAGS_host  = -std=gnu11 -O2 -g -fPIE $(call sysroot_flags,host,$(SYSROOT_HOST),$(HOST_TRIPLE))
# instrumented, gcc loses the value ranges that -Wformat-truncation needs; the other two variants have it
AGENT_CFLAGS_asan  = -std=gnu11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wno-format-truncation -fPIE $(call sysroot_flags,asan,$(SYSROOT_HOST),$(HOST_TRIPLE))
# the host's programs run on the sysroot's own loader and libraries
HOST_LOADER = $(firstword $(wildcard $(SYSROOT_HOST)/lib64/ld-linux-*.so.* $(SYSROOT_HOST)/lib/ld-linux-*.so.*))
AGENT_LDFLAGS_arm64 = -pie -Wl,-z,relro,-z,now -L $(SYSROOT_ARM64)/usr/lib/aarch64-linux-gnu
AGENT_LDFLAGS_host  = -pie -L $(SYSROOT_HOST)/usr/lib/$(HOST_TRIPLE) -Wl,--disable-new-dtags -Wl,-rpath,$(SYSROOT_HOST)/usr/lib/$(HOST_TRIPLE) -Wl,--dynamic-linker=$(HOST_LOADER)
AGENT_LDFLAGS_asan  = $(AGENT_LDFLAGS_host) -fsanitize=address,undefined -static-libasan -static-libubsan
AGENT_SYSROOT_arm64 := $(SYSROOT_ARM64)/.done
AGENT_SYSROOT_host  := $(SYSROOT_HOST)/.done
AGENT_SYSROOT_asan  := $(SYSROOT_HOST)/.done

# keeperctl speaks keeper's verbs from a shell script; for tests only
KEEPERCTL := tests/system/keeperctl.c

# the schema is part of the program
$(AGENT_MIGRATIONS): db/embed $(sort $(wildcard db/migrations/*.sql))
	@mkdir -p $(@D)
	@db/embed $(filter %.sql,$^) > $@

define agent_variant
AGENT_OBJ_$(1) := $(BUILD)/agent/$(1)/obj
$(BUILD)/agent/$(1)/obj/%.o: %.c agent/agent.mk VERSION | $(AGENT_SYSROOT_$(1))
	@mkdir -p $$(@D)
	@echo "  CC $(1) $$<"; $$(AGENT_CC_$(1)) $(AGENT_CPPFLAGS) $$(AGENT_CFLAGS_$(1)) $(AGENT_WARN) -MMD -MP -c $$< -o $$@
$(BUILD)/agent/$(1)/domusd: $(AGENT_COMMON:%.c=$(BUILD)/agent/$(1)/obj/%.o) $(AGENT_DOMUSD:%.c=$(BUILD)/agent/$(1)/obj/%.o)
	@echo "  LD $(1) $$@"; $$(AGENT_CC_$(1)) $$(AGENT_CFLAGS_$(1)) $$^ $$(AGENT_LDFLAGS_$(1)) -o $$@ $(DOMUSD_LIBS)
$(BUILD)/agent/$(1)/keeper: $(AGENT_COMMON:%.c=$(BUILD)/agent/$(1)/obj/%.o) $(AGENT_KEEPER:%.c=$(BUILD)/agent/$(1)/obj/%.o) $(KEEPER_MACHINE_$(1):%.c=$(BUILD)/agent/$(1)/obj/%.o)
	@echo "  LD $(1) $$@"; $$(AGENT_CC_$(1)) $$(AGENT_CFLAGS_$(1)) $$^ $$(AGENT_LDFLAGS_$(1)) -o $$@ $$(KEEPER_LIBS_$(1))
$(BUILD)/agent/$(1)/keeperctl: $(AGENT_COMMON:%.c=$(BUILD)/agent/$(1)/obj/%.o) $(KEEPERCTL:%.c=$(BUILD)/agent/$(1)/obj/%.o)
	@echo "  LD $(1) $$@"; $$(AGENT_CC_$(1)) $$(AGENT_CFLAGS_$(1)) $$^ $$(AGENT_LDFLAGS_$(1)) -o $$@
.PHONY: agent-$(1)
agent-$(1): $(BUILD)/agent/$(1)/domusd $(BUILD)/agent/$(1)/keeper
-include $(patsubst %.c,$(BUILD)/agent/$(1)/obj/%.d,$(AGENT_COMMON) $(AGENT_DOMUSD) $(AGENT_KEEPER) $(KEEPERCTL) $(KEEPER_MACHINE_$(1)))
endef
$(foreach v,arm64 host asan,$(eval $(call agent_variant,$(v))))

# tests/unit/agent/x/y.c tests agent/x/y.c: one cmocka program each, linked with what it needs of the asan variant.
# A target tests/fuzz/x.c defines LLVMFuzzerTestOneInput(); tests/fuzz/driver.c feeds it tests/fuzz/corpus/x and mutations.
ASAN := $(BUILD)/agent/asan
AGENT_TESTABLE := $(filter-out %/main.c,$(AGENT_COMMON) $(AGENT_DOMUSD) $(AGENT_KEEPER) $(KEEPER_MACHINE_asan))
AGENT_UNIT := $(shell find tests/unit/agent -name '*.c' 2>/dev/null)
AGENT_FUZZ := $(filter-out tests/fuzz/driver.c,$(wildcard tests/fuzz/*.c))
UNIT_TESTS += $(AGENT_UNIT:tests/unit/%.c=$(ASAN)/unit/%)
FUZZ_PROGRAMS += $(AGENT_FUZZ:tests/fuzz/%.c=$(ASAN)/fuzz/%)
FUZZ_TESTS += $(foreach f,$(AGENT_FUZZ:tests/fuzz/%.c=%),$(ASAN)/fuzz/$(f) tests/fuzz/corpus/$(f) 200000;)
$(ASAN)/libagent.a: $(AGENT_TESTABLE:%.c=$(ASAN)/obj/%.o)
	@rm -f $@; ar rcs $@ $^
$(ASAN)/unit/%: $(ASAN)/obj/tests/unit/%.o $(ASAN)/libagent.a
	@mkdir -p $(@D); echo "  LD unit $*"; $(AGENT_CC_asan) $(AGENT_CFLAGS_asan) $^ $(AGENT_LDFLAGS_asan) -o $@ $(DOMUSD_LIBS) -lfdt -lcmocka
$(ASAN)/fuzz/%: $(ASAN)/obj/tests/fuzz/%.o $(ASAN)/obj/tests/fuzz/driver.o $(ASAN)/libagent.a
	@mkdir -p $(@D); echo "  LD fuzz $*"; $(AGENT_CC_asan) $(AGENT_CFLAGS_asan) $^ $(AGENT_LDFLAGS_asan) -o $@ $(DOMUSD_LIBS) -lfdt
-include $(patsubst %.c,$(ASAN)/obj/%.d,$(AGENT_UNIT) $(AGENT_FUZZ) tests/fuzz/driver.c)
.SECONDARY: $(patsubst %.c,$(ASAN)/obj/%.o,$(AGENT_UNIT) $(AGENT_FUZZ) tests/fuzz/driver.c)

.PHONY: agent
agent: agent-arm64 agent-host ## build domusd and keeper for Dom0 and for the build host
