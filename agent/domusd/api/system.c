#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/verbs.h"
#include "domusd/api/api.h"
#include "domusd/clock.h"
#include "domusd/domusd.h"
#include "domusd/keeper_board.h"
#include "domusd/lifecycle.h"

static json_t *cpus_json(const struct verbs_board_response *board)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < board->cpu_count && i < VERBS_CPUS_MAX; i++)
		json_array_append_new(list, json_pack("{s:i, s:b}", "id", (int)i, "online",
						      board->cpus[i].online != 0));
	return list;
}

static json_t *system_json(const struct verbs_board_response *board)
{
	struct statvfs fs = {0};
	uint64_t total_mib, dom0_mib;
	char host[72] = "";
	unsigned cpus;

	fstatvfs(domusd.state_fd, &fs);
	/* 0 while the hypervisor's list has not come yet */
	lifecycle_board(domusd.lifecycle, &total_mib, &dom0_mib, &cpus);
	gethostname(host, sizeof(host) - 1);
	return json_pack("{s:{s:s, s:s, s:s}, s:s, s:o, s:{s:I, s:I, s:I}, s:{s:I, s:I}, s:s, s:I, "
			 "s:s, s:s, s:o}",
			 "hypervisor", "name", board->hypervisor, "version", board->version, "abi",
			 board->abi, "board", board->board, "cpus", cpus_json(board), "memory",
			 "total_mib", (json_int_t)board->total_mib, "free_mib",
			 (json_int_t)board->free_mib, "dom0_mib", (json_int_t)dom0_mib, "storage",
			 "total", (json_int_t)fs.f_blocks * (json_int_t)fs.f_frsize, "free",
			 (json_int_t)fs.f_bavail * (json_int_t)fs.f_frsize, "hostname", host,
			 "uptime_s", (json_int_t)(clock_monotonic_ms() / 1000), "boot_id",
			 domusd.boot_id, "version", DOMUS_VERSION, "warnings",
			 lifecycle_warnings(domusd.lifecycle));
}

static void answer(void *context, const struct verbs_board_response *board, const struct error *e)
{
	struct request *r = context;

	if (board)
		request_reply_json(r, 200, system_json(board));
	else
		request_fail(r, e);
}

void api_system_get(struct request *r)
{
	request_defer(r);
	keeper_client_board(domusd.keeper, answer, r);
}
