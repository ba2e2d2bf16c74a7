#include "domusd/banner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "domusd/file.h"

int banner_write(const char *path, unsigned port, const char *fingerprint, const char *code,
		 struct error *e)
{
	const char *slash = strrchr(path, '/');
	char folder[4096], text[256];
	int n, dir, result;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1,
		 slash ? path : ".");
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_set_errno(e, ERROR_INTERNAL, errno, "--banner: the folder %s: %s.",
				       folder, strerror(errno));
	n = snprintf(
		text, sizeof(text),
		"domus: listening %u\ndomus: certificate authority sha256 %s\n%s%s%sdomus: ready\n",
		port, fingerprint, code ? "domus: claim code " : "", code ? code : "",
		code ? "\n" : "");
	result = file_write(dir, slash ? slash + 1 : path, 0600, text, (size_t)n, e);
	close(dir);
	return result;
}
