/* Building a domain: the request as a libxl_domain_config, and the order of steps that leaves nothing half-made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/machine_libxl.h"

#define WEIGHT_USUAL 256

/* The loop devices of a domain in the making; blkback keeps them once the domain is built. */
struct loops {
	int fd[VERBS_DISKS_MAX];
	unsigned count;
};

static void loops_close(struct loops *l)
{
	for (unsigned i = 0; i < l->count; i++)
		close(l->fd[i]);
}

/* libxl frees the configuration with free(): every string in it is a copy. Out of memory ends keeper, as in libxl. */
static char *copy(const char *s)
{
	char *c = strdup(s);

	if (!c)
		abort();
	return c;
}

static void *array(size_t count, size_t size)
{
	void *a = calloc(count ? count : 1, size);

	if (!a)
		abort();
	return a;
}

/* libxl opens the very file that we checked, whatever has its name by now */
static char *file_path(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return copy(path);
}

/* A volume becomes a loop device; the disk in a slot or port is a block device already, open as fd so that nobody else
 * takes its name meanwhile. */
static int disk_path(const struct verbs_disk *d, int fd, struct loops *loops, char *path,
		     size_t size, struct error *e)
{
	char link[32];
	ssize_t length;
	int loop;

	if (d->device[0]) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, path, size - 1);
		path[length > 0 ? length : 0] = '\0';
		return length > 0 ? 0
				  : error_set(e, ERROR_INTERNAL, "The disk in %s has no name.",
					      d->device);
	}
	loop = loop_attach(fd, d->readonly, d->volume, path, size, e);
	if (loop < 0)
		return -1;
	loops->fd[loops->count++] = loop;
	return 0;
}

static int disks_set(const struct machine *m, const struct verbs_create_request *r,
		     const struct machine_files *files, libxl_domain_config *config,
		     struct loops *loops, struct error *e)
{
	config->disks = array(r->disk_count, sizeof(*config->disks));
	for (unsigned i = 0; i < r->disk_count; i++) {
		libxl_device_disk *disk = &config->disks[i];
		char path[64];

		if (disk_path(&r->disks[i], files->disks[i], loops, path, sizeof(path), e) < 0)
			return -1;
		libxl_device_disk_init(disk);
		config->num_disks++;
		disk->pdev_path = copy(path);
		disk->script = copy(m->program);
		disk->vdev = copy(r->disks[i].vdev);
		disk->backend = LIBXL_DISK_BACKEND_PHY;
		disk->format = LIBXL_DISK_FORMAT_RAW;
		disk->readwrite = !r->disks[i].readonly;
	}
	return 0;
}

static int nics_set(const struct machine *m, const struct verbs_create_request *r,
		    libxl_domain_config *config, struct error *e)
{
	config->nics = array(r->nic_count, sizeof(*config->nics));
	for (unsigned i = 0; i < r->nic_count; i++) {
		libxl_device_nic *nic = &config->nics[i];
		char path[64], pointer[32];

		snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", r->nics[i].bridge);
		snprintf(pointer, sizeof(pointer), "/nics/%u/network", i);
		if (access(path, F_OK) < 0)
			return error_set_at(e, ERROR_REFERENCE, pointer, "There is no bridge %s.",
					    r->nics[i].bridge);
		libxl_device_nic_init(nic);
		config->num_nics++;
		nic->nictype = LIBXL_NIC_TYPE_VIF;
		nic->script = copy(m->program);
		nic->devid = r->nics[i].devid;
		nic->bridge = copy(r->nics[i].bridge);
		memcpy(nic->mac, r->nics[i].mac, sizeof(nic->mac));
	}
	return 0;
}

static int affinity_set(struct context *c, const struct verbs_create_request *r,
			libxl_domain_build_info *b, struct error *e)
{
	uint64_t any = 0;
	int cpus = libxl_get_max_cpus(c->ctx);

	for (unsigned i = 0; i < VERBS_CPUS_MAX / 64; i++)
		any |= r->affinity[i];
	if (!any)
		return 0;
	b->vcpu_hard_affinity = array(r->vcpus, sizeof(*b->vcpu_hard_affinity));
	for (unsigned v = 0; v < r->vcpus; v++) {
		libxl_bitmap *map = &b->vcpu_hard_affinity[v];

		libxl_bitmap_init(map);
		b->num_vcpu_hard_affinity++;
		if (libxl_cpu_bitmap_alloc(c->ctx, map, 0) != 0)
			return error_set(e, ERROR_INTERNAL, "Out of memory.");
		for (int cpu = 0; cpu < VERBS_CPUS_MAX; cpu++) {
			if (!(r->affinity[cpu / 64] >> (cpu % 64) & 1))
				continue;
			if (cpu >= cpus)
				return error_set_at(e, ERROR_FIELD, "/cpu/affinity",
						    "The board has no CPU %d.", cpu);
			libxl_bitmap_set(map, cpu);
		}
	}
	return 0;
}

static int cpus_set(struct context *c, const struct verbs_create_request *r,
		    libxl_domain_config *config, struct error *e)
{
	libxl_domain_build_info *b = &config->b_info;
	uint32_t pool;

	b->max_vcpus = (int)r->vcpus;
	if (libxl_cpu_bitmap_alloc(c->ctx, &b->avail_vcpus, (int)r->vcpus) != 0)
		return error_set(e, ERROR_INTERNAL, "Out of memory.");
	for (unsigned v = 0; v < r->vcpus; v++)
		libxl_bitmap_set(&b->avail_vcpus, (int)v);
	/* left alone when usual: a scheduler without weights refuses to be told any */
	if (r->weight != WEIGHT_USUAL)
		b->sched_params.weight = (int)r->weight;
	if (r->cap)
		b->sched_params.cap = (int)r->cap;
	if (r->pool[0]) {
		if (libxl_name_to_cpupoolid(c->ctx, r->pool, &pool) != 0)
			return error_set_at(e, ERROR_REFERENCE, "/cpu/pool",
					    "There is no CPU pool %s.", r->pool);
		config->c_info.pool_name = copy(r->pool);
	}
	return affinity_set(c, r, b, e);
}

static int config_make(const struct machine *m, struct context *c,
		       const struct verbs_create_request *r, const struct machine_files *files,
		       libxl_domain_config *config, struct loops *loops, struct error *e)
{
	libxl_domain_build_info *b = &config->b_info;

	config->c_info.type = LIBXL_DOMAIN_TYPE_PVH;
	config->c_info.name = copy(r->domain.name);
	memcpy(libxl_uuid_bytearray(&config->c_info.uuid), r->domain.uuid, 16);
	libxl_domain_build_info_init_type(b, LIBXL_DOMAIN_TYPE_PVH);
	b->max_memkb = b->target_memkb = r->memory_mib * 1024;
	b->kernel = file_path(files->kernel);
	if (files->initrd >= 0)
		b->ramdisk = file_path(files->initrd);
	b->cmdline = copy(r->cmdline);
	if (cpus_set(c, r, config, e) < 0 || nics_set(m, r, config, e) < 0)
		return -1;
	return disks_set(m, r, files, config, loops, e);
}

/*
 * Claims the memory that the domain will need, so that two domains being built at once do not both count on the same. When
 * it is only missing because of others in the making, waits for them: their share of it may have been taken already.
 */
static int memory_claim(struct machine *m, struct context *c, libxl_domain_config *config,
			uint64_t *need_kib, struct error *e)
{
	uint64_t free_kib = 0;
	int rc = libxl_domain_need_memory(c->ctx, config, (uint32_t)INVALID_DOMID, need_kib);

	pthread_mutex_lock(&m->claim_lock);
	while (rc == 0) {
		rc = libxl_get_free_memory(c->ctx, &free_kib);
		if (rc || *need_kib + m->claimed_kib <= free_kib || !m->claimed_kib ||
		    *need_kib > free_kib)
			break;
		pthread_cond_wait(&m->claim_changed, &m->claim_lock);
	}
	if (rc == 0 && *need_kib <= free_kib)
		m->claimed_kib += *need_kib;
	pthread_mutex_unlock(&m->claim_lock);
	if (rc)
		return context_fail(c, rc, e, "The memory for the domain could not be reckoned",
				    config->c_info.name);
	if (*need_kib <= free_kib)
		return 0;
	return error_set_at(e, ERROR_MEMORY, "/memory_mib",
			    "The domain needs %llu MiB of memory, and %llu MiB are free.",
			    (unsigned long long)(*need_kib + 1023) / 1024,
			    (unsigned long long)free_kib / 1024);
}

static void memory_unclaim(struct machine *m, uint64_t need_kib)
{
	pthread_mutex_lock(&m->claim_lock);
	m->claimed_kib -= need_kib;
	pthread_cond_broadcast(&m->claim_changed);
	pthread_mutex_unlock(&m->claim_lock);
}

/* Its record says "building" from before it exists until it is whole; own_add() was done. */
static int domain_build(struct machine *m, struct context *c, const struct verbs_create_request *r,
			libxl_domain_config *config, uint32_t *domid, struct error *e)
{
	uint64_t need_kib;
	int rc;

	if (memory_claim(m, c, config, &need_kib, e) < 0)
		return -1;
	if (own_record(m, &r->domain, RECORD_BUILDING, e) < 0) {
		memory_unclaim(m, need_kib);
		return -1;
	}
	*domid = (uint32_t)INVALID_DOMID;
	rc = libxl_domain_create_new(c->ctx, config, domid, NULL, NULL);
	memory_unclaim(m, need_kib);
	if (rc == 0)
		return 0;
	/* libxl destroyed what it had made, unless that failed too */
	if (*domid != (uint32_t)INVALID_DOMID)
		libxl_domain_destroy(c->ctx, *domid, NULL);
	return context_fail(c, rc, e, "The hypervisor could not create the domain", r->domain.name);
}

/* From built and paused to what was asked for. */
static int domain_start(struct machine *m, struct context *c, const struct verbs_create_request *r,
			uint32_t domid, struct error *e)
{
	int rc = 0;

	if (own_record(m, &r->domain, RECORD_READY, e) < 0 ||
	    own_watch(m, &r->domain, domid, e) < 0)
		return -1;
	own_report(m, &r->domain, domid, r->paused ? VERBS_PAUSED : VERBS_RUNNING,
		   VERBS_REASON_NONE);
	if (!r->paused)
		rc = libxl_domain_unpause(c->ctx, domid, NULL);
	if (rc)
		return context_fail(c, rc, e, "The domain could not be started", r->domain.name);
	return 0;
}

int machine_create(struct machine *m, const struct verbs_create_request *r,
		   const struct machine_files *files, uint32_t *domid, struct error *e)
{
	struct context *c = context_take(m, e);
	struct loops loops = {.count = 0};
	libxl_domain_config config;
	int result;

	if (!c)
		return -1;
	if (own_add(m, &r->domain, e) < 0) {
		context_give(m, c);
		return -1;
	}
	libxl_domain_config_init(&config);
	result = config_make(m, c, r, files, &config, &loops, e);
	if (result == 0)
		result = domain_build(m, c, r, &config, domid, e);
	if (result == 0) {
		result = domain_start(m, c, r, *domid, e);
		if (result < 0) {
			own_set_busy(m, &r->domain, true);
			libxl_domain_destroy(c->ctx, *domid, NULL);
			own_report(m, &r->domain, *domid, VERBS_GONE, VERBS_REASON_KILLED);
		}
	}
	if (result < 0)
		own_remove(m, &r->domain);
	libxl_domain_config_dispose(&config);
	loops_close(&loops);
	context_give(m, c);
	return result;
}
