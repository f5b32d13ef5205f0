#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the user-space selftests in a virtual machine with two CPUs.
#
#   selftests.sh NAME KO [VM OPTION]...
#
# The stream is kept in build/check/NAME.ktap, the console in NAME.log, the
# sums in NAME.sums. Without VM options: the newest stock 6.1 of Debian.
set -eu
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: selftests.sh NAME KO [VM OPTION]..."
name=$1
ko=$2
shift 2
results=$top/build/check
programs=()
# ONLY="name..." runs some of the programs.
# shellcheck disable=SC2086 # several words, and patterns
for program in $(cd "$top/build/tools/selftests" && echo ${ONLY:-*}); do
	programs+=(--add "$top/build/tools/selftests/$program:/selftests/$program")
done
rm -f "$results/$name".*
status=0 problem=''
"$top/scripts/vm.sh" --smp 2 --mem 1024 --timeout "${TIMEOUT:-1500}" "$@" \
	--script "$top/scripts/guest/selftests.sh" --add "$ko" "${programs[@]}" \
	--add "$top/build/tools/libprivheap-preload.so:/libprivheap-preload.so" \
	--add "$top/scripts/guest/leaks.sh:/leaks.sh" \
	--get "/tmp/selftests.ktap:$results/$name.ktap" \
	--log "$results/$name.log" || status=$?
# A guest that died could not send its stream: what the console saw, then.
[ -e "$results/$name.ktap" ] || cp "$results/$name.log" "$results/$name.ktap"
[ $status = 0 ] || problem="the guest ended with status $status"
"$top/scripts/ktap.py" ${problem:+--fail "$problem"} \
	--save "$results/$name.sums" "$results/$name.ktap"
