/* A messaging unit with the hypervisor on its other side (i.MX8 reference manual, "Messaging Unit"; drivers/scu.h). It takes a word
 * as soon as it is written and holds one message at a time. */
#include "guest/vscu.h"
#include "core/irq.h"
#include "core/memory.h"
#include "core/time.h"
#include "drivers/scu_filter.h"
#include "drivers/scu_power.h"
#include "drivers/scu_rpc.h"
#include "guest/trap.h"
#include "guest/vgic.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TE_ALL 0x00f00000u
#define ENABLES                                                                                    \
	0xfff00000u /* CR: interrupt enables; the SCU has no use for our general purpose interrupts */
#define POLL_NS 20000

static struct {
	struct lock lock; /* all of this; before power's */
	struct domain *domain;
	unsigned intid;
	bool line, armed;
	bool asked; /* the message is with the firmware */
	struct timer timer;
	uint32_t cr, full; /* full: MU_RF bits */
	uint32_t rr[4];
	uint32_t in[SCU_WORDS], out[SCU_WORDS];
	unsigned in_at, out_at, out_size; /* words: taken, shown, in all */
} mu;

static uint32_t status(void)
{
	return mu.full | (mu.asked ? 0 : TE_ALL);
}

static void update_line(void)
{
	bool line = (status() & mu.cr) != 0;

	if (line == mu.line)
		return;
	mu.line = line;
	vgic_set_spi(mu.domain, mu.intid, line);
}

/* A word that finds its register empty goes there. */
static void show_words(void)
{
	for (; mu.out_at < mu.out_size && !(mu.full & MU_RF(mu.out_at % 4)); mu.out_at++) {
		mu.rr[mu.out_at % 4] = mu.out[mu.out_at];
		mu.full |= MU_RF(mu.out_at % 4);
	}
}

static void give_answer(const uint32_t *message)
{
	memcpy(mu.out, message, sizeof(mu.out));
	mu.out_at = 0;
	mu.out_size = SCU_SIZE(message[0]);
	mu.asked = false;
	show_words();
}

static void give_status(unsigned code)
{
	uint32_t message[SCU_WORDS] = {SCU_HEADER(1, SCU_RETURN, code)};

	give_answer(message);
}

static void timer_fired(void *arg);

/* Asks for the answer, or again. */
static void poll(void)
{
	int error;

	if (!mu.asked)
		return;
	error = scu_forward(mu.in);
	if (error == 0) {
		give_answer(mu.in);
	} else if (error != -EAGAIN) {
		give_status(SCU_IPC_ERROR);
	} else if (!mu.armed) {
		mu.armed = true;
		mu.timer.fire = timer_fired;
		timer_set(&mu.timer, cpu_counter() + time_ticks_of_ns(POLL_NS));
	}
}

static void timer_fired(void *arg)
{
	(void)arg;
	LOCK_SCOPE(&mu.lock);
	mu.armed = false;
	poll();
	update_line();
}

static enum power_access access(unsigned resource)
{
	return power_access(resource, mu.domain->id);
}

static void take_message(void)
{
	mu.in_at = 0;
	switch (scu_filter(mu.in, access)) {
	case SCU_ANSWER:
		give_answer(mu.in);
		break;
	case SCU_PASS:
		mu.asked = true;
		poll();
		break;
	case SCU_DROP:
		break;
	}
}

static void write_word(unsigned n, uint32_t word)
{
	if (mu.asked)
		return; /* TE said no */
	if (n != mu.in_at % 4) {
		mu.in_at = 0;
		if (n != 0)
			return; /* a message begins in TR0 */
	}
	if (mu.in_at == 0) {
		/* who asks anew does not want the last answer any more */
		mu.full = 0;
		mu.out_at = mu.out_size = 0;
		memset(mu.in, 0, sizeof(mu.in));
		if (SCU_SIZE(word) == 0 || SCU_SIZE(word) > SCU_WORDS) {
			give_status(SCU_BAD_PARAMETER);
			return;
		}
	}
	mu.in[mu.in_at++] = word;
	if (mu.in_at == SCU_SIZE(mu.in[0]))
		take_message();
}

static uint32_t read_word(unsigned n)
{
	uint32_t word = mu.rr[n];

	mu.full &= ~MU_RF(n);
	show_words();
	return word;
}

static bool vscu_access(struct vcpu *v, struct mmio *m, uint64_t offset)
{
	uint32_t value = (uint32_t)m->value;

	(void)v;
	if (m->size != 4 || offset % 4 != 0)
		return false;
	LOCK_SCOPE(&mu.lock);
	if (offset == MU_SR)
		poll();
	m->value = 0;
	if (m->write && offset < MU_TR(4))
		write_word((unsigned)offset / 4, value);
	else if (m->write && offset == MU_CR)
		mu.cr = value & ENABLES;
	else if (!m->write && offset >= MU_RR(0) && offset < MU_RR(4))
		m->value = read_word((unsigned)(offset - MU_RR(0)) / 4);
	else if (!m->write && offset == MU_SR)
		m->value = status();
	else if (!m->write && offset == MU_CR)
		m->value = mu.cr;
	update_line();
	return true;
}

int vscu_create(struct domain *d, uint64_t base, uint64_t size, unsigned intid)
{
	int error = irq_unroute_guest(intid, d);

	memset(&mu, 0, sizeof(mu));
	lock_init(&mu.lock, LOCK_VSCU);
	mu.domain = d;
	mu.intid = intid;
	if (!error)
		error = memory_unmap_range(d, IPA(base), size);
	return error ? error : mmio_register(d, IPA(base), size, vscu_access);
}
