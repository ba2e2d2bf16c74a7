#include "domusd/definition_check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "domusd/assignment.h"
#include "domusd/blob_kernel.h"
#include "domusd/network.h"
#include "domusd/store_domain.h"

static int check_image(struct store_tx *tx, const char *id, enum blob_kind kind,
		       const char *pointer, struct error *e)
{
	struct image image;

	if (store_image_get(tx, id, &image, e) < 0)
		return e->code == ERROR_IMAGE_UNKNOWN ? error_set_at(e, ERROR_REFERENCE, pointer,
								     "There is no image %s.", id)
						      : -1;
	if (image.kind != kind)
		return error_set_rule(e, "kind", pointer, "The image %s is of kind %s, not %s.", id,
				      blob_kind_name(image.kind), blob_kind_name(kind));
	return 0;
}

static int check_kernel(struct store_tx *tx, struct blob *blob, const struct definition *d,
			struct error *e)
{
	struct kernel_info info;
	struct error why;
	int fd, result;

	if (check_image(tx, d->kernel, BLOB_KERNEL, "/boot/kernel", e) < 0)
		return -1;
	fd = blob_image_fd(blob, d->kernel, e);
	if (fd < 0)
		return -1;
	result = kernel_check_file(fd, &info, &why);
	close(fd);
	if (result < 0)
		return error_set_at(e, why.code, "/boot/kernel",
				    "This is not a kernel that an arm64 domain can boot. %s.",
				    why.detail);
	if (info.memory > (uint64_t)d->memory_mib << 20)
		return error_set_rule(e, "range", "/memory_mib",
				      "The kernel alone needs %llu MiB of memory.",
				      (unsigned long long)(info.memory >> 20) + 1);
	return 0;
}

static int check_board(struct lifecycle *lifecycle, const struct definition *d, struct error *e)
{
	uint64_t total, dom0;
	unsigned cpus;

	if (!lifecycle_board(lifecycle, &total, &dom0, &cpus))
		return 0; /* keeper has not told yet; it checks again at the start */
	if (d->memory_mib > total - (dom0 < total ? dom0 : 0))
		return error_set_rule(
			e, "too_large", "/memory_mib",
			"The domain asks for %u MiB; the board has %llu MiB, of which "
			"Dom0 keeps %llu MiB.",
			d->memory_mib, (unsigned long long)total, (unsigned long long)dom0);
	if (cpus < DEFINITION_CPUS_MAX && d->cpu.affinity >> cpus)
		return error_set_rule(e, "range", "/cpu/affinity", "The board has %u CPUs, from 0.",
				      cpus);
	if (*d->cpu.pool)
		return error_set_at(e, ERROR_REFERENCE, "/cpu/pool", "There is no CPU pool %s.",
				    d->cpu.pool);
	return 0;
}

static int check_disks(struct store_tx *tx, const struct definition *d, struct error *e)
{
	char pointer[48], rival[41];
	struct volume volume;
	int found;

	for (unsigned i = 0; i < d->disk_count; i++) {
		if (*d->disks[i].device)
			continue; /* one of its devices: definition_parse() saw to it */
		snprintf(pointer, sizeof(pointer), "/disks/%u/source/volume", i);
		if (store_volume_get(tx, d->disks[i].volume, &volume, e) < 0)
			return e->code == ERROR_VOLUME_UNKNOWN
				       ? error_set_at(e, ERROR_REFERENCE, pointer,
						      "There is no volume %s.", d->disks[i].volume)
				       : -1;
		found = store_volume_rival(tx, d->disks[i].volume, d->name, !d->disks[i].readonly,
					   rival, e);
		if (found < 0)
			return -1;
		if (found > 0)
			return error_set_rule(e, "in_use", pointer,
					      "The volume is used by %s: of all domains that use a "
					      "volume none may write unless it is the only one.",
					      rival);
	}
	return 0;
}

/* Takes the first address made from the domain's name that nobody has. */
static int choose_mac(struct store_tx *tx, struct definition *d, unsigned nic, struct error *e)
{
	char user[41];
	int taken = 1;

	for (unsigned attempt = 0; taken == 1; attempt++) {
		definition_mac(d->name, nic, attempt, d->nics[nic].mac);
		taken = store_domain_mac_user(tx, d->nics[nic].mac, d->name, user, e);
		for (unsigned i = 0; i < d->nic_count; i++)
			if (i != nic && strcmp(d->nics[i].mac, d->nics[nic].mac) == 0)
				taken = taken < 0 ? taken : 1;
	}
	return taken;
}

static int check_nics(struct store_tx *tx, struct definition *d, struct error *e)
{
	char pointer[32], user[41];
	int taken;

	for (unsigned i = 0; i < d->nic_count; i++) {
		snprintf(pointer, sizeof(pointer), "/nics/%u/network", i);
		if (!*d->nics[i].device && !network_find(d->nics[i].network))
			return error_set_at(e, ERROR_REFERENCE, pointer, "There is no network %s.",
					    d->nics[i].network);
		if (strcmp(d->nics[i].mac, "auto") == 0) {
			if (choose_mac(tx, d, i, e) < 0)
				return -1;
			continue;
		}
		taken = store_domain_mac_user(tx, d->nics[i].mac, d->name, user, e);
		snprintf(pointer, sizeof(pointer), "/nics/%u/mac", i);
		if (taken < 0)
			return -1;
		if (taken > 0)
			return error_set_rule(e, "in_use", pointer,
					      "The domain %s has that address.", user);
	}
	return 0;
}

static int check_after(struct store_tx *tx, const struct definition *d, struct error *e)
{
	struct domain_row row;
	char pointer[48];

	for (unsigned i = 0; i < d->autostart.after_count; i++) {
		snprintf(pointer, sizeof(pointer), "/autostart/after/%u", i);
		if (store_domain_status(tx, d->autostart.after[i], &row, e) < 0)
			return e->code == ERROR_DOMAIN_UNKNOWN
				       ? error_set_at(e, ERROR_REFERENCE, pointer,
						      "There is no domain %s.",
						      d->autostart.after[i])
				       : -1;
	}
	return 0;
}

int definition_check(struct store_tx *tx, struct blob *blob, struct lifecycle *lifecycle,
		     struct definition *d, struct error *e)
{
	if (check_board(lifecycle, d, e) < 0 || check_kernel(tx, blob, d, e) < 0 ||
	    (*d->initrd && check_image(tx, d->initrd, BLOB_INITRD, "/boot/initrd", e) < 0) ||
	    assignment_check(tx, d, e) < 0 || check_disks(tx, d, e) < 0 ||
	    check_nics(tx, d, e) < 0 || check_after(tx, d, e) < 0)
		return -1;
	return 0;
}
