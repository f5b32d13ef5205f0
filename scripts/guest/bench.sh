#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the benchmarks of one part in the guest and leaves the lines for the
# report in /tmp/measurements. The first failure ends it: a table with holes is
# none. The parts are explained in scripts/bench.sh.
set -eu

text=/data/text
results=/tmp/measurements
door=/sys/kernel/debug/privheap_bench

machine() {
	case $PART in
	um) echo "user-mode Linux$(um_checks)" ;;
	smp2 | threads) echo "QEMU, 2 CPUs, wall time" ;;
	*) echo "QEMU icount, 1 CPU" ;;
	esac
}

# A kernel that looks for its own mistakes is slower, and not evenly.
um_checks() {
	! grep -q '^CONFIG_PROVE_LOCKING=y' /data/config || echo ", lockdep"
}

# The distribution zeroes what it allocates unless the command line says not to.
init_on_alloc() {
	set -- "$(sed 's/.*init_on_alloc=\([01]\).*/\1/;t;d' /proc/cmdline)"
	[ -n "$1" ] || set -- "$(grep -c '^CONFIG_INIT_ON_ALLOC_DEFAULT_ON=y' /data/config || true)"
	echo "init_on_alloc=$1"
}

describe() {
	slab=$(tr ' ' '\n' </proc/cmdline | grep '^sl[au]b_' | tr '\n' ' ')
	printf 'part\t%s\n' "$PART"
	printf 'environment\tLinux %s %s, %s, %s%s%s\n' "$(uname -r)" "$(uname -m)" \
		"$(machine)" "$(init_on_alloc)" "${slab:+, ${slab% }}" "${SHORT:+, SHORT}"
}

# In wall time a round has to be long beside the clock's step, and interrupts
# and other processes spoil many.
patience() {
	[ "$PART" = um ] || return 0
	if [ -n "$SHORT" ]; then echo repeat=20 rounds=100; else echo repeat=20 rounds=1000; fi
}

load() {
	insmod /modules/privheap.ko "$@"
	# shellcheck disable=SC2046 # several parameters
	insmod /modules/privheap_bench.ko short="${SHORT:-0}" $(patience)
}

unload() {
	rmmod privheap_bench
	rmmod privheap
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

# The kernel door and SLUB, one after the other.
kernel_rows() {
	echo "  kernel door: $1" >&2
	cat $door/"$1" >>$results
}

# Half a huge page would count as a whole one, which is not the allocator's
# fault; but for its speed it gets what the distribution gives it.
huge_pages() {
	echo "$1" >/sys/kernel/mm/transparent_hugepage/enabled
}

peers() {
	peer privheap speed
	for name in glibc mimalloc jemalloc tcmalloc; do
		peer $name speed
		peer $name huge
		peer $name alone
		peer $name crowded
		huge_pages never
		peer $name waste $text
		peer $name ints
		huge_pages always
	done
}

full() {
	kernel_rows speed
	ours call
	ours scale
	ours waste $text
	ours ints
	ours kmalloc $text
	ours growable
	ours user
	ours open system
	ours policy $text
	unload
	load reserve_mb=64
	ours open reserve
	peers
}

# What is to be preloaded.
library() {
	case $1 in
	glibc) ;;
	privheap) echo /data/libprivheap-preload.so ;;
	tcmalloc) echo libtcmalloc_minimal.so.4 ;;
	*) echo "lib$1.so.2" ;;
	esac
}

# All allocators by turns; of each row the best round counts. Half a huge page
# would count as a whole one: for their memory they all get rounds without.
threads() {
	rounds="always always always always always always always never never"
	[ -z "$SHORT" ] || rounds=never
	not_heap=$(workload idle)
	: >/tmp/rounds
	for work in larson xmalloc sh8bench; do
		echo "  workload $work" >&2
		for huge in $rounds; do
			huge_pages "$huge"
			for name in privheap glibc mimalloc jemalloc tcmalloc; do
				LD_PRELOAD=$(library $name) workload "$work" $name "$not_heap" >>/tmp/rounds
			done
		done
	done
	# Whose peak is below what is live was not seen at its peak.
	awk -F '\t' '
		$2 ~ /\.rss\./ { held = $0; next }
		$2 ~ /\.live\./ { split(held, peak, FS); if (peak[4] >= $4) print held }
		{ print }' /tmp/rounds |
	awk -F '\t' '{ key = $2 "\t" $3
		if (!(key in best)) order[++n] = key
		if (!(key in best) || $4 < best[key]) best[key] = $4
		unit[key] = $5 }
		END { for (i = 1; i <= n; i++)
			print "measure\t" order[i] "\t" best[order[i]] "\t" unit[order[i]] }' \
		/tmp/rounds >>$results
}

describe >$results
load
case $PART in
full) full ;;
door | um) kernel_rows speed ;;
books) kernel_rows checked; kernel_rows order ;;
smp2) kernel_rows smp ;;
threads) threads ;;
*) echo "no such part: $PART" >&2; exit 1 ;;
esac
unload
echo "end" >>$results
