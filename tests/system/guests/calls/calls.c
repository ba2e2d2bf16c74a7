#include "calls.h"
#include <xen/event_channel.h>

struct kind kinds[KINDS] = {
	{"self", DOMID_SELF}, {"own", 0},	  {"other", 0},	      {"nobody", NOBODY},
	{"io", DOMID_IO},     {"xen", DOMID_XEN}, {"cow", DOMID_COW}, {"invalid", DOMID_INVALID},
	{"idle", DOMID_IDLE},
};

void rows_of_everybody(void)
{
	kinds[1].id = own;
	kinds[2].id = dom;
	rows_events();
	rows_grants();
	rows_memory();
	rows_small();
	rows_vcpus();
}

uint64_t in(const void *structure, size_t size)
{
	__builtin_memcpy(buffer, structure, size);
	return (uint64_t)(uintptr_t)buffer;
}

long sign(long result)
{
	return result > 0 ? 1 : result;
}

void row(const char *name, long result)
{
	row_out(name, "", 0, result);
}

void row_number(const char *name, unsigned number, long result)
{
	row_out(name, NULL, number, result);
}

void row_kind(const char *name, const struct kind *k, long result)
{
	row_out(name, k->name, 0, result);
}

long event(unsigned cmd, const void *op, size_t size)
{
	return call(__HYPERVISOR_event_channel_op, cmd, in(op, size), 0, 0);
}
