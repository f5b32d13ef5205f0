// SPDX-License-Identifier: GPL-2.0
/*
 * Size classes. The model lists them one after the other, by what the comment
 * says of them: a unit apart up to a limit, then each doubling in equal steps.
 */
#include "policy.h"
#include "targets.h"

/* The model's next class after one of @size bytes. */
static u64 next_class(const struct ph_policy *policy, u64 size)
{
	u64 doubling = policy->class_linear;

	if (size < policy->class_linear)
		return size + policy->class_unit;
	while (doubling * 2 <= size)
		doubling *= 2;
	return size + (doubling >> policy->class_shift);
}

void target_policy(struct feed *feed)
{
	const struct ph_policy *policy;
	u32 want, index = 0;
	u64 size;

	CHECK(!ph_policy(3 + feed_byte(feed)));
	policy = ph_policy(feed_byte(feed) % 3);
	CHECK(policy);
	want = feed_word(feed) % (1u << (1 + feed_byte(feed) % 20)) + 1;
	for (size = policy->class_unit; size < want; index++)
		size = next_class(policy, size);
	CHECK(ph_policy_class_index(policy, want) == index);
	CHECK(ph_policy_class_size(policy, index) == size);
}
