/* i.MX8QM: what the device tree does not say. */
#ifndef BOARDS_IMX8QM_H
#define BOARDS_IMX8QM_H
#include "lib/types.h"

/* Resources whose rail is always on, whatever the device tree gives to whom: the machine itself runs on them. */
struct always_on {
	uint16_t first, last;
	const char *why;
};
extern const struct always_on imx8qm_always_on[];
extern const unsigned imx8qm_always_on_count;
#define IMX8QM_MAILBOX 214 /* MU_1A: the one that the hypervisor speaks through */

#endif
