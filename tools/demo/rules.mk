# SPDX-License-Identifier: GPL-2.0
#
# The pictures and the tables of debugfs are the command's: no second copy.

$(out)/privheap-demo: $(addprefix $(out)/obj/privheap/, \
	cells.o debugfs.o layout.o legend.o palette.o region.o svg.o text.o units.o)
