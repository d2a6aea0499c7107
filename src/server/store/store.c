/* SPDX-License-Identifier: Apache-2.0 */
/* The store's thread and queue; see store.h. What is done with items is in writer.h. */
#include "server/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "server/store/writer.h"

#define RETRY_MS  1000
#define SIZES_NS  UINT64_C(1000000000) /* between two looks at how large all is */
#define GATHER_NS UINT64_C(20000000)   /* between two commits */

struct result {
	uint64_t ticket;
	int r;
};

struct store {
	char path[512];
	int lock_fd;
	struct writer writer; /* the thread's, once it runs */
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	struct store_item *first, *last; /* that wait */
	size_t count, bytes;
	struct result *results; /* to be told */
	size_t result_count, result_capacity;
	struct store_status status;
	uv_async_t tell;
	store_result_fn on_result;
	void *userdata;
	bool started, stopping;
};

/* --- the folder ----------------------------------------------------------------------------- */

int store_make_folder(const char *folder, unsigned int uid, unsigned int gid,
		      struct error *ret_error)
{
	if (mkdir(folder, 0700) < 0) {
		if (errno == EEXIST)
			return 0;
		return error_set(ret_error, -errno,
				 "cannot make the folder for data, %s: %s; make it, or give --data "
				 "another one",
				 folder, strerror(errno));
	}
	if (geteuid() == 0 && lchown(folder, uid, gid) < 0)
		return error_set(ret_error, -errno, "cannot give %s to the account of millrace: %s",
				 folder, strerror(errno));
	return 0;
}

static int lock_folder(struct store *s, const char *folder, struct error *ret_error)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/lock", folder);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return error_set(ret_error, -errno,
				 "cannot write in the folder for data, %s: %s; it must belong to "
				 "the account that millrace runs as",
				 folder, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(
			ret_error, -EBUSY,
			"cannot use %s: another millrace server has it open; stop that one, "
			"or give --data another folder",
			folder);
	return 0;
}

int store_open(struct store **ret, const struct store_config *config, struct error *ret_error)
{
	const struct writer_limits limits = {config->bytes_max, config->retain_ns,
					     config->pages_max};
	struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_set(ret_error, -ENOMEM, "cannot open the store: out of memory");
	s->lock_fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	snprintf(s->path, sizeof(s->path), "%s/millrace.db", config->folder);
	r = store_make_folder(config->folder, geteuid(), getegid(), ret_error);
	if (!r)
		r = lock_folder(s, config->folder, ret_error);
	if (!r)
		r = writer_open(&s->writer, s->path, &limits, ret_error);
	if (r < 0) {
		store_free(s);
		return r;
	}
	snprintf(s->status.path, sizeof(s->status.path), "%s", s->path);
	s->status.bytes_max = s->writer.limits.bytes_max;
	*ret = s;
	return 0;
}

/* --- the thread ----------------------------------------------------------------------------- */

/* Under the lock. Without memory the agent hears nothing and asks again. */
static void push_result(struct store *s, uint64_t ticket, int r)
{
	size_t capacity = s->result_capacity ? s->result_capacity * 2 : 64;
	struct result *results;

	if (s->result_count == s->result_capacity) {
		results = realloc(s->results, capacity * sizeof(*results));
		if (!results)
			return;
		s->results = results;
		s->result_capacity = capacity;
	}
	s->results[s->result_count++] = (struct result){ticket, r};
}

/* Under the lock. */
static void note_status(struct store *s, int r)
{
	struct store_status *status = &s->status;
	const struct writer *w = &s->writer;

	if (r < 0) {
		status->errors++;
		snprintf(status->error, sizeof(status->error), "%s", strerror(-r));
	} else {
		status->error[0] = '\0';
	}
	status->bytes_max = w->limits.bytes_max;
	status->late_blocks = w->late_blocks;
	status->cuts_ignored = w->cuts_ignored;
	status->damaged_blocks = w->damaged_blocks;
	for (unsigned int i = 0; i < LEVEL_COUNT; i++) {
		status->levels[i].closed_ns = w->levels[i].closed_ns;
		status->levels[i].cut_rows = w->levels[i].cut_rows;
	}
}

static void read_sizes(struct store *s)
{
	uint64_t bytes = 0, oldest[LEVEL_COUNT] = {0};
	char text[96];

	writer_bytes(&s->writer, &bytes);
	for (unsigned int i = 0; i < LEVEL_COUNT; i++) {
		int64_t end;

		snprintf(text, sizeof(text), "SELECT min(end_ns) FROM blocks WHERE level=%u", i);
		if (!db_number(s->writer.db, text, 0, &end))
			oldest[i] = (uint64_t)end;
	}
	pthread_mutex_lock(&s->lock);
	s->status.bytes = bytes;
	for (unsigned int i = 0; i < LEVEL_COUNT; i++)
		s->status.levels[i].oldest_ns = oldest[i];
	pthread_mutex_unlock(&s->lock);
}

static struct store_item *take_all(struct store *s)
{
	struct store_item *first = s->first;

	s->first = s->last = NULL;
	return first;
}

/* Under the lock. Nothing came before them: they go to the front again. */
static void put_back(struct store *s, struct store_item *first)
{
	struct store_item *last = first;

	while (last->next)
		last = last->next;
	last->next = s->first;
	if (!s->first)
		s->last = last;
	s->first = first;
}

/* Under the lock, which is given up meanwhile. */
static int commit_waiting(struct store *s)
{
	struct store_item *first = take_all(s), *next;
	int r;

	pthread_mutex_unlock(&s->lock);
	r = writer_commit(&s->writer, first);
	pthread_mutex_lock(&s->lock);
	note_status(s, r);
	for (struct store_item *item = first; item; item = item->next)
		push_result(s, item->ticket, r);
	if (r < 0)
		put_back(s, first);
	for (; !r && first; first = next) {
		next = first->next;
		s->count--;
		s->bytes -= first->size;
		store_item_free(first);
	}
	uv_async_send(&s->tell);
	return r;
}

static void wait_for_work(struct store *s, bool retry)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RETRY_MS / 1000;
	if (retry)
		pthread_cond_timedwait(&s->wake, &s->lock, &until);
	else
		pthread_cond_wait(&s->wake, &s->lock);
}

/* When things were done last, of the clock that never steps. */
struct pace {
	uint64_t committed_ns, sizes_ns;
	bool sizes_due; /* they changed since */
};

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Under the lock, which is given up meanwhile. To flush costs as much for one batch as for many:
 * what comes soon after the last commit waits for others. */
static int commit_gathered(struct store *s, struct pace *p)
{
	uint64_t since_ns = clock_ns() - p->committed_ns;
	int r;

	if (since_ns < GATHER_NS && !s->stopping) {
		pthread_mutex_unlock(&s->lock);
		nanosleep(&(struct timespec){.tv_nsec = (long)(GATHER_NS - since_ns)}, NULL);
		pthread_mutex_lock(&s->lock);
	}
	r = commit_waiting(s);
	p->committed_ns = clock_ns();
	return r;
}

/* Under the lock. One step, in between which those who wait get their turn. */
static int tidy(struct store *s, struct pace *p)
{
	int r;

	pthread_mutex_unlock(&s->lock);
	r = writer_tidy(&s->writer);
	p->sizes_due |= r <= 0;
	if (p->sizes_due && clock_ns() - p->sizes_ns >= SIZES_NS) {
		read_sizes(s);
		*p = (struct pace){p->committed_ns, clock_ns(), false};
	}
	pthread_mutex_lock(&s->lock);
	if (r < 0) {
		s->status.tidy_errors++;
		snprintf(s->status.tidy_error, sizeof(s->status.tidy_error), "%s", strerror(-r));
	} else {
		s->status.tidy_error[0] = '\0';
	}
	return r;
}

static void *run(void *userdata)
{
	struct store *s = userdata;
	struct pace pace = {0};
	int r = 1, tidied;

	pthread_setname_np(pthread_self(), "millrace-store");
	pthread_mutex_lock(&s->lock);
	while (!s->stopping || (s->first && r >= 0)) {
		r = s->first ? commit_gathered(s, &pace) : 0;
		if ((r >= 0 || r == -ENOSPC) && !s->stopping) {
			tidied = tidy(s, &pace);
			r = r < 0 ? r : tidied;
		}
		if (!s->stopping && (r < 0 || (r == 0 && !s->first)))
			wait_for_work(s, r < 0 || pace.sizes_due);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* --- the loop's side ------------------------------------------------------------------------ */

static void on_tell(uv_async_t *tell)
{
	struct store *s = tell->data;
	struct result *results;
	size_t count;

	pthread_mutex_lock(&s->lock);
	results = s->results;
	count = s->result_count;
	s->results = NULL;
	s->result_count = s->result_capacity = 0;
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < count; i++)
		s->on_result(s->userdata, results[i].ticket, results[i].r);
	free(results);
}

int store_start(struct store *s, uv_loop_t *loop, store_result_fn on_result, void *userdata)
{
	sigset_t all, before;
	int r = uv_async_init(loop, &s->tell, on_tell);

	if (r < 0)
		return r;
	s->tell.data = s;
	s->on_result = on_result;
	s->userdata = userdata;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->started = !r;
	if (r < 0)
		uv_close((uv_handle_t *)&s->tell, NULL);
	return r;
}

static bool has_room(const struct store *s)
{
	return s->count < STORE_ITEMS_MAX && s->bytes < STORE_QUEUE_BYTES_MAX;
}

int store_submit(struct store *s, struct store_item *item)
{
	int r = -ENOSPC;

	pthread_mutex_lock(&s->lock);
	if (has_room(s)) {
		item->next = NULL;
		*(s->last ? &s->last->next : &s->first) = item;
		s->last = item;
		s->count++;
		s->bytes += item->size;
		pthread_cond_signal(&s->wake);
		r = 0;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

bool store_has_room(struct store *s)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = has_room(s);
	pthread_mutex_unlock(&s->lock);
	return room;
}

bool store_works(struct store *s)
{
	bool works;

	pthread_mutex_lock(&s->lock);
	works = !s->status.error[0];
	pthread_mutex_unlock(&s->lock);
	return works;
}

void store_status(struct store *s, struct store_status *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->status;
	ret->queued = s->count;
	ret->queued_since_ns = s->first ? s->first->now_ns : 0;
	pthread_mutex_unlock(&s->lock);
}

const char *store_path(const struct store *s)
{
	return s->path;
}

void store_stop(struct store *s)
{
	if (!s->started)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	s->started = false;
	uv_close((uv_handle_t *)&s->tell, NULL);
}

struct store *store_free(struct store *s)
{
	struct store_item *item, *next;

	if (!s)
		return NULL;
	for (item = s->first; item; item = next) {
		next = item->next;
		store_item_free(item);
	}
	writer_close(&s->writer);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->results);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}
