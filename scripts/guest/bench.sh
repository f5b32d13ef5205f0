#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs every benchmark in the guest and leaves the lines for the report in
# /tmp/measurements. The first failure ends it: a table with holes is none.
set -eu

text=/data/text
results=/tmp/measurements

# The distribution zeroes what it allocates unless the command line says not to.
describe() {
	init_on_alloc=$(sed 's/.*init_on_alloc=\([01]\).*/\1/;t;d' /proc/cmdline)
	[ -n "$init_on_alloc" ] ||
		init_on_alloc=$(grep -c '^CONFIG_INIT_ON_ALLOC_DEFAULT_ON=y' /data/config) || true
	printf 'environment\tLinux %s %s, QEMU icount, 1 CPU, init_on_alloc=%s%s\n' \
		"$(uname -r)" "$(uname -m)" "$init_on_alloc" "${SHORT:+, SHORT}"
}

ours() {
	echo "  privheap-bench $*" >&2
	privheap-bench "$@" >>$results
}

peer() {
	program=peer-$1
	shift
	echo "  $program $*" >&2
	"$program" "$@" >>$results
}

# Half a huge page would count as a whole one, which is not the allocator's
# fault; but for its speed it gets what the distribution gives it.
huge_pages() {
	echo "$1" >/sys/kernel/mm/transparent_hugepage/enabled
}

describe >$results
insmod /modules/privheap_bench.ko
insmod /modules/privheap.ko
cat /sys/kernel/debug/privheap_bench/slub >>$results
ours call
ours scale
ours waste $text
ours ints
ours kmalloc $text
ours growable
ours open system
ours policy $text
rmmod privheap
insmod /modules/privheap.ko reserve_mb=64
ours open reserve
for name in glibc mimalloc jemalloc tcmalloc; do
	peer $name speed
	peer $name alone
	peer $name crowded
	huge_pages never
	peer $name waste $text
	peer $name ints
	huge_pages always
done
echo "end" >>$results
