/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of a text, which may be any bytes.
 *
 * A word is a run of letters and digits, or of bytes of no ASCII, with single
 * apostrophes inside, in lower case. A run of more than WORD_BYTES is cut
 * into words of that length.
 */
#ifndef DEMO_WORDS_H
#define DEMO_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORD_BYTES	1024

struct text {
	char *bytes;
	size_t length;
};

/* @text points into the text it was found in; it has no NUL. */
struct word {
	const char *text;
	uint32_t length;
	uint64_t position;
};

struct words {
	const char *at;
	const char *end;
	uint64_t position;
};

int text_load(struct text *text, const char *path);
void text_free(struct text *text);

void words_begin(struct words *words, const struct text *text);
bool words_next(struct words *words, struct word *word);

#endif /* DEMO_WORDS_H */
