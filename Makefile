# SPDX-License-Identifier: GPL-2.0
#
# How things are built, tested and installed. What the module is made of: see
# Kbuild. Every target is explained by `make help`, from the comments here.

# make's own rules know nothing about kernels, and scripts/ runs parallel jobs.
MAKEFLAGS += --no-builtin-rules --no-print-directory
.NOTPARALLEL:
.DEFAULT_GOAL := all

RELEASE ?= $(shell uname -r)
KDIR    ?= /lib/modules/$(RELEASE)/build
DESTDIR ?=
PREFIX  ?= /usr/local

# Relative, and one per kernel: several kernels can be built side by side.
module   = scripts/module.sh $(KDIR)

.PHONY: all tools demo check kunit bench check-debug coverage fuzz static kernels
.PHONY: install dkms-install uninstall clean distclean setup help

all: ## Build privheap.ko for the running kernel (another one: KDIR= or RELEASE=)
	@test -e $(KDIR)/Makefile || { \
		echo "No kernel headers in $(KDIR)."; \
		echo "Install those of your kernel (Debian: linux-headers-$(RELEASE)), or name others: make KDIR=..."; \
		echo "Installed here:" /lib/modules/*/build; exit 1; }
	@out=$$($(module)) && cp $$out/privheap.ko privheap.ko && echo "built privheap.ko"

tools: ## Build the user programs into build/tools
	@$(MAKE) -s -C tools

setup: ## Install the Debian packages that the targets below need
	@scripts/setup.sh all

demo: ## Run the demonstration in a virtual machine (INPUT=file: the text it reads)
	@scripts/setup.sh build vm
	@scripts/demo.sh $(INPUT)

check: ## Run the KUnit suites and, on a stock kernel in a virtual machine, the selftests
	@scripts/check.sh

kunit: ## Run the KUnit suites in user-mode Linux (KASAN=1: with KASAN)
	@scripts/setup.sh build kunit
	@scripts/kunit.sh

bench: ## Measure, in instructions, into build/bench (SHORT=1: fewer rounds)
	@scripts/setup.sh build vm bench
	@SHORT=$(SHORT) scripts/bench.sh

check-debug: ## Run suites, selftests, stress on kernels that look for mistakes (ONLY=name)
	@scripts/check-debug.sh

coverage: ## Find what no test runs, into build/coverage
	@scripts/coverage.sh

fuzz: ## Fuzz the user interface on the debug kernel, and the pure layers (TIME=seconds, 300)
	@TIME=$(TIME) scripts/fuzz.sh

static: ## Run compiler warnings, sparse, checkpatch, kernel-doc, shellcheck
	@scripts/static.sh

kernels: ## Build for the newest 6.1 and 6.12 of Debian, each as amd64, cloud and rt
	@scripts/kernels.sh

install: all tools ## Install module, command, library, udev rule, examples (DESTDIR=, PREFIX=)
	@KDIR=$(KDIR) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) scripts/install.sh install

dkms-install: tools ## The same, the module by dkms: it follows kernel updates
	@RELEASE=$(RELEASE) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) scripts/install.sh dkms-install

uninstall: ## Remove what install or dkms-install installed
	@RELEASE=$(RELEASE) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) scripts/install.sh uninstall

clean: ## Remove everything that was built here
	rm -rf build privheap.ko

distclean: clean ## The same, and the cache of kernels, images and sources
	@scripts/clean-cache.sh

help: ## Show this
	@echo "make targets:"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'
	@echo "Caches live in $${PRIVHEAP_CACHE:-~/.cache/privheap} (set PRIVHEAP_CACHE to move them)."
