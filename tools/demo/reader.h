/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads an index back out of its heap, a stretch of words at a time.
 */
#ifndef DEMO_READER_H
#define DEMO_READER_H

#include <stddef.h>
#include <stdint.h>

#include "index.h"

/* A word as the heap has it; @text has no NUL. */
struct indexed {
	struct dict_entry entry;
	const char *text;
	uint32_t length;
	uint32_t count;
	const uint64_t *positions;
	uint64_t nr_positions;
};

/*
 * @words, @count: the words of the current stretch, valid until the next one
 */
struct reader {
	const struct index *index;
	uint64_t slot;
	uint64_t capacity;
	struct indexed *words;
	size_t count;
	char *texts;
	uint64_t *positions;
};

void reader_begin(struct reader *reader, const struct index *index);
int reader_next(struct reader *reader);
void reader_end(struct reader *reader);

#endif /* DEMO_READER_H */
