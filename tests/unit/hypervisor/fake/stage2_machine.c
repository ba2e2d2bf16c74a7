#include "fake/stage2_machine.h"
#include "fake/boot_machine.h"
#include <string.h>

uint64_t fake_vttbr_el2, fake_id_aa64mmfr0_el1 = 2; /* 40 bits */
unsigned fake_flushes;
uint64_t fake_flushed_vttbr;

/* entries that became invalid, as long as the TLBs may know what they were; more than fit: all that are looked for */
static uint64_t *broken[1024];
static unsigned broken_count;

static bool is_broken(const uint64_t *entry)
{
	for (unsigned i = 0; i < broken_count && i < ARRAY_SIZE(broken); i++)
		if (broken[i] == entry)
			return true;
	return broken_count > ARRAY_SIZE(broken);
}

void fake_store(uint64_t *entry, uint64_t value)
{
	if ((*entry & 1) && (value & 1) && *entry != value) {
		fprintf(stderr, "a valid entry %lx became %lx without a break\n",
			(unsigned long)*entry, (unsigned long)value);
		_exit(FAKE_FAILED);
	}
	if ((value & 1) && is_broken(entry)) {
		fprintf(stderr, "an entry was made valid again before the TLBs were invalidated\n");
		_exit(FAKE_FAILED);
	}
	if ((*entry & 1) && !(value & 1) && broken_count++ < ARRAY_SIZE(broken))
		broken[broken_count - 1] = entry;
	*entry = value;
}

void fake_instruction(const char *text)
{
	if (strstr(text, "tlbi") == NULL)
		return;
	fake_flushes++;
	fake_flushed_vttbr = fake_vttbr_el2;
	broken_count = 0;
}

bool fake_tlb_is_clean(void)
{
	return broken_count == 0;
}
