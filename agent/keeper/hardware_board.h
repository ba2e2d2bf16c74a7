#ifndef DOMUS_KEEPER_HARDWARE_BOARD_H
#define DOMUS_KEEPER_HARDWARE_BOARD_H

/*
 * The real board, as far as Dom0's kernel shows it. hardware_board.c puts together:
 *   board_nodes.c     disks and network interfaces of Dom0, and where each hangs
 *   board_pcie.c      slots and functions; rail_pcie.c switches a slot
 *   board_usb.c       ports; rail_usb.c switches one
 *   board_platform.c  nodes of the device tree
 *   board_uplink.c    a bridge around the network interface in a slot
 *   rail_cpu.c        what the firmware says of the cores; rail_platform.c switches rails of the SoC: both ask the hypervisor
 * All paths are below `root`, which is "" but in tests.
 */
#include "keeper/hardware.h"
#include "keeper/sysfs.h"

#define NODES_MAX     128
#define FUNCTIONS_MAX 256

/* A disk or network interface of Dom0. */
struct node {
	char name[32];
	char path[SYSFS_PATH]; /* of its device: /sys/devices/... */
	enum verbs_content_kind kind;
	bool system; /* a file system of Dom0 is on it */
};

struct nodes {
	unsigned count;
	struct node nodes[NODES_MAX];
};

struct functions; /* board_pcie.c */
struct ports;	  /* board_usb.c */

struct board {
	const char *root;
	/* May the hub switch its ports one by one? By its descriptor; another answer in tests. */
	bool (*hub_switches)(const struct board *b, unsigned bus, unsigned device, bool superspeed);
	/*
	 * Asks the hypervisor: DOMUS_POWER_* of hypervisor/xen/domus_power.h and its structure. 0 or a negative errno;
	 * -ENOSYS: it is another one. NULL: likewise.
	 */
	int (*power_call)(void *context, unsigned op, void *argument);
	void *power_context;
	struct nodes nodes;	     /* as of the latest board_scan() or board_read() */
	struct functions *functions; /* as of the latest board_scan() */
	struct ports *ports;
	struct inventory *platform; /* read once */
};

/* power_call, for all who ask: -ENOSYS without one. */
int board_power_call(const struct board *b, unsigned op, void *argument);

/* As in struct hardware, but for the cores. */
int board_scan(struct board *b, struct inventory *out, struct error *e);
void board_read(struct board *b, struct verbs_device *d, bool contents);
void board_close(struct board *b);
int board_set(struct board *b, const struct verbs_device *d, bool on, struct error *e);
int board_disk_open(const struct board *b, const char *node, bool readonly, struct error *e);
/* A socket that is readable when the kernel says that something came or went; -1: none. */
int board_changes(void);
void board_changes_drain(int fd);

/* board_nodes.c */
void nodes_read(struct board *b);
/* Adds to d what of Dom0's hangs below path: the node of its content, or, when the system is on it, that Dom0 needs it. */
const struct node *node_below(const struct board *b, const char *path);
bool system_below(const struct board *b, const char *path);

/* board_pcie.c */
/* The topology of a function or port from its path in sysfs: "00.04.0-00.0". False: it is no PCI path. */
bool pcie_topology(const char *path, char out[VERBS_DEVICE_MAX + 1]);
/* PCI Express Base Specification 7.5.3: offset of the capability and what of it we use. */
struct pcie_port {
	unsigned capability; /* offset in configuration space */
	bool slot, power;    /* Slot Implemented; Power Controller Present */
	unsigned number;     /* Physical Slot Number */
	unsigned control;    /* Slot Control register */
	bool reports_link;   /* Data Link Layer Link Active Reporting Capable */
};
/* Parses configuration space; false when it is no port with a slot. Safe on any bytes. */
bool pcie_port_parse(const uint8_t *config, unsigned size, struct pcie_port *out);
/* Finds a slot by its device id: its path in sysfs, its port read again. False: it does not answer. */
bool pcie_find(const struct board *b, const char *id, char path[SYSFS_PATH],
	       struct pcie_port *port);
void pcie_scan(struct board *b, struct inventory *out);
void pcie_read(struct board *b, struct verbs_device *d, bool contents);
int pcie_set(const struct board *b, const struct verbs_device *d, bool on, struct error *e);

/* board_usb.c */
void usb_scan(struct board *b, struct inventory *out);
void usb_read(const struct board *b, struct verbs_device *d, bool contents);
int usb_set(const struct board *b, const struct verbs_device *d, bool on, struct error *e);
bool usb_hub_switches(const struct board *b, unsigned bus, unsigned device, bool superspeed);

/* board_platform.c: the tree is untrusted bytes. Safe on any. b: who is asked about nodes that Dom0 may not use; NULL: none counts. */
void platform_parse(const struct board *b, const void *tree, size_t size, struct inventory *out);
void platform_scan(struct board *b, struct inventory *out);
/* a and b cannot have two owners: their groups become one, of out's devices from `first` on. */
void platform_join(struct inventory *out, unsigned first, struct verbs_device *a,
		   struct verbs_device *b, const char *reason);

/* rail_cpu.c */
/* d is a core, its power as the hypervisor's tools tell it: who switches it, and what PSCI says, when the hypervisor can be asked. */
void core_read(const struct board *b, struct verbs_device *d);

/* rail_platform.c */
/* Has the hypervisor a rail for the register at this address? */
bool platform_has_rail(const struct board *b, uint64_t address);
/* Finds the rails of out's platform devices from `first` on: who switches each, what it reads, what moves together. */
void platform_rails(const struct board *b, struct inventory *out, unsigned first);
void platform_read(const struct board *b, struct verbs_device *d);
int platform_set(const struct board *b, const struct verbs_device *d, bool on, struct error *e);

/* board_uplink.c */
int uplink_make(const char *node, char bridge[VERBS_BRIDGE_MAX + 1], struct error *e);
/* Removes the bridges that uplink_make() put around network interfaces below path. */
void uplink_remove_below(const struct board *b, const char *path);

#endif
