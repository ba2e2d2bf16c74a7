/*
 * Forks. libxl's children do a good deal of Xen's work before they come to exec or to their end, and two locks of Xen's libraries
 * are made safe for a fork by nobody: libxentoolcore's, of handles that come and go, and libxencall's, of the buffers that hypercalls
 * carry their arguments in. A thread that holds one of them at the moment of a fork leaves it taken for ever in the child, and the
 * kill that waits for the child never ends. So both are taken inside quiet_begin() and quiet_end() only, and nobody forks there.
 *
 * Handles are keeper's to open. Buffers are libxenctrl's: its calls come here first, because the dynamic linker looks for a name in
 * the program before it looks in libraries (ld.so(8), symbol interposition), and go on to libxencall.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
#include <xencall.h>

#include "keeper/machine_libxl.h"

static pthread_mutex_t quiet = PTHREAD_MUTEX_INITIALIZER;
static __thread unsigned depth; /* who opens a handle needs buffers */

void quiet_begin(void)
{
	if (depth++ == 0)
		pthread_mutex_lock(&quiet);
}

void quiet_end(void)
{
	if (--depth == 0)
		pthread_mutex_unlock(&quiet);
}

pid_t fork_quietly(void *user)
{
	pid_t pid;

	(void)user;
	quiet_begin();
	pid = fork();
	quiet_end(); /* in the child it is the caller's too */
	return pid;
}

/* The library's own function. */
static void *real(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		abort(); /* keeper is linked with it */
	return function;
}

void *xencall_alloc_buffer_pages(xencall_handle *call, size_t pages)
{
	void *(*next)(xencall_handle *, size_t) = real("xencall_alloc_buffer_pages");
	void *buffer;

	quiet_begin();
	buffer = next(call, pages);
	quiet_end();
	return buffer;
}

void xencall_free_buffer_pages(xencall_handle *call, void *buffer, size_t pages)
{
	void (*next)(xencall_handle *, void *, size_t) = real("xencall_free_buffer_pages");

	quiet_begin();
	next(call, buffer, pages);
	quiet_end();
}

void *xencall_alloc_buffer(xencall_handle *call, size_t size)
{
	void *(*next)(xencall_handle *, size_t) = real("xencall_alloc_buffer");
	void *buffer;

	quiet_begin();
	buffer = next(call, size);
	quiet_end();
	return buffer;
}

void xencall_free_buffer(xencall_handle *call, void *buffer)
{
	void (*next)(xencall_handle *, void *) = real("xencall_free_buffer");

	quiet_begin();
	next(call, buffer);
	quiet_end();
}
