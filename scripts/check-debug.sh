#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make check-debug`: suites and selftests on an x86_64 kernel with KASAN,
# UBSAN, lockdep and the other checks of scripts/kernel/debug.config, on two
# CPUs. Any report is a panic, and a panic is a failure.
set -eu
. "$(dirname "$0")/lib.sh"

results=$top/build/check
"$top/scripts/setup.sh" build vm debug
kdir=$("$top/scripts/kernel.sh" debug)
out=$("$top/scripts/module.sh" "$kdir")
make -s -C "$top/tools"
mkdir -p "$results"
rm -f "$results"/debug-*
vm=(--kernel-image "$kdir/arch/x86/boot/bzImage" --append "panic_on_warn=1 kunit.enable=1")
status=0

say "KUnit suites (debug kernel):"
"$top/scripts/vm.sh" "${vm[@]}" --mem 2048 --timeout 1200 \
	--script "$top/scripts/guest/kunit.sh" \
	--add "$out/privheap.ko" --add "$out/privheap_kunit.ko" \
	--get "/tmp/kunit.dmesg:$results/debug-kunit.dmesg" \
	--log "$results/debug-kunit.log" || status=$?
stream=$results/debug-kunit.log
[ ! -e "$results/debug-kunit.dmesg" ] || stream=$results/debug-kunit.dmesg
[ $status = 0 ] || problem="the guest ended with status $status"
"$top/scripts/ktap.py" --suites "$(suite_count "$out/privheap_kunit.ko")" \
	${problem:+--fail "$problem"} --save "$results/debug-kunit.sums" "$stream" || status=1

say "Selftests (debug kernel, two CPUs):"
"$top/scripts/selftests.sh" debug-selftests "$out/privheap.ko" "${vm[@]}" --mem 2048 \
	--env PRIVHEAP_SCALE=small || status=1

say "The kernel door under stress (debug kernel, then stock rt; two CPUs):"
OPS=300 "$top/scripts/door.sh" debug-door "$kdir" "${vm[@]}" --mem 2048 || status=1
OPS=3000 "$top/scripts/door.sh" debug-door-rt "$(headers_dir 6.1 rt)" --flavour rt || status=1

"$top/scripts/ktap.py" --add "$results/debug-kunit.sums" \
	--add "$results/debug-selftests.sums" --add "$results/debug-door.sums" \
	--add "$results/debug-door-rt.sums" || status=1
exit $status
