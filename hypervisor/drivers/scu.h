/* The system controller unit of i.MX8: a small processor that owns power, clocks, pads and resets, asked by messages through a
 * mailbox of the messaging unit (MU; i.MX8QM reference manual, "Messaging Unit"). This is the mailbox: one call at a time, no
 * interrupt, no waiting: who has a call under way asks again later. Registers and clock are passed in. */
#ifndef DRIVERS_SCU_H
#define DRIVERS_SCU_H
#include "lib/lock.h"

/* Register offsets. Word k of a message goes through register k mod 4. */
#define MU_TR(n) ((n)*4u)	  /* transmit */
#define MU_RR(n) (0x10u + (n)*4u) /* receive */
#define MU_SR	 0x20u
#define MU_CR	 0x24u
#define MU_TE(n) (1u << (23 - (n))) /* SR: the other side has read TRn. CR: interrupt on it */
#define MU_RF(n) (1u << (27 - (n))) /* SR: RRn has a word. CR: interrupt on it */
#define MU_GIP(n)                                                                                  \
	(1u << (31 - (n))) /* SR: general purpose interrupt, write 1 to clear. CR: enable */

#define SCU_WORDS     8	   /* of a message, header included */
#define SCU_RESOURCES 1024 /* ids are below: 10 bits in the firmware */

/* A message's first word: version, size in words, service, function; in an answer the function's place has the status. */
#define SCU_HEADER(size, service, function)                                                        \
	(1u | (uint32_t)(size) << 8 | (uint32_t)(service) << 16 | (uint32_t)(function) << 24)
#define SCU_SIZE(header) ((header) >> 8 & 0xff)

struct scu_port {
	uint32_t (*read)(void *arg, unsigned offset);
	void (*write)(void *arg, unsigned offset, uint32_t value);
	uint64_t (*now)(void *arg); /* ticks */
	void *arg;
};

/* Who calls: each has one call under way at most. When one had to wait, the other lets it go first. */
enum scu_user { SCU_NOBODY, SCU_POWER, SCU_DOM0 };

/*  state    means                            leaves by
 *  IDLE     nothing is under way             a call: SEND
 *  SEND     words of a request go out        the last word: RECEIVE; time-out: LOST
 *  RECEIVE  words of the answer are awaited  the last word: IDLE; time-out, nonsense: LOST
 *  LOST     an answer may still come         an answer came and it has been quiet for `timeout`: IDLE
 * Messages carry no sequence number, so an answer that comes late would be taken for that of the next call: nothing is sent
 * until it has come. Calls wait for that as long as SCU_PATIENCE time-outs; then the firmware counts as dead, and they fail at
 * once, until it speaks again. */
#define SCU_PATIENCE 4
enum scu_state { SCU_IDLE, SCU_SEND, SCU_RECEIVE, SCU_LOST };

struct scu {
	struct lock lock; /* everything below, and the port */
	struct scu_port port;
	enum scu_state state;
	enum scu_user user;    /* whose call is under way */
	enum scu_user waiting; /* who found it busy */
	uint8_t at, size;  /* next word, words in all; RECEIVE: size 0 until the header is there */
	bool heard;	   /* LOST: some word of the answer came */
	uint64_t timeout;  /* ticks for a whole call */
	uint64_t deadline; /* of the call; LOST: until then it has to be quiet */
	uint64_t patience; /* LOST: until then calls wait */
	uint32_t word[SCU_WORDS];
};

/* Takes over the mailbox from whoever had it: no interrupts, old words dropped. */
void scu_init(struct scu *s, const struct scu_port *port, uint64_t timeout);
/* The request goes out, or (once it is out, whatever `message` says) its answer is awaited. 0: `message`, SCU_WORDS long, has the
 * answer. -EAGAIN: not yet, call again. -EINVAL: size in the header. -ETIMEDOUT, -EBADMSG: this call failed; -EIO: an earlier
 * one did, and its answer is still out; or somebody else's words lie in the mailbox. Moves one message's words at most. */
int scu_call(struct scu *s, enum scu_user user, uint32_t *message);

#endif
