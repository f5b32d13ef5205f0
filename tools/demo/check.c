// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../privheap/units.h"
#include "check.h"
#include "reader.h"

#define TOP		10
#define FIRST		4
#define TOLD		10
#define WORD_COLUMN	24

/* One of the most frequent words, as the heap told it. */
struct frequent {
	char text[WORD_BYTES];
	uint32_t length;
	uint64_t count;
	uint64_t first[FIRST];
	uint64_t nr_positions;
};

struct top {
	size_t count;
	struct frequent words[TOP + 1];
};

/* A word may be any bytes, a line of output may not. */
static void print_word(FILE *file, const char *text, uint32_t length)
{
	uint32_t i, shown = length < WORD_COLUMN ? length : WORD_COLUMN - 3;

	for (i = 0; i < shown; i++)
		fputc(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?', file);
	if (shown < length)
		fputs("...", file);
}

static uint64_t differs(uint64_t so_far, const char *text, uint32_t length, const char *what,
			uint64_t heap, uint64_t plain)
{
	if (so_far < TOLD) {
		fputs("  differs: \"", stderr);
		print_word(stderr, text, length);
		fprintf(stderr, "\": %s: %" PRIu64 " in the heap, %" PRIu64 " in plain C\n",
			what, heap, plain);
	}
	return so_far + 1;
}

static uint64_t check_word(uint64_t so_far, const struct indexed *word,
			   const struct counts *counts)
{
	struct counted *counted = counts_find(counts, word->text, word->length);
	uint64_t digest = 0, i;

	if (!counted)
		return differs(so_far, word->text, word->length, "words", 1, 0);
	if (counted->seen)
		return differs(so_far, word->text, word->length, "entries", 2, 1);
	counted->seen = true;
	if (word->count != counted->count)
		return differs(so_far, word->text, word->length, "count", word->count,
			       counted->count);
	if (word->nr_positions != counted->count)
		return differs(so_far, word->text, word->length, "positions",
			       word->nr_positions, counted->count);
	for (i = 0; i < word->nr_positions; i++)
		digest = counts_digest(digest, word->positions[i]);
	if (digest != counted->digest)
		return differs(so_far, word->text, word->length, "digest of the positions",
			       digest, counted->digest);
	return so_far;
}

static uint64_t check_missing(uint64_t so_far, const struct counts *counts)
{
	size_t i;

	for (i = 0; i < counts->room; i++) {
		const struct counted *counted = &counts->table[i];

		if (counted->count && !counted->seen)
			so_far = differs(so_far, counted->word.text, counted->word.length,
					 "words", 0, 1);
	}
	return so_far;
}

static int more_frequent(uint64_t count, const char *text, uint32_t length,
			 const struct frequent *than)
{
	uint32_t shorter = length < than->length ? length : than->length;
	int order;

	if (count != than->count)
		return count > than->count;
	order = memcmp(text, than->text, shorter);
	return order ? order < 0 : length < than->length;
}

/* Returns the word's place among the most frequent ones, or NULL. */
static struct frequent *top_insert(struct top *top, const char *text, uint32_t length,
				   uint64_t count)
{
	size_t at = top->count;

	while (at && more_frequent(count, text, length, &top->words[at - 1])) {
		top->words[at] = top->words[at - 1];
		at--;
	}
	if (at == TOP)
		return NULL;
	if (top->count < TOP)
		top->count++;
	memset(&top->words[at], 0, sizeof(top->words[at]));
	memcpy(top->words[at].text, text, length);
	top->words[at].length = length;
	top->words[at].count = count;
	return &top->words[at];
}

static void top_add(struct top *top, const struct indexed *word)
{
	struct frequent *frequent = top_insert(top, word->text, word->length, word->count);
	uint64_t i;

	if (!frequent)
		return;
	frequent->nr_positions = word->nr_positions;
	for (i = 0; i < FIRST && i < word->nr_positions; i++)
		frequent->first[i] = word->positions[i];
}

static void print_frequent(size_t rank, const struct frequent *heap, const struct frequent *plain)
{
	char count[UNIT_BYTES], other[UNIT_BYTES];
	uint64_t i;

	printf("  %4zu  ", rank);
	print_word(stdout, heap->text, heap->length);
	printf("%*s %10s %10s   ", WORD_COLUMN - (int)(heap->length < WORD_COLUMN ?
	       heap->length : WORD_COLUMN), "", unit_count(count, heap->count),
	       unit_count(other, plain->count));
	for (i = 0; i < FIRST && i < heap->nr_positions; i++)
		printf("%s%" PRIu64, i ? ", " : "", heap->first[i]);
	puts(heap->nr_positions > FIRST ? ", ..." : "");
}

static uint64_t print_top(const struct top *heap, const struct counts *counts)
{
	struct top *plain = take(1, sizeof(*plain));
	uint64_t wrong = 0;
	size_t i;

	for (i = 0; i < counts->room; i++)
		if (counts->table[i].count)
			top_insert(plain, counts->table[i].word.text, counts->table[i].word.length,
				   counts->table[i].count);
	printf("  rank  %-*s %10s %10s   positions\n", WORD_COLUMN, "word", "heap", "plain C");
	for (i = 0; i < heap->count; i++) {
		const struct frequent *a = &heap->words[i], *b = &plain->words[i];

		print_frequent(i + 1, a, b);
		if (a->count != b->count || a->length != b->length ||
		    memcmp(a->text, b->text, a->length))
			wrong = differs(wrong, b->text, b->length, "count at its rank",
					a->count, b->count);
	}
	free(plain);
	return wrong;
}

uint64_t check_index(const struct index *index, const struct counts *counts)
{
	struct top *top = take(1, sizeof(*top));
	struct reader reader;
	uint64_t wrong = 0, words = 0;
	char number[UNIT_BYTES];
	size_t i;

	for (i = 0; i < counts->room; i++)
		counts->table[i].seen = false;
	reader_begin(&reader, index);
	while (reader_next(&reader))
		for (i = 0; i < reader.count; i++, words++) {
			wrong = check_word(wrong, &reader.words[i], counts);
			top_add(top, &reader.words[i]);
		}
	reader_end(&reader);
	wrong = check_missing(wrong, counts);
	wrong += print_top(top, counts);
	free(top);
	printf("  Words compared: %s; %s\n", unit_count(number, words), wrong ? "they differ." :
	       "the same counts and positions in the heap as in plain C.");
	return wrong;
}
