/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double clock_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void pause_us(unsigned int us)
{
	struct timespec t = {us / 1000000u, (long)(us % 1000000u) * 1000};

	nanosleep(&t, NULL);
}

bool wait_until(bool (*cond)(void *userdata), void *userdata, unsigned int timeout_ms)
{
	uint64_t end = clock_ns() + timeout_ms * 1000000ull;

	for (;;) {
		if (cond(userdata))
			return true;
		if (clock_ns() >= end)
			return false;
		pause_us(10000);
	}
}

/* A mount goes away, a file is empty; for this process and its children only. */
static int hide_path(const char *path)
{
	struct stat st;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	if (stat(path, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return umount2(path, MNT_DETACH) ? -errno : 0;
	return mount("/dev/null", path, NULL, MS_BIND, NULL) ? -errno : 0;
}

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static int be_machine(const struct spawn *how)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	if (how->boot_id && mount(how->boot_id, BOOT_ID, NULL, MS_BIND, NULL))
		return -errno;
	if (how->hostname && sethostname(how->hostname, strlen(how->hostname)))
		return -errno;
	return 0;
}

static int shift_clocks(int64_t ahead_s)
{
	char text[96];
	int fd, r;

	snprintf(text, sizeof(text), "monotonic %lld 0\nboottime %lld 0\n", (long long)ahead_s,
		 (long long)ahead_s);
	if (unshare(CLONE_NEWTIME))
		return -errno;
	r = file_write("/proc/self/timens_offsets", text);
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (!r && (fd < 0 || setns(fd, CLONE_NEWTIME)))
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

static int join_cgroup(const char *directory)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	return file_write(path, "0");
}

static int child_prepare(const struct spawn *how)
{
	cpu_set_t cpus;

	if (how->cgroup && join_cgroup(how->cgroup))
		return -1;
	if (how->netns && setns(how->netns, CLONE_NEWNET))
		return -1;
	if (how->hide && hide_path(how->hide))
		return -1;
	if ((how->boot_id || how->hostname) && be_machine(how))
		return -1;
	if (how->clock_ahead_s && shift_clocks(how->clock_ahead_s))
		return -1;
	for (const char *const *e = how->environment; e && *e; e++)
		putenv((char *)*e);
	if (how->cpu) {
		CPU_ZERO(&cpus);
		CPU_SET(how->cpu - 1, &cpus);
		sched_setaffinity(0, sizeof(cpus), &cpus);
	}
	if (how->uid && (setgroups(0, NULL) || setgid(how->uid) || setuid(how->uid)))
		return -1;
	return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void child_files(int in, int out)
{
	int null = open("/dev/null", O_RDWR);

	dup2(in >= 0 ? in : null, 0);
	dup2(out >= 0 ? out : null, 1);
	dup2(1, 2);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
}

static pid_t spawn_files(const struct spawn *how, const char *const argv[], int in, int out)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	if (child_prepare(how))
		_exit(126);
	child_files(in, out);
	execvp(argv[0], (char *const *)argv);
	dprintf(2, "cannot run %s: %m\n", argv[0]);
	_exit(127);
}

/* A file without a name that reads back the given text. */
static int text_file(const char *text)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return fd;
}

pid_t spawn(const struct spawn *how, const char *const argv[])
{
	int in = how->input ? text_file(how->input) : -1;
	int out = how->log ? open(how->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	pid_t pid = spawn_files(how, argv, in, out);

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return pid;
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int process_wait(pid_t pid, unsigned int timeout_ms)
{
	uint64_t end = clock_ns() + timeout_ms * 1000000ull;
	int status;

	if (pid <= 0)
		return -ESRCH;
	for (;;) {
		pid_t r = waitpid(pid, &status, WNOHANG);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == pid)
			return status_of(status);
		if (clock_ns() >= end)
			return -ETIMEDOUT;
		pause_us(2000);
	}
}

int process_end(pid_t pid, int sig, unsigned int timeout_ms)
{
	int r;

	if (pid <= 0)
		return -ESRCH;
	kill(pid, sig);
	r = process_wait(pid, timeout_ms);
	if (r != -ETIMEDOUT)
		return r;
	kill(pid, SIGKILL);
	return process_wait(pid, 10000);
}

int run(const struct spawn *how, const char *const argv[], char *out, size_t size,
	unsigned int timeout_ms)
{
	int in = how->input ? text_file(how->input) : -1;
	int file = text_file("");
	pid_t pid = spawn_files(how, argv, in, file);
	int r = process_wait(pid, timeout_ms);
	ssize_t n;

	if (r == -ETIMEDOUT)
		process_end(pid, SIGKILL, 10000);
	if (size) {
		n = pread(file, out, size - 1, 0);
		out[n > 0 ? n : 0] = 0;
	}
	close(file);
	if (in >= 0)
		close(in);
	return r;
}

const char *program_find(const char *name)
{
	static const char *const places[] = {"/usr/local/sbin",
					     "/usr/local/bin",
					     "/usr/sbin",
					     "/usr/bin",
					     "/sbin",
					     "/bin",
					     "/usr/lib/postgresql/15/bin"};
	static char found[8][256];
	static unsigned int turn;
	char *path = found[turn++ % 8];

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(*found), "%s/%s", places[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

int file_read(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (used < size - 1 && (n = read(fd, out + used, size - 1 - used)) > 0)
		used += (size_t)n;
	out[used] = 0;
	close(fd);
	return n < 0 ? -EIO : 0;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	r = n < 0 ? -errno : 0;
	close(fd);
	return r;
}

long long text_number(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0)
			return atoll(line + length + strspn(line + length, ": \t"));
		if (!*line)
			break;
	}
	return -1;
}
