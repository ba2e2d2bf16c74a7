/*
 * What the board's hardware and keeper's own record may say: a device tree, configuration space, a path of sysfs, a line of
 * the record. The first byte chooses. Whatever comes of it must be fit to be sent to domusd.
 */
#include <stdlib.h>
#include <string.h>

#include "keeper/hardware_board.h"
#include "keeper/rails_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct inventory inventory;

static void require(bool promise)
{
	if (!promise)
		abort();
}

/* As keeper would send it. */
static void device_check(const struct verbs_device *d)
{
	static struct verbs_device_response response;
	struct error e = {0};

	verbs_start(&response, sizeof(response), VERB_DEVICE_READ, 1);
	response.device = *d;
	require(verbs_check_answer(&response, sizeof(response), &e) == 0);
}

static void tree(const uint8_t *data, size_t size)
{
	/* libfdt wants it aligned, and ASan a block of exact size */
	uint8_t *copy = malloc(size ? size : 1);

	require(copy != NULL);
	memcpy(copy, data, size);
	inventory.count = 0;
	platform_parse(NULL, copy, size, &inventory);
	for (unsigned i = 0; i < inventory.count; i++)
		device_check(&inventory.devices[i]);
	free(copy);
}

static void text(const uint8_t *data, size_t size, bool record)
{
	char *copy = malloc(size + 1), id[VERBS_DEVICE_MAX + 1];
	struct verbs_device d;

	require(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\0';
	if (!record && pcie_topology(copy, id)) {
		require(verbs_device_valid(id));
	} else if (record && record_parse(copy, &d)) {
		require(verbs_device_valid(d.id) && d.kept <= 1);
		require(!d.holder.name[0] || verbs_name_valid(d.holder.name));
		require(d.content_count <= 1 &&
			strlen(d.contents[0].name) < sizeof(d.contents[0].name));
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcie_port port;

	if (size < 1)
		return 0;
	switch (data[0] % 4) {
	case 0:
		tree(data + 1, size - 1);
		break;
	case 1:
		if (pcie_port_parse(data + 1, (unsigned)(size - 1), &port))
			require(port.capability >= 0x40 && port.capability + 0x1c <= size - 1 &&
				port.number < 8192);
		break;
	default:
		text(data + 1, size - 1, data[0] % 4 == 2);
	}
	return 0;
}
