// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "debugfs.h"

#define DEBUGFS_DIR	"/sys/kernel/debug/privheap"

/* A made-up folder lets the tools be tested where there is no module. */
static const char *debugfs_dir(void)
{
	const char *dir = secure_getenv("PRIVHEAP_DEBUGFS");

	return dir && *dir ? dir : DEBUGFS_DIR;
}

int table_open(struct table *table, const char *name)
{
	char path[PATH_MAX];

	memset(table, 0, sizeof(*table));
	if (snprintf(path, sizeof(path), "%s/%s", debugfs_dir(), name) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	table->file = fopen(path, "re");
	return table->file ? 0 : -1;
}

/* The module writes what would break a line as a backslash and three digits. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/*
 * Cuts the next pair off, which is "key=value" or, in the table named module,
 * "key value". The name of a process may contain blanks: it is the rest.
 */
static char *cut_pair(char *at, const char **key, const char **value)
{
	char *end;

	at += strspn(at, " \t");
	if (!*at)
		return NULL;
	*key = at;
	at += strcspn(at, "= \t");
	if (!*at)
		return NULL;
	*at++ = '\0';
	*value = at;
	if (!strcmp(*key, "comm")) {
		end = at + strlen(at);
		unescape(at);
		return end;
	}
	end = at + strcspn(at, " \t");
	if (*end)
		*end++ = '\0';
	return end;
}

static void parse(struct record *record, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	for (record->count = 0; record->count < RECORD_PAIRS; record->count++) {
		line = cut_pair(line, &record->pairs[record->count].key,
				&record->pairs[record->count].value);
		if (!line)
			break;
	}
}

/* The record is valid until the next call; NULL after the last one. */
const struct record *table_next(struct table *table)
{
	while (getline(&table->line, &table->room, table->file) >= 0) {
		parse(&table->record, table->line);
		if (table->record.count)
			return &table->record;
	}
	return NULL;
}

/* Fails when reading failed, which table_next() cannot tell from the end. */
int table_close(struct table *table)
{
	int failed = ferror(table->file);

	fclose(table->file);
	free(table->line);
	if (failed)
		errno = EIO;
	return failed ? -1 : 0;
}

void table_complain(const char *name, int err)
{
	const char *advice = "";

	if (err == ENOENT)
		advice = ": is the module loaded and debugfs mounted?";
	else if (err == EACCES || err == EPERM)
		advice = ": only root may look";
	fprintf(stderr, "privheap: %s/%s: %s%s\n", debugfs_dir(), name, strerror(err), advice);
}

const char *record_text(const struct record *record, const char *key)
{
	size_t i;

	for (i = 0; i < record->count; i++)
		if (!strcmp(record->pairs[i].key, key))
			return record->pairs[i].value;
	return "";
}

/* False when the key is absent or its value not a number, decimal or 0x. */
bool record_number(const struct record *record, const char *key, uint64_t *number)
{
	const char *text = record_text(record, key);
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	return !*end && !errno;
}

uint64_t record_count(const struct record *record, const char *key)
{
	uint64_t number;

	return record_number(record, key, &number) ? number : 0;
}

/* One counter of the whole module; fails with ENOENT where there is none. */
int module_counter(const char *name, uint64_t *value)
{
	const struct record *record;
	struct table table;
	bool found = false;

	if (table_open(&table, "module") < 0)
		return -1;
	while (!found && (record = table_next(&table)))
		found = record_number(record, name, value);
	if (table_close(&table) < 0)
		return -1;
	if (!found)
		errno = ENOENT;
	return found ? 0 : -1;
}
