# Two sysroots of Debian 13: one for Dom0's arm64, one for the build host's own architecture, so that the host build of
# the agent (for tests) has the very library versions that the appliance has, whatever Debian the host runs.
HOST_ARCH   := $(shell dpkg --print-architecture)
HOST_TRIPLE := $(shell gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)
SYSROOT_PACKAGES := libc6-dev linux-libc-dev libmicrohttpd-dev libjansson-dev libsqlite3-dev libssl-dev libfdt-dev libwslay-dev zlib1g-dev

SYSROOT_ARM64 := $(abspath $(BUILD))/sysroot/arm64
SYSROOT_HOST  := $(abspath $(BUILD))/sysroot/host

$(SYSROOT_ARM64)/.done: packaging/make-sysroot packaging/sysroot.mk
	@packaging/install-packages build
	@echo "  SYSROOT arm64"; packaging/make-sysroot arm64 $(SYSROOT_ARM64) $(SYSROOT_PACKAGES) libxen-dev && touch $@
$(SYSROOT_HOST)/.done: packaging/make-sysroot packaging/sysroot.mk
	@packaging/install-packages build
	@echo "  SYSROOT $(HOST_ARCH) (host)"; packaging/make-sysroot $(HOST_ARCH) $(SYSROOT_HOST) $(SYSROOT_PACKAGES) libcmocka-dev && touch $@
