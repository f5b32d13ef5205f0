#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make check`: the KUnit suites in user-mode Linux, then the selftests on a
# stock Debian kernel, the kernel door under stress there, and one line for all.
set -eu
. "$(dirname "$0")/lib.sh"

results=$top/build/check
"$top/scripts/setup.sh" build vm kunit
mkdir -p "$results"
rm -f "$results"/*.sums
status=0

say "KUnit suites (user-mode Linux):"
"$top/scripts/kunit.sh" || status=1

say "Selftests (stock kernel, two CPUs; as root, then as nobody):"
kdir=$(headers_dir 6.1 amd64)
out=$("$top/scripts/module.sh" "$kdir")
make -s -C "$top/tools"
"$top/scripts/selftests.sh" selftests "$out/privheap.ko" --module brd --module configfs --module null_blk \
	--env PRIVHEAP_NOBODY=1 || status=1

say "Programs of this machine on private heaps (stock kernel, two CPUs):"
"$top/scripts/preload.sh" preload "$out/privheap.ko" || status=1

say "The kernel door under stress (stock kernel, two CPUs):"
OPS=5000 "$top/scripts/door.sh" door "$kdir" || status=1

"$top/scripts/ktap.py" --add "$results/kunit.sums" --add "$results/selftests.sums" \
	--add "$results/preload.sums" \
	--add "$results/door.sums" || status=1
exit $status
