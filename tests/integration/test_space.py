"""One account of space: who fills the store makes room with what is theirs, and everybody else is remembered
all along; a store that fills up sheds the largest users' oldest before it is full."""

import asyncio
import json
import os

import pytest
from harness.clock import until
from harness.crash import CrashDaemon
from harness.swift import SwiftServer

MEGABYTE = 1 << 20
TOGETHER = 16


@pytest.fixture
def server():
    server = SwiftServer()
    yield server
    server.close()


@pytest.fixture
def start(tmp_path, server):
    made = []

    def start(**settings):
        memory = {"user_limit": "5M"} | settings.pop("memory", {})
        storage = {"map_size": "128M"} | settings.pop("storage", {})
        daemon = CrashDaemon(tmp_path, server, {"memory": memory, "storage": storage} | settings)
        made.append(daemon.start())
        return daemon

    yield start
    for daemon in made:
        daemon.stop()


class Client:
    """Speaks over one connection; counts what the replies' X-Memory-Status said."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.said = {}

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.daemon.port)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def say(self, user, text, session=None):
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-User-Id: {user}\r\nContent-Type: application/json\r\n"
        head += f"X-Session-Id: {session}\r\n" if session else ""
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        reply = await self.reader.readuntil(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in reply.split(b"\r\n") if b": " in line)
        await self.reader.readexactly(int(lines[b"content-length"]))
        status = lines.get(b"x-memory-status", b"none").decode()
        self.said[status] = self.said.get(status, 0) + 1
        return status


def flood(daemon, server, count, user_of, beside=None):
    """`count` requests "x", each a conversation of its own; what their replies said of memory."""
    said = {}

    async def part(first):
        async with Client(daemon) as client:
            for i in range(first, count, TOGETHER):
                await client.say(user_of(i), "x")
                if beside is not None and i % 100 == 0:
                    assert await client.say(beside, f"Note t1-b{i}.", "beside") in ("injected", "empty")
            for status, times in client.said.items():
                said[status] = said.get(status, 0) + times

    async def all_parts():
        await asyncio.gather(*(part(i) for i in range(TOGETHER)))

    server.run(all_parts(), 600)
    return said


def file_size(daemon):
    return os.stat(daemon.store / "data.mdb").st_size


def check_room(daemon):
    assert "no room" not in daemon.admin("GET", "/readyz").text
    assert daemon.metric('recalld_bypassed_total{cause="full"}') == 0


def test_one_user_fills_only_what_is_theirs(start, server):
    """Without the account, a third of these fill the map."""
    daemon = start()
    said = flood(daemon, server, 4500, lambda _: "hog", "bob")
    assert set(said) <= {"injected", "empty"}, said
    assert file_size(daemon) < 40 * MEGABYTE
    check_room(daemon)
    until(lambda: len(daemon.memory("hog")["messages"]) < 9000, "no turn gave way")
    assert len(daemon.memory("bob")["messages"]) == 2 * 45, "bob's turns stand"
    daemon.kill()
    daemon.start()
    assert set(flood(daemon, server, 50, lambda _: "hog", "bob")) == {"injected"}
    assert file_size(daemon) < 40 * MEGABYTE


def test_a_store_that_fills_up_sheds_what_the_largest_users_were_given(start, server):
    daemon = start(memory={"user_limit": "1G"}, storage={"map_size": "64M"})
    assert set(flood(daemon, server, 100, lambda i: f"small-{i % 10}")) <= {"injected", "empty"}
    said = flood(daemon, server, 2400, lambda i: f"user-{i % 60}")
    assert set(said) <= {"injected", "empty"}, said
    check_room(daemon)
    for i in range(10):
        assert len(daemon.memory(f"small-{i}")["messages"]) == 20
        assert daemon.admin("GET", f"/v1/users/small-{i}/receipts").json()["receipts"], "small users keep theirs"


def test_a_store_that_is_full_when_it_is_opened_makes_room(start, server):
    daemon = start(memory={"user_limit": "1G"}, storage={"map_size": "128M"})
    flood(daemon, server, 1400, lambda i: f"user-{i % 7}")
    daemon.stop()
    assert file_size(daemon) > 64 * MEGABYTE
    daemon.config["storage"]["map_size"] = "64M"
    daemon.start()
    until(lambda: "no room" not in daemon.admin("GET", "/readyz").text, "no room was made")
    assert set(flood(daemon, server, 100, lambda i: f"user-{i % 7}")) == {"injected"}
    assert len(daemon.memory("user-0")["messages"]) >= 400, "what was given goes before turns do"


# ---- imports ----

def words(count, first):
    return " ".join(f"word{number}" for number in range(first, first + count))


def imported(daemon, user, turns, text, day):
    at = f"2026-01-{day:02}T10:{{:02}}:{{:02}}Z"
    messages = [{"role": "user", "content": text(number), "created_at": at.format(number // 60 % 60, number % 60), "session": "s"} for number in range(turns)]
    return daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": messages, "learn": False}, timeout=600)


def test_an_import_of_more_than_the_limit_keeps_the_newest(start):
    daemon = start(memory={"user_limit": "1M"}, storage={"map_size": "64M"})
    daemon.admin("POST", "/v1/users/bob/messages", json={"messages": [{"role": "user", "content": "I row."}], "learn": False})
    reply = imported(daemon, "hog", 1500, lambda number: words(2000, 2000 * number), 1)
    assert reply.status_code == 202, reply.text
    done = reply.json()
    assert 0 < done["imported"] < 60 and done["imported"] + done["reasons"]["over_limit"] == 1500
    kept = [turn["content"] for turn in daemon.admin("GET", "/v1/users/hog/memory").json()["messages"]]
    assert kept[-1].startswith(words(5, 2000 * 1499))
    assert os.path.getsize(daemon.store / "data.mdb") < 40 * MEGABYTE
    assert daemon.admin("GET", "/readyz").text.strip() == "ready"


def test_imports_one_after_the_other_go_in_and_the_oldest_give_way(start):
    daemon = start(memory={"user_limit": "1M"}, storage={"map_size": "64M"})
    for day in range(1, 6):
        reply = imported(daemon, "hog", 1200, lambda number, day=day: f"Short turn {number} of import {day}.", day)
        assert (reply.status_code, reply.json()["imported"]) == (202, 1200), reply.text

    def standing():
        return [turn["content"] for talk in daemon.admin("GET", "/v1/users/hog/export").json()["conversations"] for turn in talk["turns"]]

    until(lambda: len(standing()) < 6000, "nothing gave way")
    kept = standing()
    assert "Short turn 1199 of import 5." in kept and "Short turn 0 of import 1." not in kept
    assert imported(daemon, "bob", 1, lambda number: "I row.", 1).status_code == 202


def test_an_import_that_finds_the_map_crowded_leaves_memory_on_for_others(start):
    daemon = start(memory={"user_limit": "1G"}, storage={"map_size": "64M"})
    refused = 0
    for day in range(1, 20):
        reply = imported(daemon, "hog", 200, lambda number: f"{day} {number} " + words(3000, 0), day)
        refused += reply.status_code == 503
        assert reply.status_code in (202, 503), reply.text
        made = daemon.admin("POST", "/v1/users/ben/facts", json={"key": f"note_{day}", "value": "rows"})
        assert made.status_code == 201 and daemon.admin("GET", "/readyz").text.strip() == "ready", made.text
        if refused > 2:
            break
    assert refused


def fat(number, count):
    """Facts of 5 KB, which is what one may take."""
    return [{"id": str(n + 1), "entity": "user", "kind": "user", "key": f"key_{number}_{n}", "value": f"{n} " + "w" * 400, "confidence": 1,
             "source": {"type": "import", "quote": "q" * 500}, "observed_at": "2026-01-01T00:00:00Z", "state": "current",
             "metadata": {"a": "m" * 3900}} for n in range(count)]


@pytest.mark.parametrize("limit, map_size, count", [("1M", "32M", 1000), ("5M", "128M", 2500)])
def test_who_has_too_many_bytes_of_facts_gives_way_alone(start, limit, map_size, count):
    """The map is nearly full with them, but nobody else loses anything; nor do the user's own turns."""
    daemon = start(memory={"user_limit": limit, "mode": "buffer"}, storage={"map_size": map_size})
    others = ["ann", "ben", "cem"]
    talkers = [*others, "hog"]
    for name in talkers:
        daemon.admin("POST", f"/v1/users/{name}/messages", json={"messages": [{"role": "user", "content": f"I am {name}."}], "learn": False})
    for number in range(3):
        document = {"format": "recalld-export-1", "conversations": [], "facts": fat(number, count)}
        taken = daemon.admin("POST", "/v1/users/hog/import", json=document)
        assert taken.status_code in (200, 503), taken.text

    def facts():
        return daemon.admin("GET", "/v1/users/hog/facts?limit=1000").json()["facts"]

    until(lambda: len(facts()) < count / 4, "no facts gave way")
    assert facts(), "those within the limit stay"
    for name in talkers:
        (turn,) = daemon.admin("GET", f"/v1/users/{name}/memory").json()["messages"]
        assert turn["content"] == f"I am {name}."
    assert daemon.admin("GET", "/readyz").text.strip() == "ready"
