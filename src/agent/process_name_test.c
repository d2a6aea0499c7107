/* SPDX-License-Identifier: Apache-2.0 */
/* Names from command lines as they are met; above all, no argument but the script ever shows. */
#include "agent/process_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* In a command line '|' stands for the NUL behind each argument. */
static const struct {
	const char *comm, *cmdline, *name;
} cases[] = {
	{"nginx", "nginx: worker process|", "nginx"},
	{"curl", "curl|--user|root:secret|", "curl"},
	{"python3", "python3|/srv/report.py|--password=secret|", "report.py"},
	{"python3.11", "/usr/bin/python3.11|-u|-W|ignore|report.py|", "report.py"},
	{"python3", "python3|-Wignore::cC|report.py|", "report.py"},
	{"python3", "python3|-m|http.server|8000|", "http.server"},
	{"python3", "python3|-Im|http.server|", "http.server"},
	{"python3", "python3|-mhttp.server|8000|", "http.server"},
	{"python3", "python3|-c|print('secret')|secret|", "python3"},
	{"python3", "python3|-uc|secret|", "python3"},
	{"python3", "python3|-|secret|", "python3"},
	{"python3", "python3|", "python3"},
	{"python3", "python3", "python3"},
	{"python3", "", "python3"},
	{"python3", "python3|/srv/app/|", "app"},
	{"python3", "python3|.|", "python3"},
	{"python3", "python3|--|-odd.py|", "-odd.py"},
	{"python3", "gunicorn: worker [app]|", "python3"},
	{"node", "node|--max-old-space-size=4096|/app/server.js|--key|secret|", "server.js"},
	{"node", "node|-r|dotenv/config|index.mjs|", "index.mjs"},
	{"node", "node|--require|./tracing.js|index.mjs|", "index.mjs"},
	{"node", "node|--unknown|secret|index.js|", "node"},
	{"node", "node|--unknown|index.js|", "index.js"},
	{"node", "node|-e|secret|", "node"},
	{"node", "node|--eval|secret|", "node"},
	{"MainThread", "node|server.js|", "server.js"},
	{"node-MainThread", "/usr/bin/node|/app/server.js|", "server.js"},
	{"MainThread", "something|secret|", "MainThread"},
	{"bash", "bash|-c|curl secret|", "bash"},
	{"sh", "sh|-ec|secret|", "sh"},
	{"sh", "sh|/opt/start.sh|secret|", "start.sh"},
	{"bash", "-bash|", "bash"},
	{"bash", "bash|+x|-o|pipefail|deploy|secret|", "deploy"},
	{"bash", "bash|--rcfile|/etc/secret|", "bash"},
	{"bash", "bash|-s|secret|", "bash"},
	{"perl", "perl|-I|/opt/lib|-w|job.pl|", "job.pl"},
	{"perl", "perl|-lane|secret|", "perl"},
	{"perl", "perl|-i.bak|fix.pl|", "fix.pl"},
	{"ruby", "ruby|-C|/srv|bin/rails|server|", "rails"},
	{"php", "php|-d|key=secret|-f|cron.php|", "cron.php"},
	{"php8.2", "php8.2|-S|0.0.0.0:80|-t|public|", "php8.2"},
	{"java", "java|-Xmx1g|-Dkey=secret|-jar|/opt/app.jar|--x|", "app.jar"},
	{"java", "java|-cp|/opt/*:lib|-Da=b|org.apache.kafka.Kafka|secret|",
	 "org.apache.kafka.Kafka"},
	{"java", "java|--module-path|mods|-m|shop/com.shop.Main|", "com.shop.Main"},
	{"java", "java|@options|com.shop.Main|", "com.shop.Main"},
	{"java", "java|--unknown|secret|com.shop.Main|", "java"},
	{"java", "java|it's secret|", "java"},
	{"dotnet", "dotnet|/app/shop.dll|", "shop.dll"},
	{"systemd-network", "/lib/systemd/systemd-networkd|", "systemd-networkd"},
	{"prometheus-node", "prometheus-node-exporter --x=secret|", "prometheus-node-exporter"},
	{"prometheus-node", "other|", "prometheus-node"},
	{"exactly-fifteen", "/bin/exactly-fifteen|", "exactly-fifteen"},
	{"python3", "exec-a-name|report.py|", "report.py"},
	{"pythonic", "pythonic|secret|", "pythonic"},
	{"kworker/u8:2-xp", "", "kworker"},
	{"", "x|", ""},
};

static size_t with_nuls(const char *text, char *ret)
{
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i++)
		ret[i] = text[i] == '|' ? '\0' : text[i];
	return size;
}

static void names_processes(void **state)
{
	char cmdline[256], name[PROCESS_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = with_nuls(cases[i].cmdline, cmdline);

		process_name_of(cases[i].comm, cmdline, size, name);
		assert_string_equal(name, cases[i].name);
		assert_null(strstr(name, "secret"));
	}
}

/* A buffer may end anywhere: an argument without its end is not taken for a whole one. */
static void ignores_a_cut_argument(void **state)
{
	char cmdline[256], name[PROCESS_NAME_MAX + 1];
	size_t size = with_nuls("python3|/srv/report.py|", cmdline);

	process_name_of("python3", cmdline, size - 1, name);
	assert_string_equal(name, "python3");
}

static void reads_only_what_helps(void **state)
{
	assert_false(process_name_wants_cmdline("nginx"));
	assert_false(process_name_wants_cmdline("python-like"));
	assert_true(process_name_wants_cmdline("python3.12"));
	assert_true(process_name_wants_cmdline("systemd-network"));
	assert_true(process_name_wants_cmdline("MainThread"));
}

static void parses_stat(void **state)
{
	struct process_stat stat;

	assert_int_equal(
		process_stat_parse("7 (a) b) (c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "
				   "4242 9 9 9\n",
				   &stat),
		0);
	assert_string_equal(stat.comm, "a) b) (c");
	assert_int_equal(stat.start_ticks, 4242);
	assert_int_not_equal(process_stat_parse("", &stat), 0);
	assert_int_not_equal(process_stat_parse("7 (a", &stat), 0);
	assert_int_not_equal(process_stat_parse(")(", &stat), 0);
	assert_int_not_equal(process_stat_parse("7 (a) S 1 2 3", &stat), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_processes),
		cmocka_unit_test(ignores_a_cut_argument),
		cmocka_unit_test(reads_only_what_helps),
		cmocka_unit_test(parses_stat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
