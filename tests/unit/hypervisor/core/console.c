/* The machine's console on a UART that has room for as much as the test says: what goes out, in which order, and who waits. */
#include "core/console.h"
#include "arch/cpu.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char sent[4 * CONSOLE_OUT_SIZE], in[1024];
static size_t sent_length, in_next, in_length;
static unsigned room, waited; /* bytes that fit; how many had to wait until one did */
static bool receive_on, transmit_on;
static unsigned notified;

void machine_stop(void)
{
	abort();
}

static bool uart_room(void *regs)
{
	(void)regs;
	return room > 0;
}
static void uart_put(void *regs, char c)
{
	(void)regs;
	waited += room == 0;
	room -= room > 0;
	assert_true(sent_length < sizeof(sent) - 1);
	sent[sent_length++] = c;
	sent[sent_length] = '\0';
}
static int uart_get(void *regs)
{
	(void)regs;
	return in_next < in_length ? (unsigned char)in[in_next++] : -1;
}
static void uart_interrupts(void *regs, bool receive, bool transmit)
{
	(void)regs;
	receive_on = receive;
	transmit_on = transmit;
}
static const struct uart_ops ops = {uart_room, uart_put, uart_get, uart_interrupts, 0, 0, 0, 0};

/* Its interrupt, while it is raised: there is room for `fifo` bytes each time. */
static void drain(unsigned fifo)
{
	while (transmit_on) {
		room = fifo;
		console_irq(33, NULL);
	}
}
static void on_input(void)
{
	notified++;
}

static int setup(void **state)
{
	struct uart u = {&ops, NULL, 0};

	(void)state;
	console_finish(); /* what the test before left */
	sent_length = waited = 0;
	room = 0;
	transmit_on = false;
	console_init(&u);
	console_level = LOG_INFO;
	return 0;
}

static void test_at_boot_every_byte_goes_out_at_once(void **state)
{
	(void)state;
	log_info("begins");
	assert_true(console_write("dom0\n", 5));
	assert_string_equal(sent, "[domus] begins\r\ndom0\r\n");
	assert_false(transmit_on);
}

static void test_a_line_ends_once(void **state)
{
	(void)state;
	assert_true(console_write("as Linux\r\n", 10));
	assert_true(console_write("in two\r", 7));
	assert_true(console_write("\n\n", 2));
	assert_string_equal(sent, "as Linux\r\nin two\r\n\r\n");
}

static void test_nobody_waits_while_the_machine_runs(void **state)
{
	(void)state;
	console_run();
	room = 8;
	assert_true(console_write("a line of Dom0\n", 15));
	log_info("one of ours");
	assert_true(console_write("and a third\n", 12));
	assert_int_equal(sent_length, 8);
	assert_int_equal(waited, 0);
	assert_true(transmit_on);
	drain(3);
	assert_string_equal(sent, "a line of Dom0\r\n[domus] one of ours\r\nand a third\r\n");
	assert_int_equal(waited, 0);
}

static void test_one_interrupt_ends_however_much_a_uart_takes(void **state)
{
	char text[128];
	size_t before;

	(void)state;
	console_run();
	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < 10; i++)
		assert_true(console_write(text, sizeof(text)));
	before = sent_length;
	room = 100000;
	console_irq(33, NULL);
	assert_true(sent_length > before && sent_length - before <= 32);
	drain(100000);
	assert_int_equal(sent_length, 1280);
}

static void test_a_full_queue_refuses_guests_and_loses_no_line_of_ours(void **state)
{
	char text[128], *line = sent;
	unsigned taken = 0;

	(void)state;
	console_run();
	memset(text, '\n', sizeof(text)); /* two bytes each */
	while (console_write(text, sizeof(text)))
		taken++;
	assert_int_equal(taken, CONSOLE_OUT_SIZE / 256);
	assert_int_equal(sent_length, 0);
	assert_true(console_write("", 0));
	for (unsigned i = 0; i < 3; i++)
		log_info("line %u", i);
	assert_true(waited > 0); /* for these only */
	drain(16);
	for (unsigned i = 0; i < taken * 128; i++, line += 2)
		assert_memory_equal(line, "\r\n", 2);
	assert_string_equal(line, "[domus] line 0\r\n[domus] line 1\r\n[domus] line 2\r\n");
	assert_true(console_write(text, sizeof(text)));
}

static void test_what_waits_goes_out_before_the_machine_does(void **state)
{
	(void)state;
	console_run();
	log_info("last words");
	assert_int_equal(sent_length, 0);
	console_finish();
	log_info("and more");
	assert_string_equal(sent, "[domus] last words\r\n[domus] and more\r\n");
}

static void test_a_fault_waits_for_no_lock(void **state)
{
	(void)state;
	console_run();
	log_info("before");
	console_seize(); /* nobody holds it here, and another CPU could */
	log_error("a fault");
	assert_string_equal(sent, "[domus] before\r\n[domus] a fault\r\n");
}

static void test_lines_above_the_level_are_in_the_ring_only(void **state)
{
	uint32_t at = console_ring_start();
	char text[CONSOLE_RING_SIZE + 1];

	(void)state;
	console_ring_clear();
	console_level = LOG_WARNING;
	log_info("quiet");
	log_warning("loud");
	assert_string_equal(sent, "[domus] loud\r\n");
	text[console_ring_read(&at, text, CONSOLE_RING_SIZE)] = '\0';
	assert_string_equal(text, "[domus] quiet\n[domus] loud\n");
}

static void test_input_waits_in_the_uart_until_there_is_room(void **state)
{
	char text[400];

	(void)state;
	console_run();
	console_on_input(on_input);
	assert_true(receive_on);
	for (unsigned i = 0; i < 300; i++)
		in[i] = (char)('a' + i % 26);
	in_length = 300;
	console_irq(33, NULL);
	assert_int_equal(in_next, 256);
	assert_int_equal(notified, 1);
	assert_false(receive_on);
	log_info("output still comes");
	assert_false(receive_on);
	assert_true(transmit_on);
	drain(16);
	assert_int_equal(console_read(text, 100), 100);
	assert_true(receive_on);
	console_irq(33, NULL);
	assert_int_equal(console_read(text + 100, 300), 200);
	assert_memory_equal(text, in, 300);
	assert_int_equal(console_read(text, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_at_boot_every_byte_goes_out_at_once, setup),
		cmocka_unit_test_setup(test_a_line_ends_once, setup),
		cmocka_unit_test_setup(test_nobody_waits_while_the_machine_runs, setup),
		cmocka_unit_test_setup(test_one_interrupt_ends_however_much_a_uart_takes, setup),
		cmocka_unit_test_setup(test_a_full_queue_refuses_guests_and_loses_no_line_of_ours, setup),
		cmocka_unit_test_setup(test_what_waits_goes_out_before_the_machine_does, setup),
		cmocka_unit_test_setup(test_a_fault_waits_for_no_lock, setup),
		cmocka_unit_test_setup(test_lines_above_the_level_are_in_the_ring_only, setup),
		cmocka_unit_test_setup(test_input_waits_in_the_uart_until_there_is_room, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
