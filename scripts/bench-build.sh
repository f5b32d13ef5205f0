# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Builds what bench.sh and profile.sh take into the guest. Sourced after
# lib.sh, never run. Sets release, config (a file), built (a folder).

out=${top:?}/build/bench
text=${TEXT:-/usr/share/common-licenses/GPL-3}
export release config built

# What the VM is told about the kernel decides what the modules are built for.
choose_kernel() {
	local kernel=6.1 flavour=amd64 previous='' word

	for word in "$@"; do
		case $previous in
		--kernel) kernel=$word ;;
		--flavour) flavour=$word ;;
		esac
		previous=$word
	done
	case $kernel in *-amd64) which=("$kernel") ;; *) which=("$kernel" "$flavour") ;; esac
}

packages() {
	"$top/scripts/setup.sh" build vm
	"$top/scripts/setup.sh" --packages libmimalloc-dev "a peer to measure beside" \
		libjemalloc-dev "a peer to measure beside" \
		libgoogle-perftools-dev "tcmalloc, a peer to measure beside"
}

# The bench module's objects stay out of the source folder.
build_bench_module() {
	mkdir -p "$out/module"
	ln -sf -t "$out/module" "$top"/kunit/bench/*
	MAKEFLAGS='' make -C "$kdir" M="$out/module" W=1 modules
}

build() {
	local image

	[ -r "$text" ] || die "cannot read $text"
	packages
	mkdir -p "$out"
	image=$("$top/scripts/image.sh" "${which[@]}")
	release=${image##*/}
	config=$image/boot/config-$release
	kdir=/usr/src/linux-headers-$release
	[ -e "$kdir" ] || die "no headers of $release: run scripts/setup.sh build"
	built=$("$top/scripts/module.sh" "$kdir" 2>"$out/module.log") ||
		{ cat "$out/module.log" >&2; die "building the module failed"; }
	run_logged "bench module" "$out/bench-module.log" build_bench_module
	run_logged "bench programs" "$out/programs.log" \
		make -C "$top/tools/bench" OUT="$out/programs"
}
