// SPDX-License-Identifier: GPL-2.0
/*
 * privheap stat: the module, and what each heap holds by type.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "debugfs.h"
#include "heapstat.h"
#include "text.h"
#include "units.h"

static int failed(const char *table)
{
	table_complain(table, errno);
	return -1;
}

static bool is_wanted(const struct record *record, uint64_t heap)
{
	return heap == HEAP_ANY || record_count(record, "heap") == heap;
}

/* Heaps come and go while we look: one that was asked for must be there. */
static int check_heap(uint64_t heap)
{
	const struct record *record;
	struct table table;
	bool found = false;

	if (table_open(&table, "heaps") < 0)
		return failed("heaps");
	while (!found && (record = table_next(&table)))
		found = is_wanted(record, heap);
	if (table_close(&table) < 0)
		return failed("heaps");
	if (!found && heap != HEAP_ANY) {
		no_such_heap(heap);
		return -1;
	}
	return 0;
}

/* The last word of a counter's name is its unit. */
static void print_counter(const char *key, uint64_t value)
{
	char label[UNIT_BYTES], text[UNIT_BYTES];
	size_t length = strlen(key), i;

	snprintf(label, sizeof(label), "%s", key);
	for (i = 0; label[i]; i++)
		if (label[i] == '_')
			label[i] = ' ';
	printf("  %-20s %14s\n", label, length >= 5 && !strcmp(key + length - 5, "bytes") ?
	       unit_bytes(text, value) : unit_count(text, value));
}

static int print_module(void)
{
	const struct record *record;
	struct table module;

	if (table_open(&module, "module") < 0)
		return failed("module");
	printf("Module\n");
	while ((record = table_next(&module)))
		print_counter(record->pairs[0].key, record_count(record, record->pairs[0].key));
	putchar('\n');
	return table_close(&module) < 0 ? failed("module") : 0;
}

static int print_heaps(uint64_t heap)
{
	const struct record *record;
	struct table heaps;

	if (table_open(&heaps, "heaps") < 0)
		return failed("heaps");
	while ((record = table_next(&heaps)))
		if (is_wanted(record, heap)) {
			print_heap(record);
			putchar('\n');
		}
	return table_close(&heaps) < 0 ? failed("heaps") : 0;
}

static int print_types(uint64_t heap)
{
	const struct record *record;
	struct table types;

	if (table_open(&types, "types") < 0)
		return failed("types");
	print_types_header();
	while ((record = table_next(&types)))
		if (is_wanted(record, heap))
			print_type(record);
	return table_close(&types) < 0 ? failed("types") : 0;
}

/* The lines of the table named module are the members of one object. */
static int json_module(void)
{
	const struct record *record;
	const char *separator = "";
	struct table module;

	if (table_open(&module, "module") < 0)
		return failed("module");
	printf("  \"module\": {");
	while ((record = table_next(&module))) {
		printf("%s\n    ", separator);
		text_json_members(stdout, record);
		separator = ",";
	}
	printf("\n  }");
	return table_close(&module) < 0 ? failed("module") : 0;
}

static int json_table(const char *name, uint64_t heap)
{
	const struct record *record;
	const char *separator = "";
	struct table table;

	if (table_open(&table, name) < 0)
		return failed(name);
	printf(",\n  \"%s\": [", name);
	while ((record = table_next(&table))) {
		if (!is_wanted(record, heap))
			continue;
		printf("%s\n    { ", separator);
		text_json_members(stdout, record);
		printf(" }");
		separator = ",";
	}
	printf("\n  ]");
	return table_close(&table) < 0 ? failed(name) : 0;
}

static int print_json(uint64_t heap)
{
	puts("{");
	if (json_module() < 0 || json_table("heaps", heap) < 0 || json_table("types", heap) < 0)
		return -1;
	puts("\n}");
	return 0;
}

int command_stat(uint64_t heap, bool json)
{
	int ret;

	if (check_heap(heap) < 0)
		return EXIT_FAILURE;
	if (json)
		ret = print_json(heap);
	else
		ret = print_module() < 0 || print_heaps(heap) < 0 || print_types(heap) < 0 ? -1 : 0;
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
