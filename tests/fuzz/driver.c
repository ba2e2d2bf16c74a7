/*
 * Runs a fuzz target without libFuzzer, so that gcc is enough: first every file of a corpus, then mutations of them from
 * a fixed seed, so that a failure comes again.
 *   TARGET CORPUS-DIRECTORY ITERATIONS [SEED]      or      TARGET FILE (one input, to look at a crash)
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX  65536
#define CORPUS_MAX 256

struct input {
	uint8_t *data;
	size_t size;
};

static uint64_t random_state;

/* xorshift64, Marsaglia 2003 */
static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static size_t random_below(size_t limit)
{
	return limit ? (size_t)(random_next() % limit) : 0;
}

static struct input input_read(const char *path)
{
	struct input in = {.data = malloc(INPUT_MAX)};
	FILE *f = fopen(path, "re");

	if (!f || !in.data) {
		perror(path);
		exit(1);
	}
	in.size = fread(in.data, 1, INPUT_MAX, f);
	fclose(f);
	return in;
}

/* An allocation of exactly its size, so that the sanitizer sees a read past the end. */
static void input_try(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		exit(1);
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static size_t mutate(uint8_t *data, size_t size)
{
	static const uint8_t interesting[] = {0, 1, 0x7f, 0x80, 0xff, '/', '.', '-', 'a', '\n'};

	for (size_t n = 1 + random_below(8); n > 0; n--) {
		size_t at = random_below(size);

		switch (random_below(5)) {
		case 0:
			if (size)
				data[at] ^= (uint8_t)(1u << random_below(8));
			break;
		case 1:
			if (size)
				data[at] = interesting[random_below(sizeof(interesting))];
			break;
		case 2:
			if (size)
				memset(data + at, (int)random_below(256), random_below(size - at));
			break;
		case 3:
			size = random_below(size + 1);
			break;
		default:
			if (size < INPUT_MAX)
				data[size++] = (uint8_t)random_next();
		}
	}
	return size;
}

int main(int argc, char **argv)
{
	static struct input corpus[CORPUS_MAX];
	static uint8_t scratch[INPUT_MAX];
	size_t count = 0;
	struct dirent *entry;
	DIR *directory;

	if (argc == 2) {
		corpus[0] = input_read(argv[1]);
		input_try(corpus[0].data, corpus[0].size);
		return 0;
	}
	if (argc < 3)
		return fprintf(stderr, "usage: %s CORPUS ITERATIONS [SEED] | FILE\n", argv[0]), 2;
	random_state = argc > 3 ? strtoull(argv[3], NULL, 0) | 1 : 0x9e3779b97f4a7c15u;
	directory = opendir(argv[1]);
	while (directory && count < CORPUS_MAX && (entry = readdir(directory))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		corpus[count] = input_read(path);
		input_try(corpus[count].data, corpus[count].size);
		count++;
	}
	if (!count)
		return fprintf(stderr, "%s: no corpus\n", argv[1]), 1;
	closedir(directory);
	for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
		const struct input *in = &corpus[random_below(count)];

		memcpy(scratch, in->data, in->size);
		input_try(scratch, mutate(scratch, in->size));
	}
	printf("%zu inputs and %s mutations\n", count, argv[2]);
	for (size_t i = 0; i < count; i++)
		free(corpus[i].data);
	return 0;
}
