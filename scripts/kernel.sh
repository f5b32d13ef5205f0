#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds one of the test kernels from Debian's linux-source-6.1, once per
# source version and configuration, and prints its build folder.
#
#   kernel.sh um         user-mode Linux with KUnit
#   kernel.sh um-kasan   the same with KASAN
#   kernel.sh debug      x86_64 with KUnit, KASAN, lockdep, fault injection
#   kernel.sh kcsan      x86_64 with KUnit and KCSAN
#   kernel.sh kmsan      x86_64 with KUnit and KMSAN, by clang
#   kernel.sh gcov       x86_64 with KUnit, fault injection, and gcov's counters
set -eu
. "$(dirname "$0")/lib.sh"

line=6.1

# No prompt, so no fragment can set it, but every stock kernel has it (some
# driver of theirs selects it), and the module's reserve is made of it.
hidden=CONFIG_GENERIC_ALLOCATOR=y

usage() {
	die "usage: kernel.sh um|um-kasan|debug|kcsan|kmsan|gcov"
}

# As before for gcc, so that the kernels that are there stay good.
compiler_version() {
	case $cc in
	gcc) gcc -dumpfullversion ;;
	*) "$cc" --version | head -n 1 ;;
	esac
}

# Everything that decides what the build folder will hold goes into its name.
config_hash() {
	{ cat "$@"; compiler_version; echo "$arch $hidden"; } | sha256sum | cut -c1-12
}

# allnoconfig silently drops an option whose dependency is missing, and a
# debug kernel without its checks would pass everything.
check_config() {
	local want missing=0

	while read -r want; do
		grep -qxF "$want" "$out/.config" && continue
		say "  not in the configuration: $want"
		missing=1
	done < <(grep -E '^CONFIG_' "$out/fragment")
	[ "$missing" = 0 ] || die "the kernel dropped options of the fragment"
}

configure() {
	cat "$@" >"$out/fragment"
	make -C "$src" O="$out" ARCH="$arch" CC="$cc" KCONFIG_ALLCONFIG="$out/fragment" \
		allnoconfig >"$out/config.log" 2>&1 ||
		{ tail -n 20 "$out/config.log" >&2; die "configuring failed"; }
	check_config
}

build() {
	mkdir -p "$out"
	exec 9>"$out/.lock"
	flock 9
	[ ! -e "$out/.complete" ] || return 0
	say "  building the $name kernel ($(basename "$out")); this happens once"
	configure "$@"
	run_logged "$name kernel" "$out/build.log" \
		make -C "$src" O="$out" ARCH="$arch" CC="$cc" -j"$jobs" $hidden "$image" modules
	touch "$out/.complete"
}

name=${1:-}
cc=gcc
configs=$top/scripts/kernel
case $name in
um) arch=um image=linux; set -- "$top/kunit/.kunitconfig" ;;
um-kasan) arch=um image=linux; set -- "$top/kunit/.kunitconfig" "$configs/um-kasan.config" ;;
debug | kcsan | kmsan | gcov)
	arch=x86_64 image=bzImage
	[ "$name" != kmsan ] || cc=clang
	set -- "$configs/machine.config" "$configs/$name.config"
	;;
*) usage ;;
esac

src=$(kernel_source $line)
out=$cache/kernels/$name-$(basename "$src")-$(config_hash "$@")
build "$@"
echo "$out"
