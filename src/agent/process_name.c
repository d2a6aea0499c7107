/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interpreters are a table: which of their options take a value and which carry code in place of a
 * script. An option that the table does not know might take a value too; what follows it counts as
 * a script only if it looks like one, so that no secret becomes a name.
 */
#include "agent/process_name.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct interpreter {
	const char *name;       /* may be followed by a version: python3.11 */
	const char *code;       /* letters: the value is code, there is no script */
	const char *module;     /* letters: the value is the name */
	const char *value;      /* letters: a value follows, in the same word or the next */
	const char *attached;   /* letters: the rest of the word is a value */
	const char *long_value; /* words that are followed by a value, each between spaces */
	const char *long_code;  /* words that are followed by code */
	const char *skip;       /* a first argument that is not the script */
	bool java;              /* words after one dash; a class in place of a script */
};

#define NODE_LONG_VALUE                                                                            \
	" --require --import --loader --experimental-loader --conditions --env-file --title "      \
	"--env-file-if-exists --input-type --icu-data-dir --openssl-config --redirect-warnings "
#define JAVA_LONG_VALUE                                                                            \
	" -cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules "       \
	"--add-exports --add-opens --add-reads --limit-modules --patch-module --source "           \
	"--enable-native-access "

/* clang-format off */
static const struct interpreter interpreters[] = {
	{"python",   .code = "c", .module = "m", .value = "WX", .long_value = " --check-hash-based-pycs "},
	{"pypy",     .code = "c", .module = "m", .value = "WX"},
	{"node",     .code = "ep", .value = "rC", .long_value = NODE_LONG_VALUE, .long_code = " --eval --print ", .skip = "inspect"},
	{"nodejs",   .code = "ep", .value = "rC", .long_value = NODE_LONG_VALUE, .long_code = " --eval --print "},
	{"bun",      .code = "ep", .value = "r", .skip = "run"},
	{"deno",     .skip = "run"},
	{"ruby",     .code = "e", .value = "IrCE", .attached = "iFxTKW", .long_value = " --enable --disable --encoding "},
	{"perl",     .code = "eE", .value = "I", .attached = "iFxdDCMmV"},
	{"php",      .code = "rBRE", .module = "fF", .value = "cdztS"},
	{"php-cgi",  .module = "f", .value = "cdzT"},
	{"java",     .java = true, .long_value = JAVA_LONG_VALUE},
	{"dotnet",   .skip = "exec"},
	{"bash",     .code = "cs", .value = "oO", .long_value = " --rcfile --init-file "},
	{"sh",       .code = "cs", .value = "o"},
	{"dash",     .code = "cs", .value = "o"},
	{"ash",      .code = "cs", .value = "o"},
	{"ksh",      .code = "cs", .value = "o"},
	{"zsh",      .code = "cs", .value = "o"},
	{"lua",      .code = "e", .value = "l"},
	{"luajit",   .code = "e", .value = "l", .attached = "jOb"},
	{"tclsh"},
	{"Rscript",  .code = "e"},
	{"guile",    .code = "c", .value = "L"},
};
/* clang-format on */

/* What an interpreter's first thread may be called instead: the command line tells which it is. */
static const char *const thread_names[] = {"MainThread", "node-MainThread"};

/* Interpreters may have a version behind their name. */
static const struct interpreter *interpreter_find(const char *name)
{
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
		size_t size = strlen(interpreters[i].name);

		if (strncmp(name, interpreters[i].name, size) != 0)
			continue;
		if (!name[size + strspn(name + size, "0123456789.")])
			return &interpreters[i];
	}
	return NULL;
}

static bool is_thread_name(const char *comm)
{
	for (size_t i = 0; i < sizeof(thread_names) / sizeof(thread_names[0]); i++)
		if (!strcmp(comm, thread_names[i]))
			return true;
	return false;
}

bool process_name_wants_cmdline(const char *comm)
{
	return strlen(comm) >= PROCESS_COMM_MAX || is_thread_name(comm) || interpreter_find(comm);
}

/* The arguments, one after the other. */
struct cursor {
	const char *at, *end;
};

/* NULL at the end. An argument that was cut off by the reader's buffer is not one. */
static const char *next_argument(struct cursor *c)
{
	const char *argument = c->at;
	const char *nul =
		argument < c->end ? memchr(argument, 0, (size_t)(c->end - argument)) : NULL;

	if (!nul)
		return NULL;
	c->at = nul + 1;
	return argument;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool contains_word(const char *words, const char *word)
{
	size_t size = strlen(word);

	for (const char *p = words; p && size && (p = strstr(p, word)); p += size)
		if (p > words && p[-1] == ' ' && p[size] == ' ')
			return true;
	return false;
}

static bool contains_letter(const char *letters, char letter)
{
	return letters && letter && strchr(letters, letter);
}

static bool looks_like_script(const char *argument)
{
	static const char known[] =
		" py pyc pyz js mjs cjs ts jar rb ru pl php phar sh lua tcl dll R ";
	const char *dot = strrchr(argument, '.');

	return strchr(argument, '/') || (dot && contains_word(known, dot + 1));
}

static bool looks_like_class(const char *argument)
{
	return !argument[strspn(argument, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789_.$/-")];
}

enum verdict { GO_ON, NO_SCRIPT, NEXT_IS_VALUE, NEXT_IS_NAME, NEXT_IS_DOUBTFUL, THIS_IS_NAME };

/* A word of single letters after one dash, each an option: -Ecx is -E -c x. *ret_rest: from where
 * on this word is a value. */
static enum verdict judge_letters(const struct interpreter *in, const char *word,
				  const char **ret_rest)
{
	for (const char *p = word + 1; *p; p++) {
		*ret_rest = p + 1;
		if (contains_letter(in->code, *p))
			return NO_SCRIPT;
		if (contains_letter(in->module, *p))
			return p[1] ? THIS_IS_NAME : NEXT_IS_NAME;
		if (contains_letter(in->attached, *p))
			return GO_ON;
		if (contains_letter(in->value, *p))
			return p[1] ? GO_ON : NEXT_IS_VALUE;
	}
	return GO_ON;
}

static enum verdict judge_java(const struct interpreter *in, const char *word)
{
	if (!strcmp(word, "-jar") || !strcmp(word, "-m") || !strcmp(word, "--module"))
		return NEXT_IS_NAME;
	if (contains_word(in->long_value, word))
		return NEXT_IS_VALUE;
	return word[1] == '-' && !strchr(word, '=') ? NEXT_IS_DOUBTFUL : GO_ON;
}

static enum verdict judge_option(const struct interpreter *in, const char *word,
				 const char **ret_rest)
{
	if (in->java)
		return judge_java(in, word);
	if (word[0] == '+') /* a shell's option switched off */
		return strcmp(word, "+o") && strcmp(word, "+O") ? GO_ON : NEXT_IS_VALUE;
	if (word[1] != '-')
		return judge_letters(in, word, ret_rest);
	if (contains_word(in->long_code, word))
		return NO_SCRIPT;
	if (contains_word(in->long_value, word))
		return NEXT_IS_VALUE;
	return strchr(word, '=') ? GO_ON : NEXT_IS_DOUBTFUL;
}

static bool is_option(const struct interpreter *in, const char *word)
{
	return (word[0] == '-' && word[1]) || (word[0] == '+' && contains_letter(in->code, 's')) ||
	       (word[0] == '@' && in->java);
}

/* The script as it was given; NULL: none, or not surely one. */
static const char *find_script(const struct interpreter *in, struct cursor *c)
{
	bool first = true, doubtful = false;
	const char *word, *rest = NULL;

	for (; (word = next_argument(c)); first = false) {
		enum verdict verdict = GO_ON;

		if (first && in->skip && !strcmp(word, in->skip))
			continue;
		if (!strcmp(word, "--"))
			return next_argument(c);
		if (!is_option(in, word)) {
			if (doubtful && !looks_like_script(word))
				return NULL;
			return in->java && !looks_like_class(word) ? NULL : word;
		}
		verdict = judge_option(in, word, &rest);
		doubtful = verdict == NEXT_IS_DOUBTFUL;
		if (verdict == NO_SCRIPT)
			return NULL;
		if (verdict == THIS_IS_NAME)
			return rest;
		if (verdict == NEXT_IS_NAME)
			return next_argument(c);
		if (verdict == NEXT_IS_VALUE && !next_argument(c))
			return NULL;
	}
	return NULL;
}

/* The last component that says something; a class or module keeps its dots. */
static bool copy_base(const char *path, char *ret)
{
	size_t size = strlen(path);
	const char *base;

	while (size && path[size - 1] == '/')
		size--;
	for (base = path + size; base > path && base[-1] != '/';)
		base--;
	size -= (size_t)(base - path);
	if (!size || !strncmp(base, ".", size) || !strncmp(base, "..", size) ||
	    !strncmp(base, "-", size))
		return false;
	snprintf(ret, PROCESS_NAME_MAX + 1, "%.*s", (int)(size < 1000 ? size : 1000), base);
	return true;
}

/* A comm of 15 bytes was cut, perhaps: argv[0] has the rest, if it begins the same. */
static void lengthen(const char *comm, const char *argv0, char *ret)
{
	const char *base = base_name(argv0);
	size_t size = strcspn(base, " :\t\n");

	if (size > strlen(comm) && !strncmp(base, comm, strlen(comm)))
		snprintf(ret, PROCESS_NAME_MAX + 1, "%.*s", (int)(size < 1000 ? size : 1000), base);
}

void process_name_of(const char *comm, const char *cmdline, size_t size,
		     char ret_name[PROCESS_NAME_MAX + 1])
{
	struct cursor c = {cmdline, cmdline + size};
	const char *argv0 = next_argument(&c), *script;
	const struct interpreter *in;

	if (!strncmp(comm, "kworker/",
		     8)) /* which of them does not matter and changes all the time */
		comm = "kworker";
	snprintf(ret_name, PROCESS_NAME_MAX + 1, "%s", comm);
	if (!argv0)
		return;
	in = interpreter_find(base_name(argv0) + (base_name(argv0)[0] == '-'));
	if (!in || !(interpreter_find(comm) || is_thread_name(comm)))
		in = interpreter_find(comm);
	script = in ? find_script(in, &c) : NULL;
	if (script && copy_base(script, ret_name))
		return;
	if (!in && strlen(comm) == PROCESS_COMM_MAX)
		lengthen(comm, argv0, ret_name);
}

int process_stat_parse(const char *text, struct process_stat *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')'), *p;
	size_t size;

	if (!open || !close || close < open)
		return -EBADMSG;
	p = close + 1;
	for (unsigned int field = 2; field < 22; field++) {
		p += strspn(p, " ");
		if (field < 21)
			p += strcspn(p, " ");
	}
	if (!isdigit((unsigned char)*p))
		return -EBADMSG;
	size = (size_t)(close - open - 1);
	snprintf(ret->comm, sizeof(ret->comm), "%.*s",
		 (int)(size < PROCESS_COMM_MAX ? size : PROCESS_COMM_MAX), open + 1);
	ret->start_ticks = strtoull(p, NULL, 10);
	return 0;
}
