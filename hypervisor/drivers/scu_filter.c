/* The messages that Linux's drivers send (firmware, power domains, clocks, pads, RTC, OCOTP, thermal), and nothing else: no
 * partitions, no reset of the machine, no cores, no fuses to burn, no notifications. */
#include "drivers/scu_filter.h"
#include "drivers/scu_rpc.h"

/*          full    idle              foreign     unlisted
 *  ANY     pass    pass              pass        pass
 *  PUBLIC  pass    pass              no access   pass
 *  READ    pass    pass              no access   no access
 *  USE     pass    no power          no access   no access
 *  MODE    pass    off: done, else:  no access   no access
 *                  no access
 *  OWNED   yes     yes               no          no
 * MODE, idle: Linux's "off" is LP, which would be more power than off. */
enum rule { ANY, PUBLIC, READ, USE, MODE, OWNED };

/* Exact size in words, and where the resource's number is in the payload, in bytes. */
static const struct {
	uint8_t service, function, size, at, rule;
} table[] = {
	{SCU_PM, 3, 2, 0, MODE},     /* set power mode */
	{SCU_PM, 4, 2, 0, READ},     /* get power mode */
	{SCU_PM, 5, 3, 4, USE},	     /* set clock rate */
	{SCU_PM, 6, 2, 0, USE},	     /* get clock rate */
	{SCU_PM, 7, 3, 0, USE},	     /* clock enable */
	{SCU_PM, 14, 2, 0, USE},     /* set clock parent */
	{SCU_PM, 15, 2, 0, USE},     /* get clock parent */
	{SCU_RM, 13, 2, 0, OWNED},   /* is resource owned */
	{SCU_TIMER, 7, 1, 0, ANY},   /* get RTC time */
	{SCU_TIMER, 9, 1, 0, ANY},   /* the same in seconds */
	{SCU_PAD, 15, 3, 0, ANY},    /* set pad */
	{SCU_PAD, 16, 2, 0, ANY},    /* get pad */
	{SCU_MISC, 1, 4, 8, USE},    /* set control */
	{SCU_MISC, 2, 3, 4, PUBLIC}, /* get control; of the system: the SoC's revision */
	{SCU_MISC, 11, 2, 0, ANY},   /* read a fuse: MAC addresses */
	{SCU_MISC, 13, 2, 0, ANY},   /* get temperature */
	{SCU_MISC, 15, 1, 0, ANY},   /* build information */
	{SCU_MISC, 19, 1, 0, ANY},   /* unique id */
};

static enum scu_verdict answer(uint32_t *message, unsigned status)
{
	message[0] = SCU_HEADER(1, SCU_RETURN, status);
	return SCU_ANSWER;
}

static enum scu_verdict judge(uint32_t *message, enum rule rule, enum power_access access)
{
	bool mine = access == POWER_FULL || access == POWER_IDLE;

	if (rule == OWNED)
		return answer(message, mine);
	if (rule == ANY || access == POWER_FULL || (rule == PUBLIC && access != POWER_FOREIGN) ||
	    (rule == READ && mine))
		return SCU_PASS;
	if (access == POWER_IDLE && rule == USE)
		return answer(message, SCU_NO_POWER);
	if (access == POWER_IDLE && rule == MODE && (message[1] >> 16 & 0xff) <= SCU_LP)
		return answer(message, SCU_OK);
	return answer(message, SCU_NO_ACCESS);
}

enum scu_verdict scu_filter(uint32_t *message, enum power_access (*access)(unsigned resource))
{
	unsigned service = message[0] >> 16 & 0xff, function = message[0] >> 24;

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		unsigned resource;

		if (table[i].service != service || table[i].function != function)
			continue;
		if (table[i].size != SCU_SIZE(message[0]))
			return answer(message, SCU_BAD_PARAMETER);
		resource = message[1 + table[i].at / 4] & 0xffff;
		return judge(message, table[i].rule,
			     table[i].rule == ANY ? POWER_FULL : access(resource));
	}
	if (service == SCU_PM && function == 9) /* reboot */
		return SCU_DROP;
	return answer(message, SCU_NO_ACCESS);
}
