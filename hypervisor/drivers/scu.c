/* The mailbox of the i.MX8 system controller, see scu.h. */
#include "drivers/scu.h"
#include "lib/errno.h"
#include "lib/string.h"

#define ANY_RF (MU_RF(0) | MU_RF(1) | MU_RF(2) | MU_RF(3))

static uint32_t reg_read(struct scu *s, unsigned offset)
{
	return s->port.read(s->port.arg, offset);
}
static uint64_t now(struct scu *s)
{
	return s->port.now(s->port.arg);
}

/* Drops every word that is there; true when there was one. */
static bool drop_words(struct scu *s)
{
	uint32_t status = reg_read(s, MU_SR);

	for (unsigned n = 0; n < 4; n++)
		if (status & MU_RF(n))
			reg_read(s, MU_RR(n));
	return (status & ANY_RF) != 0;
}

void scu_init(struct scu *s, const struct scu_port *port, uint64_t timeout)
{
	memset(s, 0, sizeof(*s));
	lock_init(&s->lock, LOCK_SCU);
	s->port = *port;
	s->timeout = timeout;
	s->port.write(s->port.arg, MU_CR, 0);
	/* twice: a word that waited for its register comes after the first */
	drop_words(s);
	drop_words(s);
}

/* `heard`: the answer has begun to come, or there is no telling what came. */
static int fail(struct scu *s, int error, bool heard)
{
	s->state = SCU_LOST;
	s->user = SCU_NOBODY;
	s->heard = heard;
	s->deadline = now(s) + s->timeout;
	s->patience = now(s) + SCU_PATIENCE * s->timeout;
	return error;
}

static int drain(struct scu *s)
{
	if (drop_words(s)) {
		s->heard = true;
		s->deadline = now(s) + s->timeout;
	} else if (s->heard && now(s) >= s->deadline) {
		s->state = SCU_IDLE;
		return 0;
	}
	return now(s) < s->patience ? -EAGAIN : -EIO;
}

static int wait(struct scu *s)
{
	if (now(s) < s->deadline)
		return -EAGAIN;
	return fail(s, -ETIMEDOUT, s->state == SCU_RECEIVE && s->at > 0);
}

static int start(struct scu *s, enum scu_user user, const uint32_t *message)
{
	unsigned size = SCU_SIZE(message[0]);

	if (size == 0 || size > SCU_WORDS)
		return -EINVAL;
	if (s->waiting != SCU_NOBODY && s->waiting != user)
		return -EAGAIN;
	if (reg_read(s, MU_SR) & ANY_RF) /* words that nobody asked for */
		return fail(s, -EIO, true);
	memcpy(s->word, message, size * sizeof(*message));
	s->state = SCU_SEND;
	s->user = user;
	s->waiting = SCU_NOBODY;
	s->at = 0;
	s->size = (uint8_t)size;
	s->deadline = now(s) + s->timeout;
	return 0;
}

static int send_words(struct scu *s)
{
	for (; s->at < s->size; s->at++) {
		if (!(reg_read(s, MU_SR) & MU_TE(s->at % 4)))
			return wait(s);
		s->port.write(s->port.arg, MU_TR(s->at % 4), s->word[s->at]);
	}
	s->state = SCU_RECEIVE;
	s->at = s->size = 0;
	return 0;
}

static int receive_words(struct scu *s)
{
	do {
		uint32_t status = reg_read(s, MU_SR);

		if (!(status & MU_RF(s->at % 4)))
			/* words come in order: one in another register than the next is out of step */
			return status & ANY_RF ? fail(s, -EBADMSG, true) : wait(s);
		s->word[s->at] = reg_read(s, MU_RR(s->at % 4));
		if (s->at == 0) {
			if (SCU_SIZE(s->word[0]) == 0 || SCU_SIZE(s->word[0]) > SCU_WORDS)
				return fail(s, -EBADMSG, true);
			s->size = (uint8_t)SCU_SIZE(s->word[0]);
		}
	} while (++s->at < s->size);
	s->state = SCU_IDLE;
	return 0;
}

int scu_call(struct scu *s, enum scu_user user, uint32_t *message)
{
	int error = 0;

	LOCK_SCOPE(&s->lock);
	if (s->state == SCU_LOST)
		error = drain(s);
	else if (s->state != SCU_IDLE && s->user != user) {
		s->waiting = user;
		error = -EAGAIN;
	}
	if (!error && s->state == SCU_IDLE)
		error = start(s, user, message);
	if (!error && s->state == SCU_SEND)
		error = send_words(s);
	if (!error)
		error = receive_words(s);
	if (error != -EAGAIN && s->waiting == user)
		s->waiting = SCU_NOBODY; /* it need not come again, so nobody makes way for it */
	if (error)
		return error;
	s->user = SCU_NOBODY;
	memset(message, 0, SCU_WORDS * sizeof(*message));
	memcpy(message, s->word, s->size * sizeof(*message));
	return 0;
}
