/* SPDX-License-Identifier: Apache-2.0 */
/* See mailbox.h. */
#include "agent/mailbox.h"

void mailbox_init(struct mailbox *m)
{
	*m = (struct mailbox){.mail.request_count = 0};
	pthread_mutex_init(&m->lock, NULL);
}

void mailbox_done(struct mailbox *m)
{
	pthread_mutex_destroy(&m->lock);
}

void mailbox_request(struct mailbox *m, const struct wire_request *request)
{
	pthread_mutex_lock(&m->lock);
	if (m->mail.request_count < MAILBOX_REQUESTS_MAX)
		m->mail.requests[m->mail.request_count++] = *request;
	pthread_mutex_unlock(&m->lock);
}

void mailbox_sweep_now(struct mailbox *m)
{
	pthread_mutex_lock(&m->lock);
	m->mail.sweep_now = true;
	pthread_mutex_unlock(&m->lock);
}

void mailbox_stop(struct mailbox *m)
{
	pthread_mutex_lock(&m->lock);
	m->mail.stop = true;
	pthread_mutex_unlock(&m->lock);
}

struct mail mailbox_take(struct mailbox *m)
{
	struct mail mail;

	pthread_mutex_lock(&m->lock);
	mail = m->mail;
	m->mail = (struct mail){.request_count = 0};
	pthread_mutex_unlock(&m->lock);
	return mail;
}
