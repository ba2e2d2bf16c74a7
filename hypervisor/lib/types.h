/* The plain types of the hypervisor. Physical, intermediate-physical and guest-virtual addresses are different types, so
 * that the compiler refuses to take one for another; .raw is the number. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint64_t raw;
} pa_t; /* address on the machine's bus */
typedef struct {
	uint64_t raw;
} ipa_t; /* what a guest believes to be a physical address */
typedef struct {
	uint64_t raw;
} gva_t; /* virtual address in the guest's EL1&0 regime, EL0 included */

#define PA(x)  ((pa_t){(x)})
#define IPA(x) ((ipa_t){(x)})
#define GVA(x) ((gva_t){(x)})

#define KIB(x) ((uint64_t)(x) << 10)
#define MIB(x) ((uint64_t)(x) << 20)
#define GIB(x) ((uint64_t)(x) << 30)

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (PAGE_SIZE - 1)

#define MAX_CPUS  16 /* physical; one redistributor and one stack each */
#define MAX_VCPUS 16 /* of one domain: what one ICC_SGI1R target list (Aff0) names */

#define ARRAY_SIZE(a)	     (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a)     ((x) & ~((uint64_t)(a) - 1))
#define ALIGN_UP(x, a)	     ALIGN_DOWN((x) + (uint64_t)(a) - 1, a)
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
#define likely(x)	     __builtin_expect(!!(x), 1)
#define unlikely(x)	     __builtin_expect(!!(x), 0)
#define RARE		     __attribute__((cold)) /* a function that had better be small than fast */

#endif
