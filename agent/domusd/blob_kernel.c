#include "domusd/blob_kernel.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* The Image header; all fields little endian. */
struct image_header {
	uint32_t code[2];
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t flags; /* bit 0: the kernel is big endian */
	uint64_t reserved[3];
	uint32_t magic; /* "ARM\x64" */
	uint32_t pe_offset;
};
_Static_assert(sizeof(struct image_header) == 64, "the header is 64 bytes");
#define IMAGE_MAGIC	 0x644d5241u
#define IMAGE_BIG_ENDIAN 1u
#define GZIP_WINDOW_BITS (15 + 16) /* zlib: the largest window, gzip wrapping */

/* What it is instead, for a message that helps. */
static const char *other_format(const unsigned char *head, size_t size)
{
	static const struct {
		size_t offset, length;
		const char *bytes, *name;
	} formats[] = {
		{0, 4,
		 "\x7f"
		 "ELF",
		 "an ELF file (vmlinux?); upload arch/arm64/boot/Image"},
		{4, 4, "zimg", "a compressed EFI kernel (zboot); upload the Image that is in it"},
		{0, 4, "\x27\x05\x19\x56", "a U-Boot uImage; upload the Image that is in it"},
		{0, 4, "\xd0\x0d\xfe\xed", "a device tree or FIT image"},
		{0x202, 4, "HdrS", "an x86 kernel"},
		{0x24, 4, "\x18\x28\x6f\x01", "a 32-bit Arm zImage"},
		{0, 4, "\x28\xb5\x2f\xfd", "compressed by zstd; only gzip can be booted"},
		{0, 5,
		 "\xfd"
		 "7zXZ",
		 "compressed by xz; only gzip can be booted"},
		{0, 6, "070701", "a cpio archive (an initrd?)"},
		{0, 2, "MZ", "an EFI program without an arm64 Image header"},
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (size >= formats[i].offset + formats[i].length &&
		    memcmp(head + formats[i].offset, formats[i].bytes, formats[i].length) == 0)
			return formats[i].name;
	return "something else";
}

static int check_header(const unsigned char *head, size_t size, struct kernel_info *info,
			struct error *e)
{
	struct image_header header;
	uint64_t text_offset, image_size;

	if (size >= sizeof(header))
		memcpy(&header, head, sizeof(header));
	if (size < sizeof(header) || le32toh(header.magic) != IMAGE_MAGIC)
		return error_set(
			e, ERROR_KERNEL_FORMAT,
			"It has no arm64 Image header (\"ARM\\x64\" at offset 56): it is %s",
			other_format(head, size));
	if (le64toh(header.flags) & IMAGE_BIG_ENDIAN)
		return error_set(e, ERROR_KERNEL_FORMAT,
				 "It is a big-endian kernel, which cannot be booted");
	text_offset = le64toh(header.text_offset);
	image_size = le64toh(header.image_size);
	if (image_size == 0)
		return error_set(e, ERROR_KERNEL_FORMAT,
				 "Its header does not give a size: kernels before Linux 3.17 "
				 "cannot be booted");
	if (image_size > KERNEL_UNPACKED_MAX || text_offset > KERNEL_UNPACKED_MAX)
		return error_set(e, ERROR_KERNEL_FORMAT,
				 "Its header asks for more than %llu MiB of memory",
				 (unsigned long long)(KERNEL_UNPACKED_MAX >> 20));
	info->memory = text_offset + image_size;
	return 0;
}

/* Unpacks just the header. */
static int check_gzip(const unsigned char *head, size_t size, uint32_t unpacked,
		      struct kernel_info *info, struct error *e)
{
	unsigned char header[sizeof(struct image_header)];
	z_stream stream = {.next_in = (unsigned char *)(uintptr_t)head,
			   .avail_in = (unsigned)size,
			   .next_out = header,
			   .avail_out = sizeof(header)};
	int result;

	if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	result = inflate(&stream, Z_SYNC_FLUSH);
	inflateEnd(&stream);
	if ((result != Z_OK && result != Z_STREAM_END) || stream.avail_out != 0)
		return error_set(e, ERROR_KERNEL_FORMAT,
				 "It begins like a gzip file but cannot be unpacked");
	if (unpacked > KERNEL_UNPACKED_MAX || unpacked < sizeof(header))
		return error_set(e, ERROR_KERNEL_FORMAT,
				 "Unpacked it would be %u bytes; at most %llu MiB can be booted",
				 unpacked, (unsigned long long)(KERNEL_UNPACKED_MAX >> 20));
	info->compressed = true;
	return check_header(header, sizeof(header), info, e);
}

int kernel_check(const unsigned char *head, size_t size, uint64_t file_size, uint32_t trailer,
		 struct kernel_info *info, struct error *e)
{
	memset(info, 0, sizeof(*info));
	if (size >= 2 && head[0] == 0x1f && head[1] == 0x8b)
		return check_gzip(head, size, trailer, info, e);
	if (file_size > KERNEL_UNPACKED_MAX)
		return error_set(e, ERROR_KERNEL_FORMAT, "It is larger than %llu MiB",
				 (unsigned long long)(KERNEL_UNPACKED_MAX >> 20));
	return check_header(head, size, info, e);
}

int kernel_check_file(int fd, struct kernel_info *info, struct error *e)
{
	unsigned char *head, tail[4] = {0};
	ssize_t size;
	struct stat st;
	uint32_t trailer;
	int result;

	if (fstat(fd, &st) != 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot read the kernel image");
	head = malloc(KERNEL_HEAD_MAX);
	if (!head)
		return error_set(e, ERROR_INTERNAL, "Out of memory");
	size = pread(fd, head, KERNEL_HEAD_MAX, 0);
	if (size < 0 || (st.st_size >= 4 && pread(fd, tail, 4, st.st_size - 4) != 4)) {
		free(head);
		return error_set_errno(e, ERROR_INTERNAL, errno, "Cannot read the kernel image");
	}
	memcpy(&trailer, tail, sizeof(trailer));
	result = kernel_check(head, (size_t)size, (uint64_t)st.st_size, le32toh(trailer), info, e);
	free(head);
	return result;
}
