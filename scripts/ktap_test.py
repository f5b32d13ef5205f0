#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The judge is judged: every result of the project passes through ktap.py."""
import unittest

import ktap


def judge(text, suites=None):
    judged = ktap.Judge()
    for line in text.strip("\n").split("\n"):
        judged.take(line)
    judged.finish(suites)
    return (judged.passed, judged.failed, judged.skipped), judged.errors


class KtapTest(unittest.TestCase):
    def check(self, text, sums, errors, suites=None):
        found, said = judge(text, suites)
        self.assertEqual(found, sums)
        self.assertEqual(len(said), errors, said)

    def test_flat_stream(self):
        self.check("KTAP version 1\n1..3\nok 1 a\nok 2 - b\nok 3 c # SKIP no", (2, 0, 1), 0)

    def test_failed_case(self):
        self.check("1..2\nok 1 a\nnot ok 2 b", (1, 1, 0), 1)

    def test_no_plan(self):
        self.check("ok 1 a", (1, 1, 0), 1)

    def test_empty_stream(self):
        self.check("nothing of the kind", (0, 1, 0), 2)

    def test_fewer_than_planned(self):
        self.check("1..2\nok 1 a", (1, 1, 0), 1)

    def test_more_than_planned(self):
        self.check("1..1\nok 1 a\nok 2 b", (2, 1, 0), 1)

    def test_number_left_out(self):
        self.check("1..2\nok 1 a\nok 3 b", (2, 1, 0), 1)

    def test_parents_are_not_counted(self):
        self.check("1..1\n    1..2\n    ok 1 a\n    ok 2 b\nok 1 suite", (2, 0, 0), 0)

    def test_nested_without_plan(self):
        self.check("1..1\n    ok 1 a\nok 1 suite", (1, 1, 0), 1)

    def test_nested_fewer_than_planned(self):
        self.check("1..1\n    1..2\n    ok 1 a\nok 1 suite", (1, 1, 0), 1)

    def test_parent_fails_alone(self):
        self.check("1..1\n    1..1\n    ok 1 a\nnot ok 1 suite", (1, 1, 0), 1)

    def test_ends_inside_a_suite(self):
        self.check("1..2\nok 1 a\n    1..2\n    ok 1 b", (2, 1, 0), 2)

    def test_skipped_program(self):
        self.check("1..2\n    1..0 # SKIP no device\nok 1 a # SKIP\nok 2 b", (1, 0, 1), 0)

    def test_parameters_need_no_plan(self):
        self.check("1..1\n    1..1\n        ok 1 x\n        ok 2 y\n    ok 1 case\nok 1 suite",
                   (2, 0, 0), 0)

    def test_kernel_log(self):
        self.check("[    0.1] 1..0\n[    0.330000]     1..1\n<6>[   0.33][  T12]     ok 1 a\n"
                   "[    0.340000] ok 1 suite", (1, 0, 0), 0, suites=1)

    def test_suite_missing(self):
        self.check("    1..1\n    ok 1 a\nok 1 suite", (1, 1, 0), 1, suites=2)


if __name__ == "__main__":
    unittest.main()
