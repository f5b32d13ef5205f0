#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make kernels`: builds the module for every stock kernel that Debian offers
# here: the newest release of each line, in each flavour, without a warning.
set -eu
. "$(dirname "$0")/lib.sh"

lines="6.1 6.12"
flavours="amd64 cloud rt"

# The names are known only after apt knows the lists, so that comes first.
find_releases() {
	local line flavour release

	for line in $lines; do
		for flavour in $flavours; do
			release=$(newest_release linux-headers "$line" "$flavour")
			echo "${release:-none:$line-$flavour}"
		done
	done
}

# install_headers RELEASE...: all that are missing, in one go.
install_headers() {
	local release args=()

	for release in "$@"; do
		args+=("linux-headers-$release" "to build for it")
	done
	"$top/scripts/setup.sh" --packages "${args[@]}"
}

build_one() {
	local log=$top/build/kernels/$1.log

	mkdir -p "$top/build/kernels"
	"$top/scripts/module.sh" "/usr/src/linux-headers-$1" >"$log" 2>&1 ||
		{ echo "failed"; tail -n 20 "$log" >&2; return 1; }
	if grep -iE 'warning:' "$log" >&2; then
		echo "warnings"
		return 1
	fi
	echo "ok"
}

"$top/scripts/setup.sh" build static
mapfile -t releases < <(find_releases)
install_headers "${releases[@]}"
failed=0
for release in "${releases[@]}"; do
	# An unchanged object prints no warning again.
	rm -rf "$top/build/kernels/$release"
	result=$(build_one "$release") || failed=$((failed + 1))
	printf '%-32s %s\n' "$release" "$result"
done
echo "kernels: $((${#releases[@]} - failed)) ok, $failed failed"
[ $failed = 0 ]
