#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measures the kernel door and SLUB in user-mode Linux, in nanoseconds, and
# leaves the lines for the report in a file.
#
#   bench-um.sh MEASUREMENTS    SHORT=1: only see that all rows work
set -eu
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/bench-build.sh"

[ $# = 1 ] || die "usage: bench-um.sh MEASUREMENTS"
measurements=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The guest's first process runs /run.sh and takes the files listed in /get out
# into the folder of which /out tells.
write_guest_files() {
	mkdir -p "$work/out"
	echo "$work/out" >"$work/outdir"
	echo /tmp/measurements >"$work/get"
	printf 'export PART=um SHORT=%q\nexec sh /script.sh\n' "${SHORT:-}" >"$work/run.sh"
}

boot() {
	# Its memory is a file in /dev/shm, which some machines keep small.
	[ "$(df --output=avail -m /dev/shm | tail -n 1)" -ge 600 ] || export TMPDIR=$work
	timeout -k 5 600 "$kdir/linux" mem=512M initrd="$work/initramfs" \
		con0=null,fd:1 con=null console=tty0 loglevel=4 panic=-1 \
		</dev/null 2>&1 | tr -d '\r' | tee "$out/console-um.log"
}

kdir=$("$top/scripts/kernel.sh" um)
build_modules "$kdir" ARCH=um
write_guest_files
"$top/scripts/initramfs.sh" "$work/initramfs" "$built/privheap.ko" \
	"$bench_module/privheap_bench.ko" "$kdir/.config:/data/config" \
	"$work/outdir:/out" "$work/get:/get" "$work/run.sh:/run.sh" \
	"$top/scripts/guest/bench.sh:/script.sh"
boot || true
[ "$(cat "$work/out/status" 2>/dev/null)" = 0 ] || die "measuring failed, see $out/console-um.log"
cp "$work/out/_tmp_measurements" "$measurements"
