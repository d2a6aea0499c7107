/* SPDX-License-Identifier: Apache-2.0 */
/* What other tools print, read for the known traffic. Lines that do not fit are other traffic's. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "watcher.h"

#define LINE_BYTES 4096

void sight_note(struct sight *s, unsigned int from, unsigned int to, uint64_t bytes, bool sum)
{
	bool to_server = to == KNOWN_SHORT_PORT || to == KNOWN_LONG_PORT;
	unsigned int client = to_server ? from : to, server = to_server ? to : from;
	uint64_t *seen;

	if ((server != KNOWN_SHORT_PORT && server != KNOWN_LONG_PORT) || client > 65535)
		return;
	s->seen[client] = true;
	seen = &s->bytes[client][to_server ? 0 : 1];
	*seen = sum ? *seen + bytes : bytes > *seen ? bytes : *seen;
}

static uint64_t number_after(const char *line, const char *mark)
{
	const char *at = strstr(line, mark);

	return at ? strtoull(at + strlen(mark), NULL, 10) : 0;
}

/* The port at the end of "ADDRESS:PORT"; 0: none. */
static unsigned int port_of(const char *word)
{
	const char *colon = strrchr(word, ':');

	return colon ? (unsigned int)atoi(colon + 1) : 0;
}

/* ESTAB 0 0 127.0.0.1:9999 127.0.0.1:10000 … bytes_acked:5001 … */
void watcher_read_ss(struct sight *s, FILE *output)
{
	char line[LINE_BYTES], local[128], peer[128];

	while (fgets(line, sizeof(line), output))
		if (sscanf(line, "%*s %*s %*s %127s %127s", local, peer) == 2)
			sight_note(s, port_of(local), port_of(peer),
				   number_after(line, "bytes_acked:"), false);
}

/* tcp 6 118 TIME_WAIT src=… dst=… sport=… dport=… packets=… bytes=… src=… … bytes=… */
void watcher_read_conntrack(struct sight *s, FILE *output)
{
	char line[LINE_BYTES];

	while (fgets(line, sizeof(line), output)) {
		unsigned int from = (unsigned int)number_after(line, "sport="),
			     to = (unsigned int)number_after(line, "dport=");
		const char *first = strstr(line, "bytes=");

		sight_note(s, from, to, number_after(line, "bytes="), false);
		sight_note(s, to, from, first ? number_after(first + 6, "bytes=") : 0, false);
	}
}

/* SRC_IP,DST_IP,SRC_PORT,DST_PORT,PROTOCOL,PACKETS,BYTES; the intervals' sums */
void watcher_read_pmacct(struct sight *s, FILE *output)
{
	char line[LINE_BYTES];
	unsigned int from, to;
	unsigned long long bytes;

	while (fgets(line, sizeof(line), output))
		if (sscanf(line, "%*[^,],%*[^,],%u,%u,%*[^,],%*[^,],%llu", &from, &to, &bytes) == 3)
			sight_note(s, from, to, bytes, true);
}

/* NetFlow 5, datagrams one after the other: a header of 24 bytes with the count at 2, records of 48
 * with octets at 20 and ports at 32 and 34 (Cisco, NetFlow Export Datagram Format). */
void watcher_read_netflow(struct sight *s, FILE *output)
{
	uint8_t header[24], record[48];

	while (fread(header, sizeof(header), 1, output) == 1)
		for (int n = header[2] << 8 | header[3];
		     n > 0 && fread(record, sizeof(record), 1, output) == 1; n--) {
			uint32_t octets;
			uint16_t ports[2];

			memcpy(&octets, record + 20, 4);
			memcpy(ports, record + 32, 4);
			sight_note(s, ntohs(ports[0]), ntohs(ports[1]), ntohl(octets), true);
		}
}

/* PID COMM LADDR RADDR RX_KB TX_KB; names may hold blanks. Each end shows both directions: only the
 * client's is taken. */
void watcher_read_tcptop(struct sight *s, FILE *output)
{
	char line[LINE_BYTES], local[128], peer[128];
	double received, sent;

	while (fgets(line, sizeof(line), output)) {
		const char *at = strstr(line, "127.0.0.1:");
		unsigned int to;

		if (!at || sscanf(at, "%127s %127s %lf %lf", local, peer, &received, &sent) != 4)
			continue;
		to = port_of(peer);
		if (to != KNOWN_SHORT_PORT && to != KNOWN_LONG_PORT)
			continue;
		sight_note(s, port_of(local), to, (uint64_t)(sent * 1024), true);
		sight_note(s, to, port_of(local), (uint64_t)(received * 1024), true);
	}
}

/* PID COMM LADDR LPORT RADDR RPORT TX_KB RX_KB MS */
void watcher_read_tcplife(struct sight *s, FILE *output)
{
	char line[LINE_BYTES];
	unsigned int from, to;
	double sent, received;

	while (fgets(line, sizeof(line), output)) {
		const char *at = strstr(line, "127.0.0.1");

		if (!at || sscanf(at, "%*s %u %*s %u %lf %lf", &from, &to, &sent, &received) != 4)
			continue;
		sight_note(s, from, to, (uint64_t)(sent * 1024), false);
		sight_note(s, to, from, (uint64_t)(received * 1024), false);
	}
}
