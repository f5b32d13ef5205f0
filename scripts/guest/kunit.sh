#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Loads the module and its suites. They run while privheap_kunit.ko loads and
# report into the kernel log; its load status says nothing about them.

# KTAP is on the information level, one above what the console shows.
dmesg -n 7
trap 'dmesg >/tmp/kunit.dmesg' EXIT
insmod /modules/privheap.ko || exit
insmod /modules/privheap_kunit.ko || exit
rmmod privheap_kunit && rmmod privheap
