#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the example and the stress of the kernel door in a virtual machine with
# two CPUs, one of which comes and goes.
#
#   door.sh NAME KDIR [VM OPTION]...
#
# KDIR is what the modules are built against. OPS=n: operations of each thread.
# The stream is kept in build/check/NAME.ktap, the console in NAME.log, the sums
# in NAME.sums. Without VM options: the newest stock 6.1 of Debian.
set -eu
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: door.sh NAME KDIR [VM OPTION]..."
name=$1
kdir=$2
shift 2
results=$top/build/check
mkdir -p "$results"
rm -f "$results/$name".*
out=$("$top/scripts/module.sh" "$kdir")
build_beside "$kdir" "$out" example
build_beside "$kdir" "$out" stress
status=0 problem=''
"$top/scripts/vm.sh" --smp 2 --mem 1024 --timeout "${TIMEOUT:-900}" "$@" \
	--script "$top/scripts/guest/stress-door.sh" --env "OPS=${OPS:-20000}" \
	--add "$out/privheap.ko" --add "$out/example/privheap_example.ko" \
	--add "$out/stress/privheap_stress.ko" \
	--get "/tmp/door.ktap:$results/$name.ktap" \
	--log "$results/$name.log" || status=$?
# A guest that died could not send its stream: what the console saw, then.
[ -e "$results/$name.ktap" ] || cp "$results/$name.log" "$results/$name.ktap"
[ $status = 0 ] || problem="the guest ended with status $status"
"$top/scripts/ktap.py" ${problem:+--fail "$problem"} \
	--save "$results/$name.sums" "$results/$name.ktap"
