"""Recall finds at least what plain BM25 would, at equal length: tests/bench/quality over the bench's dialogues."""

import subprocess
import sys

import pytest

from harness.daemon import ROOT


@pytest.mark.parametrize("part", ["choose", "report"])
def test_recall_is_never_worse_than_plain_bm25(part):
    command = [sys.executable, str(ROOT / "tests/bench/quality"), "--never-worse", "--part", part]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("| dialogues, ") == 3, done.stdout
