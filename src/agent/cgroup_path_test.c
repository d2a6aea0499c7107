/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as systemd, Docker, containerd, CRI-O, podman and the kubelet write them. */
#include "agent/cgroup_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2  "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID  "3c0e9a7b-1d2e-4f3a-8b4c-5d6e7f809112"
#define UID_ "3c0e9a7b_1d2e_4f3a_8b4c_5d6e7f809112"

static const struct {
	const char *path, *unit, *container, *pod;
} paths[] = {
	{"/", "", "", ""},
	{"", "", "", ""},
	{"/init.scope", "init.scope", "", ""},
	{"/system.slice/nginx.service", "nginx.service", "", ""},
	{"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "", ""},
	{"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "", ""},
	{"/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", "", ""},
	{"/user.slice/user-1000.slice/user@1000.service", "user@1000.service", "", ""},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice/dbus.service", "dbus.service", "",
	 ""},
	{"/system.slice/docker-" ID ".scope", "", ID, ""},
	{"/docker/" ID, "", ID, ""},
	{"/docker/" ID "/system.slice/nginx.service", "nginx.service", ID, ""},
	{"/docker/" ID "/kubelet/kubepods/besteffort/pod" UID "/" ID2, "", ID2, UID},
	{"/machine.slice/libpod-" ID ".scope/container", "", ID, ""},
	{"/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "", ""},
	{"/system.slice/web.service/libpod-payload-" ID, "web.service", ID, ""},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
	 ".slice/cri-containerd-" ID ".scope",
	 "", ID, UID},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope", "", ID, UID},
	{"/kubepods/burstable/pod" UID "/" ID, "", ID, UID},
	{"/kubepods/burstable/pod0123456789abcdef0123456789abcdef/" ID, "", ID,
	 "0123456789abcdef0123456789abcdef"},
	{"/system.slice/containerd.service/kubepods-besteffort-pod" UID_
	 ".slice:cri-containerd:" ID,
	 "", ID, UID},
	/* the kubelet's two drivers with each class of service, under each runtime */
	{"/kubepods/pod" UID "/" ID, "", ID, UID},
	{"/kubepods/besteffort/pod" UID "/crio-" ID, "", ID, UID},
	{"/kubepods/burstable/pod" UID "/crio-conmon-" ID, "", "", UID},
	{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/crio-" ID
	 ".scope/container",
	 "", ID, UID},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/docker-" ID
	 ".scope",
	 "", ID, UID},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID
	 ".scope/system.slice/sshd.service",
	 "sshd.service", ID, UID},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
	 ".slice/crio-conmon-" ID ".scope",
	 "crio-conmon-" ID ".scope", "", UID},
	{"/system.slice/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" ID, "", ID, UID},
	{"/system.slice/k3s.service/kubepods/burstable/pod" UID "/" ID, "", ID, UID},
	{"/system.slice/kubelet.service", "kubelet.service", "", ""},
	/* a cluster in a container (kind), docker in docker: the innermost container */
	{"/system.slice/docker-" ID ".scope/kubelet.slice/kubelet-kubepods.slice/"
	 "kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod" UID_
	 ".slice/cri-containerd-" ID2 ".scope",
	 "", ID2, UID},
	{"/system.slice/docker-" ID ".scope/system.slice/kubelet.service", "kubelet.service", ID,
	 ""},
	{"/system.slice/docker-" ID ".scope/docker/" ID2, "", ID2, ""},
	{"/docker/" ID "/docker/" ID2, "", ID2, ""},
	{"/kubepods/besteffort/pod" UID "/" ID "/docker/" ID2, "", ID2, UID},
	/* without root: podman, docker, nerdctl in somebody's session */
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container",
	 "", ID, ""},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope", "", ID,
	 ""},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/nerdctl-" ID ".scope", "", ID,
	 ""},
	{"/user.slice/user-1000.slice/session-3.scope/libpod-" ID, "", ID, ""},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/libpod-payload-" ID,
	 "web.service", ID, ""},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_" ID
	 ".slice/libpod-" ID2 ".scope",
	 "", ID2, ""},
	{"/machine.slice/machine-libpod_pod_" ID ".slice/libpod-" ID2 ".scope/container", "", ID2,
	 ""},
	{"/libpod_parent/libpod-" ID, "", ID, ""},
	/* containerd by itself: nerdctl names by id, ctr by whatever it was told */
	{"/default/" ID, "", ID, ""},
	{"/system.slice/nerdctl-" ID ".scope", "", ID, ""},
	{"/default/web", "", "", ""},
	/* what else systemd runs */
	{"/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service",
	 "nginx.service", "", ""},
	{"/system.slice/run-u42.service", "run-u42.service", "", ""},
	{"/system.slice/system-postgresql.slice/postgresql@15-main.service",
	 "postgresql@15-main.service", "", ""},
	{"/user.slice/user-0.slice/user@0.service/app.slice/app-code-1.scope", "app-code-1.scope",
	 "", ""},
	/* what only resembles them */
	{"/podman/pods/tripod-x/podcast", "", "", ""},
	{"/kubepods/pod" UID "zz", "", "", ""},
	{"/docker/0123", "", "", ""},
	{"/docker/x" ID, "", "", ""},
	{"/.service/.scope", "", "", ""},
	{"////", "", "", ""},
};

static void identifies_paths(void **state)
{
	struct cgroup_identity got;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		cgroup_path_identify(paths[i].path, &got);
		assert_string_equal(got.unit, paths[i].unit);
		assert_string_equal(got.container, paths[i].container);
		assert_string_equal(got.pod, paths[i].pod);
	}
}

static const struct {
	const char *text, *path, *path_v2;
} files[] = {
	{"0::/system.slice/cron.service\n", "/system.slice/cron.service",
	 "/system.slice/cron.service"},
	{"9:name=systemd:/system.slice/ssh.service\n1:cpu:/\n0::/\n", "/system.slice/ssh.service",
	 "/"},
	{"0::/\n9:name=systemd:/a.service", "/a.service", "/"},
	{"9:name=systemd:/a.service\n0::/b.service\n", "/b.service", "/b.service"},
	{"0::/\n", "/", "/"},
	{"12:cpu,cpuacct:/docker/x\n1:name=systemd:/docker/x\n", "/docker/x", ""},
	{"0::/gone.service (deleted)\n", "/gone.service", "/gone.service"},
	{"0::/a:b:c\n", "/a:b:c", "/a:b:c"},
	/* a runtime that puts its containers into v1 only */
	{"12:pids:/docker/" ID "\n1:name=systemd:/docker/" ID "\n0::/system.slice/docker.service\n",
	 "/docker/" ID, "/system.slice/docker.service"},
	{"11:memory:/kubepods/burstable/pod" UID "/" ID "\n1:name=systemd:/\n0::/\n",
	 "/kubepods/burstable/pod" UID "/" ID, "/"},
	{"5:freezer:/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope\n4:cpu:/\n",
	 "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope", ""},
	{"3:memory:/docker/" ID "\n0::/docker/" ID2 "\n", "/docker/" ID2, "/docker/" ID2},
	{"3:memory:/jobs/7\n0::/system.slice/a.service\n", "/system.slice/a.service",
	 "/system.slice/a.service"},
	{"0::", "", ""},
	{"0:\n:::\n\n", "", ""},
	{"0::relative\n", "", ""},
	{"10::/x\n", "", ""},
	{"", "", ""},
};

static void reads_files(void **state)
{
	char path[CGROUP_PATH_MAX + 1];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		cgroup_path_of_file(files[i].text, strlen(files[i].text), path);
		assert_string_equal(path, files[i].path);
		cgroup_path_of_file_v2(files[i].text, strlen(files[i].text), path);
		assert_string_equal(path, files[i].path_v2);
	}
}

static void tells_hybrid_hosts(void **state)
{
	static const char unified[] = "0::/docker/" ID "\n", v1[] = "0::/\n1:name=systemd:/\n";

	assert_false(cgroup_path_is_hybrid(unified, strlen(unified)));
	assert_true(cgroup_path_is_hybrid(v1, strlen(v1)));
	assert_false(cgroup_path_is_hybrid("1:x\n:::", 7));
}

static void cuts_long_paths(void **state)
{
	char text[4096], path[CGROUP_PATH_MAX + 1];

	memset(text, 'x', sizeof(text));
	memcpy(text, "0::/", 4);
	cgroup_path_of_file(text, sizeof(text), path);
	assert_int_equal(strlen(path), CGROUP_PATH_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifies_paths),
		cmocka_unit_test(reads_files),
		cmocka_unit_test(tells_hybrid_hosts),
		cmocka_unit_test(cuts_long_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
