/* A firmware that says anything at any time, and a Dom0 that sends it anything, on rails that are switched meanwhile. The input:
 * four bytes for each event. What must hold: every call ends, nothing is mapped that was read as off, no message of Dom0 reaches the
 * firmware that its filter does not name. */
#include "core/page.h"
#include "core/power_rail.h"
#include "drivers/scu_power.h"
#include "drivers/scu_rpc.h"
#include "fake/machine.h"
#include "fake/power_machine.h"
#include "guest/trap.h"
#include "guest/vscu.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAILBOX 0x5d1c0000ul
enum { DISK = 248, CARD = 249 };

static const uint8_t *input;
static size_t left;
static uint64_t ticks;
static uint32_t sent[SCU_WORDS];
static unsigned sent_at;

/* Status and words are what the input says; when it is over, the firmware is silent. */
static uint32_t next(void)
{
	uint32_t v = 0;

	if (left >= 4) {
		memcpy(&v, input, 4);
		input += 4;
		left -= 4;
	}
	return v;
}

static uint32_t mu_read(void *arg, unsigned offset)
{
	(void)arg;
	ticks++;
	if (offset == MU_SR)
		return left >= 4 ? next() | (ticks & 1 ? 0x00f00000 : 0) : 0x00f00000;
	if (offset < MU_RR(0) || offset > MU_RR(3))
		abort();
	return next();
}

/* What reaches the firmware: rails' messages, and of Dom0's those that may. */
static void mu_write(void *arg, unsigned offset, uint32_t value)
{
	static const uint8_t fine[][2] = {{2, 1},  {2, 3},  {2, 4},  {2, 5},  {2, 6},  {2, 7},
					  {2, 14}, {2, 15}, {3, 1},  {3, 2},  {3, 5},  {3, 8},
					  {3, 11}, {5, 7},  {5, 9},  {6, 15}, {6, 16}, {7, 1},
					  {7, 2},  {7, 11}, {7, 13}, {7, 15}, {7, 19}};

	(void)arg;
	if (offset == MU_CR)
		return;
	if (offset == MU_TR(0) && sent_at % 4 != 0)
		sent_at = 0; /* the rest of the last one was given up */
	if (offset != MU_TR(sent_at % 4))
		abort();
	sent[sent_at++] = value;
	if (sent_at < SCU_SIZE(sent[0]))
		return;
	sent_at = 0;
	for (unsigned i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (fine[i][0] == (sent[0] >> 16 & 0xff) && fine[i][1] == sent[0] >> 24)
			return;
	abort();
}

static uint64_t mu_now(void *arg)
{
	(void)arg;
	return ++ticks;
}

static void check(void)
{
	struct rail r;

	for (unsigned i = 0; power_get(i, &r) == 0; i++)
		if (r.id == CARD && r.step == RAIL_SETTLED && r.todo == RAIL_SETTLED &&
		    r.actual != POWER_ON && fake_is_mapped(0, 0x5b020000))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct scu_port port = {mu_read, mu_write, mu_now, NULL};
	static const uint16_t disk = DISK, card = CARD;
	static const struct power_range range = {0x5b020000, 0x10000};
	static uint32_t number[SCU_WORDS];
	struct domain *d = fake_domain(1);

	d->id = 0;
	input = data;
	left = size;
	sent_at = 0;
	memset(fake_timers, 0, sizeof(fake_timers));
	memset(fake_mapped, 0, sizeof(fake_mapped));
	(void)scu_power_open(&port, 50);
	(void)power_init(&scu_power);
	(void)power_add("disk", &disk, 1, &range, 0, 0, NULL);
	(void)power_add("card", &card, 1, &range, 1, 0, NULL);
	(void)vscu_create(d, MAILBOX, 0x10000, 70);
	power_start();
	check();
	while (left >= 4) {
		uint32_t event = next();

		switch (event & 7) {
		case 0:
			fake_write(MAILBOX + MU_TR(event >> 3 & 3), 4, event >> 8);
			break;
		case 1: /* a message that may have sense */
			memset(number, 0, sizeof(number));
			number[0] = SCU_HEADER(event >> 3 & 3, event >> 5 & 7, event >> 8 & 31);
			number[1] = (event >> 13 & 1 ? DISK : CARD) | (event >> 16 & 3) << 16;
			number[2] = DISK;
			for (unsigned i = 0; i < SCU_SIZE(number[0]); i++)
				fake_write(MAILBOX + MU_TR(i), 4, number[i]);
			break;
		case 2:
			fake_read(MAILBOX + (event >> 3 & 15) * 4, 4);
			break;
		case 3:
			fake_write(MAILBOX + MU_CR, 4, event);
			break;
		case 4:
			(void)power_set(CARD, event >> 3 & 1);
			break;
		case 5:
			(void)power_refresh(event >> 3 & 1 ? CARD : DISK);
			break;
		default:
			fake_timer_run(event >> 3 & 15);
		}
		check();
	}
	/* the firmware is silent from now on: everything comes to rest */
	if (fake_timer_run(2000) == 2000)
		abort();
	check();
	heap_free(power, POWER_ORDER);
	d->id = 1;
	fake_domain_free(d);
	return 0;
}
