// SPDX-License-Identifier: GPL-2.0
/* The statistics page; see board.h. */

#include <kunit/visibility.h>

#include "board.h"
#include "stat.h"

static void ph_board_update_type(struct ph_type *type, void *data)
{
	struct privheap_stat_page *page = data;
	struct privheap_stat_entry *entry = &page->type[type->id];
	struct privheap_type_stat stat;

	ph_stat_type(type, &stat);
	WRITE_ONCE(entry->live_objects, stat.live_objects);
	WRITE_ONCE(entry->live_bytes, stat.live_bytes);
	ph_type_count_handed(type, 0, 0);
}

/**
 * ph_board_update() - bring the statistics page up to date, if there is one
 * @heap: the heap
 *
 * Context: process, may sleep; @heap->sem held.
 */
void ph_board_update(struct ph_heap *heap)
{
	struct privheap_stat_page *page = ph_view_stat(&heap->region.view);

	if (!page)
		return;
	ph_heap_for_each_type(heap, ph_board_update_type, page);
	WRITE_ONCE(page->held_bytes, atomic64_read(&heap->region.held));
	WRITE_ONCE(page->updates, page->updates + 1);
}
EXPORT_SYMBOL_IF_KUNIT(ph_board_update);

/**
 * ph_board_forget() - a type has ended
 * @heap: the heap
 * @id: of the type, which has no objects any more
 *
 * Context: process; @heap->sem held for writing.
 */
void ph_board_forget(struct ph_heap *heap, u32 id)
{
	struct privheap_stat_page *page = ph_view_stat(&heap->region.view);

	lockdep_assert_held_write(&heap->sem);
	if (!page)
		return;
	WRITE_ONCE(page->type[id].live_objects, 0);
	WRITE_ONCE(page->type[id].live_bytes, 0);
}

/**
 * ph_board_make() - make the statistics page, unless it is there
 * @heap: the heap
 *
 * Context: process, may sleep.
 * Return: 0, -EDQUOT or -ENOMEM.
 */
int ph_board_make(struct ph_heap *heap)
{
	int err = ph_view_make_stat(&heap->region);

	if (err)
		return err;
	/* Pairs with the barrier in ph_type_count_handed(). */
	smp_mb();
	down_read(&heap->sem);
	ph_board_update(heap);
	up_read(&heap->sem);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(ph_board_make);
