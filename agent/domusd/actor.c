#include "domusd/actor.h"

const struct actor actor_system = {.name = "system", .method = "system"};

const char *privilege_name(enum privilege privilege)
{
	static const char *const names[] = {"none", "read", "operate", "admin"};

	return names[privilege & 3];
}
