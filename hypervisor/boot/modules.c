/* /chosen as Xen's boot protocol has it (xen-abi.md 1.2): multiboot modules and three command lines. */
#include "boot/boot.h"
#include "core/console.h"
#include "core/options.h"
#include "lib/print.h"
#include "lib/string.h"

struct options options = {.dom0_mem = MIB(512), .xen_minor = 20};

/* Like dt_walk_reg(), but a /chosen without cell counts has its parent's, as Xen reads it: QEMU's guest-loader relies on that. */
static bool module_reg(const struct dt_walk *w, struct dt_range *at)
{
	const struct dt_node *n = dt_walk_node(w), *chosen = n - 1;
	int counts = dt_property(w->fdt, chosen->offset, "#address-cells").data != NULL ? chosen->offset : 0;
	unsigned ac, sc;

	if (n->reg.data == NULL || !dt_cells(w->fdt, counts, &ac, &sc) || sc == 0 || n->reg.size < (int)(ac + sc) * 4)
		return false;
	at->base = dt_read_cells(n->reg.data, ac);
	at->size = dt_read_cells(n->reg.data + ac * 4, sc);
	return at->size != 0 && at->base + at->size > at->base;
}

static void module_take(const struct dt_walk *w, struct module *m, const char *what)
{
	const char *args = dt_string(w->fdt, dt_walk_node(w)->offset, "bootargs");

	if (m->at.size != 0)
		panic("the boot loader gave two %s modules", what);
	if (!module_reg(w, &m->at))
		panic("the %s module %s has no usable reg property", what, dt_walk_node(w)->name);
	if (args != NULL && string_copy(m->command_line, args, sizeof(m->command_line)) >= sizeof(m->command_line))
		panic("the command line of the %s module has %zu characters, more than the %zu that a kernel takes", what,
		      strlen(args), sizeof(m->command_line) - 1);
}

/* "512M", "1G": a number with B, K, M, G, T or, as Xen has it, KiB when there is none. False: not a size. */
static bool parse_size(const char *s, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;
	unsigned shift = 10;

	for (; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
		if (v > (1UL << 40))
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	if (i == 0)
		return false;
	if (i < n)
		switch (s[i++] | 0x20) {
		case 'b': shift = 0; break;
		case 'k': shift = 10; break;
		case 'm': shift = 20; break;
		case 'g': shift = 30; break;
		case 't': shift = 40; break;
		default: return false;
		}
	*out = v << shift;
	return i == n && v <= (1UL << 50) >> shift;
}

static void option(const char *word, size_t n)
{
	const char *value = memchr(word, '=', n);
	size_t key = value != NULL ? (size_t)(value - word) : n, left = value != NULL ? n - key - 1 : 0;
	uint64_t v;

	value = value != NULL ? value + 1 : "";
#define KEY(k) (key == sizeof(k) - 1 && memcmp(word, k, key) == 0)
#define VALUE(k) (left >= sizeof(k) - 1 && memcmp(value, k, sizeof(k) - 1) == 0)
	if (KEY("dom0_mem")) {
		/* dom0_mem=1G, dom0_mem=1G,max:1G: the first one counts */
		const char *comma = memchr(value, ',', left);

		if (VALUE("max:") || VALUE("min:"))
			value += 4, left -= 4;
		if (!parse_size(value, comma != NULL && comma > value ? (size_t)(comma - value) : left, &options.dom0_mem))
			panic("dom0_mem=%.*s is not a size like 512M or 2G", (int)left, value);
	} else if (KEY("dom0_max_vcpus")) {
		for (v = 0; left > 0 && *value >= '0' && *value <= '9' && v < 1000; value++, left--)
			v = v * 10 + (uint64_t)(*value - '0');
		if (v == 0 || left != 0)
			panic("dom0_max_vcpus= needs a number from 1");
		options.dom0_max_vcpus = (unsigned)v;
	} else if (KEY("loglvl")) {
		console_level = VALUE("none") || VALUE("error") ? LOG_ERROR
				: VALUE("warning")		? LOG_WARNING
				: VALUE("debug") || VALUE("all") ? LOG_DEBUG
								 : LOG_INFO;
	} else if (KEY("xen_minor")) {
		if (left == 2 && value[0] >= '1' && value[0] <= '9' && value[1] >= '0' && value[1] <= '9')
			options.xen_minor = (unsigned)((value[0] - '0') * 10 + value[1] - '0');
	} else if (KEY("sync_console")) {
		options.sync_console = true;
	} else if (!KEY("console") && !KEY("guest_loglvl") && !KEY("dtuart") && n > 0) {
		log_warning("unknown option on the hypervisor's command line: %.*s", (int)n, word);
	}
}

static void options_read(const char *line)
{
	if (string_copy(options.line, line, sizeof(options.line)) >= sizeof(options.line))
		panic("the hypervisor's command line has %zu characters, more than the %zu that it takes", strlen(line),
		      sizeof(options.line) - 1);
	for (const char *at = options.line; *at != '\0';) {
		size_t n = 0;

		while (at[n] != '\0' && at[n] != ' ')
			n++;
		option(at, n);
		at += n + (at[n] == ' ');
	}
}

void modules_find(const void *fdt, struct boot_modules *m)
{
	int chosen = dt_child(fdt, 0, "chosen"), untyped = 0;
	const char *own, *dom0;
	struct dt_walk w;

	if (!dt_walk_to(&w, fdt, chosen))
		panic("the device tree has no /chosen node, so there is no Dom0 kernel");
	while (dt_walk_next(&w) && w.depth > 1) {
		struct dt_value kind = dt_walk_node(&w)->compatible;

		if (w.depth != 2)
			continue; /* the modules of a domain that Xen would build at boot */
		if (dt_is(kind, "multiboot,kernel") || dt_is(kind, "xen,linux-zimage"))
			module_take(&w, &m->kernel, "kernel");
		else if (dt_is(kind, "multiboot,ramdisk") || dt_is(kind, "xen,linux-initrd"))
			module_take(&w, &m->ramdisk, "ramdisk");
		else if (dt_is(kind, "multiboot,module") || dt_is(kind, "xen,multiboot-module"))
			module_take(&w, untyped++ == 0 ? &m->kernel : &m->ramdisk, "untyped");
	}
	if (m->ramdisk.at.size == 0) {
		uint64_t from = dt_number(fdt, chosen, "linux,initrd-start", 0);
		uint64_t to = dt_number(fdt, chosen, "linux,initrd-end", 0);

		if (from != 0 && to > from)
			m->ramdisk.at = (struct dt_range){from, to - from};
	}
	own = dt_string(fdt, chosen, "xen,xen-bootargs");
	dom0 = dt_string(fdt, chosen, "xen,dom0-bootargs");
	if (m->kernel.command_line[0] == '\0') {
		const char *from = dom0 != NULL ? dom0 : own != NULL ? dt_string(fdt, chosen, "bootargs") : NULL;

		from = from != NULL ? from : "";
		if (string_copy(m->kernel.command_line, from, sizeof(m->kernel.command_line)) >= sizeof(m->kernel.command_line))
			panic("Dom0's command line has %zu characters, more than the %zu that a kernel takes", strlen(from),
			      sizeof(m->kernel.command_line) - 1);
	}
	if (own == NULL)
		own = dt_string(fdt, chosen, "bootargs");
	options_read(own != NULL ? own : "");
	if (m->kernel.at.size == 0)
		panic("the boot loader gave no Dom0 kernel (no multiboot,kernel module in /chosen)");
}
