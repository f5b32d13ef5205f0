/* SPDX-License-Identifier: GPL-2.0 */
/* Count: a sum with a maximum, changed by many at once. */
#ifndef _PH_COUNT_H
#define _PH_COUNT_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <asm/local64.h>

/*
 * A word that another CPU counts or exchanges in its own time. data_race(): it does
 * so without a mark, in as few instructions as can be; a moment later is as good.
 */
#define ph_count_peek(word)	data_race(READ_ONCE(word))

/*
 * Count @n more in a word of this CPU's, with preemption off: an interrupt that comes
 * meanwhile may count in it as well, and neither is lost.
 */
#define ph_count_add(word, n)						\
do {									\
	static_assert(sizeof(*(word)) == sizeof(local64_t));		\
	local64_add(n, (local64_t *)(word));				\
} while (0)

/**
 * ph_count_charge() - add to a sum unless that would exceed its maximum
 * @sum: the sum
 * @by: how much
 * @max: its maximum
 * @now: (out) the sum afterwards
 *
 * Not by adding and taking back: that would refuse another one meanwhile for
 * whom there is room.
 *
 * Context: any.
 * Return: 0 or -EDQUOT.
 */
static inline int ph_count_charge(atomic64_t *sum, u64 by, u64 max, u64 *now)
{
	s64 old = atomic64_read(sum);

	do {
		if (unlikely(by > max || (u64)old > max - by))
			return -EDQUOT;
		*now = old + by;
	} while (!atomic64_try_cmpxchg(sum, &old, *now));
	return 0;
}

#endif /* _PH_COUNT_H */
