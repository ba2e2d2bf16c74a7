/* Registers of the machine from Dom0's userland, by /dev/mem:
 *
 *   registers read ADDRESS            prints the 32-bit word, or "abort" when the access is answered by an external abort
 *   registers write ADDRESS WORD...   writes words to successive registers
 *   registers until ADDRESS WORD      waits until the register has another value than WORD */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf aborted;

static void bus_error(int signal)
{
	siglongjmp(aborted, signal);
}

static volatile uint32_t *registers_map(uint64_t address)
{
	int device = open("/dev/mem", O_RDWR | O_SYNC);
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, device,
			  (off_t)(address & ~4095ul));

	if (device < 0 || page == MAP_FAILED) {
		perror("/dev/mem");
		exit(1);
	}
	close(device);
	return (volatile uint32_t *)(page + (address & 4095));
}

int main(int argc, char **argv)
{
	volatile uint32_t *r = argc < 3 ? NULL : registers_map(strtoull(argv[2], NULL, 0));

	if (!r)
		return 2;
	signal(SIGBUS, bus_error);
	if (sigsetjmp(aborted, 1)) {
		puts("abort");
		return 0;
	}
	if (strcmp(argv[1], "read") == 0)
		printf("%x\n", *r);
	for (int i = 3; i < argc && strcmp(argv[1], "write") == 0; i++)
		r[i - 3] = (uint32_t)strtoul(argv[i], NULL, 0);
	while (argc == 4 && strcmp(argv[1], "until") == 0 && *r == strtoul(argv[3], NULL, 0))
		;
	return 0;
}
