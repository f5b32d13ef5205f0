// SPDX-License-Identifier: MIT
/*
 * Folded boxes: what waits in a depot are mostly neighbours, one after the other
 * up or down, and a row is told in less memory than its objects' addresses take,
 * which for small objects is half of what they have themselves.
 */
#include "internal.h"

/* Fewer objects are not worth it; nor are rows that are shorter in the mean. */
#define FOLD_LEAST	64
#define FOLD_ROW	16
#define FOLD_ROWS	(PH_BOX_MAX / FOLD_ROW)

struct row {
	char *first;
	int32_t step;
	uint32_t count;
};

#define ROW_WORDS	(sizeof(struct row) / sizeof(void *))

_Static_assert(sizeof(struct row) % sizeof(void *) == 0, "rows take the place of addresses");

/* How many of @most objects go on as @expected, four at a time. */
static uint32_t row_fours(void **objects, uint32_t most, uintptr_t expected, uintptr_t step)
{
	uint32_t count = 0;
	uintptr_t differ;

	for (; count + 4 <= most; count += 4, objects += 4, expected += 4 * step) {
		differ = (uintptr_t)objects[0] ^ expected;
		differ |= (uintptr_t)objects[1] ^ (expected + step);
		differ |= (uintptr_t)objects[2] ^ (expected + 2 * step);
		differ |= (uintptr_t)objects[3] ^ (expected + 3 * step);
		if (differ)
			break;
	}
	return count;
}

/*
 * The row that begins at @objects, of which there are @most. Whose objects were
 * shared out has every second one, or third.
 */
static struct row row_at(void **objects, uint32_t most)
{
	uintptr_t first = (uintptr_t)*objects, step = 0;
	uint32_t count;

	if (most > 1)
		step = (uintptr_t)objects[1] - first;
	/* Too far to be told. */
	if (step != (uintptr_t)(int32_t)step)
		most = 1;
	count = row_fours(objects, most, first, step);
	while (count < most && (uintptr_t)objects[count] == first + count * step)
		count++;
	return (struct row){
		.first = *objects, .step = (int32_t)step, .count = count,
	};
}

/* The number of rows; 0 if there are too many. */
static uint32_t rows_of(struct privheap_box *box, struct row *rows)
{
	uint32_t count = 0;

	for (uint32_t done = 0; done < box->count; done += rows[count++].count) {
		if (count == box->count / FOLD_ROW)
			return 0;
		rows[count] = row_at(box->object + done, box->count - done);
	}
	return count;
}

/* A box with the same objects that is much smaller; NULL if there is none. */
struct privheap_box *ph_box_fold(struct privheap_box *box)
{
	struct row rows[FOLD_ROWS];
	struct privheap_box *folded;
	uint32_t count, room = 2;

	if (box->count < FOLD_LEAST)
		return NULL;
	count = rows_of(box, rows);
	if (!count)
		return NULL;
	while (room < count * ROW_WORDS)
		room *= 2;
	folded = ph_box_new(room);
	if (!folded)
		return NULL;
	memcpy(folded->object, rows, count * sizeof(*rows));
	folded->count = box->count;
	folded->rows = (uint16_t)count;
	return folded;
}

static void **row_unfold(const struct row *row, void **to)
{
	void **end = to + row->count, **fours = to + row->count / 4 * 4;
	ptrdiff_t step = row->step;
	char *object = row->first;

	for (; to < fours; to += 4, object += 4 * step) {
		to[0] = object;
		to[1] = object + step;
		to[2] = object + 2 * step;
		to[3] = object + 3 * step;
	}
	for (; to < end; object += step)
		*to++ = object;
	return to;
}

/* All objects of a folded box, in their order. */
void ph_box_unfold(const struct privheap_box *folded, void **to)
{
	const struct row *row = (const struct row *)folded->object;

	for (uint32_t i = 0; i < folded->rows; i++)
		to = row_unfold(&row[i], to);
}
