// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

#define STRETCH		1024

void reader_begin(struct reader *reader, const struct index *index)
{
	memset(reader, 0, sizeof(*reader));
	reader->index = index;
	reader->capacity = dict_capacity(&index->dict);
	reader->words = take(STRETCH, sizeof(*reader->words));
}

void reader_end(struct reader *reader)
{
	free(reader->words);
	free(reader->texts);
	free(reader->positions);
}

static void read_entries(struct reader *reader)
{
	struct dict_entry entries[STRETCH];
	size_t i, n = STRETCH;

	if (reader->capacity - reader->slot < n)
		n = reader->capacity - reader->slot;
	dict_entries(&reader->index->dict, reader->slot, entries, n);
	reader->slot += n;
	reader->count = 0;
	for (i = 0; i < n; i++)
		if (entries[i].hash >= DICT_HASHES)
			reader->words[reader->count++] = (struct indexed) { .entry = entries[i] };
}

static void read_texts(struct reader *reader)
{
	const struct heap *heap = reader->index->heap;
	struct object_str heads[STRETCH] = { 0 };
	struct transfer transfer;
	size_t i, bytes = 0;
	char *at;

	transfer_begin(&transfer, heap, PRIVHEAP_TYPE_STR, false);
	for (i = 0; i < reader->count; i++)
		transfer_add(&transfer, reader->words[i].entry.str, 0, &heads[i], sizeof(heads[i]));
	transfer_end(&transfer);
	for (i = 0; i < reader->count; i++)
		bytes += heads[i].length;
	free(reader->texts);
	reader->texts = take(bytes, 1);
	at = reader->texts;
	for (i = 0; i < reader->count; i++) {
		reader->words[i].text = at;
		reader->words[i].length = (uint32_t)heads[i].length;
		transfer_add(&transfer, reader->words[i].entry.str, sizeof(heads[i]), at,
			     heads[i].length);
		at += heads[i].length;
	}
	transfer_end(&transfer);
}

static void read_counts(struct reader *reader)
{
	struct transfer transfer;
	size_t i;

	transfer_begin(&transfer, reader->index->heap, PRIVHEAP_TYPE_INT, false);
	for (i = 0; i < reader->count; i++)
		transfer_add(&transfer, reader->words[i].entry.count,
			     offsetof(struct object_int, digit), &reader->words[i].count,
			     sizeof(reader->words[i].count));
	transfer_end(&transfer);
}

static void read_positions(struct reader *reader)
{
	struct object_list heads[STRETCH] = { 0 };
	struct transfer transfer;
	uint64_t *at;
	size_t i, n = 0;

	transfer_begin(&transfer, reader->index->heap, PRIVHEAP_TYPE_LIST, false);
	for (i = 0; i < reader->count; i++)
		transfer_add(&transfer, reader->words[i].entry.positions, 0, &heads[i],
			     sizeof(heads[i]));
	transfer_end(&transfer);
	for (i = 0; i < reader->count; i++)
		n += heads[i].length;
	free(reader->positions);
	reader->positions = take(n, sizeof(*at));
	at = reader->positions;
	for (i = 0; i < reader->count; i++) {
		reader->words[i].positions = at;
		reader->words[i].nr_positions = heads[i].length;
		transfer_add(&transfer, reader->words[i].entry.positions, sizeof(heads[i]), at,
			     heads[i].length * sizeof(*at));
		at += heads[i].length;
	}
	transfer_end(&transfer);
}

/* 0 when there are no more words; a stretch may have none all the same. */
int reader_next(struct reader *reader)
{
	if (reader->slot == reader->capacity)
		return 0;
	read_entries(reader);
	read_texts(reader);
	read_counts(reader);
	read_positions(reader);
	return 1;
}
