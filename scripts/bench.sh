#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measures on stock kernels in QEMU, in instructions, and what instructions do
# not show in wall time; prints a table for each environment.
# build/bench/results.json holds the same figures. What each row means is in
# tools/bench/rows.txt.
#
#   bench.sh                 every part below
#   bench.sh VM OPTION...    the full part on another kernel, e.g.
#                            --kernel 6.12, --append init_on_alloc=0
#
# SHORT=1: small loops and one boot of each part, to see that every row runs.
# PARTS="door um": only these parts:
#   full   all rows that count instructions, on 6.1
#   door   those of the kernel door, on 6.1 and 6.12, with the distribution's
#          init_on_alloc and without
#   books  the kernel door's memory, and caches that look for mistakes
#   smp2   the kernel door on two CPUs, in wall time
#   threads two threads with the malloc() of each library, in wall time
#   um     the kernel door in user-mode Linux, in nanoseconds
# TEXT=file: another text for the string stream.
set -eu
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench-build.sh"

short=${SHORT:-}
[ "$short" != 0 ] || short=
default_parts="full door books smp2 threads um"
[ $# = 0 ] || default_parts=full
parts=${PARTS:-$default_parts}
first=
files=()
library=$top/build/tools/libprivheap-preload.so

wanted() {
	case " $parts " in *" $1 "*) return 0 ;; esac
	return 1
}

# boot PART NAME VM OPTION...: one guest with the modules that were built last;
# what it measures goes into a file of that name.
boot() {
	local part=$1 file=$out/measurements-$2

	shift 2
	files+=("$file")
	${first:+nice -n -15} "$top/scripts/vm.sh" --kernel "$release" --timeout 3600 \
		--env PART="$part" --env SHORT="$short" \
		--add "$built/privheap.ko" --add "$bench_module/privheap_bench.ko" \
		--add "$config:/data/config" --script "$top/scripts/guest/bench.sh" \
		--get "/tmp/measurements:$file" --log "$file.log" "$@" ||
		die "measuring failed, see $file.log"
}

bench_programs() {
	run_logged "bench programs" "$out/programs.log" \
		make -C "$top/tools/bench" OUT="$out/programs"
}

measure_full() {
	local adds=() program

	bench_programs
	for program in privheap-bench peer-privheap peer-glibc peer-mimalloc peer-jemalloc peer-tcmalloc; do
		adds+=(--add "$out/programs/$program")
	done
	boot full full --icount --append nokaslr --add "$text:/data/text" "${adds[@]}" \
		--add "$library:/data/${library##*/}" "$@"
}

# A cache of SLUB's looks for mistakes if the command line names it, and has
# its memory to itself if it says that, too.
measure_books() {
	boot books "books-$1" --icount \
		--append "nokaslr slab_nomerge slub_debug=FZPU,privheap_bench_check"
}

# Before others who want the two CPUs, where we may.
measure_smp2() {
	first=1 boot smp2 "smp2-$1" --smp 2 --append "nokaslr tsc=reliable clocksource=tsc"
}

# One after the other on both CPUs, and before others who want them.
measure_threads() {
	local adds=() name

	bench_programs
	# Who brings a library along brings what it needs.
	for name in mimalloc jemalloc tcmalloc; do
		adds+=(--add "$out/programs/peer-$name")
	done
	first=1 boot threads threads --smp 2 --append "tsc=reliable clocksource=tsc" \
		--add "$out/programs/workload" "${adds[@]}" \
		--add "$library:/data/${library##*/}"
}

# The full part has the rows of the door for the default of 6.1.
measure_door() {
	if [ "$1" != 6.1 ] || ! wanted full; then
		boot door "door-$1" --icount --append nokaslr
	fi
	[ -n "$short" ] ||
		boot door "door-$1-zero0" --icount --append "nokaslr init_on_alloc=0"
}

# measure_line LINE [VM OPTION]...: all parts that need a stock kernel.
measure_line() {
	local line=$1 part

	shift
	[ $# != 0 ] || set -- --kernel "$line"
	choose_kernel "$@"
	build_kernel_side
	if [ "$line" = 6.1 ] && wanted full; then measure_full "$@"; fi
	if [ "$line" = 6.1 ] && wanted threads; then measure_threads; fi
	for part in door books smp2; do
		if wanted $part; then "measure_$part" "$line"; fi
	done
}

# One kernel is enough to see that the rows run.
needs_612() {
	[ -z "$short" ] && { wanted door || wanted books || wanted smp2; }
}

measure() {
	measure_line 6.1 "$@"
	if needs_612; then measure_line 6.12; fi
	if wanted um; then
		files+=("$out/measurements-um")
		SHORT=$short nice -n -15 "$top/scripts/bench-um.sh" "$out/measurements-um"
	fi
}

report() {
	awk -f "$top/scripts/bench-report.awk" -v json="$out/results.json" \
		"$top/tools/bench/rows.txt" "${files[@]}" | tee "$out/table.txt"
	return "${PIPESTATUS[0]}"
}

[ -r "$text" ] || die "cannot read $text"
packages
! needs_612 || newer_line_packages
! wanted um || "$top/scripts/setup.sh" kunit
rm -f "$out/results.json" "$out"/measurements*
measure "$@"
report
