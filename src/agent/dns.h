/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS as this node sees it: messages in, once a window names and figures out.
 *
 *     message ─► dns_message: read it ─► dns_queries: whose answer? ─► dns_names: what it teaches
 *
 * Only an answer that was asked for, and that keeps to the protocol, teaches a name; and only to
 * the namespace of the client that asked.
 */
#pragma once

#include "agent/dns_names.h"
#include "agent/dns_queries.h"

struct dns;

int dns_new(struct dns **ret);       /* -ENOMEM */
struct dns *dns_free(struct dns *d); /* always NULL; accepts NULL */

/* data holds head->size bytes; flow is the head's, as translated. */
void dns_see(struct dns *d, const struct mr_dns_head *head, const struct dns_flow *flow,
	     const void *data);

/* Hands over what happened since the last time, by flow. */
void dns_report(struct dns *d, uint64_t now_ns, dns_flow_fn fn, void *userdata);

/* Puts names that are new into the batch, which is sent then. */
void dns_tell_names(struct dns *d, struct wire_batch *batch);

/* Adds what was lost here to the sums by enum wire_loss. */
void dns_add_losses(const struct dns *d, uint64_t *loss);
