/* Grant tables, version 1: a domain says in frames that it shares with the hypervisor which of its pages another domain may map
 * or copy. The granter's side (grant.c): entries and who uses them; the user's side (grant_map.c): handles of mappings.
 *
 * Locks: one lock for each table; never two tables' at once, and core/memory's are taken inside of none of them. A handle holds
 * a reference on the frame, so frame and granter outlive the granter's end; an entry that is in use has its flags set, as the ABI says. */
#ifndef CORE_GRANT_H
#define CORE_GRANT_H
#include "core/page.h"

#define GRANT_FRAMES_MAX  64u
#define GRANT_PER_FRAME	  512u
#define MAPTRACK_MAX	  1024u /* pages of handles */
#define MAPTRACK_PER_PAGE 128u

/* xen/grant_table.h, version 1 */
struct grant_entry {
	uint16_t flags, domain;
	uint32_t gfn;
};
#define GRANT_TYPE     0x03u
#define GRANT_ACCESS   0x01u /* a type: the page may be mapped or copied */
#define GRANT_READONLY 0x04u
#define GRANT_READING  0x08u
#define GRANT_WRITING  0x10u

/* Answers, with the numbers of GNTST_*. */
enum grant_status {
	GRANT_OKAY = 0,
	GRANT_ERROR = -1,
	GRANT_BAD_DOMAIN = -2,
	GRANT_BAD_REF = -3,
	GRANT_BAD_HANDLE = -4,
	GRANT_NOT_PERMITTED = -8,
	GRANT_BAD_PAGE = -9,
	GRANT_BAD_COPY = -10,
	GRANT_AGAIN = -12,
	GRANT_NO_SPACE = -13,
};

/* Who uses an entry now: mappings, and copies under way. */
struct grant_use {
	uint16_t readers, writers;
};

/* A mapping of another domain's grant. domain is DOMID_FIRST_RESERVED while it is being made. */
struct maptrack {
	uint16_t domain;
	bool used, readonly;
	uint32_t ref;
	uint64_t ipa;
	uint64_t pa; /* of a free one: the next free handle + 1 */
};

struct grant_table {
	struct lock lock;
	unsigned frames, frames_max;
	struct grant_entry *frame[GRANT_FRAMES_MAX];
	struct grant_use *use[GRANT_FRAMES_MAX];
	unsigned maps, maps_max; /* pages of handles */
	uint32_t free_handle;	 /* + 1; 0: none */
	uint32_t mapped;	 /* handles in use */
	uint32_t sweep;		 /* domain_relinquish: handles before this one are free */
	struct maptrack *map[MAPTRACK_MAX];
};

/* Machine address of frame `index`; the table grows as far as that, in steps: -ERESTART asks to be called again. -EINVAL beyond the
 * limit, -ENOMEM. */
int grant_frame(struct domain *d, unsigned index, pa_t *out);
unsigned grant_frames_max(const struct domain *d);
/* Exchanges two entries that nobody uses. */
enum grant_status grant_swap(struct domain *d, uint32_t a, uint32_t b);

/* Begins the use of granter's entry `ref` by `user`, for writing too or not: marks it, and says which page it is. */
enum grant_status grant_take(struct domain *granter, uint32_t ref, uint16_t user, bool write,
			     ipa_t *ipa);
/* Ends it. Fine when the granter's table is gone meanwhile. */
void grant_give(struct domain *granter, uint32_t ref, bool write);

/* Maps the page behind `ref` of `granter` at `ipa` of d: one page. What was there goes, as by memory_map_page(). *bus: its
 * machine address. */
enum grant_status grant_map(struct domain *d, struct domain *granter, uint32_t ref, ipa_t ipa,
			    bool readonly, uint32_t *handle, pa_t *bus);
/* Takes the mapping with this handle away; it must be at `ipa`. The TLBs are clean when it returns. */
enum grant_status grant_unmap(struct domain *d, uint32_t handle, ipa_t ipa);

/* 0 when d has a grant of the frame `pa` mapped, -EINVAL when not. Looks at some handles from *from on and moves it: -ERESTART asks
 * to be called again with it. */
int grant_is_mapped(struct domain *d, pa_t pa, uint64_t *from);

/* One side of a copy: a page of the caller's own (by_ref false), or one that `domain` grants to it. */
struct grant_side {
	bool by_ref;
	struct domain *domain; /* NULL: there is none */
	uint64_t at;	       /* reference, or guest frame number */
	unsigned offset;       /* in the page */
};
enum grant_status grant_copy(struct domain *d, const struct grant_side *from,
			     const struct grant_side *to, unsigned length);

/* For grant.c's unit: all handles of a domain that ends; -ERESTART asks to be called again. And the memory of the handles. */
int grant_unmap_all(struct domain *d);
void grant_free_handles(struct grant_table *t);

#endif
