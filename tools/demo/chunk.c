// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "chunk.h"

static int compare_words(const struct token *a, const struct token *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->word.length != b->word.length)
		return a->word.length < b->word.length ? -1 : 1;
	return memcmp(a->word.text, b->word.text, a->word.length);
}

static int by_word_and_position(const void *left, const void *right)
{
	const struct token *a = left, *b = right;
	int order = compare_words(a, b);

	if (order)
		return order;
	return (a->word.position > b->word.position) - (a->word.position < b->word.position);
}

static void add_token(struct chunk *chunk, size_t i)
{
	const struct token *token = &chunk->tokens[i];

	if (!i || compare_words(token, token - 1))
		chunk->groups[chunk->count++] = (struct group) {
			.key = {
				.text = token->word.text,
				.length = token->word.length,
				.hash = token->hash,
			},
			.positions = &chunk->positions[i],
		};
	chunk->positions[i] = token->word.position;
	chunk->groups[chunk->count - 1].count++;
}

/* False when the text has no more words. */
bool chunk_read(struct chunk *chunk, struct words *words)
{
	size_t i, count = 0;

	while (count < CHUNK_WORDS && words_next(words, &chunk->tokens[count].word)) {
		struct token *token = &chunk->tokens[count++];

		token->hash = dict_hash(token->word.text, token->word.length);
	}
	qsort(chunk->tokens, count, sizeof(chunk->tokens[0]), by_word_and_position);
	chunk->count = 0;
	for (i = 0; i < count; i++)
		add_token(chunk, i);
	return count > 0;
}
