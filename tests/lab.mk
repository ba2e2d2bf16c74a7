# The laboratory: a Dom0 of Debian's packages that runs one script (tests/lab/run), and the long runs made with it.
LAB := $(BUILD)/lab
LAB_PACKAGES := bash coreutils busybox-static util-linux kmod iproute2 e2fsprogs iperf3 stress-ng linux-image-arm64 xen-utils-4.20 xenstore-utils
LAB_DISK := $(LAB)/dom0.ext4
$(LAB)/root/.done: packaging/make-sysroot tests/lab.mk
	@packaging/install-packages build
	@echo "  FETCH Debian packages of the laboratory's Dom0"; packaging/make-sysroot arm64 $(@D) $(LAB_PACKAGES) && touch $@
$(LAB_DISK): $(LAB)/root/.done $(wildcard tests/lab/*)
	@echo "  LAB $@"; tests/lab/make-disk $(LAB)/root $(LAB)

.PHONY: lab soak
lab: $(LAB_DISK) hypervisor
	@packaging/install-packages run

# SOAK names some of tests/soak only: make soak SOAK="boots stress"
SOAK ?= boots stress devices hostile latency life rails
soak: lab hostile-guests $(STOCK_XEN)/.done ## the long runs: boots in a row, Dom0 under stress, devices beside stock Xen, power (hours)
	@for run in $(SOAK); do echo "== $$run"; STOCK_XEN=$(STOCK_XEN)/boot/xen-4.20-arm64 tests/soak/$$run || status=1; done; exit $${status:-0}
