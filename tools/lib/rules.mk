# SPDX-License-Identifier: GPL-2.0
#
# The library as programs link it, and the one that is preloaded: all of the
# library with the C library's names on top (preload/).

so       := $(out)/libprivheap.so.1
preload  := $(out)/libprivheap-preload.so
pic      := $(patsubst $(here)/%.c,$(out)/obj-pic/%.o,$(lib_sources))
over_pic := $(patsubst $(here)/%.c,$(out)/obj-pic/%.o,$(wildcard $(here)/lib/preload/*.c))

# Never unmapped: threads that end later still call the library.
shared    = -shared -Wl,-soname,$(@F) -Wl,-z,defs,-z,now,-z,nodelete -Wl,--sort-section=name

all: $(so) $(preload)

$(out)/obj-pic/%.o: $(here)/%.c
	@mkdir -p $(@D)
	@echo "  CC PIC  $*.o"
	@$(CC) $(flags) -fPIC -fvisibility=hidden -fdata-sections -c -o $@ $<

# The library's own names are exported by its list, the others' by theirs.
$(out)/obj-pic/lib/%.o: flags += $(if $(findstring preload,$*),-fno-builtin)
# What copies the heap may copy what the stack is checked with.
$(out)/obj-pic/lib/preload/fork.o $(out)/obj-pic/lib/preload/fault.o: flags += -fno-stack-protector

$(so): $(pic) $(here)/lib/libprivheap.map
	@echo "  LD      $(@F)"
	@$(CC) $(CFLAGS) $(LDFLAGS) $(shared) \
		-Wl,--version-script=$(here)/lib/libprivheap.map -o $@ $(pic) -pthread
	@ln -sf $(@F) $(out)/libprivheap.so

$(preload): $(pic) $(over_pic) $(here)/lib/preload/preload.map
	@echo "  LD      $(@F)"
	@$(CC) $(CFLAGS) $(LDFLAGS) $(shared) \
		-Wl,--version-script=$(here)/lib/preload/preload.map \
		-o $@ $(pic) $(over_pic) -pthread

-include $(wildcard $(out)/obj-pic/lib/*.d $(out)/obj-pic/lib/preload/*.d)
