/* The device trees of Debian's kernel package, as they lie in the appliance's Debian (build/image/debian). */
#ifndef FAKE_BOARDS_H
#define FAKE_BOARDS_H

/* Calls for every n-th board whose file is called `pattern`.dtb, in the order of their names, with a tree that dt_check()
 * has let through; how many there were. */
unsigned boards_each(const char *pattern, unsigned n, void (*call)(const char *path, const void *fdt));
#endif
