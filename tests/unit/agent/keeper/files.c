#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/files.h"

static char folder[] = "/tmp/files-XXXXXX";
static struct files files;

static void file_write(const char *path, size_t size, const char *magic)
{
	static char bytes[4096];
	int fd;

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes + 56, magic, strlen(magic));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static int setup(void **state)
{
	struct error e;

	(void)state;
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	mkdir("images", 0700);
	mkdir("volumes", 0700);
	mkdir("volumes/folder", 0700);
	file_write("images/kernel", 4096, "ARM\x64");
	file_write("images/text", 4096, "");
	file_write("images/short", 57, "A");
	file_write("volumes/disk", 4096, "");
	file_write("outside", 4096, "ARM\x64");
	if (symlink("../outside", "images/link") < 0 || mkfifo("volumes/pipe", 0600) < 0)
		return -1;
	return files_open(&files, folder, getuid(), &e);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	files_close(&files);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") < 0 || system(command) != 0;
}

static struct verbs_create_request request(const char *kernel, const char *volume)
{
	struct verbs_create_request r;

	verbs_start(&r, sizeof(r), VERB_DOMAIN_CREATE, 1);
	snprintf(r.kernel, sizeof(r.kernel), "%s", kernel);
	if (volume) {
		r.disk_count = 1;
		strcpy(r.disks[0].vdev, "xvda");
		snprintf(r.disks[0].volume, sizeof(r.disks[0].volume), "%s", volume);
	}
	return r;
}

static int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void assert_refused(const char *kernel, const char *volume, enum error_code code,
			   const char *pointer)
{
	struct verbs_create_request r = request(kernel, volume);
	struct machine_files out;
	struct error e = {0};
	int before = next_descriptor();

	assert_int_equal(files_acquire(&files, &r, &out, &e), -1);
	assert_int_equal(e.code, code);
	assert_string_equal(e.pointer, pointer);
	assert_int_equal(next_descriptor(), before);
}

static void kernel_and_volume_are_opened(void **state)
{
	struct verbs_create_request r = request("kernel", "disk");
	struct machine_files out;
	struct error e;

	(void)state;
	assert_int_equal(files_acquire(&files, &r, &out, &e), 0);
	assert_true(out.kernel >= 0 && out.disks[0] >= 0);
	assert_int_equal(out.initrd, -1);
	assert_int_equal(out.disks[1], -1);
	assert_int_equal(fcntl(out.disks[0], F_GETFL) & O_ACCMODE, O_RDWR);
	files_release(&out);
}

static void kernel_without_its_header_is_refused(void **state)
{
	(void)state;
	assert_refused("text", NULL, ERROR_KERNEL_FORMAT, "/boot/kernel");
	assert_refused("short", NULL, ERROR_KERNEL_FORMAT, "/boot/kernel");
}

static void what_is_not_a_plain_file_inside_is_refused(void **state)
{
	(void)state;
	assert_refused("none", NULL, ERROR_REFERENCE, "/boot/kernel");
	assert_refused("link", NULL, ERROR_REFERENCE, "/boot/kernel");
	assert_refused("../outside", NULL, ERROR_REFERENCE, "/boot/kernel");
	assert_refused("kernel", "folder", ERROR_REFERENCE, "/disks/0/source/volume");
	assert_refused("kernel", "pipe", ERROR_REFERENCE, "/disks/0/source/volume");
}

static void file_of_somebody_else_is_refused(void **state)
{
	struct verbs_create_request r = request("kernel", NULL);
	struct machine_files out;
	struct error e = {0};

	(void)state;
	files.owner = getuid() + 1;
	assert_int_equal(files_acquire(&files, &r, &out, &e), -1);
	assert_int_equal(e.code, ERROR_REFERENCE);
	files.owner = getuid();
}

static void volume_has_one_writer_or_many_readers(void **state)
{
	struct verbs_create_request writer = request("kernel", "disk"), reader = writer;
	struct machine_files first, second;
	struct error e = {0};

	(void)state;
	reader.disks[0].readonly = 1;
	assert_int_equal(files_acquire(&files, &reader, &first, &e), 0);
	assert_int_equal(files_acquire(&files, &reader, &second, &e), 0);
	files_release(&second);
	assert_int_equal(files_acquire(&files, &writer, &second, &e), -1);
	assert_int_equal(e.code, ERROR_VOLUME_IN_USE);
	files_release(&first);
	assert_int_equal(files_acquire(&files, &writer, &first, &e), 0);
	files_release(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_and_volume_are_opened),
		cmocka_unit_test(kernel_without_its_header_is_refused),
		cmocka_unit_test(what_is_not_a_plain_file_inside_is_refused),
		cmocka_unit_test(file_of_somebody_else_is_refused),
		cmocka_unit_test(volume_has_one_writer_or_many_readers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
