/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unit: a compound page that one entry of the second level of page tables maps,
 * 2 MiB of a large object, say.
 *
 * A mapping of that kind holds no reference: it is taken away before the unit is.
 * Who else wants the memory, such as I/O, holds the unit as a whole.
 */
#ifndef _PH_UNIT_H
#define _PH_UNIT_H

#include <linux/mm.h>

#define PH_UNIT_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define PH_UNIT_PAGES	BIT(PH_UNIT_ORDER)
#define PH_UNIT_BYTES	((u64)PMD_SIZE)

/* Whether there are any, on this machine. */
static inline bool ph_unit_any(void)
{
	return IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) &&
	       has_transparent_hugepage();
}

/* How many pages go together with one that begins a unit, or is alone. */
static inline unsigned long ph_unit_nr(struct page *page)
{
	return PageCompound(page) ? PH_UNIT_PAGES : 1;
}

/*
 * How many of the first @nr pages of a large object can be told from the rest: a
 * unit of which but a part is among them is not.
 */
static inline unsigned long ph_unit_whole(struct page **pages, unsigned long nr)
{
	unsigned long unit = round_down(nr, PH_UNIT_PAGES);

	return nr > unit && PageCompound(pages[unit]) ? unit : nr;
}

#endif /* _PH_UNIT_H */
