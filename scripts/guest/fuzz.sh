#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the fuzzer in the guest, and before it some of the seeds as programs; what
# these find goes to /tmp/programs. Where the kernel can fail allocations on
# demand, the fuzzer says which; the trace that goes with each is not wanted.

inject() {
	for attribute in "$@"; do
		[ ! -w "/sys/kernel/debug/${attribute%=*}" ] ||
			echo "${attribute#*=}" >"/sys/kernel/debug/${attribute%=*}"
	done
}

inject failslab/verbose=0 failslab/ignore-gfp-wait=N \
	fail_page_alloc/verbose=0 fail_page_alloc/ignore-gfp-wait=N \
	fail_page_alloc/ignore-gfp-highmem=N fail_page_alloc/min-order=0 \
	fail_usercopy/verbose=0
# shellcheck disable=SC2086 # several parameters
insmod /modules/privheap.ko max_total_mb=8 trim_interval_ms=50 $PARAMS || exit
for program in /programs/*; do
	"$program" 2 2>>/tmp/programs || echo "$program ended with $?" >>/tmp/programs
done
# shellcheck disable=SC2086 # several options
fuzz $OPTIONS
status=$?
rmmod privheap || status=1
exit $status
