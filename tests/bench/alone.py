"""What is measured of recalld alone, by programs over its own libraries."""

import json
import re
import subprocess

from workplace import PROGRAMS


def run(*command, seconds):
    command = [str(word) for word in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=seconds, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stdout[-500:]}")
    return done.stdout


def figures(*command, seconds):
    """The line of JSON among what it prints."""
    lines = run(*command, seconds=seconds).splitlines()
    return json.loads(next(line for line in lines if line.startswith("{")))


def scan(bench):
    """The scan of a request, and all that memory does to one."""
    names = {
        "short_10kb": "10 KB, turns of one sentence",
        "short_1mb": "1 MB, turns of one sentence",
        "long_10kb": "10 KB, turns of eight",
        "long_1mb": "1 MB, turns of eight",
        "base64_10kb": "10 KB of base64",
        "base64_1mb": "1 MB of base64",
        "chat_49kb": "49 KB, turns of three",
        "claude_code": "49 KB of Claude Code's",
        "chat_40kb": "40 KB, turns of three",
        "codex": "40 KB of Codex's",
    }
    request = "scan, recall of 1,000 turns, splice of 10 KB"
    for _ in range(bench.rounds):
        found = figures(PROGRAMS / "bench-scan", seconds=120)
        for key, name in names.items():
            bench.results.add(f"request scan, {name}", "GB/s", "recalld", found[f"{key}_gb_s"])
        bench.results.add(request + ", p50", "us", "recalld", found["request_p50_us"])
        bench.results.add(request + ", p99", "us", "recalld", found["request_p99_us"])
    for key, name in names.items():
        aim = 10 if key.startswith("base64") else 4
        bench.results.wants(f"request scan, {name}", 1, aim, under=False)
    bench.results.wants(request + ", p50", 250, 60)


def recall(bench):
    """Retrieval from 100 to 100,000 turns, CPU."""
    pattern = re.compile(r"(\d+) turns: recall .*of the processor ([\d.]+), ([\d.]+)\)")
    for _ in range(1 if bench.quick else 3):
        for turns, median, late in pattern.findall(run(PROGRAMS / "bench-recall", seconds=590)):
            name = f"recall of {int(turns):,} turns"
            bench.results.add(f"{name}, CPU p50", "us", "recalld", float(median) * 1e3)
            bench.results.add(f"{name}, CPU p99", "us", "recalld", float(late) * 1e3)


def users(bench):
    """A store of a million users (quick: 20,000)."""
    count = 20000 if bench.quick else 1000000
    found = figures(PROGRAMS / "bench-users", count, seconds=1800)
    name = f"{count:,} users"
    for key, figure, unit in (
        ("warm_p50_us", "lookup p50", "us"),
        ("warm_p99_us", "lookup p99", "us"),
        ("cold_p50_us", "lookup p50, pages dropped", "us"),
        ("open_warm_ms", "opening", "ms"),
        ("open_cold_ms", "opening, pages dropped", "ms"),
        ("bytes_per_user", "on disk per user", "bytes"),
        ("made_s", "made in", "s"),
    ):
        bench.results.add(f"{name}, {figure}", unit, "recalld", found[key])
    bench.results.note(
        "The users are journalled in the order of their keys, to be done sooner; in the order of their "
        "coming pages are half empty, and a user takes about 1.5 times the room."
    )
    bench.results.wants(f"{name}, lookup p50", 20, 5)
    bench.results.wants(f"{name}, opening", 1000)


GROUPS = {"scan": scan, "recall": recall, "users": users}
