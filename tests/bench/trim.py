#!/usr/bin/env python3
"""What history = trim saves: a conversation of about 60,000 tokens with the demo model, which counts
its prompts and what a prefix cache would have of them, once passed on whole and once trimmed.

    trim.py [--turns 120] [--words 330]
    trim.py --planted [--history-tokens 6000]

Each turn of the log holds a name of its own; at the end the demo model, which answers only from what
it finds in the request, is asked for one of the first. With --planted, 20 of 200 short turns each hold
a code; then each code is asked for, and it is counted whose request holds its code. Run it with the
Python of tests/run (build/venv); TEST_BUILD names the build folder. Prints a table in Markdown."""

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


def measure(run, *arguments, **memory):
    model = DemoModel()
    config = {
        "upstream": {"base_url": model.base_url},
        "model": {"name": "demo", "api_key": "demo-key"},
        "memory": {"mode": "hybrid"} | memory,
    }
    with tempfile.TemporaryDirectory() as directory:
        daemon = Daemon(directory, config).start()
        try:
            return run(daemon, *arguments)
        finally:
            daemon.stop()
            model.stop()


# ---- what is found again ----

PLANTED, SHORT_TURNS = 20, 200


def code(number):
    return f"{number * 7919 % 9000 + 1000}-{number:02}"


def short_turn(number, choice):
    if number % (SHORT_TURNS // PLANTED) == 3:
        planted = number // (SHORT_TURNS // PLANTED)
        return f"By the way, the locker of {name(planted * 11)} has the code {code(planted)}."
    return f"Hour {number}: {' '.join(choice.choices(WORDS, k=12))}."


def find_planted(daemon):
    """How many requests hold the code that they ask for, how many of these requests were a prefix of the
    next but for its newest turn, and the longest request, in bytes."""
    chat = Chat(daemon, "captain", session="log")
    choice = random.Random(7)
    for number in range(SHORT_TURNS):
        chat.say(short_turn(number, choice))
        if number % 10 == 9:
            daemon.settle("captain", timeout=60)
    found, kept, longest, before = 0, 0, 0, None
    for planted in range(PLANTED):
        question = f"Which code has the locker of {name(planted * 11)}?"
        body = chat.send(question, {"X-Memory-Dry-Run": "1"}).json()["messages"]
        found += code(planted) in json.dumps(body)
        kept += before is not None and body[: len(before)] == before
        longest = max(longest, len(json.dumps(body)))
        before = body
        chat.say(question)
    return found, kept, longest


def report_planted(history_tokens):
    print(f"| mode | codes found of {PLANTED} | requests that go on the one before | longest request, bytes |")
    print("| --- | --- | --- | --- |")
    for mode in ("hybrid", "auto", "vector", "summary", "buffer", "entity"):
        found, kept, longest = measure(
            find_planted, mode=mode, history="trim", history_tokens=history_tokens
        )
        print(f"| `{mode}` | {found} | {kept} | {longest:,} |", flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--turns", type=int, default=120)
    options.add_argument("--words", type=int, default=330)
    options.add_argument("--planted", action="store_true")
    options.add_argument("--history-tokens", type=int, default=6000)
    options = options.parse_args()
    if options.planted:
        report_planted(options.history_tokens)
        return
    print("| `history` | last prompt, tokens | all prompts | of these cached | not cached | first turns known |")
    print("| --- | --- | --- | --- | --- | --- |")
    for history in ("pass", "trim"):
        usage, answered = measure(converse, options.turns, options.words, history=history)
        prompts, cached = (sum(column) for column in zip(*usage))
        known = "yes" if answered else "no"
        print(f"| `{history}` | {usage[-1][0]:,} | {prompts:,} | {cached:,} | {prompts - cached:,} | {known} |")


main()
