#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds an initramfs: busybox, scripts/guest/init with what it needs to judge
# the kernel, and what is listed.
#
#   initramfs.sh OUTPUT [FILE[:GUESTPATH]]...
#
# A folder is copied whole. A dynamic program brings its libraries and its
# loader. Without GUESTPATH a kernel module goes to /modules, a program to
# /bin, anything else to /data.
set -eu
. "$(dirname "$0")/lib.sh"

guest_path() {
	case $1 in
	*.ko) echo "/modules/${1##*/}" ;;
	*) if [ -x "$1" ] && [ ! -d "$1" ]; then echo "/bin/${1##*/}"; else echo "/data/${1##*/}"; fi ;;
	esac
}

# ldd knows the loader of either word size; what it cannot read is static.
copy_libraries() {
	local lib

	ldd "$1" 2>/dev/null | grep -oE '/[^ ]+\.so[^ ]*' | while read -r lib; do
		[ -e "$root$lib" ] || install -D -m 755 "$(readlink -f "$lib")" "$root$lib"
	done
}

add() {
	local file=${1%%:*} path

	case $1 in *:*) path=${1#*:} ;; *) path=$(guest_path "$file") ;; esac
	[ -e "$file" ] || die "no such file: $file"
	mkdir -p "$root$(dirname "$path")"
	cp -rL --preserve=mode,timestamps "$file" "$root$path"
	find "$root$path" -type f -perm -u+x | while read -r program; do
		copy_libraries "$program"
	done
}

add_busybox() {
	local applet

	install -D -m 755 /bin/busybox "$root/bin/busybox"
	/bin/busybox --list | while read -r applet; do
		[ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
	done
}

[ $# -ge 1 ] || die "usage: initramfs.sh OUTPUT [FILE[:GUESTPATH]]..."
output=$1
shift
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,etc,root,modules,data}
ln -s bin "$root/sbin"
add_busybox
install -m 755 "$top/scripts/guest/init" "$root/init"
install -m 644 -t "$root" "$top/scripts/guest/watch.sh" "$top/scripts/guest/reports.awk"
for item in "$@"; do
	add "$item"
done
# Level 1: the guest unpacks it in no time, and so do we pack it.
(cd "$root" && find . -mindepth 1 -printf '%P\0' |
	cpio --null --quiet -o -H newc -R 0:0) | gzip -1 >"$output"
