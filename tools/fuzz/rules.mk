# SPDX-License-Identifier: GPL-2.0
#
# The programs that the fuzzer prints begin with its own runtime.

$(out)/obj/fuzz/print.o: flags += -DRUNTIME='"$(here)/fuzz/runtime.h"'
$(out)/obj/fuzz/print.o: $(here)/fuzz/runtime.h
