#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The demonstration, inside of the virtual machine.

insmod /modules/privheap.ko reserve_mb=64 || exit
mkdir -p /tmp/demo
cd /tmp/demo || exit
privheap-demo "/data/$INPUT" --map-dir .
status=$?
# It refuses while anybody holds a heap.
rmmod privheap || status=1
exit $status
