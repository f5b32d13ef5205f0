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

/* As many addresses as a register of 16 bytes has room for. */
typedef uintptr_t lanes __attribute__((vector_size(16)));
typedef lanes unaligned_lanes __attribute__((aligned(sizeof(void *)), may_alias));

#define LANES	(sizeof(lanes) / sizeof(uintptr_t))
#define STRIDE	(4 * LANES)	/* what one turn of a loop does */

/* Pointers, because machines without such registers have no rule to pass them. */
static inline void lanes_set(lanes *to, uintptr_t first, uintptr_t step)
{
	for (size_t i = 0; i < LANES; i++)
		(*to)[i] = first + i * step;
}

static inline bool lanes_any(const lanes *bits)
{
	uintptr_t any = 0;

	for (size_t i = 0; i < LANES; i++)
		any |= (*bits)[i];
	return any;
}

/* How many of @most objects go on as @first and @step say, but for the last few. */
static uint32_t row_strides(void **objects, uint32_t most, uintptr_t first, uintptr_t step)
{
	const unaligned_lanes *at = (const unaligned_lanes *)objects;
	lanes expected, further, differ;
	uint32_t count = 0;

	lanes_set(&expected, first, step);
	lanes_set(&further, LANES * step, 0);
	for (; count + STRIDE <= most; count += STRIDE, at += 4) {
		differ = at[0] ^ expected;
		expected += further;
		differ |= at[1] ^ expected;
		expected += further;
		differ |= at[2] ^ expected;
		expected += further;
		differ |= at[3] ^ expected;
		expected += further;
		if (lanes_any(&differ))
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
	count = row_strides(objects, most, first, step);
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
	uintptr_t object = (uintptr_t)row->first, step = (uintptr_t)(intptr_t)row->step;
	unaligned_lanes *at = (unaligned_lanes *)to;
	size_t done = 0, count = row->count;
	lanes next, further;

	lanes_set(&next, object, step);
	lanes_set(&further, LANES * step, 0);
	for (; done + STRIDE <= count; done += STRIDE, at += 4) {
		at[0] = next;
		next += further;
		at[1] = next;
		next += further;
		at[2] = next;
		next += further;
		at[3] = next;
		next += further;
	}
	for (; done < count; done++)
		to[done] = (void *)(object + done * step);
	return to + done;
}

/* All objects of a folded box, in their order. */
void ph_box_unfold(const struct privheap_box *folded, void **to)
{
	const struct row *row = (const struct row *)folded->object;

	for (uint32_t i = 0; i < folded->rows; i++)
		to = row_unfold(&row[i], to);
}
