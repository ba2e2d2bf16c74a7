#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domusd/websocket.h"

/* What the peer sends, what it gets, and the messages that come out. */
static struct {
	const unsigned char *in;
	size_t in_size, in_at, out_size, messages;
	unsigned char out[65536];
	char last[64];
	bool text, deaf;
} io;

static ssize_t take(void *user, void *data, size_t size)
{
	size_t left = io.in_size - io.in_at;

	(void)user;
	size = size < left ? size : left;
	memcpy(data, io.in + io.in_at, size);
	io.in_at += size;
	return (ssize_t)size;
}

static ssize_t give(void *user, const void *data, size_t size)
{
	(void)user;
	if (io.deaf)
		return 0;
	assert_true(io.out_size + size <= sizeof(io.out));
	memcpy(io.out + io.out_size, data, size);
	io.out_size += size;
	return (ssize_t)size;
}

static void message(void *user, bool text, const void *data, size_t size)
{
	(void)user;
	io.text = text;
	io.messages++;
	snprintf(io.last, sizeof(io.last), "%.*s", (int)size, (const char *)data);
}

static struct websocket *fed(const void *data, size_t size)
{
	static const struct websocket_io callbacks = {take, give, message, NULL};

	memset(&io, 0, sizeof(io));
	io.in = data;
	io.in_size = size;
	return websocket_new(&callbacks);
}

static void masked_message_comes_out(void **state)
{
	struct websocket *ws = fed("\x82\x82\0\0\0\0hi\x81\x81\0\0\0\0t", 15);

	(void)state;
	assert_true(websocket_work(ws));
	assert_int_equal(io.messages, 2);
	assert_true(io.text);
	assert_string_equal(io.last, "t");
	websocket_free(ws);
}

static void unmasked_frame_ends_the_connection(void **state)
{
	struct websocket *ws = fed("\x82\x01x", 3);

	(void)state;
	for (int i = 0; i < 3 && websocket_work(ws); i++)
		;
	assert_false(websocket_work(ws));
	assert_int_equal(io.messages, 0);
	websocket_free(ws);
}

static void run_to_the_end(struct websocket *ws)
{
	int rounds = 0;

	while (websocket_work(ws) && rounds < 10)
		rounds++;
	assert_true(rounds < 10);
}

static void the_longest_message_is_taken_and_one_byte_more_ends_with_1009(void **state)
{
	static unsigned char data[8 + WEBSOCKET_MESSAGE_MAX + 1] = {0x82, 0xfe, 0x40, 0};
	struct websocket *ws = fed(data, 8 + WEBSOCKET_MESSAGE_MAX);

	(void)state;
	assert_true(websocket_work(ws));
	assert_int_equal(io.messages, 1);
	assert_false(websocket_ended_by_us(ws));
	websocket_free(ws);

	data[3] = 1;
	ws = fed(data, sizeof(data));
	run_to_the_end(ws);
	assert_int_equal(io.messages, 0);
	assert_int_equal(io.out_size, 4);
	assert_memory_equal(io.out, "\x88\x02\x03\xf1", 4);
	assert_true(websocket_ended_by_us(ws));
	websocket_free(ws);
}

static void fragments_that_are_too_long_together_end_with_1009(void **state)
{
	static unsigned char data[2 * (8 + WEBSOCKET_MESSAGE_MAX / 2) + 7] = {0x02, 0xfe, 0x20, 0};
	static const size_t half = 8 + WEBSOCKET_MESSAGE_MAX / 2;
	struct websocket *ws;

	(void)state;
	memcpy(data + half, "\x00\xfe\x20\x00", 4);
	memcpy(data + 2 * half, "\x80\x81", 2);
	ws = fed(data, sizeof(data));
	run_to_the_end(ws);
	assert_int_equal(io.messages, 0);
	assert_memory_equal(io.out, "\x88\x02\x03\xf1", 4);
	websocket_free(ws);
}

static void ping_flood_of_a_deaf_peer_is_cut(void **state)
{
	static unsigned char pings[1000 * 6];
	struct websocket *ws;

	(void)state;
	for (int i = 0; i < 1000; i++)
		memcpy(pings + 6 * i, "\x89\x80\0\0\0\0", 6);
	ws = fed(pings, sizeof(pings));
	io.deaf = true;
	assert_false(websocket_work(ws));
	websocket_free(ws);
}

static void close_of_the_peer_is_answered_and_ends(void **state)
{
	struct websocket *ws = fed("\x88\x82\0\0\0\0\x03\xe8", 8);

	(void)state;
	run_to_the_end(ws);
	assert_memory_equal(io.out, "\x88\x02\x03\xe8", 4);
	assert_false(websocket_ended_by_us(ws));
	websocket_free(ws);
}

static void close_says_why_and_ends(void **state)
{
	struct websocket *ws = fed("", 0);

	(void)state;
	websocket_close(ws, WEBSOCKET_GOING_AWAY, "bye");
	assert_false(websocket_work(ws));
	assert_int_equal(io.out_size, 7);
	assert_memory_equal(io.out, "\x88\x05\x03\xe9", 4);
	assert_memory_equal(io.out + 4, "bye", 3);
	assert_true(websocket_ended_by_us(ws));
	websocket_free(ws);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masked_message_comes_out),
		cmocka_unit_test(unmasked_frame_ends_the_connection),
		cmocka_unit_test(the_longest_message_is_taken_and_one_byte_more_ends_with_1009),
		cmocka_unit_test(fragments_that_are_too_long_together_end_with_1009),
		cmocka_unit_test(ping_flood_of_a_deaf_peer_is_cut),
		cmocka_unit_test(close_of_the_peer_is_answered_and_ends),
		cmocka_unit_test(close_says_why_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
