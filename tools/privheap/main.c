// SPDX-License-Identifier: GPL-2.0
/*
 * privheap: looks at the private heaps of this machine from outside.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/privheap.h>

#include "command.h"

enum verb { VERB_NONE, VERB_LIST, VERB_STAT, VERB_MAP };

struct arguments {
	enum verb verb;
	uint64_t heap;
	bool json;
	const char *output;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "stat: print complete numbers as JSON", 0 },
	{ "output", 'o', "FILE", 0, "map: write the picture to FILE, not to standard output", 0 },
	{ 0 }
};

static const char doc[] =
	"Looks at the private heaps of /dev/privheap from outside."
	"\vlist shows a line for each heap; stat the module and what each heap, or "
	"the one of that number, holds by type; map draws the region of a heap as "
	"an SVG, a cell for each slab.\n\n"
	"Reads /sys/kernel/debug/privheap, so it needs root.";

static void parse_verb(const char *word, struct arguments *arguments, struct argp_state *state)
{
	if (!strcmp(word, "list"))
		arguments->verb = VERB_LIST;
	else if (!strcmp(word, "stat"))
		arguments->verb = VERB_STAT;
	else if (!strcmp(word, "map"))
		arguments->verb = VERB_MAP;
	else
		argp_error(state, "%s: no such command; there are list, stat and map", word);
}

static void parse_heap(const char *word, struct arguments *arguments, struct argp_state *state)
{
	char *end;

	if (arguments->verb == VERB_LIST || arguments->heap != HEAP_ANY)
		argp_error(state, "%s: one argument too many", word);
	errno = 0;
	arguments->heap = strtoull(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno || arguments->heap == HEAP_ANY)
		argp_error(state, "%s: not the number of a heap", word);
}

static void check(const struct arguments *arguments, struct argp_state *state)
{
	if (arguments->verb == VERB_NONE)
		argp_error(state, "a command is missing: list, stat or map");
	if (arguments->verb == VERB_MAP && arguments->heap == HEAP_ANY)
		argp_error(state, "map needs the number of a heap");
	if (arguments->json && arguments->verb != VERB_STAT)
		argp_error(state, "--json is an option of stat");
	if (arguments->output && arguments->verb != VERB_MAP)
		argp_error(state, "--output is an option of map");
}

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'j':
		arguments->json = true;
		return 0;
	case 'o':
		arguments->output = word;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->verb == VERB_NONE)
			parse_verb(word, arguments, state);
		else
			parse_heap(word, arguments, state);
		return 0;
	case ARGP_KEY_END:
		check(arguments, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_version(FILE *file, struct argp_state *state)
{
	(void)state;
	fprintf(file, "privheap for version %d of the interface\n", PRIVHEAP_ABI_VERSION);
}

int no_such_heap(uint64_t heap)
{
	fprintf(stderr, "privheap: no heap %" PRIu64 "; privheap list shows those there are\n",
		heap);
	return EXIT_FAILURE;
}

static int run(const struct arguments *arguments)
{
	switch (arguments->verb) {
	case VERB_LIST:
		return command_list();
	case VERB_STAT:
		return command_stat(arguments->heap, arguments->json);
	default:
		return command_map(arguments->heap, arguments->output);
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "list\nstat [HEAP]\nmap HEAP",
		.doc = doc,
	};
	struct arguments arguments = { .heap = HEAP_ANY };
	int status;

	argp_err_exit_status = 2;
	argp_program_version_hook = print_version;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	status = run(&arguments);
	if (fclose(stdout) && status == EXIT_SUCCESS) {
		fprintf(stderr, "privheap: standard output: %s\n", strerror(errno));
		status = EXIT_FAILURE;
	}
	return status;
}
