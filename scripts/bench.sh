#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measures on a stock kernel in QEMU, in instructions, and prints the table;
# build/bench/results.json holds the same figures. What each row means is in
# tools/bench/rows.txt.
#
#   bench.sh [VM OPTION]...    e.g. --kernel 6.12, --append init_on_alloc=0
#
# SHORT=1: small loops, to see in two minutes that every row still runs.
# TEXT=file: another text for the string stream.
set -eu
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench-build.sh"

short=${SHORT:-}
[ "$short" != 0 ] || short=

measure() {
	local adds=() program

	for program in privheap-bench peer-glibc peer-mimalloc peer-jemalloc peer-tcmalloc; do
		adds+=(--add "$out/programs/$program")
	done
	"$top/scripts/vm.sh" --icount --kernel "$release" --timeout 3600 \
		--append "nokaslr" --env SHORT="$short" \
		--add "$built/privheap.ko" --add "$out/module/privheap_bench.ko" \
		--add "$text:/data/text" --add "$config:/data/config" "${adds[@]}" \
		--script "$top/scripts/guest/bench.sh" \
		--get "/tmp/measurements:$out/measurements" --log "$out/console.log" "$@"
}

report() {
	awk -f "$top/scripts/bench-report.awk" -v json="$out/results.json" \
		"$top/tools/bench/rows.txt" "$out/measurements" | tee "$out/table.txt"
	return "${PIPESTATUS[0]}"
}

choose_kernel "$@"
rm -f "$out/results.json" "$out/measurements"
build
measure "$@" || die "measuring failed, see $out/console.log"
report
