#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Loads the module and its suites. They run while privheap_kunit.ko loads and
# report into the kernel log; its load status says nothing about them.

# KTAP is on the information level, one above what the console shows.
dmesg -n 7
trap 'dmesg >/tmp/kunit.dmesg' EXIT
# Where the kernel can make allocations fail: only those of a task that asks for
# it, and then any of them, without a word.
for fault in /sys/kernel/debug/failslab /sys/kernel/debug/fail_page_alloc; do
	[ -d $fault ] || continue
	echo 0 >$fault/verbose
	echo N >$fault/ignore-gfp-wait
	echo Y >$fault/task-filter
	echo -1 >$fault/times
	echo 100 >$fault/probability
	# Single pages do not fail by default.
	[ ! -e $fault/min-order ] || echo 0 >$fault/min-order
done
insmod /modules/privheap.ko || exit
insmod /modules/privheap_kunit.ko || exit
rmmod privheap_kunit && rmmod privheap
