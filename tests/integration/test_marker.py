"""Erased is erased: marker texts of deleted memory are searched in every file of the store.

MARKER_USERS=1000 runs it at the size of issue 21: each way erases 50 of 1,000 users."""

import base64
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import wired
from harness.chat import Chat
from harness.clock import until, next_second
from harness.daemon import Daemon, clean_environment, merged, program
from harness.memory_model import fact

USERS = int(os.environ.get("MARKER_USERS", "60"))
WAYS = ["fact", "turn", "conversation", "session", "span", "topic", "user", "tenant", "wish", "retention"]
EACH = USERS // 20
BEGINNING = "MkErased"  # of all markers


def forms(marker):
    """The bytes in which a text could stand: of base64 the three alignments, without their edges."""
    plain = marker.encode()
    yield plain
    yield marker.encode("utf-16-le")
    yield marker.encode("utf-16-be")
    yield "".join(f"\\u{ord(letter):04x}" for letter in marker).encode()
    for lead in range(3):
        coded = base64.b64encode(b"\0" * lead + plain)
        yield coded[4 if lead else 0:len(coded) // 4 * 4 - 4]


def all_forms(marker):
    return [form for text in (marker, marker.lower()) for form in forms(text)]


BEGINNINGS = all_forms(BEGINNING)


def places(data, text):
    at = data.find(text)
    while at >= 0:
        yield at
        at = data.find(text, at + 1)


def hits(folder, markers):
    """(marker, file) for each that stands in a file, in any form. Finds their common beginning, then what follows."""
    found = set()
    coded = [dict(zip(forms_of_all, markers)) for forms_of_all in zip(*map(all_forms, markers))]
    for file in (file for file in Path(folder).rglob("*") if file.is_file()):
        data = file.read_bytes()
        for beginning, known in zip(BEGINNINGS, coded):
            sizes = {len(form) for form in known}
            whole = {data[at:at + size] for at in places(data, beginning) for size in sizes}
            found |= {(known[form], file.name) for form in whole & known.keys()}
    return found


def test_the_search_finds_a_marker_in_each_form(tmp_path):
    marker = BEGINNING + "0001abcdef012345"
    for number, data in enumerate([
        marker.encode(), f"so {marker}!".encode("utf-16-le"), f"so {marker}!".encode("utf-16-be"), json.dumps({"a": marker.lower()}).encode(),
        "".join(f"\\u{ord(letter):04x}" for letter in marker).encode(), *(base64.b64encode(f"{'x' * lead}{marker} tea".encode()) for lead in range(3)),
    ]):
        (tmp_path / str(number)).write_bytes(b"\0" * number + data)
        assert (marker, str(number)) in hits(tmp_path, [marker, BEGINNING + "0002abcdef012345"]), number
    assert len(hits(tmp_path, [BEGINNING + "0002abcdef012345"])) == 0


def memory_of(marker):
    at = "2026-01-05T10:00:00Z"
    return {
        "format": "recalld-export-1",
        "facts": [{"id": "1", "entity": f"{marker} person", "kind": "person", "key": f"{marker.lower()}_likes", "value": f"tea {marker} " * 150,
                   "many": False, "confidence": 0.9, "pii": False, "observed_at": at, "state": "current", "superseded_by": None,
                   "source": {"type": "chat", "exchange": "1", "quote": f"I like {marker}"}}],
        "conversations": [{"id": "1", "session": "talk", "last_active": at, "answers": 1, "turns": [
            {"id": "1", "exchange": "1", "ordinal": 0, "role": "user", "content": f"I like {marker} " * 120, "created_at": at,
             "complete": True, "state": "current", "summarize": True, "answer": "2", "learned": "done"},
            {"id": "2", "exchange": "1", "ordinal": 0, "role": "assistant", "content": f"So do I: {marker} " * 60, "created_at": at,
             "complete": True, "state": "current", "summarize": True}]}],
        "summary": {"text": f"Likes {marker}", "covers": "2", "updated_at": at, "model": "m"},
    }


def erase(daemon, way, name, marker):
    if way in ("user", "tenant"):
        reply = daemon.admin("DELETE", f"/v1/users/{name}") if way == "user" else daemon.admin(
            "DELETE", f"/v1/tenants/{name}-corp", json={"confirm": f"{name}-corp"})
    elif way == "topic":
        reply = daemon.admin("POST", f"/v1/users/{name}/forget", json={"about": marker, "dry_run": False})
    elif way == "span":
        reply = daemon.admin("DELETE", f"/v1/users/{name}/memory?since=2026-01-05&until=2026-01-06")
    elif way == "session":
        reply = daemon.admin("DELETE", f"/v1/users/{name}/conversations?session=talk")
    else:
        shown = daemon.admin("GET", f"/v1/users/{name}/memory").json()
        part = shown["facts"][0]["id"] if way == "fact" else shown["messages"][0]["id" if way == "turn" else "conversation"]
        reply = daemon.admin("DELETE", f"/v1/users/{name}/{way}s/{part}?with_source=1")
    assert reply.status_code == 200, (way, reply.text)
    assert reply.json()["facts"] + reply.json()["turns"] + reply.json()["users"] >= 1, (way, reply.text)
    assert marker not in reply.text


def learn_in_chat(daemon, memory_model, name, marker):
    text = f"My cat is called {marker}."
    memory_model.answers[text] = [fact("cat", marker, f"My cat is called {marker}")]
    Chat(daemon, name).say(text)
    daemon.settle(name)
    assert daemon.values(name) == [marker]


def wish(daemon, memory_model, name, marker):
    text = f"Please forget my cat {marker}."
    memory_model.answers[text] = [fact("cat", marker, f"forget my cat {marker}", forget=True)]
    Chat(daemon, name).say(text)
    daemon.settle(name)
    assert marker not in json.dumps(daemon.memory(name))


def fill(daemon, memory_model, markers, ways):
    for name, marker in markers.items():
        tenant = f"?tenant={name}-corp" if ways.get(name) == "tenant" else ""
        if ways.get(name) == "wish":
            learn_in_chat(daemon, memory_model, name, marker)
        else:
            reply = daemon.admin("POST", f"/v1/users/{name}/import{tenant}", json=memory_of(marker))
            assert reply.status_code == 200 and reply.json()["turns"] == 2, reply.text


def erase_all(daemon, memory_model, markers, ways, chance):
    for name, way in ways.items():
        if way == "wish":
            wish(daemon, memory_model, name, markers[name])
        elif way != "retention":
            erase(daemon, way, name, markers[name])
        if chance.random() < 0.1:
            daemon.kill_and_restart()
    daemon.config["retention user=retention*"] = {"messages": "1m", "facts": "1m", "summaries": "1m"}
    daemon.write_configuration()
    daemon.signal(signal.SIGHUP)
    for name in (name for name, way in ways.items() if way == "retention"):
        path = daemon.memory_path(name)
        until(lambda: markers[name] not in daemon.admin("GET", path).text, f"{name} has not expired")


def recallctl(*arguments, **options):
    return subprocess.run([program("proxy/recallctl"), *arguments], capture_output=True, timeout=120, env=clean_environment(), **options)


def assert_scrubbed(tmp_path, daemon, gone, kept):
    """Of what was erased nothing is in any file, the log and an export included; of the rest everything."""
    store = tmp_path / "store"
    (tmp_path / "log").write_text(daemon.stderr)
    (tmp_path / "export").write_bytes(recallctl("export", "--store", str(store)).stdout)
    found = hits(tmp_path, gone + kept)
    assert {(marker, file) for marker, file in found if marker in gone} == set()
    assert {marker for marker, file in found if file == "data.mdb"} == set(kept)
    assert {marker for marker, file in found if file == "export"} == set(kept)


@pytest.mark.timeout(300 + 3 * USERS)
def test_after_a_scrub_no_file_holds_what_was_erased(upstream, memory_model, tmp_path):
    chance = random.Random(21)
    store = tmp_path / "store"
    daemon = Daemon(tmp_path, merged(wired(upstream, memory_model), {"storage": {"path": str(store)}}))
    ways = {f"{way}{number}": way for way in WAYS for number in range(EACH)}
    names = [*ways, *(f"kept{number}" for number in range(USERS - len(ways)))]
    markers = {name: f"{BEGINNING}{number:04}{chance.getrandbits(48):012x}" for number, name in enumerate(names)}
    chance.shuffle(names)
    ways = {name: ways[name] for name in names if name in ways}
    gone, kept = ([markers[name] for name in names if (name in ways) is erased] for erased in (True, False))
    daemon.start()
    try:
        fill(daemon, memory_model, {name: markers[name] for name in names}, ways)
        erase_all(daemon, memory_model, markers, ways, chance)
        # what is said in between moves the erased bytes about
        for name in names:
            if name not in ways:
                daemon.import_messages(name, [{"role": "user", "content": f"word{number} " * 200} for number in range(3)], learn=False)
        assert hits(store, gone), "the test shows nothing: nothing was left without a scrub"
        done = recallctl("-c", str(daemon.config_file), "scrub")
        assert done.returncode == 0, done.stderr
        assert_scrubbed(tmp_path, daemon, gone, kept)
        daemon.config["storage"]["scrub"] = "start"
        daemon.write_configuration()
        daemon.kill_and_restart()
        daemon.stop()
        assert_scrubbed(tmp_path, daemon, gone, kept)
        done = recallctl("scrub", "--json", "--store", str(store))
        assert done.returncode == 0 and json.loads(done.stdout)["bytes_after"] > 0, done.stderr
        assert_scrubbed(tmp_path, daemon, gone, kept)
        daemon.start()
        for name in names:
            assert name in ways or markers[name] in json.dumps(daemon.memory(name))
    finally:
        daemon.stop()


def test_a_restored_copy_or_export_resurrects_nobody(upstream, memory_model, tmp_path):
    store = tmp_path / "store"
    config = merged(wired(upstream, memory_model), {"storage": {"path": str(store)}})
    daemon = Daemon(tmp_path, config)
    daemon.start()

    try:
        for name in ("ann", "ben", "eve"):
            assert daemon.admin("POST", f"/v1/users/{name}/import", json=memory_of(f"{BEGINNING}{name}")).status_code == 200
        backup = recallctl("export", "--store", str(store)).stdout
        daemon.stop()
        copy = (store / "data.mdb").read_bytes()
        daemon.start()
        erase(daemon, "user", "ann", "MkErasedann")
        erase(daemon, "turn", "ben", "MkErasedben")
        daemon.stop()
        # an older copy of the file
        (store / "data.mdb").write_bytes(copy)
        daemon.start()
        next_second()
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        daemon.import_messages("ann", [{"role": "user", "content": "hello", "created_at": now}], learn=False)
        assert "MkErasedann" not in json.dumps(daemon.memory("ann"))
        assert "MkErasedeve" in json.dumps(daemon.memory("eve"))
        daemon.stop()
        # an older export
        fresh = tmp_path / "fresh"
        fresh.mkdir()
        (fresh / "erasures").write_bytes((store / "erasures").read_bytes())
        done = recallctl("rebuild", "--store", str(fresh), input=backup)
        assert done.returncode == 0 and b"left out" in done.stderr, done.stderr
        daemon.config["storage"]["path"] = str(fresh)
        daemon.write_configuration()
        daemon.start()
        assert daemon.admin("GET", "/v1/users/ann/memory").status_code == 404
        assert "MkErasedben" not in json.dumps(daemon.memory("ben"))
        assert "MkErasedeve" in json.dumps(daemon.memory("eve"))
        assert hits(fresh, ["MkErasedann", "MkErasedben"]) == set()
    finally:
        daemon.stop()
