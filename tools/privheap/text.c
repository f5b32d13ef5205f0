// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "text.h"

/*
 * Length of the character at @text if it is well-formed UTF-8 and no control
 * character, which a terminal would obey; else 0.
 */
static size_t character(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4, i;
	uint32_t code = length == 1 ? *at : *at & (0x7fU >> length);
	static const uint32_t least[] = { 0, 0x20, 0xa0, 0x800, 0x10000 };

	if (*at == 0x7f || (*at >= 0x80 && *at < 0xc2) || *at > 0xf4)
		return 0;
	for (i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	/* XML has no place for these two. */
	return code == 0xfffe || code == 0xffff ? 0 : length;
}

static const char *put_character(FILE *file, const char *text)
{
	size_t length = character(text);

	if (length)
		fwrite(text, 1, length, file);
	else
		fputc('?', file);
	return text + (length ? length : 1);
}

void text_plain(FILE *file, const char *text)
{
	while (*text)
		text = put_character(file, text);
}

void text_xml(FILE *file, const char *text)
{
	while (*text) {
		const char *name = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" :
				   *text == '>' ? "&gt;" : NULL;

		if (name) {
			fputs(name, file);
			text++;
		} else {
			text = put_character(file, text);
		}
	}
}

/* What is not UTF-8 is taken for Latin-1, which loses nothing. */
void text_json(FILE *file, const char *text)
{
	fputc('"', file);
	while (*text) {
		size_t length = character(text);

		if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else if (!length)
			fprintf(file, "\\u%04x", (unsigned char)*text);
		else
			fwrite(text, 1, length, file);
		text += length ? length : 1;
	}
	fputc('"', file);
}

/* A type may be named 42: what is a word is known, not guessed. */
static bool is_word(const char *key)
{
	return !strcmp(key, "comm") || !strcmp(key, "name") || !strcmp(key, "policy");
}

/* The pairs of a record as members of an object that is open already. */
void text_json_members(FILE *file, const struct record *record)
{
	uint64_t number;
	size_t i;

	for (i = 0; i < record->count; i++) {
		const char *key = record->pairs[i].key;

		if (i)
			fputs(", ", file);
		text_json(file, key);
		fputs(": ", file);
		if (!is_word(key) && record_number(record, key, &number))
			fprintf(file, "%" PRIu64, number);
		else
			text_json(file, record->pairs[i].value);
	}
}
