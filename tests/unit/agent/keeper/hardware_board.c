/* The real board's inventory and gates on recorded trees of sysfs, in a temporary folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/hardware_board.h"

#define PCI "/sys/devices/platform/4010000000.pcie/pci0000:00"
#define HUB PCI "/0000:00:03.0/usb1/1-1"

static char root[32];
static struct board board;
static struct inventory inventory;
static bool switches;

static bool hub_switches(const struct board *b, unsigned bus, unsigned device, bool superspeed)
{
	(void)b, (void)superspeed;
	return switches && bus == 1 && device == 2;
}

/* Writes a file below root with all folders above it. */
static void put_bytes(const char *path, const void *bytes, size_t size)
{
	char full[SYSFS_PATH], above[SYSFS_PATH], command[SYSFS_PATH + 16];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	snprintf(above, sizeof(above), "%s", full);
	snprintf(command, sizeof(command), "mkdir -p '%s'", dirname(above));
	assert_int_equal(system(command), 0);
	f = fopen(full, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static void put_link(const char *path, const char *target)
{
	char full[SYSFS_PATH], to[SYSFS_PATH];

	put(path, "");
	snprintf(full, sizeof(full), "%s%s", root, path);
	snprintf(to, sizeof(to), "%s%s", root, target);
	unlink(full);
	assert_int_equal(symlink(to, full), 0);
}

static void get(const char *path, char *out, size_t size)
{
	char full[SYSFS_PATH];
	FILE *f;
	size_t got;

	snprintf(full, sizeof(full), "%s%s", root, path);
	f = fopen(full, "r");
	got = f ? fread(out, 1, size - 1, f) : 0;
	out[got] = '\0';
	if (f)
		fclose(f);
}

/* 256 bytes of configuration space. port: a root port with a slot, its capability at 0x54. */
static void config_make(uint8_t c[256], unsigned vendor, unsigned device, uint32_t class, bool port)
{
	memset(c, 0, 256);
	c[0] = (uint8_t)vendor, c[1] = (uint8_t)(vendor >> 8);
	c[2] = (uint8_t)device, c[3] = (uint8_t)(device >> 8);
	c[9] = (uint8_t) class, c[10] = (uint8_t)(class >> 8), c[11] = (uint8_t)(class >> 16);
	if (!port)
		return;
	c[6] = 0x10;
	c[0x0e] = 1;
	c[0x34] = 0x48;
	c[0x48] = 0x0d, c[0x49] = 0x54; /* another capability goes first */
	c[0x54] = 0x10;
	c[0x56] = 0x42, c[0x57] = 0x01; /* version 2, root port, slot implemented */
	c[0x54 + 0x14] = 0x02;		/* power controller */
	c[0x54 + 0x16] = 7 << 3;	/* physical slot 7 */
	c[0x54 + 0x18] = 0xf1, c[0x54 + 0x19] = 0x01;
}

static void put_function(const char *path, unsigned vendor, unsigned device, uint32_t class,
			 bool port)
{
	char file[SYSFS_PATH];
	uint8_t config[256];
	const char *name = strrchr(path, '/') + 1;

	config_make(config, vendor, device, class, port);
	snprintf(file, sizeof(file), "%s/config", path);
	put_bytes(file, config, sizeof(config));
	snprintf(file, sizeof(file), "/sys/bus/pci/devices/%s", name);
	put_link(file, path);
}

static void put_disk(const char *name, const char *path, const char *number)
{
	char file[SYSFS_PATH], above[SYSFS_PATH];

	snprintf(above, sizeof(above), "%s/block/%s", path, name);
	snprintf(file, sizeof(file), "%s/dev", above);
	put(file, number);
	snprintf(file, sizeof(file), "%s/device", above);
	put_link(file, path);
	snprintf(file, sizeof(file), "/sys/class/block/%s", name);
	put_link(file, above);
	snprintf(file, sizeof(file), "/dev/%s", name);
	put(file, "");
	snprintf(file, sizeof(file), "/sys/dev/block/%s", number);
	put_link(file, above);
}

static void put_hub(void)
{
	put(HUB "/bDeviceClass", "09\n");
	put(HUB "/maxchild", "2\n");
	put(HUB "/busnum", "1\n");
	put(HUB "/devnum", "2\n");
	put(HUB "/devpath", "1\n");
	put(HUB "/speed", "12\n");
	put(HUB "/power/control", "");
	put(HUB "/1-1:1.0/1-1-port1/disable", "0\n");
	put(HUB "/1-1:1.0/1-1-port2/disable", "0\n");
	put_link("/sys/bus/usb/devices/1-1", HUB);
}

static void put_drive(void)
{
	put(HUB "/1-1.1/bDeviceClass", "00\n");
	put(HUB "/1-1.1/1-1.1:1.0/bInterfaceClass", "08\n");
	put(HUB "/1-1.1/idVendor", "46f4\n");
	put(HUB "/1-1.1/idProduct", "0001\n");
	put(HUB "/1-1.1/product", "Drive \x1b[2J\n");
	put_link(HUB "/1-1:1.0/1-1-port1/device", HUB "/1-1.1");
	put_link("/sys/bus/usb/devices/1-1.1", HUB "/1-1.1");
	put_disk("sda", HUB "/1-1.1/1-1.1:1.0/host0", "8:0");
}

/* The appliance's QEMU board: card, network, USB controller with a hub, two slots. */
static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/board-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	switches = true;
	board = (struct board){.root = root, .hub_switches = hub_switches};
	put_function(PCI "/0000:00:00.0", 0x1b36, 8, 0x060000, false);
	put_function(PCI "/0000:00:01.0", 0x1b36, 7, 0x080501, false);
	put(PCI "/0000:00:01.0/driver/unbind", "");
	put_disk("mmcblk0", PCI "/0000:00:01.0/mmc0", "179:0");
	put_function(PCI "/0000:00:04.0", 0x1b36, 12, 0x060400, true);
	put_function(PCI "/0000:00:04.0/0000:01:00.0", 0x1b36, 0x10, 0x010802, false);
	put_disk("nvme0n1", PCI "/0000:00:04.0/0000:01:00.0/nvme/nvme0", "259:0");
	put_function(PCI "/0000:00:05.0", 0x1b36, 12, 0x060400, true);
	put_hub();
	put_drive();
	put("/proc/self/mountinfo", "26 1 0:26 / / ro - overlay root ro\n"
				    "35 26 179:0 / /state rw - ext4 /dev/mmcblk0 rw\n");
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	board_close(&board);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void scan(void)
{
	struct error e = {0};

	inventory.count = 0;
	assert_int_equal(board_scan(&board, &inventory, &e), 0);
}

static struct verbs_device *found(const char *id)
{
	for (unsigned i = 0; i < inventory.count; i++) {
		if (strcmp(inventory.devices[i].id, id) == 0)
			return &inventory.devices[i];
	}
	return NULL;
}

static void slot_is_known_by_its_place_with_what_is_in_it(void **state)
{
	const struct verbs_device *d;

	(void)state;
	scan();
	d = found("pcie-00.04.0");
	assert_non_null(d);
	assert_string_equal(d->name, "PCIe slot 7");
	assert_int_equal(d->gate, VERBS_GATE_SLOT);
	assert_int_equal(d->power, VERBS_POWER_ON);
	assert_int_equal(d->content_count, 1);
	assert_int_equal(d->contents[0].kind, VERBS_CONTENT_DISK);
	assert_string_equal(d->contents[0].node, "nvme0n1");
	assert_non_null(found("pcie-00.05.0"));
	assert_null(found("pcie-00.04.0-00.0")); /* it moves with its slot */
	assert_null(found("pcie-00.00.0"));	 /* the host's own bridge is no device */
}

static void what_the_system_is_on_is_needed(void **state)
{
	(void)state;
	scan();
	assert_non_null(strstr(found("pcie-00.01.0")->needed, "own system is on it"));
	assert_string_equal(found("pcie-00.04.0")->needed, "");
	put("/proc/self/mountinfo", "35 26 259:0 / /state rw - ext4 /dev/nvme0n1 rw\n");
	scan();
	assert_non_null(strstr(found("pcie-00.04.0")->needed, "own system is on it"));
	put("/proc/self/mountinfo", "35 26 8:0 / /state rw - ext4 /dev/sda rw\n");
	scan();
	assert_non_null(strstr(found("usb-00.03.0-1.1")->needed, "own system is on it"));
}

static void slot_goes_off_drivers_first_and_never_by_its_indicator(void **state)
{
	struct verbs_device *d;
	struct error e = {0};
	char text[257];

	(void)state;
	put(PCI "/0000:00:04.0/0000:01:00.0/driver/unbind", "");
	put(PCI "/0000:00:04.0/0000:01:00.0/remove", "");
	scan();
	d = found("pcie-00.04.0");
	assert_int_equal(board_set(&board, d, false, &e), 0);
	get(PCI "/0000:00:04.0/0000:01:00.0/driver/unbind", text, sizeof(text));
	assert_string_equal(text, "0000:01:00.0");
	get(PCI "/0000:00:04.0/0000:01:00.0/remove", text, sizeof(text));
	assert_string_equal(text, "1");
	get(PCI "/0000:00:04.0/config", text, sizeof(text));
	assert_int_equal((uint8_t)text[0x54 + 0x19], 0x05); /* power off, indicator not off */
	/* the function still answers here: off is what both say */
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_ON);
	assert_non_null(strstr(d->error, "the device answers"));
	put_bytes(PCI "/0000:00:04.0/0000:01:00.0/config", "\xff\xff\xff\xff", 4);
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_OFF);
}

static void slot_whose_indicator_was_off_is_not_ejected(void **state)
{
	struct error e = {0};
	uint8_t config[256];
	char text[257];

	(void)state;
	config_make(config, 0x1b36, 12, 0x060400, true);
	config[0x54 + 0x19] = 0x03; /* indicator off */
	put_bytes(PCI "/0000:00:05.0/config", config, sizeof(config));
	scan();
	assert_int_equal(board_set(&board, found("pcie-00.05.0"), false, &e), 0);
	get(PCI "/0000:00:05.0/config", text, sizeof(text));
	assert_int_equal((uint8_t)text[0x54 + 0x19], 0x05);
}

static void slot_comes_on_and_is_looked_into(void **state)
{
	struct error e = {0};
	uint8_t config[256];
	char text[257];

	(void)state;
	config_make(config, 0x1b36, 12, 0x060400, true);
	config[0x54 + 0x19] = 0x05;
	put_bytes(PCI "/0000:00:05.0/config", config, sizeof(config));
	put(PCI "/0000:00:05.0/rescan", "");
	scan();
	assert_int_equal(found("pcie-00.05.0")->power, VERBS_POWER_OFF);
	assert_int_equal(board_set(&board, found("pcie-00.05.0"), true, &e), 0);
	get(PCI "/0000:00:05.0/config", text, sizeof(text));
	assert_int_equal((uint8_t)text[0x54 + 0x19], 0x01);
	get(PCI "/0000:00:05.0/rescan", text, sizeof(text));
	assert_string_equal(text, "1");
}

static void port_without_a_power_controller_cannot_be_switched(void **state)
{
	uint8_t config[256];

	(void)state;
	config_make(config, 0x1b36, 12, 0x060400, true);
	config[0x54 + 0x14] = 0;
	put_bytes(PCI "/0000:00:05.0/config", config, sizeof(config));
	scan();
	assert_int_equal(found("pcie-00.05.0")->gate, VERBS_GATE_NONE);
	assert_int_equal(found("pcie-00.05.0")->power, VERBS_POWER_UNKNOWN);
	assert_true(found("pcie-00.05.0")->note[0]);
}

static void capability_list_that_is_a_circle_ends(void **state)
{
	struct pcie_port port;
	uint8_t config[256];

	(void)state;
	config_make(config, 0x1b36, 12, 0x060400, true);
	config[0x49] = 0x48;
	assert_false(pcie_port_parse(config, sizeof(config), &port));
	config_make(config, 0x1b36, 12, 0x060400, true);
	config[0x49] = 0xf0; /* it would reach past the end */
	config[0xf0] = 0x10;
	assert_false(pcie_port_parse(config, sizeof(config), &port));
	memset(config, 0xff, sizeof(config)); /* a port that is itself without power */
	assert_false(pcie_port_parse(config, sizeof(config), &port));
}

static void topology_is_the_path_not_the_bus_numbers(void **state)
{
	char id[VERBS_DEVICE_MAX + 1];

	(void)state;
	assert_true(pcie_topology(PCI "/0000:00:04.0/0000:1f:00.0/0000:20:03.1", id));
	assert_string_equal(id, "00.04.0-00.0-03.1");
	assert_true(pcie_topology("/sys/devices/pci0002:80/0002:80:01.0", id));
	assert_string_equal(id, "0002-80.01.0");
	assert_false(pcie_topology("/sys/devices/platform/5b110000.usb", id));
}

static void port_is_known_by_its_place_with_what_is_plugged_in(void **state)
{
	const struct verbs_device *d;
	char text[16];

	(void)state;
	scan();
	d = found("usb-00.03.0-1.1");
	assert_non_null(d);
	assert_int_equal(d->gate, VERBS_GATE_PORT);
	assert_int_equal(d->power, VERBS_POWER_ON);
	assert_int_equal(d->contents[0].kind, VERBS_CONTENT_DISK);
	assert_string_equal(d->contents[0].node, "sda");
	assert_string_equal(d->contents[0].name, "Drive ?[2J"); /* its maker is not trusted */
	assert_non_null(found("usb-00.03.0-1.2"));
	get(HUB "/power/control", text, sizeof(text));
	assert_string_equal(text, "on"); /* a hub that sleeps may wake with all ports on */
}

static void port_of_a_hub_that_cannot_switch_is_shown_only_with_something_in_it(void **state)
{
	(void)state;
	switches = false;
	scan();
	assert_int_equal(found("usb-00.03.0-1.1")->gate, VERBS_GATE_NONE);
	assert_true(found("usb-00.03.0-1.1")->note[0]);
	assert_null(found("usb-00.03.0-1.2"));
}

static void port_that_is_off_with_a_drive_that_answers_is_on(void **state)
{
	struct verbs_device *d;
	struct error e = {0};
	char file[SYSFS_PATH];

	(void)state;
	scan();
	d = found("usb-00.03.0-1.1");
	assert_int_equal(board_set(&board, d, false, &e), 0);
	board_read(&board, d, false);
	assert_int_equal(d->power, VERBS_POWER_ON);
	assert_non_null(strstr(d->error, "the device is there"));
	snprintf(file, sizeof(file), "%s" HUB "/1-1:1.0/1-1-port1/device", root);
	unlink(file);
	board_read(&board, d, true);
	assert_int_equal(d->power, VERBS_POWER_OFF);
	assert_int_equal(d->content_count, 0);
}

static void hub_that_is_unplugged_is_an_error_not_a_state(void **state)
{
	struct verbs_device d;
	struct error e = {0};
	char command[SYSFS_PATH];

	(void)state;
	scan();
	d = *found("usb-00.03.0-1.1");
	snprintf(command, sizeof(command), "rm -rf %s" HUB " %s/sys/bus/usb/devices/1-1", root,
		 root);
	assert_int_equal(system(command), 0);
	board_read(&board, &d, false);
	assert_int_equal(d.power, VERBS_POWER_UNKNOWN);
	assert_true(d.error[0]);
	assert_int_equal(board_set(&board, &d, true, &e), -1);
	assert_int_equal(e.code, ERROR_RAIL_FAULT);
	scan();
	assert_null(found("usb-00.03.0-1.1"));
}

static void files_that_make_no_sense_are_left_out(void **state)
{
	(void)state;
	put(HUB "/maxchild", "4294967295\n");
	scan();
	assert_null(found("usb-00.03.0-1.1"));
	put(HUB "/maxchild", "2\n");
	put(HUB "/devpath", "../../etc\n");
	scan();
	assert_null(found("usb-00.03.0-1.1"));
	put(HUB "/devpath", "1\n");
	put(HUB "/1-1:1.0/1-1-port2/disable", "maybe\n");
	put_bytes(PCI "/0000:00:05.0/config", "short", 5);
	put("/sys/bus/pci/devices/nonsense/config", "x");
	scan();
	assert_int_equal(found("usb-00.03.0-1.2")->power, VERBS_POWER_UNKNOWN);
	assert_null(found("pcie-00.05.0"));
	assert_non_null(found("pcie-00.04.0"));
}

static void disk_is_there_once_its_device_file_is(void **state)
{
	char path[SYSFS_PATH + 16];

	(void)state;
	snprintf(path, sizeof(path), "%s/dev/sda", board.root);
	assert_int_equal(unlink(path), 0);
	scan();
	assert_string_equal(found("usb-00.03.0-1.1")->contents[0].node, "");
	put("/dev/sda", "");
	scan();
	assert_string_equal(found("usb-00.03.0-1.1")->contents[0].node, "sda");
}

static void disk_that_is_no_block_device_is_refused(void **state)
{
	struct error e = {0};

	(void)state;
	put("/dev/sda", "");
	assert_int_equal(board_disk_open(&board, "sda", false, &e), -1);
	assert_int_equal(e.code, ERROR_REFERENCE);
	assert_int_equal(board_disk_open(&board, "../etc/passwd", true, &e), -1);
	assert_int_equal(board_disk_open(&board, "nothing", true, &e), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(slot_is_known_by_its_place_with_what_is_in_it),
		TEST(what_the_system_is_on_is_needed),
		TEST(slot_goes_off_drivers_first_and_never_by_its_indicator),
		TEST(slot_whose_indicator_was_off_is_not_ejected),
		TEST(slot_comes_on_and_is_looked_into),
		TEST(port_without_a_power_controller_cannot_be_switched),
		TEST(capability_list_that_is_a_circle_ends),
		TEST(topology_is_the_path_not_the_bus_numbers),
		TEST(port_is_known_by_its_place_with_what_is_plugged_in),
		TEST(port_of_a_hub_that_cannot_switch_is_shown_only_with_something_in_it),
		TEST(port_that_is_off_with_a_drive_that_answers_is_on),
		TEST(hub_that_is_unplugged_is_an_error_not_a_state),
		TEST(files_that_make_no_sense_are_left_out),
		TEST(disk_is_there_once_its_device_file_is),
		TEST(disk_that_is_no_block_device_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
