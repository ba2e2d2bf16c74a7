#include "fake/boot_machine.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/stage2.h"
#include "core/console.h"
#include "core/cpu.h"
#include "core/domain.h"
#include "lib/print.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum log_level console_level = LOG_INFO;
char fake_console[4096];
static size_t console_length;
static int console_pipe = -1;

/* the image's symbols: boot_machine.lds places them FAKE_IMAGE_SIZE apart */
extern const char image_begin[];

static char *window(void)
{
	static char *base;

	if (base == NULL) {
		base = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (base == MAP_FAILED)
			abort();
	}
	return base;
}

void *pa_to_va(pa_t pa)
{
	if (pa.raw >> 40 != 0)
		abort();
	return window() + pa.raw;
}
pa_t va_to_pa(const void *va)
{
	return PA((uint64_t)((const char *)va - window()));
}
pa_t mmu_image_pa(const void *in_image)
{
	return PA(FAKE_IMAGE + (uint64_t)((const char *)in_image - image_begin));
}
void mmu_map_direct(pa_t pa, size_t size)
{
	CHECK((pa.raw | size) % PAGE_SIZE == 0);
}
/* weak: some tests have the real ones */
__attribute__((weak)) unsigned stage2_address_bits(void)
{
	return 40;
}
void memory_clear(void *va, size_t size)
{
	CHECK((va_to_pa(va).raw | size) % PAGE_SIZE == 0);
	memset(va, 0, size);
}
void memory_clear_clean(void *va, size_t size)
{
	memory_clear(va, size);
}
void cache_clean(const void *va, size_t size)
{
	(void)va;
	(void)size;
}

uint64_t fake_frames_freed[8];
__attribute__((weak)) void domain_frames_freed(uint16_t id, uint64_t n)
{
	CHECK(id < ARRAY_SIZE(fake_frames_freed));
	fake_frames_freed[id] += n;
}

size_t string_copy(char *to, const char *from, size_t size)
{
	return (size_t)snprintf(to, size, "%s", from);
}

static void sink(enum log_level level, const char *line, size_t length)
{
	(void)level;
	if (length < sizeof(fake_console) - console_length) {
		memcpy(fake_console + console_length, line, length);
		console_length += length;
	}
}

static void leave(enum fake_end end)
{
	if (console_pipe < 0 || write(console_pipe, fake_console, console_length) < 0)
		abort();
	_exit(end);
}

jmp_buf *fake_stopped;
void machine_stop(void)
{
	if (fake_stopped != NULL)
		longjmp(*fake_stopped, 1);
	leave(FAKE_PANICKED);
	abort();
}

enum fake_end fake_run_apart(void (*run)(void *), void *arg)
{
	int ends[2], status;
	ssize_t n;
	pid_t child;

	if (pipe(ends) != 0 || (child = fork()) < 0)
		abort();
	if (child == 0) {
		console_pipe = ends[1];
		console_length = 0;
		print_sink = sink;
		run(arg);
		leave(FAKE_RETURNED);
	}
	close(ends[1]);
	for (console_length = 0; (n = read(ends[0], fake_console + console_length,
					   sizeof(fake_console) - 1 - console_length)) > 0; console_length += (size_t)n)
		;
	fake_console[console_length] = '\0';
	close(ends[0]);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return FAKE_FAILED;
	return WEXITSTATUS(status) <= FAKE_PANICKED ? (enum fake_end)WEXITSTATUS(status) : FAKE_FAILED;
}
