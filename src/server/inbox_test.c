/* SPDX-License-Identifier: Apache-2.0 */
/* Proves: order is kept, a full inbox makes the producer wait instead of losing, closing frees all.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/inbox.h"

#define BATCHES 1000

struct fixture {
	uv_loop_t loop;
	struct inbox inbox;
	uint64_t next, out_of_order;
	unsigned int pause_us;
};

static void on_wake(uv_async_t *wake)
{
	struct fixture *f = wake->data;
	struct inbox_item item;

	while (inbox_pop(&f->inbox, &item)) {
		f->out_of_order += item.batch->sequence != f->next++;
		inbox_item_free(item);
		usleep(f->pause_us);
	}
	if (f->next == BATCHES)
		inbox_close(&f->inbox);
}

static void *produce(void *userdata)
{
	struct fixture *f = userdata;
	uint64_t i;

	for (i = 0; i < BATCHES; i++) {
		struct wire_batch *b = wire_batch_new();

		b->sequence = i;
		inbox_push(&f->inbox, (struct inbox_item){.batch = b});
	}
	return NULL;
}

static void test_slow_server_loses_nothing(void **state)
{
	struct fixture f = {.pause_us = 50};
	uint64_t dropped, waited;
	pthread_t thread;

	uv_loop_init(&f.loop);
	assert_int_equal(inbox_init(&f.inbox, &f.loop, on_wake, &f), 0);
	pthread_create(&thread, NULL, produce, &f);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	pthread_join(thread, NULL);
	inbox_losses(&f.inbox, &dropped, &waited);
	assert_int_equal(f.next, BATCHES);
	assert_int_equal(f.out_of_order, 0);
	assert_int_equal(dropped, 0);
	assert_true(waited > 0); /* the bound was felt */
	inbox_done(&f.inbox);
	assert_int_equal(uv_loop_close(&f.loop), 0);
}

/* Nobody takes anything: the producer waits, until closing lets it go. */
static void test_close_lets_producers_go(void **state)
{
	struct fixture f = {0};
	pthread_t thread;
	uint64_t dropped, waited;

	uv_loop_init(&f.loop);
	assert_int_equal(inbox_init(&f.inbox, &f.loop, on_wake, &f), 0);
	pthread_create(&thread, NULL, produce, &f);
	do {
		usleep(1000);
		inbox_losses(&f.inbox, &dropped, &waited);
	} while (!waited);
	inbox_close(&f.inbox);
	pthread_join(thread, NULL);
	f.pause_us = 0;
	uv_run(&f.loop, UV_RUN_DEFAULT);
	inbox_done(&f.inbox);
	assert_int_equal(uv_loop_close(&f.loop), 0);
}

/* The last resort: after INBOX_WAIT_MS a batch goes, and is counted. */
static void test_stuck_server_is_counted(void **state)
{
	struct fixture f = {0};
	uint64_t dropped, waited;
	int i;

	uv_loop_init(&f.loop);
	assert_int_equal(inbox_init(&f.inbox, &f.loop, on_wake, &f), 0);
	for (i = 0; i < INBOX_MAX + 1; i++)
		inbox_push(&f.inbox, (struct inbox_item){.batch = wire_batch_new()});
	inbox_losses(&f.inbox, &dropped, &waited);
	assert_int_equal(dropped, 1);
	assert_int_equal(waited, 1);
	inbox_close(&f.inbox);
	f.next = BATCHES + 1;
	uv_run(&f.loop, UV_RUN_DEFAULT);
	inbox_done(&f.inbox);
	assert_int_equal(uv_loop_close(&f.loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_server_loses_nothing),
		cmocka_unit_test(test_close_lets_producers_go),
		cmocka_unit_test(test_stuck_server_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
