/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes over the network for a node of the talk's companies: bytes on the wire, both ways, with
 * all headers from Ethernet's up, TLS on.
 *
 *     mix (own namespace) ◄─ watches ─ millrace agent ─ TLS ─ veth ═ veth ─ millrace server
 *
 * The talk gives megabytes a second of telemetry and of applications for whole deployments, and
 * events a second for a node. 50 nodes make them fit: 0.85 MB/s of A's are 10 bytes for each of
 * 50 x 1,689 events, 2.49 MB/s of B's 8.8 for each of 50 x 5,670. So a node's share of the
 * applications' bytes is a fiftieth of 186.2 MB/s for A and of 217.1 for B; C, of which the talk
 * says less, is held against the 183.0 of the deployment that told least. Bytes are the veth's own
 * counters (/sys/class/net/DEVICE/statistics): frames without preamble and check sum.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tests/live/run.h"
#include "cli/client.h"
#include "cli/field.h"
#include "mesh.h"
#include "mix.h"
#include "namespace.h"
#include "report.h"

#define DEVICE    "mrbench0"
#define PEER      "mrbench1"
#define SERVER    "10.213.77.2"
#define URL       "https://" SERVER ":7398"
#define SETTLE_US 4000000
#define NODES     50 /* of each of the talk's deployments */
#define START_MS  30000

struct telemetry {
	const struct bench *bench;
	char directory[64]; /* of tokens, certificates and data */
	int netns;          /* the server's */
	pid_t server, agent;
};

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *format, ...)
{
	char command[1024], out[512] = "";
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	if (run(&(struct spawn){0}, (const char *const[]){"sh", "-c", command, NULL}, out,
		sizeof(out), 20000))
		bench_die("run %s: %s", command, out);
}

static void device_remove(void)
{
	char out[256];

	run(&(struct spawn){0}, (const char *const[]){"ip", "link", "del", DEVICE, NULL}, out,
	    sizeof(out), 10000);
}

static void device_make(struct telemetry *t)
{
	device_remove();
	t->netns = namespace_make();
	shell("ip link add " DEVICE " type veth peer name " PEER " && ip link set " PEER
	      " netns /proc/%d/fd/%d && ip addr add 10.213.77.1/30 dev " DEVICE
	      " && ip link set " DEVICE " up && nsenter --net=/proc/%d/fd/%d sh -c '"
	      "ip addr add " SERVER "/30 dev " PEER " && ip link set " PEER " up'",
	      getpid(), t->netns, getpid(), t->netns);
}

static void credentials_make(struct telemetry *t)
{
	strcpy(t->directory, "/tmp/millrace-telemetry-XXXXXX");
	if (!mkdtemp(t->directory) || chmod(t->directory, 0777))
		bench_die("make a directory for the server: %m");
	shell("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	      "-keyout "
	      "key -out cert -days 2 -subj /CN=millrace -addext subjectAltName=IP:" SERVER
	      " 2>/dev/null && echo bench-agents-token-01 >agents && "
	      "echo bench-readers-token-1 >readers && chmod 644 key cert agents readers",
	      t->directory);
}

static const char *in_directory(const struct telemetry *t, const char *name)
{
	static char path[8][128];
	static unsigned int turn;
	char *p = path[turn++ % 8];

	snprintf(p, sizeof(*path), "%s/%s", t->directory, name);
	return p;
}

static struct server_access reader(const struct telemetry *t)
{
	return (struct server_access){.url = URL,
				      .token_file = in_directory(t, "readers"),
				      .ca = in_directory(t, "cert")};
}

static bool ask(const struct telemetry *t, const char *path, struct client_answer *ret)
{
	struct server_access access = reader(t);
	struct error error;

	return client_get(&access, path, NULL, ret, &error) >= 0;
}

static bool server_answers(void *userdata)
{
	struct client_answer answer;

	if (!ask(userdata, "/api/v1/agents", &answer))
		return false;
	client_answer_done(&answer);
	return true;
}

static bool agent_reports(void *userdata)
{
	struct client_answer answer;
	bool is;

	if (!ask(userdata, "/api/v1/agents", &answer))
		return false;
	is = field_number(json_array_get(field_array(answer.json, "agents"), 0), "batches") >= 2;
	client_answer_done(&answer);
	return is;
}

static void server_start(struct telemetry *t)
{
	const char *data = bench_keeps_data(t->bench) ? "--data" : NULL;

	t->server = spawn(&(struct spawn){.netns = t->netns,
					  .log = bench_file(t->bench, "telemetry-server.log")},
			  (const char *const[]){
				  t->bench->millrace, "server", "--listen", SERVER ":7398",
				  "--agent-tokens", in_directory(t, "agents"), "--reader-tokens",
				  in_directory(t, "readers"), "--cert", in_directory(t, "cert"),
				  "--key", in_directory(t, "key"), data, t->directory, NULL});
	if (t->server < 0 || !wait_until(server_answers, t, START_MS))
		bench_die("start the server; its words are in telemetry-server.log");
}

static void agent_start(struct telemetry *t, const struct place *watched)
{
	t->agent = spawn(&(struct spawn){.log = bench_file(t->bench, "telemetry-agent.log")},
			 (const char *const[]){t->bench->millrace, "agent", "--server", URL,
					       "--token-file", in_directory(t, "agents"), "--ca",
					       in_directory(t, "cert"), "--metadata", "off",
					       "--cgroup", watched->path, NULL});
	if (t->agent < 0 || !wait_until(agent_reports, t, START_MS))
		bench_die("start the agent; its words are in telemetry-agent.log");
}

static void stop(struct telemetry *t)
{
	process_end(t->agent, SIGTERM, 15000);
	process_end(t->server, SIGTERM, 15000);
	close(t->netns);
	device_remove();
	shell("rm -rf %s", t->directory);
}

/* Both ways. */
static double device_bytes(void)
{
	static const char *const files[] = {
		"/sys/class/net/" DEVICE "/statistics/tx_bytes",
		"/sys/class/net/" DEVICE "/statistics/rx_bytes",
	};
	double sum = 0;
	char text[64];

	for (int i = 0; i < 2; i++) {
		if (file_read(files[i], text, sizeof(text)) < 0)
			bench_die("read %s", files[i]);
		sum += strtod(text, NULL);
	}
	return sum;
}

/* Updates that came in the last so many seconds. */
static double updates_of(const struct telemetry *t, unsigned int seconds)
{
	struct client_answer answer;
	char path[128];
	double total;

	snprintf(path, sizeof(path), "/api/v1/flows?view=ends&per=window&limit=1&from=-%us",
		 seconds);
	if (!ask(t, path, &answer))
		bench_die("ask for the flows");
	total = field_number(answer.json, "total");
	client_answer_done(&answer);
	return total;
}

struct traffic {
	double bytes_s, updates_s;
};

static struct traffic measure(const struct telemetry *t)
{
	unsigned int seconds = bench_amount(t->bench, 20, 6);
	double bytes;

	pause_us(SETTLE_US);
	bytes = device_bytes();
	pause_us(seconds * 1000000);
	bytes = device_bytes() - bytes;
	return (struct traffic){bytes / seconds, updates_of(t, seconds) / seconds};
}

static const struct company {
	const char *name;
	struct mix_rates rates;
	double application_mb_s; /* of its deployment */
	struct promise promise;
} companies[] = {
	{"telemetry of company A, share of the applications' bytes",
	 {{1429.2, 82.0, 20.8, 146.5, 0.014, 10.5}},
	 186.2,
	 {"≤ 0.05 % (stretch 0.03; talk 0.46)", 0.05, 0.03, false}},
	{"… company B",
	 {{4017.3, 89.0, 0, 1562.1, 0, 1.98}},
	 217.1,
	 {"≤ 0.25 % (stretch 0.12; talk 1.15)", 0.25, 0.12, false}},
	{"… company C, batch",
	 {{51.0, 28.8, 1.05, 43.8, 0.55, 0.5}},
	 183.0,
	 {"≤ 0.05 % (stretch 0.03; talk 0.013)", 0.05, 0.03, false}},
};

static double events_made(const struct mix *m)
{
	struct mix_rates made = mix_made(m);

	return mix_sum(&made);
}

static void company_measure(const struct telemetry *t, struct mix *m, const struct company *c)
{
	double made = events_made(m), share;
	struct traffic traffic;

	mix_set(m, &c->rates);
	traffic = measure(t);
	made = events_made(m) - made;
	share = 100 * traffic.bytes_s / (c->application_mb_s * 1e6 / NODES);
	report_row(c->name, &c->promise, share, "%.3f %%: %.0f bytes a second of %.2f MB", share,
		   traffic.bytes_s, c->application_mb_s / NODES);
	report_note(
		"%.1f updates a second, %.1f bytes each with all headers; %.0f events were made",
		traffic.updates_s, traffic.bytes_s / traffic.updates_s, made);
}

static void mesh_measure(const struct bench *b)
{
	struct telemetry t = {.bench = b};
	struct traffic traffic;
	struct mesh mesh;

	mesh_start(&mesh, b);
	credentials_make(&t);
	device_make(&t);
	server_start(&t);
	agent_start(&t, &mesh.near);
	traffic = measure(&t);
	report_row("telemetry of an update, mesh of services, with all headers", NULL, 0,
		   "%.1f bytes, at %.0f updates a second", traffic.bytes_s / traffic.updates_s,
		   traffic.updates_s);
	stop(&t);
	mesh_stop(&mesh);
}

void line_telemetry(const struct bench *b)
{
	struct telemetry t = {.bench = b};
	static struct mix m;

	mix_start(&m, b);
	credentials_make(&t);
	device_make(&t);
	server_start(&t);
	agent_start(&t, &m.place);
	for (size_t i = 0; i < sizeof(companies) / sizeof(*companies); i++)
		company_measure(&t, &m, &companies[i]);
	stop(&t);
	mix_stop(&m);
	mesh_measure(b);
}
