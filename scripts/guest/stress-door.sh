#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel door in the guest: the example, then the stress, while a CPU comes
# and goes and the kernel is asked for its caches. One KTAP stream, on the
# console and in /tmp/door.ktap: a line for the example, one for each kind of
# caller, and one for each thing that has to be so afterwards.

. /watch.sh
stream=/tmp/door.ktap
stress=/sys/kernel/debug/privheap_stress
parameters=/sys/module/privheap/parameters
cpu=/sys/devices/system/cpu/cpu1/online
number=0
failed=0

emit() {
	echo "$*" | tee -a $stream
}

# judge STATUS WHAT: one test case.
judge() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		emit "ok $number - $2"
	else
		emit "not ok $number - $2"
		failed=1
	fi
}

all_answers_right() {
	dmesg | grep 'privheap_example: .* wrong answers' | tail -n 1 | grep -q ' 0 wrong'
}

# example CHECKS: as its owner has it, or with checks of all of its caches.
example() {
	echo "$1" >$parameters/check_caches
	insmod /modules/privheap_example.ko
	judge $? "example loads${1:+, checked for $1}"
	all_answers_right
	judge $? "example answers${1:+, checked for $1}"
	rmmod privheap_example
	judge $? "example ends${1:+, checked for $1}"
}

disturb() {
	while [ -e /tmp/disturb ]; do
		echo 0 >"$cpu" && echo 1 >"$cpu" && echo gone >>/tmp/hotplugs
		echo 3 >/proc/sys/vm/drop_caches
	done
}

run_stress() {
	touch /tmp/disturb /tmp/hotplugs
	disturb 2>/tmp/stderr &
	status=0
	echo "$OPS" >"$stress/run" || status=1
	rm /tmp/disturb
	wait
	return "$status"
}

# One line for each kind of caller: its faults, what it did, its name.
judge_callers() {
	while read -r faults ops name; do
		[ "$faults" = 0 ] || emit "# $name: $faults faults"
		[ "$faults" = 0 ] && [ "$ops" -gt 0 ]
		judge $? "$name: $ops"
	done </tmp/result
}

emit "KTAP version 1"
# Short intervals, so that some end while a CPU is away.
insmod /modules/privheap.ko trim_interval_ms=10 || exit
for checks in '' '*=ZT' '*'; do
	example "$checks"
done
echo >$parameters/check_caches
insmod /modules/privheap_stress.ko || exit
run_stress
judge $? "stress runs"
cat "$stress/result" >/tmp/result
judge_callers
[ "$(wc -l </tmp/result)" = 14 ]
judge $? "all callers are there"
[ -s /tmp/hotplugs ]
judge $? "a CPU came and went: $(wc -l </tmp/hotplugs)"
rmmod privheap_stress
judge $? "stress ends"
rmmod privheap
judge $? "privheap ends"
[ -z "$(dmesg | watch_findings)" ]
judge $? "the kernel reports nothing"
emit "1..$number"
dmesg | grep -E 'privheap(_stress)?: ' | sed 's/^/# /' | head -n 20
exit $failed
