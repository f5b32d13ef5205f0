#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs on this machine, or below DESTDIR for a package.
#
#   install.sh install        the module for KDIR, command, library, settings
#   install.sh dkms-install   the same, the module by dkms for RELEASE and later
#   install.sh uninstall
#
# The settings go to /etc, where an administrator looks for them and where
# every udev, modprobe and systemd reads them; PREFIX is for the command.
set -eu
. "$(dirname "$0")/lib.sh"

DESTDIR=${DESTDIR:-}
PREFIX=${PREFIX:-/usr/local}
RELEASE=${RELEASE:-$(uname -r)}
files=$top/scripts/install
version=$(sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' "$top"/module/*.c | head -n 1)
version=${version:-0}

# name in scripts/install -> place below /etc; also what uninstall removes.
settings() {
	echo "60-privheap.rules udev/rules.d/60-privheap.rules"
	echo "sysusers.conf sysusers.d/privheap.conf"
	echo "modprobe.conf modprobe.d/privheap.conf"
	echo "modules-load.conf modules-load.d/privheap.conf"
}

# What the administrator has changed stays as it is.
install_settings() {
	local name place

	settings | while read -r name place; do
		place=$DESTDIR/etc/$place
		if [ -e "$place" ] && ! cmp -s "$files/$name" "$place"; then
			say "left as it is, because it was changed: $place"
		else
			install -D -m 644 "$files/$name" "$place"
		fi
	done
}

install_command() {
	[ ! -e "$top/build/tools/privheap" ] ||
		install -D -m 755 "$top/build/tools/privheap" "$DESTDIR$PREFIX/bin/privheap"
}

# file in the tree -> place below PREFIX; also what uninstall removes.
library() {
	echo "include/uapi/linux/privheap.h include/linux/privheap.h"
	echo "tools/lib/libprivheap.h include/libprivheap.h"
	echo "tools/lib/privheap-heap.h include/privheap-heap.h"
	echo "build/tools/libprivheap.a lib/libprivheap.a"
	echo "build/tools/libprivheap.so.1 lib/libprivheap.so.1"
	echo "build/tools/libprivheap-preload.so lib/libprivheap-preload.so"
	echo "tools/lib/libprivheap.pc.in lib/pkgconfig/libprivheap.pc"
}

install_library() {
	local name place

	library | while read -r name place; do
		install -D -m 644 "$top/$name" "$DESTDIR$PREFIX/$place"
	done
	sed -i "s|@PREFIX@|$PREFIX|" "$DESTDIR$PREFIX/lib/pkgconfig/libprivheap.pc"
	ln -sf libprivheap.so.1 "$DESTDIR$PREFIX/lib/libprivheap.so"
	[ -n "$DESTDIR" ] || ldconfig
}

# A package does these three when it is installed, in its own way.
activate() {
	[ -z "$DESTDIR" ] || return 0
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers /etc/sysusers.d/privheap.conf
	elif ! getent group privheap >/dev/null; then
		groupadd --system privheap
	fi
	if udevadm control --reload 2>/dev/null; then
		udevadm trigger --subsystem-match=misc --sysname-match=privheap
	fi
}

# Distributions keep their signing key to themselves, and without one the
# kernel's build system fails at signing (and says so at length).
install_module() {
	local out release sign=()

	out=$("$top/scripts/module.sh" "$KDIR" 2>/dev/null)
	release=$(modinfo -F vermagic "$out/privheap.ko" | cut -d' ' -f1)
	[ -e "$KDIR/certs/signing_key.pem" ] || sign=(CONFIG_MODULE_SIG_ALL=)
	make -s -C "$KDIR" M="$out" INSTALL_MOD_PATH="$DESTDIR" INSTALL_MOD_DIR=extra \
		"${sign[@]}" modules_install
	[ -n "$DESTDIR" ] || depmod "$release"
	say "installed privheap.ko for $release"
}

copy_dkms_source() {
	local dir=$1

	rm -rf "$dir"
	mkdir -p "$dir/module"
	install -m 644 "$top/Kbuild" "$top/LICENSE" "$dir"
	install -m 644 "$top"/module/*.[ch] "$dir/module"
	cp -r "$top/include" "$dir"
	sed "s/@VERSION@/$version/" "$top/scripts/dkms.conf" >"$dir/dkms.conf"
}

remove_dkms() {
	local known

	command -v dkms >/dev/null || return 0
	dkms status privheap 2>/dev/null | sed -n 's|^privheap/\([^,:]*\).*|\1|p' | sort -u |
		while read -r known; do
			dkms remove "privheap/$known" --all >/dev/null
			rm -rf "/usr/src/privheap-$known"
		done
}

install_dkms() {
	if [ -n "$DESTDIR" ]; then
		copy_dkms_source "$DESTDIR/usr/src/privheap-$version"
		return
	fi
	"$top/scripts/setup.sh" --packages dkms "builds the module for each new kernel"
	[ -e "/lib/modules/$RELEASE/build" ] ||
		die "no headers for $RELEASE; install them, or name another kernel: RELEASE=..."
	remove_dkms
	copy_dkms_source "/usr/src/privheap-$version"
	dkms install "privheap/$version" -k "$RELEASE"
}

uninstall() {
	local name place

	[ -n "$DESTDIR" ] || remove_dkms
	find "$DESTDIR/lib/modules" -path '*/extra/privheap*.ko*' -delete 2>/dev/null || true
	[ -n "$DESTDIR" ] || ! [ -e "/lib/modules/$RELEASE/modules.order" ] || depmod "$RELEASE"
	rm -f "$DESTDIR$PREFIX/bin/privheap" "$DESTDIR$PREFIX/lib/libprivheap.so"
	library | while read -r name place; do
		rm -f "$DESTDIR$PREFIX/$place"
	done
	settings | while read -r name place; do
		if cmp -s "$files/$name" "$DESTDIR/etc/$place"; then
			rm -f "$DESTDIR/etc/$place"
		elif [ -e "$DESTDIR/etc/$place" ]; then
			say "left, because it was changed: $DESTDIR/etc/$place"
		fi
	done
	say "the group privheap was left: files may belong to it"
}

case ${1:-} in
install) install_module ;;
dkms-install) install_dkms ;;
uninstall) uninstall; exit ;;
*) die "usage: install.sh install|dkms-install|uninstall" ;;
esac
install_command
install_library
install_settings
activate
