#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs every program of /selftests in turn, as one KTAP stream: each program
# is a test whose own cases are nested below it. A program also fails if the
# kernel reported anything while it ran, or is tainted. The stream goes to
# the console and, undisturbed by kernel messages, to /tmp/selftests.ktap.
#
# With kmemleak=on among the kernel's parameters, what the programs and the
# module leave behind is looked for at the end.
#
# With PRIVHEAP_NOBODY set all of them run once more as a user without privileges,
# in short; what has to be root is skipped then.

limit=${PRIVHEAP_TEST_TIMEOUT:-600}
. /watch.sh
. /leaks.sh
stream=/tmp/selftests.ktap
failed=0

emit() {
	echo "$*" | tee -a $stream
}

run_one() {
	number=$1
	name=$2
	watch_mark "$name"
	program=/selftests/$3
	user=$4
	{
		if [ "$user" = root ]; then
			timeout "$limit" "$program" 2>/tmp/stderr
		else
			timeout "$limit" su -s /bin/sh "$user" -c "exec $program" 2>/tmp/stderr
		fi
		echo $? >/tmp/status
	} | sed 's/^/    /' | tee -a $stream
	sed 's/^/    # /' /tmp/stderr | tee -a $stream
	status=$(cat /tmp/status)
	[ "$status" != 4 ] || { emit "ok $number - $name # SKIP"; return; }
	findings=$(watch_since "$name" | watch_findings)
	[ -z "$findings" ] || emit "$(echo "$findings" | sed 's/^/    # kernel: /')"
	if [ "$status" = 0 ] && [ -z "$findings" ]; then
		emit "ok $number - $name"
	else
		emit "not ok $number - $name (status $status)"
		failed=1
	fi
}

# What an administrator gives to a group, here to everyone, with a look at the
# counters that the tests compare.
let_nobody() {
	chmod 666 /dev/privheap
	chmod 755 /sys/kernel/debug
	chmod 444 /sys/kernel/debug/privheap/*
}

# no_leak NUMBER WHEN: a test of its own.
no_leak() {
	if leaks_print >/tmp/found; then
		emit "ok $1 - no leak $2"
	else
		sed 's/^/    # /' /tmp/found | tee -a $stream
		emit "not ok $1 - no leak $2"
		failed=1
	fi
}

leaks=0
! grep -q kmemleak=on /proc/cmdline || leaks=2
insmod /modules/privheap.ko || exit
names=$(cd /selftests && ls)
# shellcheck disable=SC2086 # one word per program
set -- $names
emit "KTAP version 1"
emit "1..$(($# * (${PRIVHEAP_NOBODY:+1} + 1) + leaks))"
number=0
for name in "$@"; do
	number=$((number + 1))
	run_one $number "$name" "$name" root
done
if [ -n "$PRIVHEAP_NOBODY" ]; then
	export PRIVHEAP_SCALE=small
	let_nobody
	for name in "$@"; do
		number=$((number + 1))
		run_one $number "nobody-$name" "$name" nobody
	done
fi
[ $leaks = 0 ] || no_leak $((number + 1)) "of the programs"
# A program may have unloaded it; if it is there, nothing may hold it.
if grep -q '^privheap ' /proc/modules; then
	rmmod privheap || failed=1
fi
[ $leaks = 0 ] || no_leak $((number + 2)) "of the module"
exit $failed
