/* CPU_ON, CPU_OFF and AFFINITY_INFO of several CPUs at the same time (DEN 0022, 5.1.4, 5.1.5, 5.1.8 and 6.6): whatever the interleaving,
 * a CPU goes from OFF to ON_PENDING to ON by an accepted CPU_ON, and from ON to OFF by its own CPU_OFF. */
#include "case.h"

#define SUCCESS	   0
#define ALREADY_ON -4
#define ON_PENDING -5
enum { ON, OFF, PENDING }; /* AFFINITY_INFO */

#define ROUNDS 30u
static volatile unsigned odd; /* answers that must not be */
static volatile int64_t odd_answer;

static void is_odd(int64_t answer)
{
	odd_answer = answer;
	__atomic_add_fetch(&odd, 1, __ATOMIC_ACQ_REL);
}

/* ---- many start one ---------------------------------------------------------------------------------------------------- */
static volatile unsigned go, arrived, finished, won, stay;
static unsigned victim;

static void stay_a_while(struct cpu *c)
{
	(void)c;
	while (stay)
		let_others_run();
}

static void racer(struct cpu *c)
{
	(void)c;
	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t result;

		__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
		for (unsigned spins = 1; go == round; spins++)
			if (spins % 4096 == 0)
				let_others_run(); /* there may be more CPUs than the machine has */
		result = go > ROUNDS ? ALREADY_ON : cpu_start(victim, stay_a_while);
		if (result == SUCCESS)
			__atomic_add_fetch(&won, 1, __ATOMIC_ACQ_REL);
		else if (result != ALREADY_ON && result != ON_PENDING)
			is_odd(result);
		__atomic_add_fetch(&finished, 1, __ATOMIC_ACQ_REL);
	}
}

static void race(unsigned round, unsigned racers)
{
	uint64_t lives = cpus[victim].up;

	won = 0;
	stay = 1;
	CHECK(WAIT_FOR(arrived == racers * (round + 1)), round, arrived);
	go++;
	CHECK(WAIT_FOR(finished == racers * (round + 1)), round, finished);
	EQUAL(odd, 0);
	EQUAL(won, 1); /* it stays on until all have tried */
	CHECK(WAIT_FOR(cpus[victim].up == lives + 1), round, cpus[victim].up - lives);
	EQUAL(psci(PSCI_AFFINITY_INFO, victim, 0, 0), ON);
	stay = 0;
	CHECK(cpu_wait_off(victim), round, 0);
	EQUAL(cpus[victim].up, lives + 1);
}

CASE(psci_of_racing_starters_one_wins, 3)
{
	unsigned racers = cpus_there - 2;

	victim = cpus_there - 1;
	go = arrived = finished = odd = 0;
	for (unsigned i = 1; i < victim; i++)
		EQUAL(cpu_start(i, racer), SUCCESS);
	for (unsigned round = 0; round < ROUNDS && !has_failed; round++)
		race(round, racers);
	stay = 0;
	go = ROUNDS + 1; /* whatever happened, they end */
}

/* ---- who goes off is on until it is off --------------------------------------------------------------------------------- */
/* Odd: the victim was on and is going off, and nobody asks for it to be on. */
static volatile unsigned phase;
static volatile bool stop;
static volatile unsigned looks;

static void go_off(struct cpu *c)
{
	(void)c;
	phase++;
}

static void watcher(struct cpu *c)
{
	unsigned was_off = 0;

	(void)c;
	while (!stop) {
		unsigned before = phase;
		int64_t state = psci(PSCI_AFFINITY_INFO, victim, 0, 0);

		if (!(before & 1) || phase != before)
			continue;
		__atomic_add_fetch(&looks, 1, __ATOMIC_RELAXED);
		if ((state != ON && state != OFF) || (state == ON && was_off == before))
			is_odd(state);
		if (state == OFF)
			was_off = before;
	}
}

CASE(psci_cpu_that_goes_off_is_never_pending, 3)
{
	victim = cpus_there - 1;
	phase = odd = looks = 0;
	stop = false;
	for (unsigned i = 1; i < victim; i++)
		EQUAL(cpu_start(i, watcher), SUCCESS);
	for (unsigned round = 0; round < 3 * ROUNDS && odd == 0; round++) {
		phase = 2 * round;
		EQUAL(cpu_start(victim, go_off), SUCCESS);
		CHECK(WAIT_FOR(phase == 2 * round + 1), round, phase);
		while (psci(PSCI_AFFINITY_INFO, victim, 0, 0) != OFF)
			if (psci(PSCI_AFFINITY_INFO, victim, 0, 0) == PENDING)
				is_odd(PENDING);
	}
	stop = true;
	CHECK(odd == 0, odd, odd_answer);
}

/* ---- on again while it goes off ----------------------------------------------------------------------------------------- */
static volatile unsigned done;

static void come_and_go(struct cpu *c)
{
	(void)c;
}

/* Each starts the one after it, alone: once that has come up, no CPU_ON is under way. */
static void starter(struct cpu *c)
{
	unsigned other = (unsigned)c->id + 1;

	for (unsigned round = 0; round < 5 * ROUNDS; round++) {
		uint64_t lives = cpus[other].up, end = counter() + ticks_of_us(60000000);
		int64_t result;

		do {
			result = cpu_start(other, come_and_go);
			if (result != SUCCESS && result != ALREADY_ON)
				is_odd(result);
		} while (result != SUCCESS && counter() < end);
		if (result != SUCCESS || !WAIT_FOR(cpus[other].up == lives + 1))
			is_odd(-100 + result);
		if (odd)
			break;
	}
	__atomic_add_fetch(&done, 1, __ATOMIC_ACQ_REL);
}

CASE(psci_start_of_a_cpu_that_goes_off_is_refused_or_works, 2)
{
	unsigned starters = 1;

	odd = done = 0;
	for (unsigned i = 2; i + 1 < cpus_there; i += 2, starters++)
		EQUAL(cpu_start(i, starter), SUCCESS);
	starter(&cpus[0]);
	CHECK(WAIT_FOR(done == starters), done, starters);
	CHECK(odd == 0, odd, odd_answer);
	for (unsigned i = 1; i < cpus_there; i++)
		CHECK(cpu_wait_off(i), i, 0);
}

/* ---- all start and stop all others --------------------------------------------------------------------------------------- */
static volatile uint64_t wins[CPUS], lives[CPUS];

static void life(struct cpu *c)
{
	__atomic_add_fetch(&lives[c->id], 1, __ATOMIC_ACQ_REL);
	for (unsigned i = 1; i < cpus_there && !stop; i++) {
		int64_t result =
			psci(PSCI_CPU_ON, i, (uint64_t)guest_cpu_entry, (uint64_t)&cpus[i]);

		if (result == SUCCESS)
			__atomic_add_fetch(&wins[i], 1, __ATOMIC_ACQ_REL);
		else if (result != ALREADY_ON && result != ON_PENDING)
			is_odd(result);
		result = psci(PSCI_AFFINITY_INFO, i, 0, 0);
		if (result != ON && result != OFF && result != PENDING)
			is_odd(result);
	}
}

CASE(psci_as_many_lives_as_accepted_starts, 2)
{
	uint64_t total = 0, end;

	odd = 0;
	stop = false;
	for (unsigned i = 1; i < cpus_there; i++) {
		wins[i] = lives[i] = 0;
		cpus[i].run = life;
	}
	end = counter() + ticks_of_us(200000);
	while (counter() < end)
		life(&cpus[0]);
	stop = true;
	/* one may be started by another one's last act */
	for (unsigned i = 1; i < cpus_there; i++)
		CHECK(WAIT_FOR(lives[i] == wins[i]), lives[i], wins[i]);
	for (unsigned i = 1; i < cpus_there; i++) {
		CHECK(cpu_wait_off(i), i, 0);
		EQUAL(lives[i], wins[i]);
		total += lives[i];
	}
	CHECK(odd == 0, odd, odd_answer);
	CHECK(total >= cpus_there - 1, total, 0);
}
