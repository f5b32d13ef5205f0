// SPDX-License-Identifier: GPL-2.0
/* Parameters, and init and exit in order; nothing else. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "check.h"
#include "debugfs.h"
#include "dev.h"
#include "host.h"
#include "magazine.h"
#include "reclaim.h"
#include "region.h"
#include "reserve.h"

#define PH_MB_MAX	((unsigned int)(PH_REGION_MAX_BYTES >> 20))

static int ph_set_mb(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, PH_MB_MAX);
}

static const struct kernel_param_ops ph_mb_ops = {
	.set = ph_set_mb,
	.get = param_get_uint,
};

static unsigned int reserve_mb;
module_param_cb(reserve_mb, &ph_mb_ops, &reserve_mb, 0444);
MODULE_PARM_DESC(reserve_mb,
		 "Memory to set aside for all heaps when the module is loaded, in MiB (default 0)");

static unsigned int max_total_mb;

static void ph_apply_max_total(void)
{
	ph_reserve_set_max(max_total_mb ? (u64)max_total_mb << 20 : U64_MAX);
}

static int ph_set_max_total(const char *val, const struct kernel_param *kp)
{
	int err = ph_set_mb(val, kp);

	if (!err)
		ph_apply_max_total();
	return err;
}

static const struct kernel_param_ops ph_max_total_ops = {
	.set = ph_set_max_total,
	.get = param_get_uint,
};

module_param_cb(max_total_mb, &ph_max_total_ops, &max_total_mb, 0644);
MODULE_PARM_DESC(max_total_mb,
		 "The most that all heaps together may hold, in MiB; 0: no limit (default 0)");

static unsigned int max_heap_mb;

static int ph_set_max_heap(const char *val, const struct kernel_param *kp)
{
	int err = ph_set_mb(val, kp);

	if (!err)
		ph_dev_set_max_heap(max_heap_mb ? (u64)max_heap_mb << 20 :
						  PH_REGION_MAX_BYTES);
	return err;
}

static const struct kernel_param_ops ph_max_heap_ops = {
	.set = ph_set_max_heap,
	.get = param_get_uint,
};

module_param_cb(max_heap_mb, &ph_max_heap_ops, &max_heap_mb, 0644);
MODULE_PARM_DESC(max_heap_mb,
		 "The most that a heap opened from now on may hold, in MiB; 0: no limit but the address space of a heap (default 0)");

static unsigned int trim_interval_ms = 2000;

static int ph_set_trim_interval(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint_minmax(val, kp, 10, 3600 * 1000);

	if (!err)
		ph_reclaim_set_interval(trim_interval_ms);
	return err;
}

static const struct kernel_param_ops ph_trim_interval_ops = {
	.set = ph_set_trim_interval,
	.get = param_get_uint,
};

module_param_cb(trim_interval_ms, &ph_trim_interval_ops, &trim_interval_ms,
		0644);
MODULE_PARM_DESC(trim_interval_ms,
		 "How often caches are trimmed to their working set, in ms, 10 to 3600000 (default 2000)");

static int ph_set_check_caches(const char *val, const struct kernel_param *kp)
{
	return ph_checklist_set(val);
}

static int ph_get_check_caches(char *buffer, const struct kernel_param *kp)
{
	int len = ph_checklist_get(buffer, PH_CHECKLIST_LEN);

	return len + sprintf(buffer + len, "\n");
}

static const struct kernel_param_ops ph_check_caches_ops = {
	.set = ph_set_check_caches,
	.get = ph_get_check_caches,
};

module_param_cb(check_caches, &ph_check_caches_ops, NULL, 0644);
MODULE_PARM_DESC(check_caches,
		 "Caches of other modules that are checked for mistakes of their users when they are created from now on: names, separated by commas, or * or all; name=LETTERS chooses checks: P poison, Z red zones, T who allocated and freed (default none)");

static int __init ph_init(void)
{
	int err;

	ph_cpu_init_places();
	if (((u64)reserve_mb << 20) >> PAGE_SHIFT > totalram_pages() / 2) {
		pr_err("reserve_mb=%u: more than half of this machine's memory\n",
		       reserve_mb);
		return -EINVAL;
	}
	err = ph_reserve_init(((unsigned long)reserve_mb << 20) >> PAGE_SHIFT);
	if (err) {
		pr_err("reserve_mb=%u: so much memory is not to be had\n",
		       reserve_mb);
		return err;
	}
	err = ph_host_init();
	if (err)
		goto err_reserve;
	err = ph_reclaim_init();
	if (err)
		goto err_host;
	ph_debugfs_init();
	err = ph_dev_init();
	if (err)
		goto err_debugfs;
	return 0;

err_debugfs:
	ph_debugfs_exit();
	ph_reclaim_exit();
err_host:
	ph_host_exit();
err_reserve:
	ph_reserve_exit();
	return err;
}
module_init(ph_init);

static void __exit ph_exit(void)
{
	ph_dev_exit();
	ph_debugfs_exit();
	ph_reclaim_exit();
	ph_host_exit();
	ph_reserve_exit();
}
module_exit(ph_exit);

MODULE_DESCRIPTION("Private typed heaps for programs and modules");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
