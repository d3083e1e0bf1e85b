"""Prints how many lines and branches of core/ and storage/ the tests run, file by file, and ends
with TAP: `ok` when the branches of both together are at least MINIMUM percent.

    tests/coverage.py BUILD [MINIMUM]

BUILD was configured with -Db_coverage=true and its tests have run. gcov reads one object each (gcovr
takes minutes for the same). Counted as gcov reports them, at -O0, in the .c files of the two folders
and in their own headers, with one exception: the lines of an assert(), whose other branch ends the
process by design."""

import gzip
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

FOLDERS = ("core", "storage")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def note_files(build):
    """Those of today's sources: of one that went, meson removes the object, but not the note."""
    for folder in FOLDERS:
        objects = os.path.join(build, folder, f"lib{folder}.a.p")
        for name in sorted(os.listdir(objects)):
            if name.endswith(".gcno") and os.path.exists(os.path.join(objects, name[:-len("gcno")] + "o")):
                yield os.path.join(objects, name)


def read_object(note_file):
    done = subprocess.run(
        ["gcov", "--json-format", "--branch-probabilities", "--stdout", note_file],
        cwd=os.path.dirname(note_file), capture_output=True, check=True)
    text = done.stdout
    return json.loads(gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text)


def assert_lines(path):
    """The lines of assert() calls, to their closing semicolons."""
    lines, inside = set(), False
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            inside = inside or re.match(r"\s*(static_)?assert\(", line) is not None
            if inside:
                lines.add(number)
            inside = inside and not line.rstrip().endswith(";")
    return lines


class File:
    def __init__(self):
        self.lines = {}  # number: times run
        self.branches = {}  # (line, position among the line's): times taken

    def add(self, line, left_out):
        number = line["line_number"]
        self.lines[number] = self.lines.get(number, 0) + line["count"]
        if number in left_out:
            return
        for i, branch in enumerate(line["branches"]):
            self.branches[number, i] = self.branches.get((number, i), 0) + branch["count"]


def collect(build):
    files = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for report in pool.map(read_object, note_files(build)):
            base = report["current_working_directory"]
            for source in report["files"]:
                path = os.path.relpath(os.path.join(build, source["file"]), ROOT)
                path = path if not path.startswith("..") else os.path.relpath(
                    os.path.join(base, source["file"]), ROOT)
                if path.split(os.sep)[0] not in FOLDERS:
                    continue
                left_out = assert_lines(os.path.join(ROOT, path))
                for line in source["lines"]:
                    files.setdefault(path, File()).add(line, left_out)
    return files


def row(name, counts):
    ran = sum(1 for count in counts[0] if count)
    taken = sum(1 for count in counts[1] if count)
    share = lambda part, all_of: 100.0 if not all_of else 100.0 * part / all_of
    print(f"# {name:34} {share(ran, len(counts[0])):5.1f} % of {len(counts[0]):4} lines"
          f"  {share(taken, len(counts[1])):5.1f} % of {len(counts[1]):4} branches")
    return share(taken, len(counts[1]))


def main():
    build = os.path.abspath(sys.argv[1])
    minimum = float(sys.argv[2]) if len(sys.argv) > 2 else 90.0
    files = collect(build)
    for path in sorted(files):
        row(path, (files[path].lines.values(), files[path].branches.values()))
        if os.environ.get("COVERAGE_MISSING"):
            missing = sorted({n for (n, _), count in files[path].branches.items() if not count})
            print(f"#     not every branch: {' '.join(map(str, missing))}")
    share = row("core/ and storage/ together",
                ([c for f in files.values() for c in f.lines.values()],
                 [c for f in files.values() for c in f.branches.values()]))
    fine = share >= minimum
    print(f"{'ok' if fine else 'not ok'} 1 - {share:.1f} % of the branches of core/ and storage/ "
          f"run, at least {minimum:g} %")
    sys.exit(0 if fine else 1)


main()
