"""Where the bench works: everything it makes is below build/bench."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "build" / "bench"
RELEASE = BENCH / "release"
PROGRAMS = RELEASE / "tests"
WORK = BENCH / "work"
LOGS = BENCH / "logs"


def fresh_folder(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
