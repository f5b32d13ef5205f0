#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs programs of this machine in a virtual one, each with its malloc() in a
# private heap by libprivheap-preload.so and without, and compares what they say.
#
#   preload.sh NAME KO [VM OPTION]...
#
# The guest sees this machine's files, read-only. The stream is kept in
# build/check/NAME.ktap, the console in NAME.log, the sums in NAME.sums.
set -eu
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: preload.sh NAME KO [VM OPTION]..."
name=$1
ko=$2
shift 2
results=$top/build/check
"$top/scripts/setup.sh" --packages sqlite3 "a program to run on a private heap" \
	perl "a program to run on a private heap" \
	python3 "a program to run on a private heap" \
	xz-utils "a program to run on a private heap, with threads"
mkdir -p "$results"
rm -f "$results/$name".*
modules=()
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci \
	netfs fscache 9pnet 9pnet_virtio 9p; do
	modules+=(--module "$module")
done
status=0 problem=''
"$top/scripts/vm.sh" --smp 2 --mem 1536 --timeout "${TIMEOUT:-1500}" "$@" \
	--qemu "-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap" \
	"${modules[@]}" --add "$ko" --add "$top/build/tools/libprivheap-preload.so:/library.so" \
	--env ONLY="${ONLY:-}" --script "$top/scripts/guest/preload.sh" \
	--add "$top/scripts/guest/reports.awk:/reports.awk" \
	--get "/tmp/preload.ktap:$results/$name.ktap" \
	--log "$results/$name.log" || status=$?
[ -e "$results/$name.ktap" ] || cp "$results/$name.log" "$results/$name.ktap"
[ $status = 0 ] || problem="the guest ended with status $status"
"$top/scripts/ktap.py" ${problem:+--fail "$problem"} \
	--save "$results/$name.sums" "$results/$name.ktap"
