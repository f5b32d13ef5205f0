#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Removes what the scripts keep between runs: kernels, images, sources. Only
# these, for PRIVHEAP_CACHE may name a folder that holds other things too.
set -eu
. "$(dirname "$0")/lib.sh"

for folder in src kernels images; do
	[ ! -d "$cache/$folder" ] || { say "removing $cache/$folder"; rm -rf "${cache:?}/$folder"; }
done
