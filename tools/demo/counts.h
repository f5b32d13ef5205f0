/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same index in plain C, to check the one in the heap against.
 */
#ifndef DEMO_COUNTS_H
#define DEMO_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "words.h"

/*
 * @digest: of its positions in order, see counts_digest()
 * @seen: for whoever compares
 */
struct counted {
	struct word word;
	uint64_t count;
	uint64_t digest;
	bool seen;
};

/* A table of @room places, those without a count empty. */
struct counts {
	struct counted *table;
	size_t room;
	size_t different;
	uint64_t words;
};

void counts_build(struct counts *counts, const struct text *text);
void counts_free(struct counts *counts);
struct counted *counts_find(const struct counts *counts, const char *text, uint32_t length);
uint64_t counts_digest(uint64_t digest, uint64_t position);

#endif /* DEMO_COUNTS_H */
