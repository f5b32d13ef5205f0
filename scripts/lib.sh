# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script here shares: where things are, how to speak, and how to
# name a Debian kernel. Sourced, never run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${PRIVHEAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/privheap}
jobs=$(nproc)
export top cache jobs

# Exit codes of the VM runner beside the guest command's own (below 124).
export VM_TIMEOUT=124 VM_DIED=125 VM_REPORT=126 VM_SETUP=127

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

# reports LOG: the first lines of a console that report a fault of the kernel.
reports() {
	awk -f "$top/scripts/guest/reports.awk" "$1" | head -n 5
}

# run_logged LABEL LOGFILE COMMAND...: a slow command, its output in a file,
# one line of progress every ten seconds, and the end of the log if it fails.
run_logged() {
	local label=$1 log=$2 start=$SECONDS pid ticks=0

	shift 2
	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		ticks=$((ticks + 1))
		[ $((ticks % 20)) -ne 0 ] ||
			say "  $label: $((SECONDS - start)) s, $(wc -l <"$log") steps"
	done
	if ! wait "$pid"; then
		tail -n 40 "$log" >&2
		say "$label failed; the whole log is $log"
		return 1
	fi
	say "  $label: done in $((SECONDS - start)) s"
}

# kernel_regex LINE FLAVOUR: the release names of one line and flavour.
kernel_regex() {
	local flavour=$2

	[ "$flavour" = amd64 ] || flavour=$flavour-amd64
	case $1 in
	6.1) echo "6\.1\.0-[0-9]+-$flavour" ;;
	*) echo "${1//./\\.}\.[0-9]+\+deb12-$flavour" ;;
	esac
}

# newest_release PACKAGE_PREFIX LINE FLAVOUR: the newest release of which
# apt knows PACKAGE_PREFIX-<release>, e.g. 6.1.0-56-cloud-amd64.
newest_release() {
	apt-cache pkgnames "$1-$2" 2>/dev/null | sed "s/^$1-//" |
		grep -xE "$(kernel_regex "$2" "$3")" | sort -V | tail -n 1
}

# source_version LINE: the version of the installed linux-source package.
source_version() {
	# shellcheck disable=SC2016 # a dpkg-query format, not a shell variable
	dpkg-query -W -f '${Version}' "linux-source-$1" 2>/dev/null ||
		die "linux-source-$1 is not installed: run scripts/setup.sh kunit"
}

# kernel_source LINE: prints the folder of the unpacked kernel source.
kernel_source() {
	local version dir tmp

	version=$(source_version "$1")
	dir=$cache/src/linux-$version
	if [ ! -e "$dir/Makefile" ]; then
		say "  unpacking the source of Linux $version"
		mkdir -p "$cache/src"
		tmp=$(mktemp -d "$cache/src/unpack.XXXXXX")
		tar -xJf "/usr/src/linux-source-$1.tar.xz" -C "$tmp" --strip-components=1
		mv -T "$tmp" "$dir" 2>/dev/null || rm -rf "$tmp"
	fi
	echo "$dir"
}

# headers_dir LINE FLAVOUR: where the headers of the newest release are, which
# scripts/setup.sh installed.
headers_dir() {
	local release

	release=$(newest_release linux-headers "$1" "$2")
	[ -e "/usr/src/linux-headers-$release/Makefile" ] ||
		die "no headers for the newest $1 $2 kernel: run scripts/setup.sh"
	echo "/usr/src/linux-headers-$release"
}

# kernel_compiler KDIR: the make argument that builds modules as KDIR was built,
# if that was not by the kernel's own choice.
kernel_compiler() {
	! grep -qx CONFIG_CC_IS_CLANG=y "$1/include/config/auto.conf" || echo CC=clang
}

# build_beside KDIR OUT FOLDER: the modules of kunit/FOLDER in a folder of their own in
# OUT, where scripts/module.sh has built the module itself against KDIR.
build_beside() {
	local folder=$2/$3

	mkdir -p "$folder"
	ln -sf -t "$folder" "$top/kunit/$3"/*
	find "$folder" -xtype l -delete
	# Kbuild does not look whether the symbols of others have changed.
	[ ! "$2/Module.symvers" -nt "$folder/Module.symvers" ] || rm -f "$folder/Module.symvers"
	# shellcheck disable=SC2046 # one argument, or none
	MAKEFLAGS='' make --no-print-directory -C "$1" M="$folder" -j"$jobs" W=1 \
		$(kernel_compiler "$1") PRIVHEAP="$top" \
		KBUILD_EXTRA_SYMBOLS="$2/Module.symvers" modules >&2
}

# suite_count KO: the exact number of KUnit suites: each is one pointer in a section of the module.
suite_count() {
	readelf -SW "$1" | awk '{ sub(/^ *\[ *[0-9]+\]/, "") }
		$1 == ".kunit_test_suites" { print "0x" $5 }' |
		{ read -r size && echo $((size / 8)); }
}
