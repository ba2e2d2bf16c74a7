# The appliance's image and its QEMU board. docs/image.md explains the two read-only halves.
IMAGE := $(BUILD)/image
IMAGE_LAYER_FILES := $(shell find packaging/image/rootfs packaging/systemd -type f 2>/dev/null)

# What the tree builds for Dom0: "path in Dom0=file or folder", and the files that say it is built.
IMAGE_CONTENT :=
IMAGE_NEEDS :=
ifneq ($(wildcard agent/keeper/machine_libxl.c),)
IMAGE_CONTENT += usr/libexec/domus/keeper=$(BUILD)/agent/arm64/keeper
IMAGE_NEEDS += $(BUILD)/agent/arm64/keeper
endif
ifneq ($(wildcard agent/domusd/keeper_client.c),)
IMAGE_CONTENT += usr/libexec/domus/domusd=$(BUILD)/agent/arm64/domusd \
	usr/share/domus/webui=$(BUILD)/webui usr/share/domus/openapi.json=$(BUILD)/api/openapi.json
IMAGE_NEEDS += $(BUILD)/agent/arm64/domusd $(BUILD)/webui/index.html $(BUILD)/api/openapi.json
endif

$(IMAGE)/debian/.done: packaging/image/packages packaging/image/make-debian
	@packaging/install-packages build
	@mkdir -p $(IMAGE)
	@echo "  FETCH Debian packages of Dom0"; packaging/image/make-debian $(@D) && touch $@
$(IMAGE)/base.squashfs: $(IMAGE)/debian/.done packaging/image/make-base packaging/image/trim
	@echo "  IMAGE $@"; packaging/image/make-base $(<D) $(IMAGE)
$(IMAGE)/boot/initramfs.gz: $(IMAGE)/base.squashfs packaging/image/make-initramfs packaging/image/initramfs-modules packaging/image/init
	@echo "  IMAGE $@"; packaging/image/make-initramfs $(IMAGE)/root $@
$(IMAGE)/layer.squashfs: $(IMAGE)/base.squashfs packaging/image/make-layer packaging/image/units-masked packaging/image/units-enabled \
		packaging/packaging.mk VERSION $(IMAGE_LAYER_FILES) $(IMAGE_NEEDS)
	@echo "  IMAGE $@"; packaging/image/make-layer $@ $(VERSION) $(IMAGE_CONTENT)

.PHONY: appliance
appliance: $(IMAGE)/base.squashfs $(IMAGE)/layer.squashfs $(IMAGE)/boot/initramfs.gz

.PHONY: run stop image
run: ## boot the appliance in QEMU: RUN PORT CPUS MEMORY HYPERVISOR FRESH=1 DETACH=1
	@packaging/install-packages build run
	@packaging/qemu/board check
	@$(MAKE) -s --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) appliance \
		$(if $(filter domus,$(HYPERVISOR)),hypervisor)
	@exec packaging/qemu/board run
stop: ## shut down the appliance that runs in RUN
	@packaging/qemu/board stop
image: appliance hypervisor ## make the card image and boot files for a board
	@cp -u $(BUILD)/hypervisor/domus $(IMAGE)/boot/domus
	@packaging/image/make-card $(IMAGE)/domus-mmc.img $(IMAGE)/base.squashfs $(IMAGE)/layer.squashfs
	@printf '%s\n' "" "$(IMAGE)/domus-mmc.img  the card: system and an empty state, sparse" \
		"$(IMAGE)/boot/           domus (or xen), kernel, initramfs.gz for the boot loader" "" \
		"Write the card to an MMC or SD card of 16 GB or more (this erases it):" \
		"    sudo dd if=$(IMAGE)/domus-mmc.img of=/dev/mmcblkN bs=4M conv=fsync status=progress" \
		"and let the boot loader start domus with kernel and initramfs.gz as its modules: docs/install.md says how."
