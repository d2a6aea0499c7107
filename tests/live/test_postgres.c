/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL under pgbench, against the connections in its log. */
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actor.h"
#include "pair.h"
#include "run.h"

#define POSTGRES_PORT "24091"

static int postgres_init(struct live *l, const struct passwd *user, const char *data)
{
	char out[4096], path[256];
	FILE *hba;
	int r;

	if (mkdir(data, 0700) || chown(data, user->pw_uid, user->pw_gid))
		return -1;
	r = run(&(struct spawn){.uid = user->pw_uid},
		(const char *const[]){program_find("initdb"), "-D", data, "-A", "trust", "-N", "-U",
				      "postgres", NULL},
		out, sizeof(out), 120000);
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/pg_hba.conf", data);
	hba = fopen(path, "a");
	if (!hba)
		return -1;
	fputs("host all all " NET_CLIENT4 "/32 trust\n", hba);
	return fclose(hba);
}

static uint64_t log_count(const char *path, const char *wanted)
{
	char line[4096];
	uint64_t n = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, wanted) != NULL;
	if (f)
		fclose(f);
	return n;
}

static int pgbench(struct live *l, const char *const *more)
{
	const char *argv[24] = {program_find("pgbench"), "-h", NET_SERVER4, "-p",
				POSTGRES_PORT,           "-U", "postgres"};
	char out[4096];
	int n = 7;

	for (; *more; more++)
		argv[n++] = *more;
	argv[n] = "postgres";
	return actor_run(l, true, 0, argv, out, sizeof(out), 120000);
}

static void postgres_load(struct live *l, struct pair *p, const char *log)
{
	check(l, pgbench(l, (const char *const[]){"-i", "-q", NULL}) == 0,
	      "pgbench makes its tables");
	check(l,
	      pgbench(l, (const char *const[]){"-c", "4", "-t", l->is_short ? "100" : "1000",
					       NULL}) == 0,
	      "pgbench on 4 connections");
	check(l,
	      pgbench(l, (const char *const[]){"-C", "-c", "2", "-t", l->is_short ? "50" : "500",
					       "-S", NULL}) == 0,
	      "pgbench with a connection per transaction");
	p->closed = log_count(log, "connection received: host=" NET_CLIENT4);
	say("PostgreSQL logged %" PRIu64 " connections", p->closed);
	pair_check(l, p);
	check_equal(l, "bytes to server, both ends", p->c.counter[MR_BYTES_TO_SERVER],
		    p->s.counter[MR_BYTES_TO_SERVER]);
	check_equal(l, "bytes to client, both ends", p->c.counter[MR_BYTES_TO_CLIENT],
		    p->s.counter[MR_BYTES_TO_CLIENT]);
}

enum verdict test_postgres(struct live *l)
{
	const struct passwd *user = getpwnam("postgres");
	const char *data = live_file(l, "pgdata"), *log = live_file(l, "postgres.log");
	struct actor_port port = {l, NET_SERVER4, (uint16_t)atoi(POSTGRES_PORT)};
	struct millrace m;
	struct pair p = {&m, "pgbench", "postgres", (uint16_t)atoi(POSTGRES_PORT), 0};
	pid_t server;

	if (!user || !program_find("initdb") || !program_find("pgbench"))
		return skip(l, "no PostgreSQL here");
	if (postgres_init(l, user, data))
		return skip(l, "initdb does not work here");
	if (!whole_start(l, &m))
		return FAIL;
	server = actor_spawn(l, false, user->pw_uid, log,
			     (const char *const[]){program_find("postgres"), "-D", data, "-h",
						   NET_SERVER4, "-p", POSTGRES_PORT, "-k", data,
						   "-c", "log_connections=on", "-c", "fsync=off",
						   NULL});
	if (check(l, wait_until(actor_accepts, &port, patience(l, 20000)), "postgres listens"))
		postgres_load(l, &p, log);
	process_end(server, SIGINT, 15000);
	whole_finish(l, &m);
	return verdict(l);
}
