/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over the files of a directory, without libFuzzer: what was once found stays
 * found. With a number, as many inputs made up from a fixed seed too.
 *
 *     replay DIRECTORY [COUNT]
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t input[INPUT_MAX];

static int replay_file(const char *directory, const char *name)
{
	char path[4096];
	size_t size;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "rb");
	if (!f) {
		fprintf(stderr, "cannot read %s: %m: is it readable?\n", path);
		return -1;
	}
	size = fread(input, 1, sizeof(input), f);
	fclose(f);
	LLVMFuzzerTestOneInput(input, size);
	return 0;
}

static void replay_random(unsigned long count)
{
	uint64_t random = 88172645463325252u;

	while (count--) {
		size_t size = 1 + count % 1500;

		for (size_t i = 0; i < size; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			input[i] = (uint8_t)(random >> 24);
		}
		LLVMFuzzerTestOneInput(input, size);
	}
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, files = 0;
	const struct dirent *entry;
	DIR *directory;

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY [COUNT]\n", argv[0]);
		return 2;
	}
	directory = opendir(argv[1]);
	if (!directory) {
		fprintf(stderr, "cannot read directory %s: %m: does it exist?\n", argv[1]);
		return 1;
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay_file(argv[1], entry->d_name) < 0)
			return 1;
		files++;
	}
	closedir(directory);
	replay_random(count);
	printf("%lu inputs from %s, %lu made up\n", files, argv[1], count);
	return files + count ? 0 : 1;
}
