/* xen_version: what we call ourselves. Debian's xl picks its libraries by the number, so it is an option. */
#include "core/options.h"
#include "lib/errno.h"
#include "lib/print.h"
#include "lib/string.h"
#include "xen/abi.h"
#include "xen/guest_copy.h"
#include "xen/hypercall.h"

#define EXTRA	     "-domus-" DOMUS_VERSION
#define CAPABILITIES "xen-3.0-aarch64"
#define CHANGESET    "v" DOMUS_VERSION

/* One of the fixed-size strings of the old commands: cut, always ended. */
static int64_t string_out(struct vcpu *v, gva_t at, const char *text, size_t size)
{
	static const char zeros[64];
	size_t length = strnlen(text, size - 1);

	if (guest_copy_out(v, at, text, length))
		return -EFAULT;
	for (size_t part; length < size; length += part) {
		part = size - length < sizeof(zeros) ? size - length : sizeof(zeros);
		if (guest_copy_out(v, GVA(at.raw + length), zeros, part))
			return -EFAULT;
	}
	return 0;
}

/* The new commands: any length, no NUL; without an address the length is the answer. */
static int64_t varbuf_out(struct vcpu *v, gva_t at, const char *text)
{
	uint32_t length = (uint32_t)strlen(text), room;

	if (!at.raw)
		return length;
	if (guest_copy_in(v, &room, at, sizeof(room)))
		return -EFAULT;
	if (length > room)
		return -XEN_ENOBUFS;
	if (guest_copy_out(v, GVA(at.raw + offsetof(struct xen_varbuf, buf)), text, length))
		return -EFAULT;
	return length;
}

/* What the machine's owner told the hypervisor is no guest's business. */
static const char *command_line(const struct vcpu *v)
{
	return v->domain->privileged ? options.line : "<denied>";
}

static int64_t compile_info(struct vcpu *v, gva_t at)
{
	struct xen_compile_info info = {.compile_by = "domus", .compile_domain = "domus"};

	string_copy(info.compiler, "gcc " __VERSION__, sizeof(info.compiler));
	return guest_copy_out(v, at, &info, sizeof(info));
}

static int64_t features(struct vcpu *v, gva_t at)
{
	const struct domain *d = v->domain;
	struct xen_feature_info info;

	if (guest_copy_in(v, &info, at, sizeof(info)))
		return -EFAULT;
	if (info.submap_idx != 0)
		return -EINVAL;
	info.submap = 1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
		      1u << XENFEAT_memory_op_vnode_supported | 1u << XENFEAT_ARM_SMCCC_supported |
		      1u << (d->direct_mapped ? XENFEAT_direct_mapped : XENFEAT_not_direct_mapped);
	if (d->privileged)
		info.submap |= 1u << XENFEAT_dom0;
	return guest_copy_out(v, at, &info, sizeof(info));
}

int64_t hypercall_version(struct vcpu *v, const uint64_t *a)
{
	struct xen_platform_parameters platform = {0};
	gva_t at = GVA(a[1]);

	switch ((uint32_t)a[0]) {
	case XENVER_version:
		return 4 << 16 | options.xen_minor;
	case XENVER_extraversion:
		return string_out(v, at, EXTRA, XEN_EXTRAVERSION_LEN);
	case XENVER_compile_info:
		return compile_info(v, at);
	case XENVER_capabilities:
		return string_out(v, at, CAPABILITIES, XEN_CAPABILITIES_INFO_LEN);
	case XENVER_changeset:
		return string_out(v, at, CHANGESET, sizeof(xen_changeset_info_t));
	case XENVER_platform_parameters:
		return guest_copy_out(v, at, &platform, sizeof(platform));
	case XENVER_get_features:
		return features(v, at);
	case XENVER_pagesize:
		return a[1] ? -EINVAL : (int64_t)PAGE_SIZE;
	case XENVER_guest_handle:
		return guest_copy_out(v, at, v->domain->handle, sizeof(v->domain->handle));
	case XENVER_commandline:
		return string_out(v, at, command_line(v), sizeof(xen_commandline_t));
	case XENVER_build_id:
		return v->domain->privileged ? -ENODATA : -EPERM;
	case XENVER_extraversion2:
		return varbuf_out(v, at, EXTRA);
	case XENVER_capabilities2:
		return varbuf_out(v, at, CAPABILITIES);
	case XENVER_changeset2:
		return varbuf_out(v, at, CHANGESET);
	case XENVER_commandline2:
		if (!v->domain->privileged)
			return -EPERM;
		return varbuf_out(v, at, command_line(v));
	}
	return -ENOSYS;
}
