#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measures on stock kernels in QEMU, in instructions, and what instructions do
# not show in wall time; prints a table for each environment.
# build/bench/results.json holds the same figures. What each row means is in
# tools/bench/rows.txt.
#
#   bench.sh                   every part below
#   bench.sh VM OPTION...      all rows for instructions on one kernel,
#                              e.g. --kernel 6.12, --append init_on_alloc=0
#
# SHORT=1: small loops and each part once, to see that every row still runs.
# PARTS="full door": only these parts:
#   full   all rows for instructions, stock 6.1
#   door   the rows of the kernel door: 6.1 and 6.12, with and without
#          init_on_alloc
#   books  memory per object, and caches that look for mistakes
#   smp    two CPUs
#   um     the kernel door in nanoseconds, in user-mode Linux
# TEXT=file: another text for the string stream.
set -eu
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench-build.sh"

short=${SHORT:-}
[ "$short" != 0 ] || short=
parts=${PARTS:-full door books smp um}
files=()

wanted() {
	case " $parts " in *" $1 "*) return 0 ;; esac
	return 1
}

# boot PART NAME OPTION...: one guest, whose measurements go into one file.
boot() {
	local part=$1 file=$out/measurements-$2

	shift 2
	files+=("$file")
	"$top/scripts/vm.sh" --kernel "$release" --timeout 3600 \
		--env PART="$part" --env SHORT="$short" \
		--add "$built/privheap.ko" --add "$bench_module/privheap_bench.ko" \
		--add "$config:/data/config" --script "$top/scripts/guest/bench.sh" \
		--get "/tmp/measurements:$file" --log "$file.log" "$@" ||
		die "measuring failed, see $file.log"
}

measure_full() {
	local adds=() program

	choose_kernel "$@"
	build
	for program in privheap-bench peer-glibc peer-mimalloc peer-jemalloc peer-tcmalloc; do
		adds+=(--add "$out/programs/$program")
	done
	boot full full --icount --append nokaslr --add "$text:/data/text" "${adds[@]}" "$@"
}

# Of the kernel that the last call of build_kernel_side was for.
measure_line() {
	local default=("${@:2}")

	[ ${#default[@]} = 0 ] || boot door "$1" --icount --append nokaslr
	boot door "$1-unset" --icount --append "nokaslr init_on_alloc=0"
}

measure_door() {
	choose_kernel --kernel 6.1
	build_kernel_side
	# The full part has the door's rows for the distribution's default.
	wanted full || boot door 6.1 --icount --append nokaslr
	boot door 6.1-zero0 --icount --append "nokaslr init_on_alloc=0"
	choose_kernel --kernel 6.12
	build_kernel_side
	boot door 6.12 --icount --append nokaslr
	boot door 6.12-zero0 --icount --append "nokaslr init_on_alloc=0"
}
