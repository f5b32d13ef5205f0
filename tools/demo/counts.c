// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "heap.h"

/* Another hash than the dict's, so that both do not err alike. */
static size_t hash(const char *text, uint32_t length)
{
	uint64_t hash = 5381;
	uint32_t i;

	for (i = 0; i < length; i++)
		hash = hash * 33 + (unsigned char)text[i];
	return (size_t)((hash * 0x9e3779b97f4a7c15ULL) >> 20);
}

uint64_t counts_digest(uint64_t digest, uint64_t position)
{
	return digest * 0x9e3779b97f4a7c15ULL + position + 1;
}

/* The place of a word, which is empty if it is not there. */
static struct counted *locate(const struct counts *counts, const char *text, uint32_t length)
{
	size_t at = hash(text, length) & (counts->room - 1);

	while (counts->table[at].count) {
		const struct word *word = &counts->table[at].word;

		if (word->length == length && !memcmp(word->text, text, length))
			break;
		at = (at + 1) & (counts->room - 1);
	}
	return &counts->table[at];
}

static void double_room(struct counts *counts)
{
	struct counts old = *counts;
	size_t i;

	counts->room = old.room ? old.room * 2 : 1024;
	counts->table = take(counts->room, sizeof(*counts->table));
	for (i = 0; i < old.room; i++)
		if (old.table[i].count)
			*locate(counts, old.table[i].word.text, old.table[i].word.length) =
				old.table[i];
	free(old.table);
}

void counts_build(struct counts *counts, const struct text *text)
{
	struct counted *counted;
	struct words words;
	struct word word;

	memset(counts, 0, sizeof(*counts));
	double_room(counts);
	words_begin(&words, text);
	while (words_next(&words, &word)) {
		if (counts->different * 2 >= counts->room)
			double_room(counts);
		counted = locate(counts, word.text, word.length);
		if (!counted->count++) {
			counted->word = word;
			counts->different++;
		}
		counted->digest = counts_digest(counted->digest, word.position);
		counts->words++;
	}
}

void counts_free(struct counts *counts)
{
	free(counts->table);
	counts->table = NULL;
}

/* NULL when the text does not have the word. */
struct counted *counts_find(const struct counts *counts, const char *text, uint32_t length)
{
	struct counted *counted = locate(counts, text, length);

	return counted->count ? counted : NULL;
}
