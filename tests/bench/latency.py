#!/usr/bin/env python3
"""What memory adds to a request in the daemon: elapsed_us of the receipts of 400 previews, over a user
with so many stored turns of made-up talk (a Zipf vocabulary).

    latency.py [--turns 1000,10000] [--modes vector,hybrid]

Run it with the Python of tests/run (build/venv) on a machine that does nothing else; TEST_BUILD names
the build folder. Prints a table in Markdown."""

import argparse
import datetime
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import httpx  # noqa: E402
from harness.daemon import Daemon  # noqa: E402

QUESTIONS = 400
SYLLABLES = "ba be bo ca ce co da de do fa fe fo ga ge go la le lo ma me mo na ne no ra re ro sa se so ta te to".split()


def vocabulary(choice, size):
    return ["".join(choice.choices(SYLLABLES, k=choice.randint(2, 4))) for _ in range(size)]


def talk(choice, words, weights, count):
    return " ".join(choice.choices(words, weights, k=count))


def measure(daemon, user, mode, questions):
    times = []
    url = f"http://127.0.0.1:{daemon.admin_port}" + daemon.memory_path(user, "/preview")
    with httpx.Client(trust_env=False) as client:
        for question in questions:
            reply = client.post(url, json={"question": question, "mode": mode})
            times.append(reply.json()["receipt"]["elapsed_us"])
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100]


def remember(daemon, user, turns, choice, words, weights):
    begin = datetime.datetime(2025, 1, 1)
    messages = []
    for number in range(turns):
        at = begin + datetime.timedelta(minutes=7 * number)
        messages.append(
            {
                "role": ("user", "assistant")[number % 2],
                "content": talk(choice, words, weights, choice.randint(8, 36)).capitalize() + ".",
                "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "session": f"s{number // 20}",
            }
        )
    for first in range(0, turns, 500):
        daemon.import_messages(user, messages[first : first + 500], learn=False)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--turns", default="1000,10000")
    options.add_argument("--modes", default="vector,hybrid")
    options = options.parse_args()
    choice = random.Random(7)
    words = vocabulary(choice, 8000)
    weights = [1 / (rank + 10) for rank in range(len(words))]
    print("| turns | mode | median, us | p99, us |\n| ---: | --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as directory:
        daemon = Daemon(directory, {"memory": {"learn": "off"}, "storage": {"map_size": "1G"}}).start()
        try:
            for turns in map(int, options.turns.split(",")):
                remember(daemon, f"user-{turns}", turns, choice, words, weights)
                for mode in options.modes.split(","):
                    questions = [talk(choice, words, weights, 9) + "?" for _ in range(QUESTIONS)]
                    median, late = measure(daemon, f"user-{turns}", mode, questions)
                    print(f"| {turns:,} | {mode} | {median} | {late} |")
        finally:
            daemon.stop()


main()
