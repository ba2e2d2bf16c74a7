#ifndef DOMUS_COMMON_VERBS_H
#define DOMUS_COMMON_VERBS_H

/*
 * What domusd may ask of keeper, as one typed request and one typed response for each verb. Both
 * ends are built from this header and run on one machine, so a message is the C structure itself:
 * fixed size, host byte order, one message in one SOCK_SEQPACKET packet. HELLO must come first and
 * compares the versions of both programs.
 *
 * A conversation: the client sends requests with ids of its own choice; keeper answers each exactly
 * once, in whatever order they finish, with the same verb and id. header.status is ERROR_NONE and
 * the packet is the verb's response structure, or it is the code of an error and the packet is a
 * struct verbs_failure. Between answers come events (VERB_EVENT_DOMAIN) when HELLO asked for them.
 * Requests for one domain run one at a time in the order they arrive; a DOMAIN_KILL takes the place
 * of those that still wait (they fail with ERROR_CANCELLED).
 *
 * Errors to expect: ERROR_DOMAIN_NOT_RUNNING (no such domain of ours, or it has ended), ERROR_DOMAIN_PAUSED,
 * ERROR_DOMAIN_EXISTS (the name is taken), ERROR_MEMORY, ERROR_REFERENCE (image, volume, bridge or pool is missing),
 * ERROR_KERNEL_FORMAT, ERROR_FIELD, ERROR_HYPERVISOR, ERROR_CANCELLED, ERROR_INTERRUPTED, ERROR_UNAVAILABLE, ERROR_STATE
 * (HELLO: versions differ), ERROR_REQUEST_MALFORMED, ERROR_INTERNAL.
 *
 * Both ends check every message they receive with verbs_check_request() or verbs_check_answer()
 * before they look into it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define VERBS_MAGIC	  0x444b0001u /* "DK", layout 1: raised when a structure below changes */
#define VERBS_SOCKET	  "/run/domus/keeper.sock"
#define VERBS_NAME_MAX	  40   /* domain names: [a-z0-9][a-z0-9-]{0,39} */
#define VERBS_ID_MAX	  40   /* image and volume ids: [a-z0-9-]{1,40} */
#define VERBS_CMDLINE_MAX 1024 /* printable ASCII */
#define VERBS_BRIDGE_MAX  15   /* IFNAMSIZ - 1: [a-z0-9][a-z0-9._-]{0,14} */
#define VERBS_VDEV_MAX	  7    /* xvda to xvdz */
#define VERBS_DISKS_MAX	  16
#define VERBS_NICS_MAX	  8
#define VERBS_VCPUS_MAX	  128 /* what libxl takes on Arm */
#define VERBS_MEMORY_MIN  8   /* MiB */
#define VERBS_MEMORY_MAX  (16u << 20)
#define VERBS_WEIGHT_MAX  65535
#define VERBS_CPUS_MAX	  256 /* physical CPUs */
#define VERBS_PAGE	  64  /* domains in one answer to DOMAIN_LIST */
#define VERBS_INFLIGHT_MAX                                                                         \
	32 /* unanswered requests of one client; one more is answered ERROR_UNAVAILABLE */
#define VERBS_MESSAGE_MAX 32768

enum verb {
	VERB_HELLO = 1,
	VERB_BOARD_INFO,
	VERB_DOMAIN_LIST,
	VERB_DOMAIN_CREATE,
	VERB_DOMAIN_SHUTDOWN, /* asks the guest; answered when it was asked, the event tells when it
				 did */
	VERB_DOMAIN_REBOOT, /* likewise; the domain ends as SHUTDOWN with reason REBOOT: kill it and
			       create it again */
	VERB_DOMAIN_KILL, /* destroys it, also one that is shut down or crashed; answered when it is
			     gone */
	VERB_DOMAIN_PAUSE,
	VERB_DOMAIN_RESUME,
	VERB_CONSOLE_OPEN, /* answer carries the descriptor of the guest's console (a terminal in
			      raw mode) */
	VERB_LOG, /* answer carries a descriptor to read the hypervisor's console ring from */
	VERB_EVENT_DOMAIN, /* unsolicited, keeper to client, id 0 */
	VERB_END
};

enum verbs_state {
	VERBS_RUNNING = 1, /* runs, or waits for an interrupt */
	VERBS_PAUSED,	   /* by DOMAIN_PAUSE, or created paused */
	VERBS_SHUTDOWN,	   /* the guest ended by itself, its memory is still held: kill it */
	VERBS_CRASHED,	   /* the guest crashed, its memory is still held: kill it */
	VERBS_GONE,	   /* destroyed (in events only) */
	VERBS_BUILDING,	   /* being created or being destroyed (in DOMAIN_LIST only) */
	VERBS_STATE_END
};

enum verbs_reason {
	VERBS_REASON_NONE,
	VERBS_REASON_POWEROFF,
	VERBS_REASON_REBOOT,
	VERBS_REASON_SUSPEND,
	VERBS_REASON_CRASH,
	VERBS_REASON_WATCHDOG,
	VERBS_REASON_KILLED, /* by DOMAIN_KILL */
	VERBS_REASON_UNKNOWN,
	VERBS_REASON_END
};

struct verbs_header {
	uint32_t magic;	 /* VERBS_MAGIC */
	uint16_t verb;	 /* enum verb */
	uint16_t flags;	 /* 0 */
	uint64_t id;	 /* chosen by the client, echoed; 0 in events */
	int32_t status;	 /* enum error_code; ERROR_NONE in requests and events */
	uint32_t length; /* of the whole message, bytes */
};

/* A domain is named by both, so that a late request never hits a new domain of the same name. */
struct verbs_domain {
	char name[VERBS_NAME_MAX + 1];
	uint8_t reserved[7];
	uint8_t uuid[16];
};

struct verbs_failure {
	struct verbs_header header;
	uint32_t retry_after; /* seconds or 0 */
	char pointer[128]; /* JSON pointer into the domain definition of the REST contract, or "" */
	char detail[324];  /* one sentence for the user */
};

struct verbs_hello_request {
	struct verbs_header header;
	char version[32]; /* DOMUS_VERSION of the client; another one is refused with ERROR_STATE */
	uint32_t events; /* 1: send me events from now on (then list the domains: nothing is missed)
			  */
	uint32_t reserved;
};

struct verbs_hello_response {
	struct verbs_header header;
	char version[32];
	uint64_t started_ns; /* CLOCK_REALTIME when this keeper started: another value means keeper
				restarted */
};

/* A request that says no more than its verb: BOARD_INFO, LOG. And an answer that says no more than
 * "done". */
struct verbs_empty {
	struct verbs_header header;
};

struct verbs_cpu {
	uint64_t midr;	  /* MIDR_EL1 (Arm ARM D19.2.123), 0 when not known */
	uint32_t cluster; /* UINT32_MAX when not known */
	uint32_t online;
};

struct verbs_board_response {
	struct verbs_header header;
	char hypervisor[32]; /* "Xen", "Domus", "simulator" */
	char version[32];    /* "4.20.0" */
	char extra[64];
	char abi[64];	 /* capabilities, "xen-3.0-aarch64 xen-3.0-armv7l" */
	char board[128]; /* model of the device tree, "" when it has none */
	uint64_t total_mib, free_mib;
	uint32_t simulated;   /* 1: no real machine, a simulator for tests */
	uint32_t cpus_online; /* of cpu_count */
	uint32_t cpu_count;
	uint32_t reserved;
	struct verbs_cpu cpus[VERBS_CPUS_MAX];
};

struct verbs_list_request {
	struct verbs_header header;
	uint32_t first; /* lowest domid to list: 0 to begin, then response.next */
	uint32_t reserved;
};

struct verbs_list_entry {
	struct verbs_domain
		domain; /* name "" or foreign when Domus did not make it: any printable ASCII */
	uint64_t memory_mib;
	uint64_t cpu_time_ns; /* of all vCPUs since creation */
	uint32_t domid;
	uint32_t vcpus;
	uint16_t state;	 /* enum verbs_state */
	uint16_t reason; /* enum verbs_reason, when SHUTDOWN or CRASHED */
	uint32_t ours;	 /* 1: keeper made it; only such a domain can be acted on */
};

struct verbs_list_response {
	struct verbs_header header;
	uint32_t count;
	uint32_t next; /* ask again from this domid, or 0: that was all */
	struct verbs_list_entry entries[VERBS_PAGE];
};

struct verbs_disk {
	char vdev[VERBS_VDEV_MAX + 1]; /* xvda to xvdz */
	char volume[VERBS_ID_MAX + 1]; /* STATE/volumes/ID, opened by keeper */
	uint8_t readonly;	       /* 0 or 1 */
	uint8_t reserved[6];
};

struct verbs_nic {
	char bridge[VERBS_BRIDGE_MAX + 1];
	uint8_t mac[6]; /* unicast, not zero */
	uint8_t devid;	/* position in the guest, 0 to VERBS_NICS_MAX - 1 */
	uint8_t reserved;
};

struct verbs_create_request {
	struct verbs_header header;
	struct verbs_domain domain; /* uuid not zero */
	uint64_t memory_mib;
	uint64_t affinity[VERBS_CPUS_MAX / 64]; /* physical CPUs its vCPUs may use; all zero: any */
	uint32_t vcpus;
	uint32_t weight; /* 1 to VERBS_WEIGHT_MAX, 256 is usual */
	uint32_t cap;	 /* hundredths of a CPU, 0: none */
	uint32_t disk_count;
	uint32_t nic_count;
	uint32_t paused;	       /* 1: leave it paused */
	char pool[VERBS_NAME_MAX + 1]; /* CPU pool, or "" for the pool of Dom0 */
	char kernel[VERBS_ID_MAX + 1]; /* STATE/images/ID, an arm64 Image */
	char initrd[VERBS_ID_MAX + 1]; /* STATE/images/ID, or "" */
	char cmdline[VERBS_CMDLINE_MAX + 1];
	uint8_t reserved[4];
	struct verbs_disk disks[VERBS_DISKS_MAX];
	struct verbs_nic nics[VERBS_NICS_MAX];
};

struct verbs_create_response {
	struct verbs_header header;
	uint32_t domid;
	uint32_t reserved;
};

/* DOMAIN_SHUTDOWN, _REBOOT, _KILL, _PAUSE, _RESUME, CONSOLE_OPEN; answered by a struct verbs_empty.
 */
struct verbs_domain_request {
	struct verbs_header header;
	struct verbs_domain domain;
};

/* Of domains that keeper made. KILL of a domain gives one event GONE with reason KILLED. */
struct verbs_event {
	struct verbs_header header;
	struct verbs_domain domain;
	uint64_t time_ns; /* CLOCK_REALTIME */
	uint32_t domid;
	uint16_t state;	 /* enum verbs_state */
	uint16_t reason; /* enum verbs_reason */
};

/* Large enough and aligned for any message: what to receive into. */
union verbs_message {
	struct verbs_header header;
	struct verbs_failure failure;
	struct verbs_hello_request hello_request;
	struct verbs_hello_response hello_response;
	struct verbs_empty empty;
	struct verbs_board_response board_response;
	struct verbs_list_request list_request;
	struct verbs_list_response list_response;
	struct verbs_create_request create_request;
	struct verbs_create_response create_response;
	struct verbs_domain_request domain_request;
	struct verbs_event event;
};
_Static_assert(sizeof(union verbs_message) <= VERBS_MESSAGE_MAX, "a message fits one packet");

/* Zeroes the whole message (size bytes: sizeof of the structure) and fills its header. */
void verbs_start(void *message, size_t size, enum verb verb, uint64_t id);
/* sizeof of the structure that answers a verb; 0 for an unknown one. */
size_t verbs_answer_size(unsigned verb);
/* Fills *f as the failed answer to verb and id from *e. */
void verbs_fail(struct verbs_failure *f, enum verb verb, uint64_t id, const struct error *e);
/* The other way: an answer with a status other than ERROR_NONE, already checked, as error. */
void verbs_error(const struct verbs_failure *f, struct error *e);

/*
 * Check a received packet of `length` bytes, at least 8-byte aligned: magic, verb, exact length,
 * every string terminated inside its array and of its pattern, every number in its range. 0, or -1
 * with *e telling what is wrong. `request` is what keeper receives; `answer` is what a client
 * receives: a response, a failure or an event.
 */
int verbs_check_request(const void *message, size_t length, struct error *e);
int verbs_check_answer(const void *message, size_t length, struct error *e);

/* The patterns themselves, for strings that are not in a message yet. s need not be valid in any
 * way but must end. */
bool verbs_name_valid(const char *s);
bool verbs_id_valid(const char *s);
bool verbs_bridge_valid(const char *s);
bool verbs_vdev_valid(const char *s);
bool verbs_cmdline_valid(const char *s);

/* For log lines and JSON: "domain.create", "running", "poweroff"; "unknown" for anything else. */
const char *verbs_verb_name(unsigned verb);
const char *verbs_state_name(unsigned state);
const char *verbs_reason_name(unsigned reason);

#endif
