/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace of the test's own, whose addresses come and go. Needs root for that; without
 * it the machine's own are only read. */
#include "agent/covers.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND_NS UINT64_C(1000000000)

/* An address of loopback's first or second label: the only interface there is. */
static void set_address(const char *label, const char *address)
{
	struct ifreq request = {0};
	struct sockaddr_in *at = (struct sockaddr_in *)&request.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(request.ifr_name, label);
	at->sin_family = AF_INET;
	inet_pton(AF_INET, address, &at->sin_addr);
	assert_int_equal(ioctl(fd, SIOCSIFADDR, &request), 0);
	close(fd);
}

/* How many were told; -1: nothing was. */
static int report(struct covers *c, uint64_t now_ns, uint8_t ret_first[16])
{
	struct wire_batch *b = wire_batch_new();
	int count;

	assert_int_equal(covers_report(c, b, now_ns), 0);
	count = b->covers_changed ? (int)b->cover_count : -1;
	if (count > 0)
		memcpy(ret_first, b->covers[0].address, 16);
	wire_batch_free(b);
	return count;
}

static void what_changes_is_told(void **state)
{
	static const uint8_t second[16] = {[10] = 0xff, 0xff, 10, 9, 0, 2};
	uint8_t first[16];
	struct covers *c;

	if (unshare(CLONE_NEWNET) < 0)
		skip();
	assert_int_equal(covers_new(&c), 0);
	assert_int_equal(report(c, 1 * SECOND_NS, first), 0); /* none is news, too */
	assert_int_equal(report(c, 2 * SECOND_NS, first), -1);
	set_address("lo", "127.0.0.1");
	assert_int_equal(report(c, 3 * SECOND_NS, first), -1);
	set_address("lo:1", "10.9.0.2");
	assert_int_equal(report(c, 4 * SECOND_NS, first), 1);
	assert_memory_equal(first, second, 16);
	set_address("lo:2", "10.9.0.3");
	assert_int_equal(report(c, 4 * SECOND_NS + 1, first), -1); /* not so soon */
	assert_int_equal(report(c, 6 * SECOND_NS, first), 2);
	covers_free(c);
}

static void the_machines_own_are_read(void **state)
{
	uint8_t first[16];
	struct covers *c;

	assert_int_equal(covers_new(&c), 0);
	assert_true(report(c, SECOND_NS, first) >= 0);
	assert_int_equal(report(c, 100 * SECOND_NS, first), -1);
	covers_free(c);
	covers_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_machines_own_are_read),
		cmocka_unit_test(what_changes_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
