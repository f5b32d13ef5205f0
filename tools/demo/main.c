// SPDX-License-Identifier: GPL-2.0
/*
 * privheap-demo: builds, in a private heap, what an interpreter would have of
 * a text, and tells how the heap fares.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../privheap/units.h"
#include "check.h"
#include "counts.h"
#include "heap.h"
#include "index.h"
#include "kill.h"
#include "pictures.h"
#include "stage.h"
#include "words.h"

struct arguments {
	const char *input;
	const char *map_dir;
};

static const struct argp_option options[] = {
	{ "map-dir", 'm', "DIR", 0, "write pictures of the heap's region to DIR", 0 },
	{ 0 }
};

static const char doc[] =
	"Indexes the words of INPUT, which may be any file, with objects of a private "
	"heap: a str for each word, an int for how often it comes, a list of where, and a "
	"dict of them all. Then frees half, allocates it again, trims, checks the result "
	"against the same made in plain C, and kills some clients in the middle of their "
	"work. Prints what the heap holds at each step.";

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'm':
		arguments->map_dir = word;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->input)
			argp_error(state, "%s: one argument too many", word);
		arguments->input = word;
		return 0;
	case ARGP_KEY_END:
		if (!arguments->input)
			argp_error(state, "INPUT is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void begin(const struct arguments *arguments, const struct heap *heap,
		  const struct text *text, const struct counts *counts)
{
	char bytes[UNIT_BYTES], words[UNIT_BYTES], different[UNIT_BYTES];

	printf("%s: %s bytes, %s words, %s different; private heap %" PRIu32 "\n",
	       arguments->input, unit_count(bytes, text->length),
	       unit_count(words, counts->words), unit_count(different, counts->different),
	       heap->limits.heap_id);
	puts("In the tables, used is what the heap holds for a type, metadata included, and\n"
	     "waste what that is beyond the bytes requested. On the right are the allocations\n"
	     "of the step: how many, how many of them a magazine served, and how many got a\n"
	     "slot that another object had had before.");
}

/* Prints the state and makes it the one that the next step is compared to. */
static void end_step(struct stage *stage, const struct heap *heap)
{
	const struct stage before = *stage;

	stage_take(stage, heap);
	stage_print(&before, stage);
}

static void tell_story(const struct heap *heap, struct index *index, const struct text *text,
		       struct pictures *pictures)
{
	struct stage stage;
	char words[UNIT_BYTES], bytes[UNIT_BYTES];

	stage_take(&stage, heap);
	puts("\n1. Build: a str, an int and a list for each word, and one dict");
	index_create(index, heap);
	index_add(index, text);
	end_step(&stage, heap);
	picture_draw(pictures, "before", "before the frees");

	unit_count(words, index_drop_half(index));
	printf("\n2. Free: every second word, its int and its list, %s of each\n", words);
	end_step(&stage, heap);
	picture_draw(pictures, "after", "after the frees");

	puts("\n3. Allocate again: the words that are missing, from the same text");
	index_add(index, text);
	end_step(&stage, heap);

	unit_bytes(bytes, heap_trim(heap));
	printf("\n4. Trim: %s given back\n", bytes);
	end_step(&stage, heap);
}

static int run(const struct arguments *arguments, const struct text *text)
{
	struct pictures pictures;
	struct counts counts;
	struct index index;
	struct heap heap;
	uint64_t wrong;
	int lost;

	heap_open(&heap);
	counts_build(&counts, text);
	pictures_begin(&pictures, arguments->map_dir, heap.limits.heap_id);
	begin(arguments, &heap, text, &counts);
	tell_story(&heap, &index, text, &pictures);
	puts("\n5. Read back: the most frequent words, from the heap and counted in plain C");
	wrong = check_index(&index, &counts);
	counts_free(&counts);
	heap_close(&heap);
	puts("\n6. Kill: clients that build the same kind of index die by kill -9 at work");
	lost = kill_clients();
	if (wrong)
		fprintf(stderr, "privheap-demo: %" PRIu64 " differences\n", wrong);
	return wrong || lost > 0 || pictures.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "INPUT",
		.doc = doc,
	};
	struct arguments arguments = { 0 };
	struct text text;
	int status;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (text_load(&text, arguments.input) < 0) {
		fprintf(stderr, "privheap-demo: %s: %s\n", arguments.input, strerror(errno));
		return EXIT_FAILURE;
	}
	status = run(&arguments, &text);
	text_free(&text);
	if (fclose(stdout))
		status = EXIT_FAILURE;
	return status;
}
