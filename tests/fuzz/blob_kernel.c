/* The kernel check: the first bytes are the trailer, the rest a file. */
#include <stdlib.h>
#include <string.h>

#include "domusd/blob_kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel_info info;
	struct error e = {.code = ERROR_NONE};
	uint32_t trailer;

	if (size < sizeof(trailer))
		return 0;
	memcpy(&trailer, data, sizeof(trailer));
	if (kernel_check(data + 4, size - 4, size - 4, trailer, &info, &e) == 0) {
		if (info.memory == 0 || info.memory > 2 * KERNEL_UNPACKED_MAX)
			abort();
	} else if (e.code == ERROR_NONE || !e.detail[0]) {
		abort();
	}
	return 0;
}
