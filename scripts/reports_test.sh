#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of guest/reports.awk, which decides what a kernel's log is blamed for.
# Silent when all is well.
set -eu
. "$(dirname "$0")/lib.sh"

# expect WHAT LINES <LOG: how many lines of the log are reports.
expect() {
	local found

	found=$(awk -f "$top/scripts/guest/reports.awk" | wc -l)
	[ "$found" = "$2" ] || { echo "$1: $found reports, expected $2"; failed=1; }
}

# race IN CALLER IN CALLER [MARK]: a report of KCSAN; MARK is how the first is.
race() {
	echo "[    1.0] =================================================================="
	echo "[    1.0] BUG: KCSAN: data-race in $1 / $3"
	echo "[    1.0] write${5:+ ($5)} to 0xffff888002d24e80 of 8 bytes by task 72 on cpu 0:"
	printf '[    1.0]  %s\n' "$1" "$2" "kthread+0x179/0x1a0"
	echo "[    1.0] "
	echo "[    1.0] read to 0xffff888002d24e80 of 8 bytes by interrupt on cpu 1:"
	printf '[    1.0]  %s\n' "$3" "$4" "$4"
	echo "[    1.0] "
	echo "[    1.0] Reported by Kernel Concurrency Sanitizer on:"
	echo "[    1.0] =================================================================="
}

# interrupted IN CALLER BELOW: both sides are interrupts, that came upon BELOW.
interrupted() {
	echo "[    1.0] =================================================================="
	echo "[    1.0] BUG: KCSAN: data-race in $1 / $1"
	for side in "write to" "read to"; do
		echo "[    1.0] $side 0xffff888002d24e80 of 8 bytes by interrupt on cpu 1:"
		printf '[    1.0]  %s\n' "$1" "$2" "asm_sysvec_apic_timer_interrupt+0x1/0x2" "$3"
		echo "[    1.0] "
	done
	echo "[    1.0] =================================================================="
}

# one_sided IN ADDRESS CALLER: a report of KCSAN that knows but one side.
one_sided() {
	echo "[    1.0] =================================================================="
	echo "[    1.0] BUG: KCSAN: data-race in $1"
	echo "[    1.0] race at unknown origin, with read to $2 of 8 bytes by task 1 on cpu 0:"
	printf '[    1.0]  %s\n' "$1" "$3" "kthread+0x179/0x1a0"
	echo "[    1.0] =================================================================="
}

# unwritten IN USER OWNER: a report of KMSAN.
unwritten() {
	echo "[    1.0] ====================================================="
	echo "[    1.0] BUG: KMSAN: kernel-infoleak in $1"
	printf '[    1.0]  %s\n' "$1" "$2" "do_syscall_64+0x1/0x2" ""
	echo "[    1.0] Uninit was created at:"
	printf '[    1.0]  %s\n' "__alloc_pages+0x1/0x2" "$3" ""
	echo "[    1.0] Bytes 0-7 of 8 are uninitialized"
	echo "[    1.0] ====================================================="
}

# no_vmalloc CALLER: what the kernel says where it has no memory for one.
no_vmalloc() {
	echo "[    1.0] insmod: vmalloc error: size 120, vm_struct allocation failed"
	echo "[    1.0] Call Trace:"
	printf '[    1.0]  %s\n' "<TASK>" "warn_alloc+0x1/0x2" "$1" "</TASK>"
}

failed=0
ours='ph_slab_take+0x1/0x2 [privheap]'
theirs='shrink_node+0x1/0x2'

expect "a quiet log" 0 <<<"[    1.0] privheap: loading out-of-tree module taints kernel."
expect "a warning" 1 <<<"[    1.0] WARNING: CPU: 0 PID: 1 at module/heap.c:1"
expect "KASAN" 1 <<<"[    1.0] BUG: KASAN: use-after-free in ph_slab_take"
expect "KFENCE" 1 <<<"[    1.0] BUG: KFENCE: out-of-bounds read in ph_slab_take"
expect "a bug" 1 <<<"[    1.0] kernel BUG at lib/list_debug.c:29!"
expect "a trace" 1 <<<"[    1.0] Call Trace:"
expect "the OOM killer's trace" 0 <<<"[    1.0] a invoked oom-killer: gfp_mask=0
[    1.0] Call Trace:"
expect "a vmalloc of ours that tells" 1 < <(no_vmalloc "$ours")
expect "one that the log ends in" 1 < <(no_vmalloc "$ours" | head -n 4)
expect "one of the pool's" 0 < <(no_vmalloc "gen_pool_add_owner+0x1/0x2")
expect "a trace after it" 1 < <(no_vmalloc "gen_pool_add_owner+0x1/0x2"
	echo "[    1.0] Call Trace:")
expect "a race in our code" 1 < <(race "$ours" "$theirs" "$theirs" "$theirs")
expect "another side in it" 1 < <(race "$theirs" "$theirs" "$ours" "$theirs")
expect "a marked one" 0 < <(race "$ours" "$theirs" "$theirs" "$theirs" marked)
expect "one beside a marked one" 1 < <(race "$theirs" "$theirs" "$ours" "$theirs" marked)
expect "two that we called, one marked" 0 < <(race list_add+0x1 "$ours" list_add+0x1 "$ours" marked)
expect "a race in a suite" 1 < <(race "ph_a+0x1/0x2 [privheap_kunit]" a "$theirs" b)
expect "a race of unknown origin in our code" 1 < <(one_sided "$ours" 0xffff888002d24e80 "$theirs")
expect "a race of unknown origin that we called" 1 < <(one_sided memcpy+0x1 0xffff888002d24e80 "$ours")
expect "one with a variable of ours" 1 < <(one_sided memcpy+0x1 0xffffffffa0002668 "$ours")
expect "one with a variable of the kernel's" 0 < <(one_sided ktime_get+0x1 0xffffffff82523668 "$ours")
expect "one with that in our code" 1 < <(one_sided "$ours" 0xffffffff82523668 "$theirs")
expect "one after one with that" 1 < <(one_sided ktime_get+0x1 0xffffffff82523668 "$ours"
	one_sided memcpy+0x1 0xffff888002d24e80 "$ours")
expect "a race that we called both sides of" 1 < <(race list_add+0x1 "$ours" list_add+0x1 "$ours")
expect "a race that we called one side of" 0 < <(race list_add+0x1 "$ours" list_add+0x1 "$theirs")
expect "another side, twice in one trace" 0 < <(race list_add+0x1 "$theirs" list_add+0x1 "$ours")
expect "a race of interrupts that came upon us" 0 < <(interrupted list_add+0x1 hrtimer_run "$ours")
expect "a race of interrupts that called us" 1 < <(interrupted list_add+0x1 \
	"$ours" hrtimer_run)
expect "a race of the kernel's own" 0 < <(race rmqueue+0x1 "$theirs" rmqueue+0x1 "$theirs")
expect "one of ours among others" 1 < <(race rmqueue+0x1 "$theirs" rmqueue+0x1 "$theirs"
	race list_add+0x1 "$ours" list_add+0x1 "$ours"
	race rmqueue+0x1 "$theirs" rmqueue+0x1 "$theirs")
expect "a value that we use" 1 < <(unwritten "$ours" "$theirs" "$theirs")
expect "a value that we hand out" 1 < <(unwritten "_copy_to_user+0x1/0x2" "$ours" "$theirs")
expect "a value of our memory" 1 < <(unwritten "_copy_to_user+0x1/0x2" "$theirs" "$ours")
expect "a value of the kernel's own" 0 < <(unwritten "_copy_to_user+0x1/0x2" "$theirs" "$theirs")
expect "a value of ours among others" 1 < <(unwritten "$theirs" "$theirs" "$theirs"
	unwritten "$theirs" "$theirs" "$ours"
	unwritten "$theirs" "$theirs" "$theirs")
expect "a value that the log ends in" 1 < <(unwritten "$theirs" "$theirs" "$ours" | head -n 9)
expect "a race of the kernel's own after a value" 0 < <(unwritten "$theirs" "$theirs" "$theirs"
	race list_add+0x1 "$ours" list_add+0x1 "$theirs")
expect "a warning after a race" 1 < <(race rmqueue+0x1 "$theirs" rmqueue+0x1 "$theirs"
	echo "[    1.0] WARNING: CPU: 0 PID: 1 at module/heap.c:1")
expect "a race that the log ends in" 1 < <(race list_add+0x1 "$ours" list_add+0x1 "$ours" | head -n 6)
exit $failed
