/* SPDX-License-Identifier: Apache-2.0 */
/* The tables both ways; a number or a counter that stands twice in one overrides an initialiser,
 * which is an error of the build. See numbers.h. */
#include "wire/numbers.h"

#define ONE(id, n) +1

#define COUNTER_NUMBER(id, n) [MR_##id] = n,
#define COUNTER_PLACE(id, n)  [n] = MR_##id + 1,
static const uint8_t counter_number[] = {WIRE_COUNTER_NUMBERS(COUNTER_NUMBER)};
static const uint8_t counter_place[WIRE_NUMBER_MAX + 1] = {WIRE_COUNTER_NUMBERS(COUNTER_PLACE)};
_Static_assert(0 WIRE_COUNTER_NUMBERS(ONE) == MR_COUNTER_COUNT, "a number for each counter");

#define DNS_NUMBER(id, n) [WIRE_DNS_##id] = n,
#define DNS_PLACE(id, n)  [n] = WIRE_DNS_##id + 1,
static const uint8_t dns_number[] = {WIRE_DNS_NUMBERS(DNS_NUMBER)};
static const uint8_t dns_place[WIRE_NUMBER_MAX + 1] = {WIRE_DNS_NUMBERS(DNS_PLACE)};
_Static_assert(0 WIRE_DNS_NUMBERS(ONE) == WIRE_DNS_COUNT, "a number for each");

#define NETNS_NUMBER(id, n) [NETNS_##id] = n,
#define NETNS_PLACE(id, n)  [n] = NETNS_##id + 1,
static const uint8_t netns_number[] = {WIRE_NETNS_NUMBERS(NETNS_NUMBER)};
static const uint8_t netns_place[WIRE_NUMBER_MAX + 1] = {WIRE_NETNS_NUMBERS(NETNS_PLACE)};
_Static_assert(0 WIRE_NETNS_NUMBERS(ONE) == NETNS_COUNTER_COUNT, "a number for each");

#define LOSS_NUMBER(id, n) [WIRE_LOSS_##id] = n,
#define LOSS_PLACE(id, n)  [n] = WIRE_LOSS_##id + 1,
static const uint8_t loss_number[] = {WIRE_LOSS_NUMBERS(LOSS_NUMBER)};
static const uint8_t loss_place[WIRE_NUMBER_MAX + 1] = {WIRE_LOSS_NUMBERS(LOSS_PLACE)};
_Static_assert(0 WIRE_LOSS_NUMBERS(ONE) == WIRE_LOSS_COUNT, "a number for each loss");

const struct wire_numbers wire_counter_numbers = {counter_number, counter_place, MR_COUNTER_COUNT};
const struct wire_numbers wire_dns_numbers = {dns_number, dns_place, WIRE_DNS_COUNT};
const struct wire_numbers wire_netns_numbers = {netns_number, netns_place, NETNS_COUNTER_COUNT};
const struct wire_numbers wire_loss_numbers = {loss_number, loss_place, WIRE_LOSS_COUNT};

int wire_number_find(const struct wire_numbers *n, uint64_t number)
{
	return number <= WIRE_NUMBER_MAX ? n->place[number] - 1 : -1;
}
