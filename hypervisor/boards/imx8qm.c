/* Resource numbers: dt-bindings/firmware/imx/rsrc.h. */
#include "boards/imx8qm.h"

const struct always_on imx8qm_always_on[] = {
	{0, 10, "cores: by PSCI"},	 /* A53, A72, interconnect */
	{14, 18, "interrupts and SMMU"}, /* GIC_SMMU to GIC */
	{213, 217, "mailboxes of the SCU"},
};
const unsigned imx8qm_always_on_count = ARRAY_SIZE(imx8qm_always_on);
