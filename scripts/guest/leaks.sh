# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Memory of the module that nothing points to any more, as kmemleak knows it.
# Sourced, in a guest that was booted with kmemleak=on.

kmemleak=/sys/kernel/debug/kmemleak

# It switches itself off when its memory runs out, and refuses from then on.
leaks_scan() {
	echo scan >$kmemleak
}

# leaks_print: prints them; fails if there are any, or if nobody looked. Nothing
# younger than 5 s is reported, and what moved during one scan is found by the
# next. A trace names the module or, when that is gone, has bare addresses of
# where its functions were: those of the kernel have names.
leaks_print() {
	sleep 6
	leaks_scan && leaks_scan || return
	awk -v RS='unreferenced object' '/privheap|\] 0x/' $kmemleak >/tmp/leaks
	head -n 40 /tmp/leaks
	[ ! -s /tmp/leaks ]
}
