// SPDX-License-Identifier: GPL-2.0
/* What distinguishes the allocators of the types; see policy.h. */

#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/nospec.h>
#include <kunit/visibility.h>
#include <uapi/linux/privheap.h>

#include "policy.h"

static const struct ph_policy ph_policies[] = {
	[PRIVHEAP_POLICY_SPEED] = {
		.name		= "speed",
		.magazine_bytes	= 1024,
		.depot_max	= 16,
		.warm		= PH_WARM_MAX,
		.empty_max	= U32_MAX,
		.class_unit	= 16,
		.class_linear	= 128,
		.class_shift	= 2,
	},
	[PRIVHEAP_POLICY_COMPACT] = {
		.name		= "compact",
		.magazine_bytes	= 128,
		.depot_max	= 1,
		.empty_max	= 1,
		.fullest_first	= true,
		.class_unit	= 8,
		.class_linear	= 1024,
		.class_shift	= 3,
	},
	[PRIVHEAP_POLICY_GROWABLE] = {
		.name		= "growable",
		.magazine_bytes	= 256,
		.depot_max	= 4,
		.warm		= 8,
		.empty_max	= 16,
		.class_unit	= 16,
		.class_linear	= 128,
		.class_shift	= 2,
		.grow_shift	= 2,
	},
};

/**
 * ph_policy() - a policy by its number
 * @id: any number
 *
 * Context: any.
 * Return: the policy, or NULL.
 */
const struct ph_policy *ph_policy(u32 id)
{
	if (id >= ARRAY_SIZE(ph_policies))
		return NULL;
	return &ph_policies[array_index_nospec(id, ARRAY_SIZE(ph_policies))];
}
EXPORT_SYMBOL_IF_KUNIT(ph_policy);

/**
 * ph_policy_class_index() - the smallest size class that holds a size
 * @policy: whose classes
 * @size: bytes, at least 1
 *
 * Classes are @class_unit apart up to @class_linear, a power of two; then each
 * doubling is cut into 2^@class_shift equal steps.
 *
 * Context: any.
 */
u32 ph_policy_class_index(const struct ph_policy *policy, u32 size)
{
	u32 linear = policy->class_linear / policy->class_unit;
	u32 order, step_shift;

	if (size <= policy->class_linear)
		return (size - 1) / policy->class_unit;
	order = ilog2(size - 1);
	step_shift = order - policy->class_shift;
	return linear + ((order - ilog2(policy->class_linear))
			 << policy->class_shift) +
	       (((size - 1) - (1U << order)) >> step_shift);
}
EXPORT_SYMBOL_IF_KUNIT(ph_policy_class_index);

/**
 * ph_policy_class_size() - the largest size that a class holds
 * @policy: whose classes
 * @index: the class
 *
 * Context: any.
 * Return: bytes.
 */
u32 ph_policy_class_size(const struct ph_policy *policy, u32 index)
{
	u32 linear = policy->class_linear / policy->class_unit;
	u32 order, step;

	if (index < linear)
		return (index + 1) * policy->class_unit;
	index -= linear;
	order = ilog2(policy->class_linear) + (index >> policy->class_shift);
	step = index & ((1U << policy->class_shift) - 1);
	return (1U << order) + ((step + 1) << (order - policy->class_shift));
}
EXPORT_SYMBOL_IF_KUNIT(ph_policy_class_size);
