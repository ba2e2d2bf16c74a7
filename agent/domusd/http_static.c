#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domusd/file.h"
#include "domusd/http_internal.h"
#include "domusd/http_text.h"

/*
 * The dashboard: a tree of files listed once at start, so a path from outside is only compared, never opened by name. File
 * `x.gz` is the compressed form of `x`.
 */
#define ASSETS_MAX 256
#define DEPTH_MAX  4
/*
 * For the page, and through it for everything the dashboard does. No nonce and no 'unsafe-inline':
 * webui/README.md tells how its terminal gets by without inline style.
 */
#define PAGE_POLICY                                                                                \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "          \
	"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'none'; "           \
	"frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"

struct http_asset {
	char path[128]; /* without the leading slash */
	char etag[20];
	bool plain, gzip, immutable;
	bool page; /* index.html */
};

static const char *content_type(const char *path)
{
	static const char *const types[][2] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/x-icon"},
		{".json", "application/json"},
		{".webmanifest", "application/manifest+json"},
		{".txt", "text/plain; charset=utf-8"},
		{".woff2", "font/woff2"},
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(dot, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}

/* name-XXXXXXXX.ext, as esbuild writes it: 8 or more of A-Z2-7 (or hex digits) before the extension. */
static bool is_hashed(const char *path)
{
	const char *dash = strrchr(path, '-');
	size_t n;

	if (!dash)
		return false;
	n = strspn(dash + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	if (n < 8)
		n = strspn(dash + 1, "0123456789abcdef");
	return n >= 8 && dash[1 + n] == '.';
}

static struct http_asset *asset_find(struct http *http, const char *path)
{
	for (size_t i = 0; i < http->asset_count; i++)
		if (!strcmp(http->assets[i].path, path))
			return &http->assets[i];
	return NULL;
}

static void make_etag(int folder, const char *file, char etag[20])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	size_t size = 0;
	char *data = file_read(folder, file, 8 << 20, &size, NULL);

	SHA256((const unsigned char *)(data ? data : ""), size, digest);
	free(data);
	snprintf(etag, 20, "\"%02x%02x%02x%02x%02x%02x%02x%02x\"", digest[0], digest[1], digest[2],
		 digest[3], digest[4], digest[5], digest[6], digest[7]);
}

static int add_file(struct http *http, const char *file, struct error *e)
{
	size_t n = strlen(file);
	bool gzip = n > 3 && !strcmp(file + n - 3, ".gz");
	char path[128];
	struct http_asset *asset;

	snprintf(path, sizeof(path), "%.*s", (int)(gzip ? n - 3 : n), file);
	asset = asset_find(http, path);
	if (!asset) {
		if (http->asset_count == ASSETS_MAX)
			return error_set(e, ERROR_INTERNAL, "The dashboard has over %d files.",
					 ASSETS_MAX);
		asset = &http->assets[http->asset_count++];
		memcpy(asset->path, path, sizeof(path));
		make_etag(http->webui_fd, file, asset->etag);
		asset->immutable = is_hashed(path);
		asset->page = !strcmp(path, "index.html");
	}
	*(gzip ? &asset->gzip : &asset->plain) = true;
	return 0;
}

static int scan(struct http *http, int folder, const char *prefix, int depth, struct error *e)
{
	int copy = dup(folder);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int result = 0;

	if (!dir) {
		error_set_errno(e, ERROR_INTERNAL, errno, "The dashboard cannot be read.");
		if (copy >= 0)
			close(copy);
		return -1;
	}
	while (result == 0 && (entry = readdir(dir))) {
		char path[128], below_prefix[sizeof(path) + 1];
		struct stat st;

		if (entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s%s", prefix, entry->d_name) >=
			    (int)sizeof(path) ||
		    fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISREG(st.st_mode)) {
			result = add_file(http, path, e);
		} else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX && strlen(path) < 120) {
			int below =
				openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			if (below < 0) {
				result = error_set_errno(
					e, ERROR_INTERNAL, errno,
					"The dashboard's folder %s cannot be read.", path);
				break;
			}
			snprintf(below_prefix, sizeof(below_prefix), "%s/", path);
			result = scan(http, below, below_prefix, depth + 1, e);
			close(below);
		}
	}
	closedir(dir);
	return result;
}

int http_static_load(struct http *http, const char *folder, struct error *e)
{
	http->webui_fd = -1;
	if (!folder)
		return 0;
	http->webui_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	http->assets = calloc(ASSETS_MAX, sizeof(*http->assets));
	if (http->webui_fd < 0 || !http->assets)
		return error_set_errno(e, ERROR_INTERNAL, errno,
				       "The dashboard's folder %s cannot be opened: %s.", folder,
				       strerror(errno));
	return scan(http, http->webui_fd, "", 0, e);
}

void http_static_free(struct http *http)
{
	free(http->assets);
	if (http->webui_fd >= 0)
		close(http->webui_fd);
}

static void serve_file(struct request *r, const struct http_asset *asset)
{
	const char *known = request_header(r, "If-None-Match");
	bool gzip = asset->gzip &&
		    (!asset->plain || http_accepts_gzip(request_header(r, "Accept-Encoding")));
	char file[136];
	struct stat st;
	int fd;

	request_header_set(r, "ETag", asset->etag);
	request_header_set(r, "Cache-Control",
			   asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
	if (asset->page)
		request_header_set(r, "Content-Security-Policy", PAGE_POLICY);
	if (asset->gzip)
		request_header_set(r, "Vary", "Accept-Encoding");
	if (known && strstr(known, asset->etag)) {
		request_reply_empty(r, 304);
		return;
	}
	snprintf(file, sizeof(file), "%s%s", asset->path, gzip ? ".gz" : "");
	fd = openat(r->http->webui_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		request_answer(r, 500, NULL);
		return;
	}
	if (gzip)
		request_header_set(r, "Content-Encoding", "gzip");
	request_reply_file(r, 200, content_type(asset->path), fd, 0, st.st_size);
}

bool http_static_serve(struct request *r)
{
	bool get = !strcmp(r->method, "GET") || !strcmp(r->method, "HEAD");
	const char *path = r->path + 1, *accept = request_header(r, "Accept");
	struct http_asset *asset;

	if (r->path[0] != '/' || !strcmp(path, "api") || !strncmp(path, "api/", 4) ||
	    !r->http->assets)
		return false;
	asset = asset_find(r->http, *path ? path : "index.html");
	/* A page of the dashboard that is only a path in it: the browser gets the page that knows what to do. */
	if (!asset && get && accept && strstr(accept, "text/html"))
		asset = asset_find(r->http, "index.html");
	if (!asset)
		return false;
	if (!get) {
		r->match.path_known = true;
		strcpy(r->match.allow, "GET, HEAD");
		return false;
	}
	serve_file(r, asset);
	return true;
}
