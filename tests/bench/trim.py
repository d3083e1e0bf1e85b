#!/usr/bin/env python3
"""What history = trim saves: a conversation of about 60,000 tokens with the demo model, which counts
its prompts and what a prefix cache would have of them, once passed on whole and once trimmed.

    trim.py [--turns 120] [--words 330]

Each turn of the log holds a name of its own; at the end the demo model, which answers only from what
it finds in the request, is asked for one of the first. Run it with the Python of tests/run
(build/venv); TEST_BUILD names the build folder. Prints a table in Markdown."""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from harness.chat import Chat  # noqa: E402
from harness.daemon import Daemon, DemoModel  # noqa: E402

WORDS = """harbour morning wind from the west and a calm sea with fishing boats far out while the crew
mended nets and painted the rail under a pale sky before the tide turned and gulls came in over the
breakwater where lamps were lit""".split()
FIRST = "Aldo Britt Carl Dora Egon Fina Gero Hedda Ivar Jette".split()
LAST = "Sand Wolk Brook Reef Tarn Quay Lock Weir Holm Ness Vik Sund".split()
ASKED = 3


def name(number):
    return f"{FIRST[number % 10]} {LAST[number // 10 % 12]}"


def entry(number, words, choice):
    text = " ".join(choice.choices(WORDS, k=words))
    return f"Log entry {number}. The pilot of ship number {number} is called {name(number)}. {text}."


def read_usage(answer):
    counted = json.loads(answer.body)["usage"]
    return counted["prompt_tokens"], counted["prompt_tokens_details"]["cached_tokens"]


def converse(daemon, turns, words):
    chat = Chat(daemon, "captain", session="log")
    choice = random.Random(7)
    texts = [entry(number, words, choice) for number in range(turns)]
    usage = []
    for text in [*texts, f"What is the pilot of ship number {ASKED} called?"]:
        answer = chat.say(text)
        usage.append(read_usage(answer))
        daemon.settle("captain", timeout=60)
    return usage, name(ASKED) in answer.text


def measure(history, turns, words):
    model = DemoModel()
    config = {
        "upstream": {"base_url": model.base_url},
        "model": {"name": "demo", "api_key": "demo-key"},
        "memory": {"mode": "hybrid", "history": history},
    }
    with tempfile.TemporaryDirectory() as directory:
        daemon = Daemon(directory, config).start()
        try:
            return converse(daemon, turns, words)
        finally:
            daemon.stop()
            model.stop()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--turns", type=int, default=120)
    options.add_argument("--words", type=int, default=330)
    options = options.parse_args()
    print("| `history` | last prompt, tokens | all prompts | of these cached | not cached | first turns known |")
    print("| --- | --- | --- | --- | --- | --- |")
    for history in ("pass", "trim"):
        usage, answered = measure(history, options.turns, options.words)
        prompts, cached = (sum(column) for column in zip(*usage))
        known = "yes" if answered else "no"
        print(f"| `{history}` | {usage[-1][0]:,} | {prompts:,} | {cached:,} | {prompts - cached:,} | {known} |")


main()
