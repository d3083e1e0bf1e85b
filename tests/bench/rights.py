#!/usr/bin/env python3
"""What a person's rights cost: CPU time of recalld for exports, imports, deletes and merged duplicates of a
memory of so many turns and facts, and for an exchange of a restricted user beside others.

    rights.py [--turns 1000,10000] [--exchanges 1000]

Run it with the Python of tests/run (build/venv); TEST_BUILD names the build folder. It counts the process's CPU
time, which holds on a busy machine, and not what the disk takes. Prints two tables in Markdown, and fails if a
restricted user's exchanges write anything or change a byte on their way upstream."""

import argparse
import datetime
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from harness.chat import Chat  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from harness.upstream import Upstream  # noqa: E402

BEGIN = datetime.datetime(2025, 1, 1)
WORDS = "harbour lantern copper meadow violin thunder saddle orchard pepper glacier ribbon canyon walnut anchor".split()


def at(number):
    return (BEGIN + datetime.timedelta(minutes=7 * number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def sentence(number):
    return " ".join(WORDS[number * step % len(WORDS)] for step in range(1, 12)) + f" number{number}"


def fact(number, exchange):
    """Each has a twin: the same value in capitals."""
    value = f"thing {number // 2}"
    return {
        "id": str(number + 1), "entity": "user", "kind": "thing", "key": "likes", "many": True, "confidence": 0.9,
        "value": value.upper() if number % 2 else value, "observed_at": at(number), "state": "current",
        "source": {"type": "import", "exchange": str(exchange), "quote": f"number{exchange - 1}"},
    }


def turn(number):
    identity = str(number + 1)
    asked = str(number - number % 2 + 1)
    own = {"answer": str(number + 2), "learned": "done"} if number % 2 == 0 else {}
    return {
        "id": identity, "exchange": asked, "ordinal": number // 2, "role": ("user", "assistant")[number % 2], "complete": True,
        "content": sentence(number), "created_at": at(number), "state": "current", "hash": f"{number + 1:016x}", **own,
    }


def document(turns):
    """One conversation for each 20 turns, and a fact for each five."""
    conversations = [
        {"id": str(first // 20 + 1), "session": f"s{first // 20}", "answers": turns, "carries_history": True,
         "turns": [turn(number) for number in range(first, min(first + 20, turns))]}
        for first in range(0, turns, 20)
    ]
    facts = [fact(number, 1 + 2 * (number * 2 % (turns // 2))) for number in range(turns // 5)]
    return {"format": "recalld-export-1", "facts": facts, "conversations": conversations, "summary": None}


class Clock:
    """The daemon's own CPU time."""

    def __init__(self, daemon):
        self.clock = ~daemon.process.pid << 3 | 2  # clock_getcpuclockid(3)

    def milliseconds(self, work):
        begin = time.clock_gettime(self.clock)
        work()
        return 1000 * (time.clock_gettime(self.clock) - begin)


def call(daemon, method, path, status=200, **options):
    reply = daemon.admin(method, path, timeout=600, **options)
    assert reply.status_code == status, f"{method} {path}: {reply.status_code} {reply.text[:500]}"
    return reply


def rights(daemon, turns):
    clock = Clock(daemon)
    user = f"user-{turns}"
    memory = daemon.memory_path(user)
    body = json.dumps(document(turns)).encode()
    kind = {"Content-Type": "application/json"}

    def post(path, **value):
        return call(daemon, "POST", memory + path, json=value)

    def measure(name, work):
        print(f"| {turns:,} | {name} | {clock.milliseconds(work):.1f} |", flush=True)

    measure("import", lambda: call(daemon, "POST", memory + "/import", content=body, headers=kind))
    measure("import again", lambda: call(daemon, "POST", memory + "/import", content=body, headers=kind))
    measure("export", lambda: call(daemon, "GET", memory + "/export"))
    measure("export with receipts and audit",
            lambda: call(daemon, "GET", memory + "/export?include=facts,turns,summary,receipts,audit"))
    measure("duplicates shown", lambda: post("/dedupe?dry_run=1"))
    measure("duplicates merged", lambda: post("/dedupe"))
    said = call(daemon, "GET", memory + "/memory").json()
    measure("a fact deleted", lambda: call(daemon, "DELETE", memory + f"/facts/{said['facts'][0]['id']}"))
    measure("a turn deleted", lambda: call(daemon, "DELETE", memory + f"/turns/{said['messages'][-1]['id']}"))
    measure("a conversation of 20 turns deleted", lambda: call(daemon, "DELETE", memory + "/conversations?session=s1"))
    measure("a topic shown", lambda: post("/forget", about="number99", dry_run=True))
    measure("a topic deleted", lambda: post("/forget", about="number99", dry_run=False))
    measure("a tenth of the time deleted", lambda: call(daemon, "DELETE", memory + f"/memory?until={at(turns // 10)}"))
    measure("the user deleted", lambda: call(daemon, "DELETE", memory))


def exchange(daemon, upstream, user, headers, number):
    chat = Chat(daemon, user, session=f"of-{user}")
    sent = chat.body(f"What about the {sentence(number)}?")
    reply = daemon.post_chat(sent, chat.headers | headers)
    assert reply.status_code == 200, reply.text
    return upstream.last.body == sent


def written(daemon):
    return [daemon.metric(f"recalld_store_{what}_total") for what in ("commits", "writes")]


def exchanges(daemon, upstream, count):
    """Of nobody, of a restricted user, and of one who is remembered; each of the last two has 1,000 turns."""
    clock = Clock(daemon)
    for user in ("restricted", "remembered"):
        call(daemon, "POST", daemon.memory_path(user, "/import"), json=document(1000))
    call(daemon, "PUT", daemon.memory_path("restricted", "/settings"), json={"learn": False, "inject": False})
    kinds = [("memory is off by the header", "remembered", {"X-Memory-Mode": "off"}), ("a restricted user", "restricted", {}),
             ("a user who is remembered", "remembered", {"X-Memory-Mode": "hybrid"})]
    for name, user, headers in kinds:
        same = []
        before = written(daemon)
        spent = clock.milliseconds(lambda: same.extend(exchange(daemon, upstream, user, headers, i) for i in range(count)))
        changed, writes = count - sum(same), int(written(daemon)[1] - before[1])
        print(f"| {name} | {1000 * spent / count:.0f} | {writes} | {changed} |", flush=True)
        assert user != "restricted" or (written(daemon) == before and changed == 0)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--turns", default="1000,10000")
    options.add_argument("--exchanges", type=int, default=1000)
    options = options.parse_args()
    upstream = Upstream()
    with tempfile.TemporaryDirectory() as directory:
        config = {"upstream": {"base_url": upstream.base_url}, "memory": {"learn": "off"}, "storage": {"map_size": "1G"}}
        daemon = Daemon(directory, config).start()
        try:
            print("| turns | | CPU, ms |\n| ---: | --- | ---: |")
            for turns in map(int, options.turns.split(",")):
                rights(daemon, turns)
            print("\n| exchanges | CPU of one, us | writes | bodies changed |\n| --- | ---: | ---: | ---: |")
            exchanges(daemon, upstream, options.exchanges)
        finally:
            daemon.stop()
            upstream.close()


main()
