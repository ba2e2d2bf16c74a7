/*
 * keeperctl: speaks keeper's verbs from a shell script, for tests of keeper without domusd.
 *   keeperctl SOCKET VERB [ARGUMENT...]; see usage below. Prints what comes back; exits 1 when
 * keeper refuses.
 */
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/verbs.h"

static const char usage[] =
	"usage: keeperctl SOCKET board|list|log\n"
	"       keeperctl SOCKET create NAME kernel=ID memory=MIB [initrd=ID] [vcpus=N] "
	"[paused=1]\n"
	"                 [cap=N] [weight=N] [affinity=MASK] [pool=NAME] [cmdline=TEXT]\n"
	"                 [disk=VDEV:VOLUME[:ro]]... [diskdev=VDEV:DEVICE]... [nic=BRIDGE]...\n"
	"                 [nicdev=DEVICE]... [device=ID]...\n"
	"       keeperctl SOCKET devices\n"
	"       keeperctl SOCKET device|on|off ID\n"
	"       keeperctl SOCKET shutdown|reboot|kill|pause|resume NAME\n"
	"       keeperctl SOCKET console NAME SECONDS UNTIL [TYPE]   prints until UNTIL appears\n"
	"       keeperctl SOCKET wait NAME STATE[:REASON] SECONDS    waits for an event, after a "
	"look at the list\n"
	"       keeperctl SOCKET events SECONDS\n"
	"A UUID is made from the name: NAME@N stands for the Nth domain called NAME.\n";

static int sock;
static uint64_t last_id;

static void fatal(const struct error *e)
{
	printf("error %s%s%s: %s\n", error_name(e->code), e->pointer[0] ? " at " : "", e->pointer,
	       e->detail);
	exit(1);
}

static void event_print(const struct verbs_event *v)
{
	printf("event %s domid %u %s %s\n", v->domain.name, v->domid, verbs_state_name(v->state),
	       verbs_reason_name(v->reason));
	fflush(stdout);
}

static void device_print(const struct verbs_device *d)
{
	printf("%s %s gate %s cause %s holder %s kept %u \"%s\" needed \"%s\" note \"%s\" group %s "
	       "\"%s\" error \"%s\"",
	       d->id, verbs_power_name(d->power), verbs_gate_name(d->gate),
	       verbs_cause_name(d->cause), d->holder.name[0] ? d->holder.name : "-", d->kept,
	       d->name, d->needed, d->note, d->group[0] ? d->group : "-", d->group_reason,
	       d->error);
	if (d->mmio_size)
		printf(" mmio %llx+%llx irq %u", (unsigned long long)d->mmio_base,
		       (unsigned long long)d->mmio_size, d->irq);
	if (!d->contents_known)
		printf(" holds ?");
	for (unsigned i = 0; i < d->content_count && i < VERBS_CONTENT_MAX; i++)
		printf(" holds %s %s \"%s\"", verbs_content_name(d->contents[i].kind),
		       d->contents[i].node[0] ? d->contents[i].node : "-", d->contents[i].name);
	putchar('\n');
}

static void device_event_print(const struct verbs_device_event *v)
{
	printf("event %s %s: ", verbs_change_name(v->change), verbs_cause_name(v->cause));
	device_print(&v->device);
	fflush(stdout);
}

/* Receives one message; false after deadline (CLOCK_MONOTONIC seconds; 0: none). */
static bool receive(union verbs_message *m, int *fd, time_t deadline)
{
	struct error e = {0};
	struct timespec now;
	ssize_t length;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (deadline) {
		struct pollfd p = {.fd = sock, .events = POLLIN};
		long left = deadline - now.tv_sec;

		if (poll(&p, 1, left > 0 ? (int)left * 1000 : 0) <= 0)
			return false;
	}
	length = ipc_receive(sock, m, sizeof(*m), fd, &e);
	if (length == 0)
		error_set(&e, ERROR_UNAVAILABLE, "keeper closed the connection");
	if (length <= 0 || verbs_check_answer(m, (size_t)length, &e) < 0)
		fatal(&e);
	return true;
}

/* Sends *m and waits for its answer, which replaces it; prints events on the way. Returns the
 * descriptor or -1. */
static int call(union verbs_message *m)
{
	struct error e = {0};
	uint64_t id = m->header.id;
	int fd;

	if (ipc_send(sock, m, m->header.length, -1, &e) < 0)
		fatal(&e);
	for (;;) {
		receive(m, &fd, 0);
		if (m->header.verb == VERB_EVENT_DOMAIN)
			event_print(&m->event);
		else if (m->header.verb == VERB_EVENT_DEVICE)
			device_event_print(&m->device_event);
		else if (m->header.id == id)
			break;
	}
	if (m->header.status != ERROR_NONE) {
		verbs_error(&m->failure, &e);
		fatal(&e);
	}
	return fd;
}

static void hello(bool events)
{
	union verbs_message m;

	verbs_start(&m, sizeof(m.hello_request), VERB_HELLO, ++last_id);
	snprintf(m.hello_request.version, sizeof(m.hello_request.version), "%s", DOMUS_VERSION);
	m.hello_request.events = events;
	call(&m);
}

/* "demo" or "demo@2". */
static void domain_set(struct verbs_domain *d, const char *text)
{
	size_t length = strcspn(text, "@");
	unsigned generation = text[length] ? (unsigned)atoi(text + length + 1) : 1;

	snprintf(d->name, sizeof(d->name), "%.*s", (int)length, text);
	for (size_t i = 0; i < sizeof(d->uuid); i++)
		d->uuid[i] = (uint8_t)(0x40 + i + generation +
				       (i < length ? (unsigned char)text[i] : 0));
}

static void board(void)
{
	union verbs_message m;
	const struct verbs_board_response *r = &m.board_response;

	verbs_start(&m, sizeof(m.empty), VERB_BOARD_INFO, ++last_id);
	call(&m);
	printf("%s %s%s (%s) on \"%s\": %u of %u CPUs, midr %llx, %llu of %llu MiB free\n",
	       r->hypervisor, r->version, r->extra, r->abi, r->board, r->cpus_online, r->cpu_count,
	       (unsigned long long)r->cpus[0].midr, (unsigned long long)r->free_mib,
	       (unsigned long long)r->total_mib);
}

/* Prints all domains, or finds the state of one: VERBS_GONE when it is not there. */
static unsigned list(const struct verbs_domain *wanted, unsigned *reason)
{
	union verbs_message m;
	uint32_t first = 0;

	do {
		verbs_start(&m, sizeof(m.list_request), VERB_DOMAIN_LIST, ++last_id);
		m.list_request.first = first;
		call(&m);
		for (uint32_t i = 0; i < m.list_response.count; i++) {
			const struct verbs_list_entry *d = &m.list_response.entries[i];

			if (!wanted) {
				printf("%u %s %s %s %u vcpus %llu MiB %s\n", d->domid,
				       d->domain.name, verbs_state_name(d->state),
				       verbs_reason_name(d->reason), d->vcpus,
				       (unsigned long long)d->memory_mib,
				       d->ours ? "ours" : "foreign");
			} else if (memcmp(&d->domain, wanted, sizeof(*wanted)) == 0) {
				*reason = d->reason;
				return d->state;
			}
		}
		first = m.list_response.next;
	} while (first);
	return VERBS_GONE;
}

static void devices(void)
{
	union verbs_message m;
	char after[VERBS_DEVICE_MAX + 1] = "";
	bool more = true;

	while (more) {
		verbs_start(&m, sizeof(m.devices_request), VERB_DEVICE_LIST, ++last_id);
		memcpy(m.devices_request.after, after, sizeof(after));
		call(&m);
		for (uint32_t i = 0; i < m.devices_response.count; i++) {
			device_print(&m.devices_response.devices[i]);
			memcpy(after, m.devices_response.devices[i].id, sizeof(after));
		}
		more = m.devices_response.more;
	}
}

static void device(enum verb verb, const char *id, bool on)
{
	union verbs_message m;

	verbs_start(&m, sizeof(m.rail_request), verb, ++last_id);
	snprintf(m.rail_request.id, sizeof(m.rail_request.id), "%s", id);
	m.rail_request.on = on;
	call(&m);
	device_print(&m.device_response.device);
}

static void disk_add(struct verbs_create_request *r, const char *value)
{
	struct verbs_disk *d = &r->disks[r->disk_count++];
	char mode[4] = "";

	if (sscanf(value, "%7[^:]:%40[^:]:%3s", d->vdev, d->volume, mode) < 2)
		exit(2);
	d->readonly = strcmp(mode, "ro") == 0;
}

static void nic_add(struct verbs_create_request *r, const char *value)
{
	struct verbs_nic *n = &r->nics[r->nic_count];

	snprintf(n->bridge, sizeof(n->bridge), "%s", value);
	memcpy(n->mac, "\x00\x16\x3e\x00\x00\x01", 6);
	n->mac[4] = r->domain.uuid[0];
	n->mac[5] = (uint8_t)r->nic_count;
	n->devid = (uint8_t)r->nic_count++;
}

static void disk_device_add(struct verbs_create_request *r, const char *value)
{
	struct verbs_disk *d = &r->disks[r->disk_count++];

	if (sscanf(value, "%7[^:]:%63s", d->vdev, d->device) != 2)
		exit(2);
}

static void create_option(struct verbs_create_request *r, const char *word)
{
	const char *value = strchr(word, '=');

	if (!value)
		exit(2);
	value++;
#define IS(key) (strncmp(word, key "=", sizeof(key)) == 0)
	if (IS("kernel"))
		snprintf(r->kernel, sizeof(r->kernel), "%s", value);
	else if (IS("initrd"))
		snprintf(r->initrd, sizeof(r->initrd), "%s", value);
	else if (IS("pool"))
		snprintf(r->pool, sizeof(r->pool), "%s", value);
	else if (IS("cmdline"))
		snprintf(r->cmdline, sizeof(r->cmdline), "%s", value);
	else if (IS("memory"))
		r->memory_mib = strtoull(value, NULL, 0);
	else if (IS("vcpus"))
		r->vcpus = (uint32_t)atoi(value);
	else if (IS("weight"))
		r->weight = (uint32_t)atoi(value);
	else if (IS("cap"))
		r->cap = (uint32_t)atoi(value);
	else if (IS("affinity"))
		r->affinity[0] = strtoull(value, NULL, 0);
	else if (IS("paused"))
		r->paused = value[0] == '1';
	else if (IS("disk"))
		disk_add(r, value);
	else if (IS("diskdev"))
		disk_device_add(r, value);
	else if (IS("nic"))
		nic_add(r, value);
	else if (IS("nicdev")) {
		struct verbs_nic *n = &r->nics[r->nic_count];

		nic_add(r, "");
		snprintf(n->device, sizeof(n->device), "%s", value);
	} else if (IS("device"))
		snprintf(r->devices[r->device_count++], sizeof(r->devices[0]), "%s", value);
	else
		exit(2);
#undef IS
}

static void create(char **argv)
{
	union verbs_message m;

	verbs_start(&m, sizeof(m.create_request), VERB_DOMAIN_CREATE, ++last_id);
	domain_set(&m.create_request.domain, argv[0]);
	m.create_request.vcpus = 1;
	m.create_request.weight = 256;
	while (*++argv)
		create_option(&m.create_request, *argv);
	call(&m);
	printf("created domid %u\n", m.create_response.domid);
}

static int domain_call(enum verb verb, const char *name)
{
	union verbs_message m;

	verbs_start(&m, sizeof(m.domain_request), verb, ++last_id);
	domain_set(&m.domain_request.domain, name);
	return call(&m);
}

static time_t deadline_in(const char *seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + atoi(seconds);
}

/* Copies the console to the screen until text appears (0), time is up or it hangs up (1). */
static int console(const char *name, const char *seconds, const char *until, const char *type)
{
	int fd = domain_call(VERB_CONSOLE_OPEN, name);
	time_t deadline = deadline_in(seconds);
	static char seen[1 << 20];
	size_t length = 0;
	struct timespec now;

	if (type && (write(fd, type, strlen(type)) < 0 || write(fd, "\r", 1) < 0))
		return 1;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= deadline ||
		    poll(&p, 1, (int)(deadline - now.tv_sec) * 1000) <= 0) {
			printf("\nconsole: no \"%s\" in time\n", until);
			return 1;
		}
		got = read(fd, seen + length, sizeof(seen) - 1 - length);
		if (got <= 0) {
			printf("\nconsole: hung up\n");
			return 1;
		}
		fwrite(seen + length, 1, (size_t)got, stdout);
		fflush(stdout);
		length += (size_t)got;
		if (memmem(seen, length, until, strlen(until)))
			return putchar('\n'), 0;
	}
}

static bool state_is(const char *wanted, unsigned state, unsigned reason)
{
	char both[64];

	snprintf(both, sizeof(both), "%s:%s", verbs_state_name(state), verbs_reason_name(reason));
	return strcmp(wanted, verbs_state_name(state)) == 0 || strcmp(wanted, both) == 0;
}

static int state_wait(const char *name, const char *wanted, const char *seconds)
{
	time_t deadline = deadline_in(seconds);
	struct verbs_domain d = {0};
	union verbs_message m;
	unsigned reason = 0;
	unsigned state;
	int fd;

	domain_set(&d, name);
	state = list(&d, &reason);
	while (!state_is(wanted, state, reason)) {
		if (!receive(&m, &fd, deadline)) {
			printf("wait: %s is still %s\n", name, verbs_state_name(state));
			return 1;
		}
		if (m.header.verb != VERB_EVENT_DOMAIN)
			continue;
		event_print(&m.event);
		if (memcmp(&m.event.domain, &d, sizeof(d)) != 0)
			continue;
		state = m.event.state;
		reason = m.event.reason;
	}
	printf("%s is %s (%s)\n", name, verbs_state_name(state), verbs_reason_name(reason));
	return 0;
}

static int events(const char *seconds)
{
	time_t deadline = deadline_in(seconds);
	union verbs_message m;
	int fd;

	while (receive(&m, &fd, deadline)) {
		if (m.header.verb == VERB_EVENT_DOMAIN)
			event_print(&m.event);
		else if (m.header.verb == VERB_EVENT_DEVICE)
			device_event_print(&m.device_event);
	}
	return 0;
}

static int log_print(void)
{
	union verbs_message m;
	char buffer[4096];
	ssize_t got;
	int fd;

	verbs_start(&m, sizeof(m.empty), VERB_LOG, ++last_id);
	fd = call(&m);
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, (size_t)got, stdout);
	return 0;
}

static int run(int argc, char **argv)
{
	const char *verb = argv[2];

	if (strcmp(verb, "board") == 0)
		return board(), 0;
	if (strcmp(verb, "list") == 0)
		return list(NULL, NULL), 0;
	if (strcmp(verb, "devices") == 0)
		return devices(), 0;
	if (argc == 4 && strcmp(verb, "device") == 0)
		return device(VERB_DEVICE_READ, argv[3], false), 0;
	if (argc == 4 && (strcmp(verb, "on") == 0 || strcmp(verb, "off") == 0))
		return device(VERB_RAIL_SET, argv[3], strcmp(verb, "on") == 0), 0;
	if (strcmp(verb, "log") == 0)
		return log_print();
	if (argc >= 4 && strcmp(verb, "create") == 0)
		return create(argv + 3), 0;
	if (argc == 4 && strcmp(verb, "events") == 0)
		return events(argv[3]);
	if ((argc == 6 || argc == 7) && strcmp(verb, "console") == 0)
		return console(argv[3], argv[4], argv[5], argv[6]);
	if (argc == 6 && strcmp(verb, "wait") == 0)
		return state_wait(argv[3], argv[4], argv[5]);
	for (enum verb v = VERB_DOMAIN_SHUTDOWN; argc == 4 && v <= VERB_DOMAIN_RESUME; v++) {
		if (strcmp(verbs_verb_name(v) + strlen("domain."), verb) == 0)
			return domain_call(v, argv[3]), puts("done"), 0;
	}
	fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct error e = {0};

	if (argc < 3) {
		fputs(usage, stderr);
		return 2;
	}
	sock = ipc_connect(argv[1], &e);
	if (sock < 0)
		fatal(&e);
	hello(strcmp(argv[2], "wait") == 0 || strcmp(argv[2], "events") == 0);
	return run(argc, argv);
}
