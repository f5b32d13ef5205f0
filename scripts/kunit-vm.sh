#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the KUnit suites in a virtual machine with two CPUs, on a kernel that
# has KUnit.
#
#   kunit-vm.sh NAME KDIR [VM OPTION]...
#
# KDIR is the kernel's build folder. The kernel's log is kept in
# build/check/NAME.dmesg, the console in NAME.log, the sums in NAME.sums.
set -eu
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: kunit-vm.sh NAME KDIR [VM OPTION]..."
name=$1
kdir=$2
shift 2
results=$top/build/check
mkdir -p "$results"
rm -f "$results/$name".*
out=$("$top/scripts/module.sh" "$kdir")
status=0 problem=''
"$top/scripts/vm.sh" --smp 2 --mem 1024 --timeout "${TIMEOUT:-1200}" "$@" \
	--script "$top/scripts/guest/kunit.sh" \
	--add "$out/privheap.ko" --add "$out/privheap_kunit.ko" \
	--get "/tmp/kunit.dmesg:$results/$name.dmesg" \
	--log "$results/$name.log" || status=$?
# Rather the kernel's log than the console, where the guest's lines mix in.
stream=$results/$name.log
[ ! -e "$results/$name.dmesg" ] || stream=$results/$name.dmesg
[ $status = 0 ] || problem="the guest ended with status $status"
"$top/scripts/ktap.py" --suites "$(suite_count "$out/privheap_kunit.ko")" \
	${problem:+--fail "$problem"} --save "$results/$name.sums" "$stream"
