/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/v1/stream: an event `graph` for each window, with the graph of that window.
 *
 * Readers that ask for the same share one frame. Bounds: API_STREAMS_MAX readers, 4 frames waiting
 * for each, FRAMES_BYTES_MAX of all of them: who lags is dropped and counted, nobody is waited for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/api.h"
#include "server/api_params.h"

#define SECOND_NS  UINT64_C(1000000000)
#define LAG_MAX_NS (3 * SECOND_NS)
#define LOOK_MS    200

#define FRAMES_BYTES_MAX (64u << 20)

const struct param_spec api_stream_params[] = {
	API_PARAM_GROUP,
	API_PARAM_FILTER,
	API_PARAM_BUCKETS,
	{0},
};

static void forget(struct api_subscriber *s)
{
	filter_free(s->filter);
	free(s->filter_text);
	*s = (struct api_subscriber){0};
}

static void on_gone(void *userdata, struct http_stream *stream)
{
	struct api *a = userdata;
	size_t i;

	for (i = 0; i < API_STREAMS_MAX; i++)
		if (a->subscribers[i].stream == stream)
			forget(&a->subscribers[i]);
}

static struct api_subscriber *find_place(struct api *a)
{
	size_t i;

	for (i = 0; i < API_STREAMS_MAX; i++)
		if (!a->subscribers[i].stream)
			return &a->subscribers[i];
	return NULL;
}

/* What the reader wants, into a place that is not used yet. */
static int prepare(struct api_subscriber *s, const struct params *p, struct error *ret_error)
{
	const char *filter = params_text(p, "filter");
	int r = query_group_parse(&s->group, params_text(p, "group"), ret_error);

	if (r < 0)
		return r;
	r = filter_parse(&s->filter, filter, ret_error);
	if (r < 0)
		return r;
	s->filter_text = strdup(filter ? filter : "");
	s->buckets = params_number(p, "buckets");
	return s->filter_text ? 0 : error_set(ret_error, -ENOMEM, "out of memory; try again later");
}

/* So that the reader has the headers and knows that it is connected. */
static void greet(struct api_subscriber *s)
{
	struct http_frame *hello = http_frame_new_comment("an event a window");

	if (hello)
		http_stream_push(s->stream, hello);
	http_frame_unref(hello);
}

void api_stream(void *userdata, struct http_request *r)
{
	struct api *a = userdata;
	struct api_subscriber *s = find_place(a);
	struct error error = {"out of memory; try again later"};
	int result;

	if (!s) {
		http_reply_error(r, 503, "%d readers follow the stream already; expected fewer",
				 API_STREAMS_MAX);
		return;
	}
	result = prepare(s, http_request_params(r), &error);
	if (result < 0) {
		http_reply_error(r, result == -EINVAL ? 400 : 503, "%s", error.text);
		forget(s);
		return;
	}
	result = http_stream_open(&s->stream, r, on_gone, a);
	if (result < 0)
		forget(s);
	else
		greet(s);
}

static void drop(struct api *a, struct api_subscriber *s)
{
	a->streams_dropped++;
	http_stream_drop(s->stream);
	forget(s); /* on_gone finds nothing any more */
}

static struct http_frame *build_frame(struct api *a, const struct api_subscriber *s, uint64_t to_ns)
{
	struct query_graph_request request = {
		.range = {.from_ns = a->streamed_ns, .to_ns = to_ns},
		.group = s->group,
		.filter = s->filter,
		.now_ns = to_ns,
	};
	struct arena *arena = arena_new();
	struct http_frame *frame = NULL;
	struct query_graph graph;
	struct emit e;

	emit_init(&e, FRAMES_BYTES_MAX);
	if (arena && !query_graph(a->core, &request, arena, &graph)) {
		api_emit_graph(&e, a, &request, &graph, s->buckets);
		if (!e.error)
			frame = http_frame_new("graph", e.data, e.size);
	}
	emit_done(&e);
	arena_free(arena);
	return frame;
}

static bool wants_the_same(const struct api_subscriber *a, const struct api_subscriber *b)
{
	return a->group.kind == b->group.kind && !strcmp(a->group.label, b->group.label) &&
	       a->buckets == b->buckets && !strcmp(a->filter_text, b->filter_text);
}

/* A reference to the frame for subscriber i: a former one's, or a new one. */
static struct http_frame *frame_for(struct api *a, size_t i, uint64_t to_ns)
{
	size_t other;

	for (other = 0; other < i; other++)
		if (a->subscribers[other].frame &&
		    wants_the_same(&a->subscribers[other], &a->subscribers[i]))
			return http_frame_ref(a->subscribers[other].frame);
	return build_frame(a, &a->subscribers[i], to_ns);
}

/* What waits for slow readers stays within bounds: those that lag go. */
static void relieve(struct api *a)
{
	size_t i;

	if (http_frame_live_bytes() <= FRAMES_BYTES_MAX)
		return;
	for (i = 0; i < API_STREAMS_MAX; i++)
		if (a->subscribers[i].stream && http_stream_lags(a->subscribers[i].stream))
			drop(a, &a->subscribers[i]);
}

/* frame NULL: it could not be built, so this reader misses a window and must know. */
static void push(struct api *a, struct api_subscriber *s, struct http_frame *frame)
{
	if (!frame || http_stream_push(s->stream, frame) < 0)
		drop(a, s);
}

/*
 * Up to when there is something to send. Of one agent each window as it comes. Of many, whose
 * windows end all the time, a second or more at once, when all have told of it: a frame holds
 * that time whole, and a thousand agents make no more frames than two.
 */
static uint64_t stream_end_ns(struct api *a)
{
	uint64_t now_ms = uv_now(a->stream_timer.loop), end_ns;
	struct timespec now;

	if (query_agent_count(a->core) <= 1)
		return core_latest_ns(a->core);
	if (now_ms - a->stream_looked_ms < LOOK_MS)
		return 0;
	a->stream_looked_ms = now_ms;
	clock_gettime(CLOCK_REALTIME, &now);
	end_ns = query_told_ns(a->core, now.tv_sec * SECOND_NS + now.tv_nsec, LAG_MAX_NS);
	return end_ns >= a->streamed_ns + SECOND_NS ? end_ns : 0;
}

void api_stream_window(struct api *a)
{
	uint64_t latest_ns = stream_end_ns(a);
	struct http_frame *frames[API_STREAMS_MAX] = {0};
	size_t i;

	if (latest_ns <= a->streamed_ns)
		return;
	relieve(a);
	for (i = 0; i < API_STREAMS_MAX; i++)
		if (a->subscribers[i].stream)
			frames[i] = a->subscribers[i].frame = frame_for(a, i, latest_ns);
	for (i = 0; i < API_STREAMS_MAX; i++) {
		a->subscribers[i].frame = NULL;
		if (a->subscribers[i].stream)
			push(a, &a->subscribers[i], frames[i]);
		http_frame_unref(frames[i]);
	}
	a->streamed_ns = latest_ns;
}

/* Its token may have been taken away, or its session be over. */
static void check_reader(struct api *a, struct api_subscriber *s)
{
	if (auth_is_reader(a->auth, http_stream_request(s->stream)))
		return;
	http_stream_drop(s->stream);
	forget(s);
}

void api_stream_keep_alive(struct api *a)
{
	struct http_frame *frame = http_frame_new_comment("still here");
	size_t i;

	for (i = 0; i < API_STREAMS_MAX; i++)
		if (a->subscribers[i].stream)
			check_reader(a, &a->subscribers[i]);
	for (i = 0; i < API_STREAMS_MAX; i++)
		if (frame && a->subscribers[i].stream)
			push(a, &a->subscribers[i], frame);
	http_frame_unref(frame);
}

void api_stream_done(struct api *a)
{
	size_t i;

	for (i = 0; i < API_STREAMS_MAX; i++)
		forget(&a->subscribers[i]);
}
