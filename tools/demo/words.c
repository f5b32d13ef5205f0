// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "words.h"

static int load(FILE *file, struct text *text)
{
	size_t room = 0, got;
	char *bytes;

	do {
		if (text->length == room) {
			room = room ? room * 2 : 65536;
			bytes = realloc(text->bytes, room);
			if (!bytes)
				return -1;
			text->bytes = bytes;
		}
		got = fread(text->bytes + text->length, 1, room - text->length, file);
		text->length += got;
	} while (got);
	return ferror(file) ? -1 : 0;
}

/* A word is a piece of the text, so that is where the case goes. */
static void lower(struct text *text)
{
	size_t i;

	for (i = 0; i < text->length; i++)
		if (text->bytes[i] >= 'A' && text->bytes[i] <= 'Z')
			text->bytes[i] += 'a' - 'A';
}

/* Reads to the end of the file, which may be a pipe. Fails with errno set. */
int text_load(struct text *text, const char *path)
{
	FILE *file = fopen(path, "re");
	int err = 0;

	text->bytes = NULL;
	text->length = 0;
	if (!file)
		return -1;
	if (load(file, text) < 0)
		err = errno;
	fclose(file);
	if (err) {
		text_free(text);
		errno = err;
		return -1;
	}
	lower(text);
	return 0;
}

void text_free(struct text *text)
{
	free(text->bytes);
	text->bytes = NULL;
	text->length = 0;
}

void words_begin(struct words *words, const struct text *text)
{
	words->at = text->bytes;
	words->end = text->bytes + text->length;
	words->position = 0;
}

static bool is_letter(char c)
{
	unsigned char u = (unsigned char)c;

	return (u >= 'a' && u <= 'z') || (u >= '0' && u <= '9') || u >= 0x80;
}

static bool goes_on(const struct words *words, const char *start)
{
	const char *at = words->at;

	if (at == words->end || at - start == WORD_BYTES)
		return false;
	if (is_letter(*at))
		return true;
	return *at == '\'' && at > start && is_letter(at[-1]) &&
	       at + 1 < words->end && is_letter(at[1]);
}

/* Positions count words, from 0. */
bool words_next(struct words *words, struct word *word)
{
	const char *start;

	while (words->at < words->end && !is_letter(*words->at))
		words->at++;
	start = words->at;
	while (goes_on(words, start))
		words->at++;
	if (words->at == start)
		return false;
	word->text = start;
	word->length = (uint32_t)(words->at - start);
	word->position = words->position++;
	return true;
}
