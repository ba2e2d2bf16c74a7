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
 * struct verbs_failure. Between answers come events (VERB_EVENT_DOMAIN, VERB_EVENT_DEVICE) when HELLO asked for them.
 * Requests for one domain run one at a time in the order they arrive; a DOMAIN_KILL takes the place
 * of those that still wait (they fail with ERROR_CANCELLED).
 *
 * Errors to expect: ERROR_DOMAIN_NOT_RUNNING (no such domain of ours, or it has ended), ERROR_DOMAIN_PAUSED,
 * ERROR_DOMAIN_EXISTS (the name is taken), ERROR_MEMORY, ERROR_REFERENCE (image, volume, bridge or pool is missing),
 * ERROR_DEVICE_UNKNOWN, ERROR_DEVICE_NEEDED, ERROR_DEVICE_GROUP, ERROR_DEVICE_IN_USE, ERROR_RAIL_FAULT, ERROR_RAIL_UNSUPPORTED,
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

#define VERBS_MAGIC	  0x444b0002u /* "DK", layout 2: raised when a structure below changes */
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
#define VERBS_DEVICE_MAX  63  /* device ids: [a-z0-9][a-z0-9.+-]{0,62} */
#define VERBS_DEVICES_MAX 16  /* devices of one domain */
#define VERBS_CONTENT_MAX 4   /* what one slot or port is seen to hold; more are counted */
#define VERBS_DEVICE_PAGE 16  /* devices in one answer to DEVICE_LIST */
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
	VERB_DEVICE_LIST,  /* the inventory, sorted by id, as it was last read back */
	VERB_DEVICE_READ,  /* one device, its rail read back now */
	VERB_RAIL_SET,	   /* a rail that no domain owns: on and kept on by policy, or off */
	VERB_EVENT_DEVICE, /* unsolicited, keeper to client, id 0 */
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

/* docs/power.md has the model. */
enum verbs_kind {
	VERBS_KIND_CPU = 1,  /* a physical core */
	VERBS_KIND_PLATFORM, /* a node of the device tree */
	VERBS_KIND_PCIE,     /* a slot, or a function that sits in none */
	VERBS_KIND_USB,	     /* a port of a hub */
	VERBS_KIND_END
};

/* What switches the rail. */
enum verbs_gate {
	VERBS_GATE_NONE =
		1,	 /* nothing does, device.note says why: it cannot be given to a domain */
	VERBS_GATE_SLOT, /* slot power controller (PCI Express Base Specification, Slot Control) */
	VERBS_GATE_PORT, /* a hub's port power (USB 2.0, PORT_POWER) */
	VERBS_GATE_PLATFORM,   /* the hypervisor, asked by keeper */
	VERBS_GATE_HYPERVISOR, /* the hypervisor, by itself: cores. Read only */
	VERBS_GATE_END
};

/* What was read back. */
enum verbs_power {
	VERBS_POWER_UNKNOWN = 1, /* it cannot be read: no gate, or the gate does not answer */
	VERBS_POWER_OFF,
	VERBS_POWER_ON,
	VERBS_POWER_FAULT, /* it does not do what it is told: device.error says what */
	VERBS_POWER_END
};

/* Why a rail is as it is, or what an event is about. */
enum verbs_cause {
	VERBS_CAUSE_NONE,    /* it was found so, and that is right */
	VERBS_CAUSE_BOOT,    /* keeper started and switched off what no domain owns */
	VERBS_CAUSE_START,   /* its domain starts */
	VERBS_CAUSE_END,     /* its domain ended: stopped, crashed, killed, or never became whole */
	VERBS_CAUSE_REQUEST, /* RAIL_SET */
	VERBS_CAUSE_CORRECT, /* found on without an owner: switched off. A violation of the rule */
	VERBS_CAUSE_FOUND,   /* it changed by itself */
	VERBS_CAUSE_COUNT
};

enum verbs_change {
	VERBS_CHANGE_CAME = 1, /* a device that was not in the inventory */
	VERBS_CHANGE_WENT,     /* it is no longer there; event.device is what was known last */
	VERBS_CHANGE_POWER,    /* power, error, holder or kept changed */
	VERBS_CHANGE_CONTENTS, /* what is in the slot or port changed; it may have been pulled */
	VERBS_CHANGE_END
};

enum verbs_content_kind {
	VERBS_CONTENT_OTHER = 1,
	VERBS_CONTENT_DISK, /* node is a disk of Dom0, "sda", when its driver is bound */
	VERBS_CONTENT_NIC,  /* node is a network interface of Dom0, when its driver is bound */
	VERBS_CONTENT_END
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
	char volume[VERBS_ID_MAX + 1]; /* STATE/volumes/ID, opened by keeper; or "" */
	uint8_t readonly;	       /* 0 or 1 */
	uint8_t reserved[6];
	char device[VERBS_DEVICE_MAX + 1]; /* or the disk in this slot or port, one of devices[] */
};

struct verbs_nic {
	char bridge[VERBS_BRIDGE_MAX + 1]; /* or "" */
	uint8_t mac[6];			   /* unicast, not zero */
	uint8_t devid;			   /* position in the guest, 0 to VERBS_NICS_MAX - 1 */
	uint8_t reserved;
	/* or a bridge of its own, made by keeper, whose uplink is the NIC in this slot, one of
	 * devices[]; each at most once */
	char device[VERBS_DEVICE_MAX + 1];
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
	/* All that it owns: switched on before it runs, off when it ends. Whole groups, none twice.
	 * An error points at "/devices/N", N the place in this array. */
	uint32_t device_count;
	uint32_t reserved2;
	char devices[VERBS_DEVICES_MAX][VERBS_DEVICE_MAX + 1];
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

/* What is seen in a slot or port. */
struct verbs_content {
	char name[64]; /* "QEMU QEMU USB HARDDRIVE", "NVMe controller 1b36:0010"; printable */
	char node[32]; /* "sda", "eth1", or "" */
	uint32_t vendor, product;
	uint32_t class; /* PCI class code (24 bits) or USB base class of the first interface */
	uint16_t kind;	/* enum verbs_content_kind */
	uint16_t reserved;
};

struct verbs_device {
	char id[VERBS_DEVICE_MAX + 1]; /* by topology, see docs/power.md */
	char group[VERBS_DEVICE_MAX +
		   1];		/* id of the first of those that move together; "": alone */
	char name[96];		/* for people: "PCIe slot 1", "USB port 1.1" */
	char group_reason[128]; /* why: "they share interrupt 35" */
	char needed[128]; /* why the appliance itself needs it: it stays Dom0's and on; or "" */
	char note[128];	  /* why it cannot be switched, or "" */
	char error[128];  /* power FAULT: what was tried and what was read back; or "" */
	struct verbs_domain holder;    /* the domain of ours that it is on for; name "": none */
	uint64_t since_ns;	       /* CLOCK_REALTIME when keeper first read this power */
	uint64_t mmio_base, mmio_size; /* PLATFORM: first register window, or 0 */
	uint32_t irq;		       /* PLATFORM: first interrupt (GIC INTID), or 0 */
	uint32_t cluster;	       /* CPU; UINT32_MAX when not known */
	uint16_t kind;		       /* enum verbs_kind */
	uint16_t gate;		       /* enum verbs_gate */
	uint16_t power;		       /* enum verbs_power */
	uint16_t cause;		       /* enum verbs_cause of this power */
	uint16_t kept;		       /* 1: on by policy, RAIL_SET */
	uint16_t contents_known;       /* 0: it was never on since the board was, nobody has seen */
	uint16_t content_count;	       /* may exceed VERBS_CONTENT_MAX */
	uint16_t reserved;
	struct verbs_content contents[VERBS_CONTENT_MAX]; /* as seen when it was last on */
};

struct verbs_devices_request {
	struct verbs_header header;
	char after[VERBS_DEVICE_MAX + 1]; /* those with a greater id (strcmp); "": from the first */
};

struct verbs_devices_response {
	struct verbs_header header;
	uint32_t count;
	uint32_t more; /* 1: ask again, after the last id of this answer */
	struct verbs_device devices[VERBS_DEVICE_PAGE];
};

/* DEVICE_READ, RAIL_SET; both are answered by a struct verbs_device_response */
struct verbs_rail_request {
	struct verbs_header header;
	char id[VERBS_DEVICE_MAX + 1];
	uint32_t on; /* RAIL_SET: 1 on and kept, 0 off and no longer kept; 0 in DEVICE_READ */
	uint32_t reserved;
};

struct verbs_device_response {
	struct verbs_header header;
	struct verbs_device device; /* read back */
};

struct verbs_device_event {
	struct verbs_header header;
	uint64_t time_ns; /* CLOCK_REALTIME */
	uint16_t change;  /* enum verbs_change */
	uint16_t cause;	  /* enum verbs_cause */
	uint32_t reserved;
	struct verbs_device device; /* as it is now */
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
	struct verbs_devices_request devices_request;
	struct verbs_devices_response devices_response;
	struct verbs_rail_request rail_request;
	struct verbs_device_response device_response;
	struct verbs_device_event device_event;
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
bool verbs_device_valid(const char *s);
bool verbs_cmdline_valid(const char *s);

/* For log lines and JSON: "domain.create", "running", "poweroff"; "unknown" for anything else. */
const char *verbs_verb_name(unsigned verb);
const char *verbs_state_name(unsigned state);
const char *verbs_reason_name(unsigned reason);
/* The same for devices: "pcie", "slot", "off", "start", "power", "disk". */
const char *verbs_kind_name(unsigned kind);
const char *verbs_gate_name(unsigned gate);
const char *verbs_power_name(unsigned power);
const char *verbs_cause_name(unsigned cause);
const char *verbs_change_name(unsigned change);
const char *verbs_content_name(unsigned kind);

#endif
