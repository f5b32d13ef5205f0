#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the Debian packages that the project's targets need and that are
# missing, after saying which and why.
#
#   setup.sh all | build vm kunit debug coverage fuzz bench static install...
#   setup.sh --packages NAME REASON [NAME REASON]...   others, by name
set -eu
. "$(dirname "$0")/lib.sh"

# group package reason; linux-headers:LINE:FLAVOUR is the newest of its line.
table() {
	cat <<'END'
build  gcc                   compiles the module and the user programs
build  make                  runs the kernel's build system
build  libc6-dev             headers of the user programs
build  kmod                  depmod for the installed module
build  python3               judges KTAP
build  linux-headers:6.1:amd64  to build the module against
vm     qemu-system-x86       the virtual machine
vm     busybox-static        its user space
vm     cpio                  its initramfs
vm     xz-utils              unpacks modules of the newer kernel line
vm     gcc-multilib          a 32-bit test program for the compat door
kunit  linux-source-6.1      the kernel that runs the suites
kunit  xz-utils              unpacks it
kunit  bc                    its build needs this
kunit  flex                  its build needs this
kunit  bison                 its build needs this
kunit  busybox-static        the user space beside the suites
kunit  cpio                  its initramfs
debug  linux-source-6.1      the debug kernel
debug  xz-utils              unpacks it
debug  bc                    its build needs this
debug  flex                  its build needs this
debug  bison                 its build needs this
debug  libelf-dev            its build needs this (objtool)
debug  libssl-dev            its build needs this
debug  clang                 compiles the kernel with KMSAN
fuzz   clang                 compiles the pure layers
fuzz   libclang-rt-14-dev    libFuzzer and the sanitizers
static sparse                checks address spaces and locking
static shellcheck            checks the scripts
static ocaml                 some of these have scripts in it
static coccinelle            looks for mistakes by the kernel's semantic patches
static clang                 analyses the module and the user programs
static pkgconf               tells how to build against the library
static perl                  runs checkpatch and kernel-doc
static g++                   the user header has to be C++ too
static xz-utils              unpacks checkpatch and kernel-doc
static linux-source-6.1      checkpatch and kernel-doc
coverage lcov                sums up what ran, as HTML
debug  linux-headers:6.1:rt     the module where spinlocks sleep
debug  linux-headers:6.12:amd64  the module beside KFENCE
static linux-headers:6.12:amd64  the other kernel line
END
}

installed() {
	# shellcheck disable=SC2016 # a dpkg-query format, not a shell variable
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints nothing while apt does not know the line, before its first update.
package_name() {
	local line flavour release

	case $1 in
	linux-headers:*)
		IFS=: read -r _ line flavour <<<"$1"
		release=$(newest_release linux-headers "$line" "$flavour")
		echo "${release:+linux-headers-$release}"
		;;
	*) echo "$1" ;;
	esac
}

# The rows whose package is not installed, by its full name where it is known.
missing_rows() {
	local group package reason name

	while read -r group package reason; do
		name=$(package_name "$package")
		if [ -z "$name" ] || ! installed "$name"; then
			echo "${name:-$package} $reason"
		fi
	done
}

wanted_rows() {
	local group

	for group in "$@"; do
		case $group in
		all) table ;;
		build | vm | kunit | debug | coverage | fuzz | static) table | grep "^$group " ;;
		bench | install) ;; # what they need, the other groups have
		*) die "unknown group $group" ;;
		esac
	done | sort -u -k2,2
}

# show [EDIT]: the rows, indented, for a person.
show() {
	sed -e "${1:-}" -e 's/^/  /' >&2
}

update_lists() {
	[ -z "${updated:-}" ] || return 0
	say "Updating the package lists"
	apt-get -q -o DPkg::Lock::Timeout=600 update >/dev/null ||
		say "apt-get update failed; trying with the lists that are there"
	updated=1
}

install_packages() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
		--no-install-recommends install "$@" >"$log" 2>&1
}

[ $# -ge 1 ] || die "usage: setup.sh GROUP... (all, build, vm, kunit, debug, coverage, fuzz, bench, static)"
case $1 in
--packages) shift; rows=$(printf 'other %s %s\n' "$@") ;;
*) rows=$(wanted_rows "$@") ;;
esac
if ! command -v dpkg-query >/dev/null; then
	say "This is not Debian. What is needed, by its Debian names:"
	show 's/^[a-z]* *//' <<<"$rows"
	exit 1
fi
rows_missing=$(missing_rows <<<"$rows")
[ -n "$rows_missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	say "These packages are missing; as root: apt-get install $(cut -d' ' -f1 <<<"$rows_missing" | tr '\n' ' ')"
	show <<<"$rows_missing"
	exit 1
fi
say "Installing what is missing:"
update_lists
rows_missing=$(missing_rows <<<"$rows")
show <<<"$rows_missing"
log=$(mktemp)
mapfile -t packages < <(cut -d' ' -f1 <<<"$rows_missing")
install_packages "${packages[@]}" || { tail -n 20 "$log" >&2; die "apt-get install failed"; }
rm -f "$log"
