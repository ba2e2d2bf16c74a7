/* The public Xen headers (Debian's libxen-dev, 4.20), and nothing of our own. Included by xen/ only. */
#ifndef XEN_ABI_H
#define XEN_ABI_H
#include "core/domain.h"
#undef DOMID_FIRST_RESERVED /* the same number in the ABI's own words */
#define __XEN_TOOLS__ 1 /* sysctl, domctl, wide handles */
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>

#include <xen/errno.h>

#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#endif
