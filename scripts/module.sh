#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the modules against one kernel, beside the other kernels' builds:
# build/kernels/<name> holds links to the sources, so that the objects of
# every kernel have a folder of their own. Prints that folder.
#
#   module.sh KDIR [MAKE ARGUMENT]...    e.g. ARCH=um
#
# W=1 always: a build with other flags than the last one rebuilds everything.
set -eu
. "$(dirname "$0")/lib.sh"

# The folder's name tells more than the kernel's own release, which all test
# kernels share and which Debian's headers shorten.
build_name() {
	local name=${kdir##*/}

	name=${name#linux-headers-}
	case $name in
	build | source) make -s -C "$kdir" kernelrelease ;;
	*) echo "$name" ;;
	esac
}

link_sources() {
	local folder

	ln -sfn "$top/include" "$out/include"
	ln -sf "$top/Kbuild" "$out/Kbuild"
	for folder in module kunit; do
		mkdir -p "$out/$folder"
		find "$top/$folder" -maxdepth 1 -name '*.[ch]' -exec ln -sf -t "$out/$folder" {} +
		# A source that is gone must not leave its link or object behind.
		find "$out/$folder" -xtype l -delete
	done
}

kdir=${1:-}
[ -n "$kdir" ] || die "usage: module.sh KDIR [MAKE ARGUMENT]..."
shift
[ -e "$kdir/include/config/kernel.release" ] || die "$kdir holds no kernel to build against"
kdir=$(readlink -f "$kdir")
out=$top/build/kernels/$(build_name)
mkdir -p "$out"
exec 9>"$out/.lock"
flock 9
link_sources
# shellcheck disable=SC2046 # one argument, or none
MAKEFLAGS='' make --no-print-directory -C "$kdir" M="$out" -j"$jobs" W=1 \
	$(kernel_compiler "$kdir") "$@" modules >&2
echo "$out"
