#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the KUnit suites in user-mode Linux, at native speed. KASAN=1 checks
# every memory access as well.
#
#   kunit.sh [NAME]
#
# The console is kept in build/check/NAME.log, the kernel's log in NAME.dmesg,
# the sums in NAME.sums.
set -eu
. "$(dirname "$0")/lib.sh"

variant=um
[ -z "${KASAN:-}" ] || variant=um-kasan
timeout=${TIMEOUT:-600}
name=${1:-kunit}
results=$top/build/check
log=$results/$name.log

# The guest takes the files out of its initramfs and speaks on its console,
# which here is our standard output.
boot() {
	# Its memory is a file in /dev/shm, which some machines keep small.
	[ "$(df --output=avail -m /dev/shm | tail -n 1)" -ge 600 ] || export TMPDIR=$work
	timeout -k 5 "$timeout" "$kdir/linux" mem=512M initrd="$work/initramfs" \
		con0=null,fd:1 con=null console=tty0 loglevel=4 panic=-1 kunit.enable=1 \
		</dev/null 2>&1 | tr -d '\r' | tee "$log"
}

# A crash ends the stream early; what it says is in the log, not in KTAP.
check_console() {
	if [ -n "$(reports "$log")" ]; then
		echo "the console shows a kernel report: $(reports "$log" | head -n 1)"
	elif [ ! -s "$work/out/status" ]; then
		echo "the guest did not finish"
	elif [ "$(cat "$work/out/status")" != 0 ]; then
		echo "loading or unloading a module failed, or the kernel found something"
	fi
}

kdir=$("$top/scripts/kernel.sh" $variant)
out=$("$top/scripts/module.sh" "$kdir" ARCH=um)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$results" "$work/out"
rm -f "$results/$name".*
echo "$work/out" >"$work/outdir"
"$top/scripts/initramfs.sh" "$work/initramfs" "$out/privheap.ko" "$out/privheap_kunit.ko" \
	"$work/outdir:/out" "$top/scripts/guest/kunit.sh:/run.sh"
boot || true
problem=$(check_console)
# Rather the kernel log than the console, where the guest's lines mix in.
stream=$log
[ ! -s "$work/out/dmesg" ] || stream=$results/$name.dmesg
[ ! -s "$work/out/dmesg" ] || cp "$work/out/dmesg" "$stream"
"$top/scripts/ktap.py" --suites "$(suite_count "$out/privheap_kunit.ko")" \
	${problem:+--fail "$problem"} --save "$results/$name.sums" "$stream"
