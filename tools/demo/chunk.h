/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The next few thousand words of a text, those that are alike in one group:
 * what the index takes in one go.
 */
#ifndef DEMO_CHUNK_H
#define DEMO_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dict.h"
#include "words.h"

#define CHUNK_WORDS	8192

/*
 * @key: the word
 * @positions, @count: where it is, in ascending order
 * @moved: its list has got another handle
 */
struct group {
	struct dict_key key;
	const uint64_t *positions;
	size_t count;
	bool moved;
};

struct token {
	struct word word;
	uint64_t hash;
};

struct chunk {
	size_t count;
	struct group groups[CHUNK_WORDS];
	uint64_t positions[CHUNK_WORDS];
	struct token tokens[CHUNK_WORDS];
};

bool chunk_read(struct chunk *chunk, struct words *words);

#endif /* DEMO_CHUNK_H */
