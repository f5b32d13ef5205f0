# SPDX-License-Identifier: GPL-2.0
#
# The C library loads it when a thread is cancelled: so a guest is to have it.

$(out)/selftests/preloaded: LDLIBS += -Wl,--no-as-needed -lgcc_s
