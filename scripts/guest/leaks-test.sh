#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In a guest that was booted with kmemleak=on: what leaks.sh says of a module that
# keeps its memory in order, and of one that does not, as long as it is loaded and
# once it is gone. One KTAP stream, on the console.

. /leaks.sh
failed=0

# judge NUMBER WHAT WANTED: a test case; whether leaks are found.
judge() {
	found=no
	leaks_print >/tmp/found || found=yes
	if [ "$found" = "$3" ]; then
		echo "ok $1 - $2"
	else
		sed 's/^/# /' /tmp/found
		echo "not ok $1 - $2"
		failed=1
	fi
}

echo "KTAP version 1"
echo "1..4"
insmod /modules/privheap.ko || exit
judge 1 "no leak of a module without any" no
insmod /modules/privheap_leak.ko || exit
judge 2 "leaks of a module that is loaded" yes
rmmod privheap_leak || exit
judge 3 "leaks of a module that is gone" yes
echo clear >$kmemleak
judge 4 "no leak once those are forgotten" no
exit $failed
