#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make check-debug`: suites, selftests and the stress of the kernel door on
# kernels that look for mistakes, in virtual machines with two CPUs:
#
#   debug      KASAN, UBSAN, lockdep and the rest of scripts/kernel/debug.config;
#              any report is a panic, and a panic is a failure
#   kmemleak   the same kernel once more, looking for leaks
#   kcsan      data races: scripts/kernel/kcsan.config
#   kmsan      values that nobody wrote: scripts/kernel/kmsan.config
#   um-kasan   the suites alone, in user-mode Linux, at native speed
#   rt         the stock 6.1 whose spinlocks sleep
#   kfence     the stock 6.12, where KFENCE samples allocations
#
# ONLY="name..." runs some of them.
set -eu
. "$(dirname "$0")/lib.sh"

results=$top/build/check
# Modules of a stock kernel: a disk in memory, and a slow one.
disks=(--module brd --module configfs --module null_blk)
status=0
sums=()

# part NAME WHAT COMMAND...: COMMAND leaves its sums under NAME. All parts run.
part() {
	local name=$1

	say "$2:"
	shift 2
	"$@" || status=1
	sums+=(--add "$results/$name.sums")
}

# suites KERNEL KDIR [VM OPTION]...
suites() {
	local kernel=$1

	shift
	part "kunit-$kernel" "KUnit suites ($kernel)" \
		"$top/scripts/kunit-vm.sh" "kunit-$kernel" "$@"
}

# selftests KERNEL KDIR [VM OPTION]...
selftests() {
	local kernel=$1 out

	out=$("$top/scripts/module.sh" "$2")
	shift 2
	part "selftests-$kernel" "Selftests ($kernel)" \
		"$top/scripts/selftests.sh" "selftests-$kernel" "$out/privheap.ko" "$@"
}

# door KERNEL KDIR OPERATIONS [VM OPTION]...
door() {
	local kernel=$1 kdir=$2

	export OPS=$3
	shift 3
	part "door-$kernel" "The kernel door under stress ($kernel)" \
		"$top/scripts/door.sh" "door-$kernel" "$kdir" "$@"
}

run_debug() {
	local kdir vm

	kdir=$("$top/scripts/kernel.sh" debug)
	vm=(--kernel-image "$kdir/arch/x86/boot/bzImage" --mem 2048
		--append "panic_on_warn=1 kunit.enable=1")
	suites debug "$kdir" "${vm[@]}"
	selftests debug "$kdir" "${vm[@]}" --env PRIVHEAP_SCALE=small
	door debug "$kdir" 300 "${vm[@]}"
}

# Everything is slow while each allocation is recorded, so not all programs.
run_kmemleak() {
	local kdir vm

	kdir=$("$top/scripts/kernel.sh" debug)
	vm=(--kernel-image "$kdir/arch/x86/boot/bzImage" --mem 2048
		--append "panic_on_warn=1 kmemleak=on")
	part judge-kmemleak "The judge of leaks" \
		"$top/scripts/leaks_test.sh" judge-kmemleak "$kdir" "${vm[@]}"
	ONLY="alloc batches content counted errors kill lifetime reserve resize setup typecreate types" \
		selftests kmemleak "$kdir" "${vm[@]}" --env PRIVHEAP_SCALE=small
}

# No panic here: a data race of the kernel's own is a report, but none of ours.
# In the emulator a CPU does little in the 80 us that one access is watched for
# by default.
run_kcsan() {
	local kdir vm

	kdir=$("$top/scripts/kernel.sh" kcsan)
	vm=(--kernel-image "$kdir/arch/x86/boot/bzImage" --timeout 5400 --append
		"kunit.enable=1 kcsan.udelay_task=1000 kcsan.udelay_interrupt=200")
	suites kcsan "$kdir" "${vm[@]}"
	selftests kcsan "$kdir" "${vm[@]}" --env PRIVHEAP_SCALE=small
	# As many as without it: a race is met seldom.
	door kcsan "$kdir" 20000 "${vm[@]}"
}

# Nor here, for the same reason. Of the memory two thirds are shadows and origins, and
# nothing is slower: so not those programs that are about time and order.
run_kmsan() {
	local kdir vm

	kdir=$("$top/scripts/kernel.sh" kmsan)
	vm=(--kernel-image "$kdir/arch/x86/boot/bzImage" --mem 4096 --timeout 5400
		--append kunit.enable=1)
	suites kmsan "$kdir" "${vm[@]}"
	ONLY=$(cd "$top/build/tools/selftests" &&
		printf '%s ' * | sed -E 's/\<(races|storm|stress|sweep|threads)\>//g') \
		selftests kmsan "$kdir" "${vm[@]}" --env PRIVHEAP_SCALE=small
	door kmsan "$kdir" 300 "${vm[@]}"
}

run_um_kasan() {
	KASAN=1 part kunit-um-kasan "KUnit suites (um-kasan)" \
		"$top/scripts/kunit.sh" kunit-um-kasan
}

run_rt() {
	local kdir

	kdir=$(headers_dir 6.1 rt)
	selftests rt "$kdir" --flavour rt "${disks[@]}" --env PRIVHEAP_SCALE=small
	door rt "$kdir" 3000 --flavour rt
}

run_kfence() {
	local kdir vm

	kdir=$(headers_dir 6.12 amd64)
	vm=(--kernel 6.12 --append kfence.sample_interval=10)
	selftests kfence "$kdir" "${vm[@]}" "${disks[@]}" --env PRIVHEAP_SCALE=small
	door kfence "$kdir" 3000 "${vm[@]}"
}

wanted=${ONLY:-debug kmemleak kcsan kmsan um-kasan rt kfence}
unset ONLY
"$top/scripts/setup.sh" build vm kunit debug
make -s -C "$top/tools"
mkdir -p "$results"
rm -f "$results/check-debug.sums"
for kernel in $wanted; do
	case $kernel in
	debug) run_debug ;;
	kmemleak) run_kmemleak ;;
	kcsan) run_kcsan ;;
	kmsan) run_kmsan ;;
	um-kasan) run_um_kasan ;;
	rt) run_rt ;;
	kfence) run_kfence ;;
	*) die "no such part: $kernel" ;;
	esac
done
"$top/scripts/ktap.py" --save "$results/check-debug.sums" "${sums[@]}" || status=1
exit $status
