/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables that the module shows in debugfs: one record per line.
 */
#ifndef PRIVHEAP_DEBUGFS_H
#define PRIVHEAP_DEBUGFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RECORD_PAIRS	48

/*
 * A record is its pairs, in the order of the line. Tools look values up by
 * key, so that they go on working when the module shows more of them.
 */
struct record {
	size_t count;
	struct {
		const char *key;
		const char *value;
	} pairs[RECORD_PAIRS];
};

struct table {
	FILE *file;
	char *line;
	size_t room;
	struct record record;
};

int table_open(struct table *table, const char *name);
const struct record *table_next(struct table *table);
int table_close(struct table *table);
void table_complain(const char *name, int err);

const char *record_text(const struct record *record, const char *key);
bool record_number(const struct record *record, const char *key, uint64_t *number);
uint64_t record_count(const struct record *record, const char *key);

int module_counter(const char *name, uint64_t *value);

#endif /* PRIVHEAP_DEBUGFS_H */
