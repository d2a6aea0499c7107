/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load: many shapes of TCP connections, each counted exactly by the programs that make them.
 *
 * A shape is a pair of functions, one for each end, that run in processes of their own and talk on
 * a server port of their own, so that a difference names the shape. What each end's kernel did is
 * added to a tally under the names of the API's counters, and a tally is what rows of the API are
 * compared with: one per (role, process, server port).
 *
 * What counts: payload that the sender's kernel handed to the network once, payload that the
 * receiver's kernel took in order. After a clean close these equal the programs' own counts; after
 * an abort they come from TCP_INFO and SIOCOUTQ, read when the socket can change no more (see
 * load_conn.c). On a sample of the clean ones TCP_INFO is read after the end too, and must agree.
 *
 * Tallies live in memory that all processes of the load share; additions are atomic.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../bpf/counters.h"
#include "net.h"

#define LOAD_TALLIES_MAX 192
#define LOAD_SHAPES_MAX  64
#define LOAD_PORT_FIRST  20000
#define LOAD_PORTS_EACH  4
#define LOAD_CONN_MAX    (1u << 20) /* bytes each way, at most */

enum load_role { LOAD_CLIENT = 1, LOAD_SERVER = 2 };

struct tally {
	char process[16];
	uint16_t port; /* the server's */
	uint8_t role;  /* enum load_role: which end */
	uint8_t shape;
	bool resets_open; /* who resets is up to the kernel here: not compared */
	uint64_t counter[MR_COUNTER_COUNT];
	uint64_t examined;  /* connections whose counts were held against TCP_INFO */
	uint64_t disagreed; /* … and differed */
};

/* What happened to one shape. */
struct outcome {
	char skipped[96]; /* reason; "": it ran */
	char failed[192];
	char differed[192]; /* the first connection on which program and TCP_INFO disagree */
	uint64_t start_ns, end_ns;
	uint32_t made; /* for shapes of several processes: connections so far */
	uint32_t stop;
};

struct load_shared {
	uint32_t go;      /* the load may start */
	uint32_t phase;   /* SHAPE_ALONE: what to do next … */
	uint32_t done;    /* … and ends that have done it, all phases together */
	uint32_t waiting; /* shapes that have done what comes before it */
	uint32_t tally_count;
	struct tally tally[LOAD_TALLIES_MAX];
	struct outcome outcome[LOAD_SHAPES_MAX];
};

struct peer;

struct shape {
	const char *name;
	void (*client)(struct peer *p);
	void (*server)(struct peer *p); /* NULL: the client needs none */
	unsigned int connections;       /* in full */
	unsigned int size_max;          /* bytes each way */
	int family;                     /* 0: AF_INET */
	unsigned int flags;
};

enum shape_flags {
	SHAPE_LOOPBACK = 1, /* both ends in one namespace, over lo */
	SHAPE_NFT = 2,      /* needs nftables */
	SHAPE_MPTCP = 4,
	SHAPE_MAPPED = 8, /* IPv4 through AF_INET6 sockets */
	SHAPE_REUSEPORT = 32,
	SHAPE_ALONE = 64,  /* not in the mix: a test asks for it by name */
	SHAPE_BEFORE = 16, /* opens its connections before the load is let go */
};

extern const struct shape load_shapes[];
extern const size_t load_shape_count;

struct load {
	const struct net *net;
	struct load_shared *shared;
	uint64_t seed;
	double scale;
	const char *only;         /* one shape; NULL: all */
	const unsigned int *pick; /* indices of shapes, ends with UINT_MAX; NULL: all */
	int pids[LOAD_SHAPES_MAX][2];
};

/* Forks the processes; they do what comes before the start and wait. 0 or -errno. */
int load_start(struct load *l);
void load_go(struct load *l);
/* Until all have ended or the limit is over, which ends them; number of shapes that failed. */
int load_wait(struct load *l, unsigned int timeout_ms);
void load_free(struct load *l);
/* Lets a shape in phases do one more, without and with waiting for both ends. */
void load_phase_begin(struct load *l);
bool load_phase_wait(struct load *l, unsigned int timeout_ms);
/* The tally of a process on an end; NULL: none. */
const struct tally *load_tally(const struct load *l, int role, const char *process);

/* Sum of a counter over all tallies, or those of one role. */
uint64_t load_sum(const struct load *l, enum mr_counter counter, int role);
uint64_t load_connections(const struct load *l);

/* Becomes one end of a shape, in a process just forked; sync is a socket to the other end. */
__attribute__((noreturn)) void peer_main(struct load *l, unsigned int index, bool client, int sync);

/* --- for shapes: one end, in its process (peer.c) --- */

struct peer {
	struct load *load;
	const struct shape *shape;
	unsigned int index; /* of the shape */
	unsigned int connections;
	bool client;
	uint16_t port;
	struct sockaddr_storage server; /* where the server listens */
	socklen_t server_size;
	int sync; /* to the other end, outside TCP */
	struct tally *tally;
	struct outcome *outcome;
};

/* One connection as its end knows it. */
struct conn {
	struct peer *p;
	int fd;
	uint64_t sent, received;               /* by this program */
	uint64_t sent_before, received_before; /* … and already counted: not to be counted again */
	bool active;                           /* called connect() */
	bool fin_sent, fin_received;
	bool mptcp;
};

__attribute__((noreturn, format(printf, 2, 3))) void peer_fail(struct peer *p, const char *format,
							       ...);
__attribute__((noreturn, format(printf, 2, 3))) void peer_skip(struct peer *p, const char *format,
							       ...);
void peer_post(struct peer *p); /* the other end may pass its next peer_await */
void peer_await(struct peer *p);
void peer_before_done(struct peer *p); /* SHAPE_BEFORE: everything is open; returns at the start */
/* SHAPE_ALONE: this phase is done; returns when the next begins. */
void peer_phase_done(struct peer *p);
/* A further process of this end, with a name of its own; 0 in the child. */
int peer_fork(struct peer *p, const char *name);
struct tally *peer_tally(struct peer *p, const char *process, uint16_t port);
void peer_add(struct peer *p, enum mr_counter counter, uint64_t n);
uint64_t peer_random(const struct peer *p, uint64_t a, uint64_t b); /* the same at both ends */
/* Bytes that connection i carries: to the server (up) or the client; many small, few large. */
unsigned int peer_up(const struct peer *p, unsigned int i);
unsigned int peer_down(const struct peer *p, unsigned int i);
int peer_nft(struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- for shapes: connections (load_conn.c) --- */

int conn_listen(struct peer *p, int backlog);
struct conn conn_open(struct peer *p); /* socket and connect() */
struct conn conn_socket(struct peer *p, int flags);
void conn_connect(struct conn *c); /* counts attempted and opened */
struct conn conn_accept(struct peer *p, int listener);
struct conn conn_take(struct peer *p, int fd); /* an accepted socket: counts opened */
void conn_put(struct conn *c, unsigned int bytes);
void conn_get(struct conn *c, unsigned int bytes);
unsigned int conn_get_eof(struct conn *c);
void conn_finish_sending(struct conn *c); /* shutdown(SHUT_WR) */

void conn_acked(struct conn *c); /* returns when the peer has acknowledged all that was sent */
/* From here on the kernel's counts are taken for the program's, which must not exceed them. */
void conn_believe_kernel(struct conn *c);
void conn_arrived(struct conn *c, uint64_t bytes); /* … when the kernel has taken that much */
void conn_examine(struct conn *c); /* all is acknowledged: TCP_INFO must agree with the program */
void conn_closed_state(struct conn *c); /* … when the kernel has nothing more to do with it */

/* The ends of a connection; each counts it and closes the descriptor. */
void conn_close(struct conn *c);                  /* clean: the program's counts are the kernel's */
void conn_close_examined(struct conn *c);         /* clean, and TCP_INFO after the end agrees */
void conn_reset(struct conn *c);                  /* by us, whatever is in flight */
void conn_close_unread(struct conn *c);           /* close() over unread data: an RST by us */
void conn_await_reset(struct conn *c);            /* the peer's RST, counted after the end */
void conn_reset_early(struct conn *c, int error); /* … came before connect() returned it */
void conn_disconnect(struct conn *c); /* connect(AF_UNSPEC): an RST by us; stays usable */
