/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nearly every batch says, so that it costs nothing: frames may refer to it as if it stood
 * before them (zstd calls it a dictionary of raw content).
 *
 * Belongs to version 1 of the schema. References count back from its end: what is added goes in
 * front, with a new version; what is there never changes. A frame that refers to nothing here is
 * read the same with and without it.
 */
#pragma once

static const char wire_words[] =
	"default.target ubuntu debian -generic -cloud-amd64 .el9.x86_64 .amzn2023.x86_64 6.12. "
	"6.8.0- 5.15.0- "
	"containerd dockerd kubelet systemd python3 java node nginx postgres redis-server "
	"user.slice/user-1000.slice/user@1000.service/app.slice/session.slice/session-.scope"
	"kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod"
	"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod.slice/cri-containerd-.scope"
	"system.slice/docker-.scope.service system.slice/ us-east-1a us-west-2b eu-central-1c "
	"sock_ops, inet_sk_error_report, tcp_retransmit_synack, kfree_skb, sched_process, fentry "
	"(UDP)"
	"sock_ops, inet_sk_error_report, tcp_retransmit_synack, kfree_skb, sched_process"
	"sock_ops, inet_sk_error_report, tcp_retransmit_synack, kfree_skb, sched_process, "
	"cgroup_skb (UDP)"
	"6.1.0--amd64"
	"0.1.0";

/* Without its NUL. */
#define WIRE_WORDS_SIZE (sizeof(wire_words) - 1)
