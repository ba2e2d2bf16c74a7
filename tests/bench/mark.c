/* Runs a program in Dom0 and prints what it took, by the counter: `bench NAME INSTRUCTIONS` under `-icount shift=0`. Begin and end are
 * marked for tests/bench/levels.c.
 *
 *   mark NAME PROGRAM ARGUMENTS... */
#include <inttypes.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>

extern char **environ;

static uint64_t counter_ns(void)
{
	uint64_t ticks, frequency;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	return ticks * (1000000000 / frequency);
}

int main(int argc, char **argv)
{
	uint64_t begin, end;
	int status = -1;
	pid_t child;

	if (argc < 3)
		return 2;
	__asm__ volatile("hint #126" ::: "memory");
	begin = counter_ns();
	if (posix_spawnp(&child, argv[2], NULL, NULL, argv + 2, environ) == 0)
		waitpid(child, &status, 0);
	end = counter_ns();
	__asm__ volatile("hint #127" ::: "memory");
	printf("bench %s %" PRIu64 "\n", argv[1], end - begin);
	return status == 0 ? 0 : 1;
}
