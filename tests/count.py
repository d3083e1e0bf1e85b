"""Prints "PASSED FAILED SKIPPED" of one suite: from meson's testlog.json with the tests' TAP
output in it, or from a junit file. What did not report counts as one failure. Each unit test that
failed is named on standard error, with what it said."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree

TAP_LINE = re.compile(r"^(not )?ok\b(?!.*#\s*todo)(.*#\s*skip)?", re.I)


def last_lines(test):
    return ["  " + said for said in (test.get("stderr") or "").splitlines()[-20:]]


def count_tap(path):
    passed = failed = skipped = 0
    for line in open(path, encoding="utf-8", errors="replace"):
        test = json.loads(line)
        points = []
        for said in (test.get("stdout") or "").splitlines():
            if point := TAP_LINE.match(said):
                points.append(point)
                if point[1]:
                    print(said, file=sys.stderr)
        bad = sum(1 for m in points if m[1])
        skips = sum(1 for m in points if m[2] and not m[1])
        if test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL") and not bad:
            bad += 1  # it crashed, timed out, or a sanitizer ended it
            print(f"not ok {test['name']}: {test['result']}", *last_lines(test), sep="\n", file=sys.stderr)
        if not points and test["result"] == "OK":
            passed += 1  # a test that speaks by its exit status alone
        if not points and test["result"] == "SKIP":
            skips += 1
        passed += sum(1 for m in points if not m[1] and not m[2])
        failed += bad
        skipped += skips
    return passed, failed, skipped


def count_junit(path):
    suites = ElementTree.parse(path).getroot().iter("testsuite")
    total = failed = skipped = 0
    for suite in suites:
        total += int(suite.get("tests"))
        failed += int(suite.get("failures")) + int(suite.get("errors"))
        skipped += int(suite.get("skipped"))
    return max(total - failed - skipped, 0), failed, skipped


def main():
    kind, path = sys.argv[1:]
    try:
        counts = count_tap(path) if kind == "tap" else count_junit(path)
    except (OSError, ValueError, ElementTree.ParseError):
        counts = (0, 1, 0)
    print(*counts)


main()
