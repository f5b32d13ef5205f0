// SPDX-License-Identifier: GPL-2.0
/*
 * Each file in debugfs/privheap_bench is one benchmark: reading it runs it.
 * kmalloc is written first: an array of 32-bit sizes in bytes.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "bench.h"

bool bench_short;
module_param_named(short, bench_short, bool, 0400);
MODULE_PARM_DESC(short, "only see that all rows work");

unsigned int bench_rounds = 25;
module_param_named(rounds, bench_rounds, uint, 0400);
MODULE_PARM_DESC(rounds, "of which the cheapest counts");

unsigned int bench_repeat = 1;
module_param_named(repeat, bench_repeat, uint, 0400);
MODULE_PARM_DESC(repeat, "times as long rounds, for a clock that is coarse");

static struct dentry *folder;
static s64 kmalloc_result;

static ssize_t kmalloc_write(struct file *file, const char __user *buffer,
			     size_t bytes, loff_t *pos)
{
	u32 *sizes;
	s64 held;

	if (!bytes || bytes % sizeof(*sizes) || bytes > SZ_64M)
		return -EINVAL;
	sizes = vmemdup_user(buffer, bytes);
	if (IS_ERR(sizes))
		return PTR_ERR(sizes);
	held = bench_kmalloc_held(sizes, bytes / sizeof(*sizes));
	kvfree(sizes);
	if (held < 0)
		return held;
	kmalloc_result = held;
	return bytes;
}

static ssize_t kmalloc_read(struct file *file, char __user *buffer,
			    size_t bytes, loff_t *pos)
{
	char text[24];
	int length = scnprintf(text, sizeof(text), "%lld\n", kmalloc_result);

	return simple_read_from_buffer(buffer, bytes, pos, text, length);
}

static const struct file_operations kmalloc_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = kmalloc_read,
	.write = kmalloc_write,
	.llseek = default_llseek,
};

DEFINE_SHOW_ATTRIBUTE(bench_speed);
DEFINE_SHOW_ATTRIBUTE(bench_checked);
DEFINE_SHOW_ATTRIBUTE(bench_order);
DEFINE_SHOW_ATTRIBUTE(bench_smp);

static int bench_clear_page_show(struct seq_file *out, void *unused)
{
	s64 cost = bench_clear_page();

	if (cost < 0)
		return cost;
	seq_printf(out, "%lld\n", div_s64(cost, 1000));
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(bench_clear_page);

static int __init privheap_bench_init(void)
{
	folder = debugfs_create_dir("privheap_bench", NULL);
	debugfs_create_file("kmalloc", 0600, folder, NULL, &kmalloc_fops);
	debugfs_create_file("speed", 0400, folder, NULL, &bench_speed_fops);
	debugfs_create_file("checked", 0400, folder, NULL, &bench_checked_fops);
	debugfs_create_file("order", 0400, folder, NULL, &bench_order_fops);
	debugfs_create_file("smp", 0400, folder, NULL, &bench_smp_fops);
	debugfs_create_file("clear_page", 0400, folder, NULL,
			    &bench_clear_page_fops);
	return 0;
}

static void __exit privheap_bench_exit(void)
{
	debugfs_remove(folder);
}

module_init(privheap_bench_init);
module_exit(privheap_bench_exit);

MODULE_DESCRIPTION("Benchmarks for privheap that only the kernel can run");
MODULE_LICENSE("GPL");
