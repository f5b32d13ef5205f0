#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs every program of /selftests in turn, as one KTAP stream: each program
# is a test whose own cases are nested below it. A program also fails if the
# kernel reported anything or became tainted while it ran. The stream goes to
# the console and, undisturbed by kernel messages, to /tmp/selftests.ktap.

limit=${PRIVHEAP_TEST_TIMEOUT:-300}
stream=/tmp/selftests.ktap
failed=0

emit() {
	echo "$*" | tee -a $stream
}

taint() {
	cat /proc/sys/kernel/tainted
}

# Everything the kernel said since the mark of this program.
reports_since() {
	dmesg | sed -n "/privheap selftest: $1\$/,\$p" | awk -f /reports.awk
}

run_one() {
	number=$1
	name=$2
	before=$(taint)
	echo "<6>privheap selftest: $name" >/dev/kmsg
	{
		timeout "$limit" "/selftests/$name" 2>/tmp/stderr
		echo $? >/tmp/status
	} | sed 's/^/    /' | tee -a $stream
	sed 's/^/    # /' /tmp/stderr | tee -a $stream
	status=$(cat /tmp/status)
	[ "$status" != 4 ] || { emit "ok $number - $name # SKIP"; return; }
	reports=$(reports_since "$name")
	[ -z "$reports" ] || emit "$(echo "$reports" | sed 's/^/    # kernel: /')"
	[ "$(taint)" = "$before" ] || emit "    # the kernel is tainted: $before, now $(taint)"
	if [ "$status" = 0 ] && [ -z "$reports" ] && [ "$(taint)" = "$before" ]; then
		emit "ok $number - $name"
	else
		emit "not ok $number - $name (status $status)"
		failed=1
	fi
}

insmod /modules/privheap.ko || exit
names=$(cd /selftests && ls)
# shellcheck disable=SC2086 # one word per program
set -- $names
emit "KTAP version 1"
emit "1..$#"
number=0
for name in "$@"; do
	number=$((number + 1))
	run_one $number "$name"
done
# A program may have unloaded it; if it is there, nothing may hold it.
if grep -q '^privheap ' /proc/modules; then
	rmmod privheap || failed=1
fi
exit $failed
