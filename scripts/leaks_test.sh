#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of guest/leaks.sh, which decides whether the module leaves memory behind,
# in a virtual machine: with a module that does.
#
#   leaks_test.sh NAME KDIR [VM OPTION]...
#
# KDIR is the build folder of a kernel with kmemleak. The console is kept in
# build/check/NAME.log, the sums in NAME.sums.
set -eu
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: leaks_test.sh NAME KDIR [VM OPTION]..."
name=$1
kdir=$2
shift 2
results=$top/build/check
mkdir -p "$results"
rm -f "$results/$name".*
out=$("$top/scripts/module.sh" "$kdir")
build_beside "$kdir" "$out" leak
status=0 problem=''
"$top/scripts/vm.sh" --timeout 600 "$@" \
	--script "$top/scripts/guest/leaks-test.sh" \
	--add "$top/scripts/guest/leaks.sh:/leaks.sh" \
	--add "$out/privheap.ko" --add "$out/leak/privheap_leak.ko" \
	--log "$results/$name.log" || status=$?
[ $status = 0 ] || problem="the guest ended with status $status"
"$top/scripts/ktap.py" ${problem:+--fail "$problem"} \
	--save "$results/$name.sums" "$results/$name.log"
