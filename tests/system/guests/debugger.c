/* A debugger and its programs, as gdb does it (ptrace): a hardware breakpoint, single steps, a hardware watchpoint; two of them on
 * every CPU at once. Says what was not as it should be; exits with 0 if nothing was. */
#define _GNU_SOURCE
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 20
/* DBGBCR<n>_EL1 and DBGWCR<n>_EL1: which bytes, loads or stores, at EL0, on */
#define CONTROL(bytes, access) ((bytes) << 5 | (access) << 3 | 2 << 1 | 1)

struct debug_registers { /* struct user_hwdebug_state of Linux, with one register */
	uint32_t info, pad;
	uint64_t address;
	uint32_t control, pad2;
};

static volatile uint64_t watched;

void stepped(void);
asm(".text\nstepped:\n\tadd x0, x0, #1\n\tadd x0, x0, #1\n\tadd x0, x0, #1\n\tret");

static void wrong(const char *what, uint64_t is)
{
	printf("debugger: %s: %lx\n", what, (unsigned long)is);
	exit(1);
}

static void set(pid_t child, long kind, const volatile void *address, uint32_t control)
{
	struct debug_registers registers = {.address = (uintptr_t)address, .control = control};
	struct iovec v = {&registers, sizeof(registers)};

	if (ptrace(PTRACE_SETREGSET, child, kind, &v) != 0)
		wrong("no debug register", (uint64_t)kind);
}

static uint64_t pc(pid_t child)
{
	struct user_regs_struct registers;
	struct iovec v = {&registers, sizeof(registers)};

	return ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &v) == 0 ? registers.pc : 0;
}

/* Until it stops again: by a trap, or it is not as it should be. */
static void go(pid_t child, int how)
{
	int status;

	if (ptrace(how, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child)
		wrong("no child", 0);
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
		wrong("not a trap", (uint64_t)status);
}

static void debug(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		stepped();
		watched = 7;
		_exit(3);
	}
	waitpid(child, &status, 0);
	set(child, NT_ARM_HW_BREAK, (const void *)stepped, CONTROL(0xfu, 0u));
	go(child, PTRACE_CONT);
	if (pc(child) != (uintptr_t)stepped)
		wrong("the breakpoint was met elsewhere", pc(child));
	set(child, NT_ARM_HW_BREAK, NULL, 0);
	for (unsigned i = 1; i <= 3; i++) {
		go(child, PTRACE_SINGLESTEP);
		if (pc(child) != (uintptr_t)stepped + 4 * i)
			wrong("a step led elsewhere", pc(child));
	}
	set(child, NT_ARM_HW_WATCH, &watched, CONTROL(0xffu, 2u));
	go(child, PTRACE_CONT);
	if (ptrace(PTRACE_PEEKDATA, child, &watched, NULL) != 0)
		wrong("the watchpoint was met late", pc(child));
	set(child, NT_ARM_HW_WATCH, NULL, 0);
	if (ptrace(PTRACE_CONT, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 3)
		wrong("it did not go on", (uint64_t)status);
}

int main(void)
{
	long debuggers = 2 * sysconf(_SC_NPROCESSORS_ONLN);
	int status, failed = 0;

	for (long i = 0; i < debuggers; i++)
		if (fork() == 0) {
			for (unsigned n = 0; n < ROUNDS; n++)
				debug();
			return 0;
		}
	while (wait(&status) > 0)
		failed += status != 0;
	printf("debugger: %ld debuggers, %d failed\n", debuggers, failed);
	return failed != 0;
}
