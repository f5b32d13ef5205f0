#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make demo`: an index of a text's words in a private heap, in a virtual
# machine with the newest stock 6.1 kernel of Debian. Leaves the pictures of
# the heap's region in build/demo.
#
#   demo.sh [FILE]    any file; by default the GPL-3, which every Debian has
set -eu
. "$(dirname "$0")/lib.sh"

results=$top/build/demo
input=${1:-/usr/share/common-licenses/GPL-3}

# PNG for viewers that know no SVG; the SVG has more in it (hover).
convert_pictures() {
	local picture

	command -v rsvg-convert >/dev/null || return 0
	for picture in "$results"/*.svg; do
		[ ! -e "$picture" ] || rsvg-convert "$picture" -o "${picture%.svg}.png"
	done
}

tell_pictures() {
	local picture

	for picture in "$results"/*.svg "$results"/*.png; do
		[ ! -e "$picture" ] || say "  $(realpath --relative-to="$PWD" "$picture")"
	done
}

if [ ! -f "$input" ] || [ ! -r "$input" ]; then
	die "$input: not a file that can be read"
fi
"$top/scripts/setup.sh" build vm
mkdir -p "$results"
rm -f "$results"/*.svg "$results"/*.png
kdir=$(headers_dir 6.1 amd64)
built=$("$top/scripts/module.sh" "$kdir" 2>"$results/build.log") ||
	{ cat "$results/build.log" >&2; die "the module does not build"; }
make -s -C "$top/tools"

# Under a plain name: what the file is called here may mean something there.
name=$(basename "$input" | tr -c 'A-Za-z0-9._\n-' '_')
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
install -m 644 "$input" "$copy/$name"

status=0
"$top/scripts/vm.sh" --kernel "${kdir##*/linux-headers-}" --timeout "${TIMEOUT:-900}" \
	--script "$top/scripts/guest/demo.sh" --env "INPUT=$name" \
	--add "$built/privheap.ko" --add "$top/build/tools/privheap-demo" \
	--add "$copy/$name:/data/$name" \
	--get "/tmp/demo/before.svg:$results/before.svg" \
	--get "/tmp/demo/after.svg:$results/after.svg" \
	--log "$results/console.log" || status=$?
convert_pictures
say "Pictures of the region, before and after the frees:"
tell_pictures
[ $status = 0 ] || die "failed with status $status; the console is in build/demo/console.log"
