/* domctl vuart_op: the units know who emulates it. */
#include "core/unit.h"
#include "lib/errno.h"
#include "xen/abi.h"
#include "xen/domctl.h"

int64_t domctl_vuart(struct vcpu *v, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vuart_op *u = &op->u.vuart_op;
	int error = -ENOSYS;

	(void)v;
	if (u->cmd != XEN_DOMCTL_VUART_OP_INIT || u->type != XEN_DOMCTL_VUART_TYPE_VPL011 ||
	    u->gfn >> 36)
		return -EINVAL;
	if (d->state != DOMAIN_CREATED)
		return -EPERM;
	for (const struct unit *unit = units_begin; unit < units_end; unit++)
		if (unit->vuart_attach)
			error = unit->vuart_attach(d, IPA(u->gfn << PAGE_SHIFT), u->console_domid,
						   &u->evtchn);
	return error;
}
