# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Builds what bench.sh and profile.sh take into the guest. Sourced after
# lib.sh, never run. Sets release, config (a file), built and bench_module
# (folders).

out=${top:?}/build/bench
text=${TEXT:-/usr/share/common-licenses/GPL-3}
export release config built bench_module

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

newer_line_packages() {
	"$top/scripts/setup.sh" --packages \
		linux-headers:6.12:amd64 "the kernel door is measured on both lines"
}

# The bench module uses the kernel door, whose symbols are those of $built.
make_bench_module() {
	mkdir -p "$bench_module"
	ln -sf -t "$bench_module" "$top"/kunit/bench/*
	find "$bench_module" -xtype l -delete
	ln -sfn "$top/include" "$bench_module/include"
	# Kbuild does not look whether the symbols of others have changed.
	[ ! "$built/Module.symvers" -nt "$bench_module/Module.symvers" ] ||
		rm -f "$bench_module/Module.symvers"
	MAKEFLAGS='' make -C "$kdir" M="$bench_module" W=1 \
		KBUILD_EXTRA_SYMBOLS="$built/Module.symvers" "$@" modules
}

# build_modules KDIR [MAKE ARGUMENT]...: privheap and the bench module against
# one kernel, whose objects stay apart from those of other kernels.
build_modules() {
	kdir=$1
	shift
	mkdir -p "$out"
	built=$("$top/scripts/module.sh" "$kdir" "$@" 2>"$out/module.log") ||
		{ cat "$out/module.log" >&2; die "building the module failed"; }
	bench_module=$out/modules/${built##*/}
	run_logged "bench module (${built##*/})" "$out/bench-module.log" make_bench_module "$@"
	ln -sfn "$bench_module" "$out/module"
}

# What a guest with a stock kernel loads.
build_kernel_side() {
	local image

	image=$("$top/scripts/image.sh" "${which[@]}")
	release=${image##*/}
	config=$image/boot/config-$release
	[ -e "/usr/src/linux-headers-$release" ] ||
		die "no headers of $release: install linux-headers-$release"
	build_modules "/usr/src/linux-headers-$release"
}

build() {
	[ -r "$text" ] || die "cannot read $text"
	packages
	build_kernel_side
	run_logged "bench programs" "$out/programs.log" \
		make -C "$top/tools/bench" OUT="$out/programs"
}
