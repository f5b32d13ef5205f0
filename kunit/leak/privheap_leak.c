// SPDX-License-Identifier: GPL-2.0
/* Memory that is lost on purpose, for those who look for leaks to find. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>

#define LEAKS	20

/* Not inlined: the trace of what is lost names it, as long as the module is there. */
static noinline bool leak_one(int i)
{
	return kmalloc(1000 + i, GFP_KERNEL);
}

static int __init leak_init(void)
{
	int i;

	/* Of so many no stale pointer on some stack hides all. */
	for (i = 0; i < LEAKS; i++)
		if (!leak_one(i))
			return -ENOMEM;
	return 0;
}

static void __exit leak_exit(void)
{
}

module_init(leak_init);
module_exit(leak_exit);

MODULE_DESCRIPTION("Memory that is lost on purpose");
MODULE_LICENSE("GPL");
