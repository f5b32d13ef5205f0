#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fetches the stock kernel image of a Debian release, unpacked into the cache
# and not installed, and prints that folder (boot/ and lib/modules/ are in it).
#
#   image.sh RELEASE      e.g. 6.1.0-56-amd64
#   image.sh LINE FLAVOUR e.g. 6.12 rt: the newest of that line
#
# Beside boot/vmlinuz-RELEASE there is boot/vmlinux, the kernel proper, if it
# could be unpacked: under emulation the guest takes 3 s to do that itself.
set -eu
. "$(dirname "$0")/lib.sh"

# Without package lists (or a newer release than the network lets us have)
# what is in the cache already is good enough.
cached_release() {
	find "$cache/images" -maxdepth 1 -printf '%f\n' 2>/dev/null |
		grep -xE "$(kernel_regex "$1" "$2")" | sort -V | tail -n 1
}

choose_release() {
	local release

	release=$(newest_release linux-image "$1" "$2")
	[ -n "$release" ] || release=$(cached_release "$1" "$2")
	[ -n "$release" ] || die "apt knows no $2 kernel of line $1; run apt-get update"
	echo "$release"
}

# field FILE OFFSET SIZE: a number of the boot protocol's header.
field() {
	od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# The header says where the compressed kernel starts and how long it is; its
# last four bytes are the unpacked size, which no decompressor expects.
unpack_kernel() {
	local image=$1 start length

	start=$((($(field "$image" 0x1f1 1) + 1) * 512 + $(field "$image" 0x248 4)))
	length=$(($(field "$image" 0x24c 4) - 4))
	tail -c +$((start + 1)) "$image" | head -c $length >"$tmp/payload"
	case $(field "$tmp/payload" 0 2) in
	14333) xz -dc "$tmp/payload" ;;
	46376) zstd -dcq "$tmp/payload" ;;
	8450) lz4 -dc "$tmp/payload" ;;
	35615) gzip -dc "$tmp/payload" ;;
	*) return 1 ;;
	esac >"$tmp/vmlinux" 2>/dev/null && mv "$tmp/vmlinux" "${image%/*}/vmlinux"
}

fetch() {
	local tmp

	say "  fetching the image of $1"
	mkdir -p "$cache/images"
	tmp=$(mktemp -d "$cache/images/fetch.XXXXXX")
	# apt drops its privileges to download, so it must reach the folder.
	chmod 755 "$tmp"
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "linux-image-$1" >&2) ||
		{ rm -rf "$tmp"; die "cannot download linux-image-$1"; }
	dpkg -x "$tmp"/linux-image-*.deb "$tmp/root"
	# The modules of a stock kernel are 400 MB of which we need next to none.
	unpack_kernel "$tmp/root/boot/vmlinuz-$1" || say "  (kept compressed: $1)"
	mv -T "$tmp/root" "$cache/images/$1" 2>/dev/null || true
	rm -rf "$tmp"
}

case $# in
1) release=$1 ;;
2) release=$(choose_release "$1" "$2") ;;
*) die "usage: image.sh RELEASE | LINE FLAVOUR" ;;
esac
[ -e "$cache/images/$release/boot/vmlinuz-$release" ] || fetch "$release"
echo "$cache/images/$release"
