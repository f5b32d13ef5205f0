#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tells which of the module's branches the fuzzer reached, by source file.

  fuzz-coverage.py FOLDER REACHED

FOLDER is where the module was built; REACHED holds the offsets in its text
that were reached, one a line. Prints a line per file, the sum, the sum without
what no user can reach, and the functions of which nothing was reached.
"""
import bisect
import glob
import os
import re
import subprocess
import sys

# What only other modules call, and what only loading and unloading does.
NOT_FOR_USERS = {"api", "chain", "check", "checklist", "door", "main", "report", "track"}

SITE = re.compile(r"^\s+([0-9a-f]+): R_X86_64_PLT32\s+__sanitizer_cov_trace_pc-")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def functions(ko):
    """Where each function of .text begins, in order."""
    found = []
    for line in run("objdump", "-t", "-j", ".text", ko).splitlines():
        words = line.split()
        if " F .text" in line:
            found.append((int(words[0], 16), words[-1]))
    return sorted(found)


def files(folder):
    """The file of each function; the compiler's own suffixes stay with it."""
    where = {}
    for path in glob.glob(os.path.join(folder, "module", "*.o")):
        for line in run("nm", "--defined-only", path).splitlines():
            _, kind, name = line.split()[-3:] if len(line.split()) > 2 else ("", "", "")
            if kind in "tT":
                where.setdefault(name, os.path.basename(path)[:-2])
    return where


def print_row(name, hit, there):
    print(f"{name:<12} {hit:5} of {there:5}  {100 * hit / there:5.1f} %")


def print_sum(name, sums):
    print_row(name, sum(s[0] for s in sums.values()), sum(s[1] for s in sums.values()))


def main():
    folder, reached_file = sys.argv[1:]
    ko = os.path.join(folder, "privheap.ko")
    with open(reached_file, encoding="ascii") as file:
        reached = {int(line, 16) for line in file}
    starts = functions(ko)
    where = files(folder)
    sums, untouched = {}, {}
    for line in run("objdump", "-dr", "-j", ".text", ko).splitlines():
        match = SITE.match(line)
        if not match:
            continue
        # KCOV records where the call returns to.
        at = int(match[1], 16) + 4
        name = starts[bisect.bisect_right(starts, (at, "~")) - 1][1]
        sums.setdefault(where.get(name, "?"), [0, 0])
        untouched.setdefault(name, True)
        sums[where.get(name, "?")][1] += 1
        if at in reached:
            sums[where.get(name, "?")][0] += 1
            untouched[name] = False
    for file, (hit, there) in sorted(sums.items(), key=lambda row: row[1][0] / row[1][1]):
        print_row(file, hit, there)
    print_sum("all", sums)
    print_sum("for users", {name: s for name, s in sums.items() if name not in NOT_FOR_USERS})
    print("nothing reached of:")
    for name in sorted(n for n, miss in untouched.items() if miss):
        print(f"  {where.get(name, '?')}: {name}")


if __name__ == "__main__":
    main()
