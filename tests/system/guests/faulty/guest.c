/* Asks a faulty hypervisor (smccc_call.c) to fault as the boot arguments say: fault=<digit>. */
#include "bare.h"

void guest_main(void)
{
	const char *tree = (const char *)guest_tree;
	uint32_t size = __builtin_bswap32(*(const uint32_t *)(guest_tree + 4));

	/* the only place of the device tree with this word is bootargs */
	for (uint32_t i = 0; i + 7 < size; i++) {
		struct smccc call = {{0x83fa0170}};

		if (__builtin_memcmp(tree + i, "fault=", 6) != 0)
			continue;
		call.x[1] = (uint64_t)(tree[i + 6] - '0');
		print("asking for fault %u", call.x[1]);
		smccc_hvc(&call);
		print("nothing happened");
	}
	power_off();
}
