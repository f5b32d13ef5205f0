#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where the instructions of a benchmark go: runs one part of privheap-bench in
# the guest while a QEMU plugin counts every instruction, and prints for each
# of its rows how many fall into which function of the kernel.
#
#   profile.sh "call"                   all rows of privheap-bench call
#   profile.sh "call" ioctl.batch64     only rows that begin so
#   profile.sh "call" ioctl.batch64 ph_cache_alloc
#                                       and that function's instructions
#
# The first argument is what comes after privheap-bench, e.g. "open system".
# KERNEL=6.12: on another kernel.
set -eu
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench-build.sh"

case $# in [123]) ;; *) die "usage: profile.sh PART [ROW [FUNCTION]]" ;; esac
part=$1 row=${2:-} function=${3:-}

choose_kernel --kernel "${KERNEL:-6.1}"
build
gcc -std=gnu11 -Wall -Wextra -Werror -O2 -fPIC -shared -fvisibility=hidden \
	-o "$out/profile.so" "$top/tools/bench/profile.c"
cat >"$out/profile-guest.sh" <<END
insmod /modules/privheap.ko
insmod /modules/privheap_bench.ko
cat /proc/kallsyms >/tmp/symbols
privheap-bench $part >/tmp/rows
END
rm -f "$out"/profile-*s "$out/profile"
"$top/scripts/vm.sh" --icount --quiet --kernel "$release" --timeout 3600 \
	--append "nokaslr" --env SHORT=1 --qemu "-plugin $out/profile.so,out=$out/profile" \
	--add "$built/privheap.ko" --add "$out/module/privheap_bench.ko" \
	--add "$out/programs/privheap-bench" --add "$text:/data/text" \
	--script "$out/profile-guest.sh" --log "$out/profile.log" \
	--get "/tmp/rows:$out/profile-rows" --get "/tmp/symbols:$out/profile-symbols" ||
	say "the run failed, see $out/profile.log; what it got to:"
python3 "$top/scripts/profile-report.py" "$out" "$built/privheap.ko" "$row" "$function"
