/* The hypercall decoder under any number, arguments and guest memory. The input: 48 bytes of registers for each call (number,
 * five arguments; small ones are made to point into guest memory), then the memory that all of them see. */
#include "core/event.h"
#include "fake/machine.h"
#include "fake/xen_machine.h"
#include "guest/trap.h"
#include "lib/errno.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t number(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct domain *d = fake_domain(2);
	unsigned calls;

	if (size < 1) {
		fake_domain_free(d);
		return 0;
	}
	calls = data[0] % 8 + 1u;
	d->privileged = data[0] & 0x80 ? false : true;
	memset(fake_guest, 0, sizeof(fake_guest));
	data++, size--;
	for (unsigned c = 0; c < calls && size >= 48; c++, data += 48, size -= 48) {
		struct vcpu *v = fake_run(d, data[0] >> 7);
		struct frame f = {0};

		memcpy(fake_guest + 0x800, data + 48, size - 48 < 0x4000 ? size - 48 : 0x4000);
		f.x[16] = number(data) & 0x3f;
		for (unsigned i = 0; i < 5; i++) {
			f.x[i] = number(data + 8 + 8 * i);
			if ((f.x[i] & 0xff) == 0xfe) /* a pointer */
				f.x[i] = FAKE_GUEST + (f.x[i] >> 8) % FAKE_GUEST_SIZE;
		}
		/* SCHEDOP_shutdown or remote_shutdown of Dom0 ends the machine */
		if (f.x[16] == 29 && ((uint32_t)f.x[0] == 2 || (uint32_t)f.x[0] == 4))
			continue;
		hypercall(v, &f);
		fake_run(d, v->id);
	}
	while (event_reset(d) == -ERESTART)
		;
	fake_domain_free(d);
	return 0;
}
