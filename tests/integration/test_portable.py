"""A user's memory as a file: our own form, out and in again, and those of mem0, OpenMemory, ChatGPT and Claude."""

import io
import json
import zipfile
from datetime import datetime, timedelta, timezone

import pytest

from harness.chat import Chat
from harness.clock import until

DAY = "2026-01-05T10:00:00Z"


def say(daemon, user, *texts, session="a", learn=False):
    messages = []
    for number, text in enumerate(texts):
        at = f"2026-01-05T10:{number:02}:00.250Z"
        messages += [{"role": "user", "content": text, "session": session, "created_at": at},
                     {"role": "assistant", "content": f"Noted: {text}", "session": session, "created_at": at}]
    reply = daemon.admin("POST", f"/v1/users/{user}/messages", json={"learn": learn, "messages": messages})
    assert reply.status_code == 202, reply.text


def export(daemon, user):
    reply = daemon.admin("GET", f"/v1/users/{user}/export")
    assert reply.status_code == 200, reply.text
    return reply.json()


def take_in(daemon, user, document, query="", **headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    kind = "application/zip" if body.startswith(b"PK") else "application/json"
    return daemon.admin("POST", f"/v1/users/{user}/import{query}", content=body, headers={"Content-Type": kind, **headers})


def renamed(document):
    """The export with its ids replaced by their order, as import may make new ones."""
    names = {}

    def rename(value, key=None):
        if isinstance(value, dict):
            return {name: rename(inner, name) for name, inner in value.items() if name not in ("exported_at", "user")}
        if isinstance(value, list):
            return [rename(inner) for inner in value]
        return value

    clean = rename(document)
    for fact in clean["facts"]:
        names["f" + fact["id"]] = f"F{len(names)}"
    for conversation in clean["conversations"]:
        conversation["id"] = "C"
        for turn in conversation["turns"]:
            names["t" + turn["id"]] = f"T{len(names)}"
    for fact in clean["facts"]:
        fact["id"] = names["f" + fact["id"]]
        fact["superseded_by"] = fact["superseded_by"] and names["f" + fact["superseded_by"]]
        fact["source"]["exchange"] = fact["source"]["exchange"] and names["t" + fact["source"]["exchange"]]
    for conversation in clean["conversations"]:
        for turn in conversation["turns"]:
            for member in ("id", "exchange", "answer", "replaces"):
                if turn.get(member):
                    turn[member] = names["t" + turn[member]]
    if clean["summary"]:
        clean["summary"]["covers"] = names["t" + clean["summary"]["covers"]]
    return clean


def test_export_import_export_is_identical_and_twice_changes_nothing(daemon, user, memory_model):
    say(daemon, user, "I live in Lisbon", "My cat is called Tom \u00e9\U0001f600")
    say(daemon, user, "I work in Bergen", session="b")
    first = export(daemon, user)
    assert first["format"] == "recalld-export-1" and len(first["conversations"]) == 2
    other = user + "-copy"
    reply = take_in(daemon, other, first)
    assert reply.status_code == 200, reply.text
    assert reply.json()["turns"] == 6 and reply.json()["format"] == "recalld"
    second = export(daemon, other)
    assert renamed(second) == renamed(first)
    again = take_in(daemon, other, first).json()
    assert (again["turns"], again["facts"], again["known"]) == (0, 0, 6)
    assert export(daemon, other)["conversations"] == second["conversations"]
    # into the same user, it changes nothing either
    assert take_in(daemon, user, first).json()["known"] == 6


def test_facts_with_their_states_come_back(daemon, user):
    fact = {"id": "7", "entity": "user", "kind": "user", "key": "city", "value": "Oslo", "many": False, "confidence": 0.9,
            "pii": True, "source": {"type": "chat", "exchange": None, "quote": "in Oslo"}, "observed_at": "2026-01-05T10:00:00.123Z",
            "state": "current", "superseded_by": None}
    old = {**fact, "id": "3", "value": "Rome", "state": "superseded", "superseded_by": "7", "ended_at": "2026-01-05T10:00:00.123Z"}
    document = {"format": "recalld-export-1", "facts": [old, fact], "conversations": [], "summary": None}
    assert take_in(daemon, user, document).json()["facts"] == 2
    facts = export(daemon, user)["facts"]
    assert [(one["value"], one["state"], one["observed_at"]) for one in facts] == [
        ("Rome", "superseded", "2026-01-05T10:00:00.123Z"), ("Oslo", "current", "2026-01-05T10:00:00.123Z")]
    assert facts[0]["superseded_by"] == facts[1]["id"] and facts[1]["confidence"] == 0.9
    assert take_in(daemon, user, document).json()["known"] == 2
    shown = daemon.admin("GET", f"/v1/users/{user}/memory").json()["facts"]
    assert [one["value"] for one in shown] == ["Oslo"]
    # and what is deleted does not come back
    assert daemon.admin("DELETE", f"/v1/users/{user}/facts/{shown[0]['id']}").json()["facts"] == 2
    assert take_in(daemon, user, document).json()["erased"] == 2


def chatgpt():
    def node(name, parent, role=None, *parts, **more):
        message = role and {"author": {"role": role}, "create_time": 1767607200.5,
                            "content": {"content_type": "text", "parts": list(parts)}, **more}
        return {"id": name, "parent": parent, "children": [], "message": message}

    nodes = [node("root", None), node("sys", "root", "system", "You are helpful"),
             node("u1", "sys", "user", "I live in Lisbon"), node("old", "u1", "assistant", "An abandoned answer"),
             node("a1", "u1", "assistant", "Lisbon, ", "nice"), node("hid", "a1", "user", "invisible",
                                                                    metadata={"is_visually_hidden_from_conversation": True}),
             node("zero", "hid", "assistant", "weightless", weight=0), node("u2", "zero", "user", "And Bergen")]
    return [{"title": "T", "create_time": 1767607200, "conversation_id": "c-1", "current_node": "u2",
             "mapping": {one["id"]: one for one in nodes}}]


def claude():
    def message(uuid, sender, text, parent=None, content=None):
        return {"uuid": uuid, "sender": sender, "text": text, "content": content or [], "created_at": DAY,
                "parent_message_uuid": parent}

    blocks = [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "Lisbon, nice"}]
    return [{"uuid": "c-2", "name": "N", "created_at": DAY, "chat_messages": [
        message("1", "human", "I live in Lisbon", "root"), message("2", "assistant", "thinking...", "1", blocks),
        message("x", "human", "an abandoned branch", "2"), message("3", "human", "And Bergen", "2")]}]


def mem0():
    return {"results": [{"id": "m1", "memory": "Likes tea", "created_at": DAY, "updated_at": "2026-02-01T00:00:00+00:00"},
                        {"id": "m2", "memory": "Trial ends soon", "created_at": DAY, "expiration_date": "2099-01-01"},
                        {"id": "m3", "memory": ""}]}


def openmemory():
    return {"user": {"id": "u"}, "apps": [], "categories": [], "memories": [
        {"id": "1", "content": "Likes tea", "state": "active", "created_at": 1767607200},
        {"id": "2", "content": "Paused", "state": "paused", "created_at": 1767607200}, {"id": "3", "content": "Gone", "state": "deleted"},
        {"id": "4", "content": "Archived", "state": "archived", "created_at": 1767607200, "archived_at": "2026-01-06T00:00:00Z"}]}


def archive(name, document, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        packed.writestr("some/folder/readme.txt", "hello")
        packed.writestr(name, json.dumps(document))
    return out.getvalue()


@pytest.mark.parametrize("packed", [None, "conversations.json", "export/conversations-000.json"])
@pytest.mark.parametrize("name, make", [("chatgpt", chatgpt), ("claude", claude)])
def test_conversations_of_others_come_in_once(daemon, user, name, make, packed):
    document = archive(packed, make()) if packed else make()
    shown = take_in(daemon, user, document, "?dry_run=1&learn=1").json()
    assert shown["format"] == name and shown["turns"] == 3 and shown["left_out"] >= 1
    assert shown["first"].startswith("2026-01-05") and shown["model_calls"]["facts"] <= 2
    assert daemon.admin("GET", f"/v1/users/{user}/memory").status_code == 404
    done = take_in(daemon, user, document, "?learn=0").json()
    assert done["turns"] == 3 and done["conversations"] == 1
    messages = daemon.admin("GET", f"/v1/users/{user}/memory").json()["messages"]
    assert [turn["content"].replace("\n", "") for turn in messages] == ["I live in Lisbon", "Lisbon, nice", "And Bergen"]
    assert {turn["session"] for turn in messages} == {f"{name}:c-{1 if name == 'chatgpt' else 2}"}
    assert take_in(daemon, user, document, "?learn=0").json()["known"] == 3


@pytest.mark.parametrize("name, make, values, count", [("mem0", mem0, ["Likes tea", "Trial ends soon"], 2), ("openmemory", openmemory, ["Likes tea"], 3)])
def test_memories_of_others_become_notes(daemon, user, name, make, values, count):
    for document in (make(), archive("memories.json", make(), zipfile.ZIP_STORED)):
        reply = take_in(daemon, user, document)
        assert reply.status_code == 200, reply.text
        assert reply.json()["format"] == name and reply.json()["facts"] + reply.json()["known"] == count
    facts = daemon.admin("GET", f"/v1/users/{user}/memory").json()["facts"]
    assert sorted(fact["value"] for fact in facts) == values and {fact["kind"] for fact in facts} == {"note"}


@pytest.mark.parametrize("document, query", [
    (b"{", ""), (b"5", ""), ([{"what": 1}], ""), ({"format": "other"}, ""), ({"format": "recalld-export-1"}, ""),
    ({"format": "recalld-export-1", "facts": [{"id": "x"}], "conversations": []}, ""),
    ({"format": "recalld-export-1", "facts": [{"id": "1"}], "conversations": []}, ""),
    ({"format": "recalld-export-1", "facts": [], "conversations": [{"turns": [{"id": "1", "role": "system"}]}]}, ""),
    ({"format": "recalld-export-1", "facts": [], "conversations": [{"turns": [
        {"id": "1", "role": "user", "content": "a"}, {"id": "1", "role": "user", "content": "b"}]}]}, ""),
    ([], "?format=word"), ([], "?dry_run=2"), ([{"mapping": 5}], ""), ([{"chat_messages": 5}], ""), ({"messages": []}, ""),
    (b"PK", ""), (b"PK\x05\x06" + b"\0" * 18, ""), (archive("other.json", []), ""), (archive("conversations.json", [])[:-30], ""),
])
def test_a_file_that_is_none_is_400(daemon, user, document, query):
    reply = take_in(daemon, user, document, query)
    assert reply.status_code == 400, reply.text
    assert daemon.admin("GET", f"/v1/users/{user}/memory").status_code == 404


def test_an_archive_that_unpacks_to_too_much_is_400(daemon, user):
    bomb = archive("conversations.json", " " * (300 << 20))
    assert len(bomb) < 1 << 20
    assert take_in(daemon, user, bomb).status_code == 400


def test_secrets_of_others_are_masked(daemon, user):
    document = claude()
    document[0]["chat_messages"][0]["text"] = "my key is sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
    assert take_in(daemon, user, document, "?learn=0").status_code == 200
    assert "abcdefghijklmnop" not in json.dumps(export(daemon, user))


def test_an_unknown_user_has_no_export(daemon, user):
    assert daemon.admin("GET", f"/v1/users/{user}/export").status_code == 404


def test_an_export_may_hold_parts(daemon, user):
    say(daemon, user, "I own a cat.", session="a")
    say(daemon, user, "I row.", session="b")
    say(daemon, user, "I own a dog, too.", session="a")
    whole = export(daemon, user)
    assert [[t["content"] for t in c["turns"] if t["role"] == "user"] for c in whole["conversations"]] == [
        ["I own a cat.", "I own a dog, too."], ["I row."]]
    path = f"/v1/users/{user}/export?include="
    facts = daemon.admin("GET", path + "facts,summary").json()
    assert facts["facts"] == whole["facts"] and facts["conversations"] == []
    turns = daemon.admin("GET", path + "turns").json()
    assert turns["conversations"] == whole["conversations"] and turns["summary"] is None
    assert take_in(daemon, user + "-2", turns).json()["turns"] == 6
    for bad in ("", "all", "facts,", "facts,,turns", "receipt"):
        assert daemon.admin("GET", path + bad).status_code == 400, bad


def put_settings(daemon, user, **settings):
    reply = daemon.admin("PUT", f"/v1/users/{user}/settings", json=settings)
    assert reply.status_code == 200, reply.text
    return {name: value for name, value in reply.json().items() if name != "user"}


def test_settings_come_along_unless_the_person_has_their_own(daemon, user):
    say(daemon, user, "I own a cat.")
    assert export(daemon, user)["settings"] is None
    stored = put_settings(daemon, user, inject=False, retention={"messages": "30d"}, pii="redact", note="by letter",
                          consent={"given_at": "2026-01-05T10:00:00Z", "by": "alex", "text_version": "2"},
                          hold_until="2027-01-01T00:00:00Z")
    first = export(daemon, user)
    assert first["settings"] == stored
    other = user + "-copy"
    assert take_in(daemon, other, first, "?dry_run=1").json()["settings"] is True
    assert take_in(daemon, other, first).json()["settings"] is True
    assert renamed(export(daemon, other)) == renamed(first)
    assert take_in(daemon, other, first).json()["settings"] is False
    own = put_settings(daemon, other, inject=True, note="by phone")
    assert take_in(daemon, other, first).json()["settings"] is False
    assert export(daemon, other)["settings"] == own


def test_who_wants_nothing_kept_takes_nothing_in(daemon, user, memory_model):
    say(daemon, user, "I own a cat.", learn=True)
    put_settings(daemon, user, learn=False)
    first = export(daemon, user)
    other = user + "-copy"
    first["conversations"][0]["turns"][0]["learned"] = "pending"
    done = take_in(daemon, other, first).json()
    assert (done["turns"], done["settings"]) == (2, True)
    # not even a job is left of it
    assert export(daemon, other)["conversations"][0]["turns"][0]["learned"] != "pending"
    assert daemon.admin("GET", f"/v1/users/{other}/memory").json()["pending"] == 0
    reply = take_in(daemon, other, first)
    assert reply.status_code == 409 and reply.json()["error"]["code"] == "restricted", reply.text


def test_settings_of_before_an_erasure_do_not_come_back(daemon, user):
    say(daemon, user, "I have a canary.")
    put_settings(daemon, user, note="moved to Bern, see letter", retention={"messages": "30d"})
    document = export(daemon, user)
    assert daemon.admin("DELETE", f"/v1/users/{user}").status_code == 200
    answer = take_in(daemon, user, document).json()
    assert answer["settings"] is False and answer["turns"] == 0 and answer["erased"] >= 2 and answer["erased_at"].startswith("20")
    assert not daemon.knows(user)
    assert daemon.admin("GET", f"/v1/users/{user}/settings").json()["note"] is None


def test_settings_alone_are_an_export(daemon, user):
    put_settings(daemon, user, learn=False, inject=False)
    whole = export(daemon, user)
    assert (whole["user"], whole["settings"]["learn"], whole["facts"], whole["conversations"]) == (user, False, [], [])
    path = f"/v1/users/{user}/export?include=receipts,audit"
    reply = daemon.admin("GET", path).json()
    assert reply["receipts"] == [] and reply["audit"][0]["action"] == "restrict"


@pytest.mark.parametrize("settings", [{"learn": 5}, {"word": 1}, {"changed_at": "yesterday"}])
def test_settings_that_are_none_are_400(daemon, user, settings):
    document = {"format": "recalld-export-1", "settings": settings, "facts": [], "conversations": []}
    assert take_in(daemon, user, document).status_code == 400


def test_receipts_and_the_audit_come_along_when_asked_for(daemon, user, chat):
    say(daemon, user, "I own a cat.")
    say(daemon, user + "-2", "I own a dog.")
    talk = chat(user)
    ids = [talk.say(f"What do I own, {number}?").headers["X-Memory-Receipt"] for number in range(3)]
    daemon.settle(user)
    put_settings(daemon, user, inject=False)
    whole = daemon.admin("GET", f"/v1/users/{user}/export?include=facts,turns,summary,receipts,audit").json()
    assert [one["id"] for one in whole["receipts"]] == ids[::-1]
    assert whole["receipts"][0] == daemon.admin("GET", f"/v1/receipts/{ids[-1]}").json()
    log = daemon.admin("GET", f"/v1/audit?user={user}&limit=1000").json()["entries"]
    assert whole["audit"] == log[:len(whole["audit"])]  # reads are written a little later
    actions = [one["action"] for one in whole["audit"]]
    assert actions[0] == "import" and "restrict" in actions and len({one["of"] for one in whole["audit"]}) == 1
    assert user not in json.dumps(whole["audit"])
    # an import passes over both
    assert take_in(daemon, user + "-copy", whole).status_code == 200
    again = daemon.admin("GET", f"/v1/users/{user}-copy/export?include=receipts").json()
    assert again["receipts"] == [] and "receipts" not in export(daemon, user)


HALVES = {
    "claude": [{"uuid": "c", "created_at": DAY, "chat_messages": [
        {"uuid": "1", "sender": "human", "text": "My allergy is nuts HALF", "created_at": DAY}]}],
    "chatgpt": [{"conversation_id": "c", "current_node": "a", "mapping": {"a": {"id": "a", "parent": None, "children": [], "message": {
        "author": {"role": "user"}, "create_time": 1767607200, "metadata": {"title": "HALF"},
        "content": {"content_type": "text", "parts": ["My allergy is nuts HALF"]}}}}}],
    "messages": {"messages": [{"role": "user", "content": "My allergy is nuts HALF"}]},
    "mem0": {"results": [{"id": "1", "memory": "My allergy is nuts HALF", "created_at": DAY}]},
}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_surrogate_pair_costs_no_message(daemon, user, name):
    """JavaScript cuts texts between the two; a chat has U+FFFD in its place."""
    body = json.dumps(HALVES[name]).replace("HALF", "\\ud83d")
    done = daemon.admin("POST", daemon.memory_path(user, "/import"), content=body, headers={"Content-Type": "application/json"})
    assert done.status_code == 200 and done.json()["left_out"] == 0, done.text
    memory = daemon.memory(user)
    assert "My allergy is nuts \ufffd" in [one.get("content", one.get("value")) for one in memory["messages"] + memory["facts"]]


def test_a_message_that_cannot_be_read_is_counted(daemon, user):
    body = json.dumps(HALVES["claude"]).replace('"sender": "human"', '"sender": "human", "score": 1e999')
    done = daemon.admin("POST", daemon.memory_path(user, "/import"), content=body, headers={"Content-Type": "application/json"})
    assert (done.status_code, done.json()["reasons"], done.json()["turns"]) == (200, {"other": 1}, 0), done.text


def test_a_long_chain_of_messages_costs_little(daemon, user):
    """Each message names its parent: looking for each among all would take minutes."""
    messages = [{"uuid": str(n), "parent_message_uuid": str(n - 1), "sender": "human", "text": f"Lamp {n}", "created_at": DAY}
                for n in range(60000)]
    before = daemon.cpu_seconds()
    shown = take_in(daemon, user, [{"uuid": "c", "chat_messages": messages}], "?dry_run=1&learn=0").json()
    assert shown["turns"] == 60000
    assert daemon.cpu_seconds() - before < 20


@pytest.mark.parametrize("at, shown", [("2025-01-02T03:04:05", "2025-01-02T03:04:05Z"), ("2025-01-02 03:04:05.678", "2025-01-02T03:04:05Z"),
                                       ("2025-01-02T03:04:05.1-07:00", "2025-01-02T10:04:05Z"), ("2025-01-02", "2025-01-02T00:00:00Z")])
def test_a_time_of_another_without_an_offset_is_in_utc(daemon, user, at, shown):
    document = {"memories": [{"id": "1", "content": "Likes tea", "state": "active", "created_at": at}]}
    assert take_in(daemon, user, document).json()["facts"] == 1
    (note,) = daemon.admin("GET", f"/v1/users/{user}/facts").json()["facts"]
    assert note["observed_at"] == shown and note["source"]["type"] == "import"
    assert export(daemon, user)["facts"][0]["source"]["type"] == "import"


@pytest.mark.parametrize("at", ["yesterday", "2025-13-01T00:00:00", "2025-01-02X", "2025-01-02T03:04:05" + "0" * 40, ""])
def test_what_is_no_time_of_another_is_now(daemon, user, at):
    document = {"results": [{"memory": "Likes tea", "created_at": at}]}
    assert take_in(daemon, user, document).json()["facts"] == 1
    (note,) = daemon.admin("GET", f"/v1/users/{user}/facts").json()["facts"]
    assert note["observed_at"] > "2026-01-01"


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize("name, make, turns", [("chatgpt", chatgpt, 6), ("claude", claude, 6)])
def test_lines_of_conversations_are_a_list(daemon, user, name, make, turns, kind):
    first, second = make()[0], make()[0]
    second["conversation_id" if name == "chatgpt" else "uuid"] = "c-9"
    lines = "\n".join(["", json.dumps(first), "", json.dumps(second) + "\r", ""])
    reply = take_in(daemon, user, lines.lstrip().encode(), "?dry_run=1", **{"Content-Type": kind})
    assert reply.status_code == 200, reply.text
    assert (reply.json()["format"], reply.json()["conversations"], reply.json()["turns"]) == (name, 2, turns)
    broken = json.dumps(first) + "\n{"
    assert take_in(daemon, user, broken.encode(), **{"Content-Type": kind}).status_code == 400


@pytest.mark.parametrize("last", [None, "nowhere", 5])
def test_a_tree_without_its_last_node_is_read_from_its_newest(daemon, user, last):
    document = chatgpt()
    document[0]["current_node"] = last
    document[0]["mapping"]["u2"]["message"]["create_time"] += 60
    shown = take_in(daemon, user, document, "?dry_run=1").json()
    assert shown["turns"] == 3 and shown["conversations"] == 1


def test_what_claude_remembers_beside_the_talks_is_counted_as_left_out(daemon, user):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("conversations.json", json.dumps(claude()))
        packed.writestr("memories.json", json.dumps([{"conversations_memory": "Plays the oboe."}]))
    plain = take_in(daemon, user, claude(), "?dry_run=1").json()
    assert take_in(daemon, user, out.getvalue(), "?dry_run=1").json()["left_out"] == plain["left_out"] + 1


def two_files(second, method):
    """An archive whose second file of conversations is packed by `method`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("conversations-000.json", json.dumps(chatgpt()))
        packed.writestr("conversations-001.json", second, compress_type=method)
    return out.getvalue()


def test_a_byte_order_mark_is_no_part_of_a_file(daemon, user):
    shown = take_in(daemon, user, b"\xef\xbb\xbf" + json.dumps(chatgpt()).encode(), "?dry_run=1")
    assert shown.status_code == 200 and shown.json()["turns"] == 3, shown.text


def test_an_archive_with_one_damaged_file_is_refused_whole(daemon, user):
    second = json.dumps(chatgpt()).replace("u2", "v2")
    spoiled = two_files(second, zipfile.ZIP_STORED)
    at = spoiled.rindex(b"v2", 0, spoiled.index(b"PK\1\2"))
    for bad in (two_files(second, zipfile.ZIP_BZIP2), spoiled[:at] + b"w" + spoiled[at + 1:]):
        reply = take_in(daemon, user, bad)
        assert reply.status_code == 400 and "damaged" in reply.text, reply.text
    assert not daemon.knows(user)


# ---- states and versions of others ----


def test_paused_and_archived_memories_are_given_to_no_model(daemon, user, upstream):
    done = take_in(daemon, user, openmemory()).json()
    assert done["facts"] == 3 and done["left_out"] == 1
    path = f"/v1/users/{user}/facts"
    assert [f["value"] for f in daemon.admin("GET", path).json()["facts"]] == ["Likes tea"]
    facts = {f["value"]: f for f in daemon.admin("GET", path + "?state=all").json()["facts"]}
    assert {value: f["state"] for value, f in facts.items()} == {"Likes tea": "current", "Paused": "suggested", "Archived": "retracted"}
    assert facts["Archived"]["ended_at"] == "2026-01-06T00:00:00Z" and facts["Paused"]["contradicts"] is None
    Chat(daemon, user, mode="entity").say("What do you know of me, of tea, what is paused and archived?")
    said = upstream.last.body.decode().split("What do you know")[0]
    assert "Likes tea" in said and "Paused" not in said and "Archived" not in said
    assert take_in(daemon, user, openmemory()).json()["known"] == 3
    # another pinned note does not take it in its stead
    note = daemon.admin("POST", path, json={"key": "note", "value": "Likes jam", "many": True, "pinned": True}).json()
    assert daemon.admin("PATCH", f"{path}/{note['id']}", json={"pinned": False}).json()["value"] == "Likes jam"
    # a person takes both
    assert daemon.admin("PATCH", f"{path}/{facts['Paused']['id']}", json={"state": "current"}).json()["state"] == "current"
    assert daemon.admin("POST", f"{path}/{facts['Archived']['id']}/restore").json()["state"] == "current"


def history():
    def row(memory, event, old, new, at):
        return {"memory_id": memory, "old_memory": old, "new_memory": new, "event": event, "created_at": DAY, "updated_at": at}

    return mem0() | {"history": [
        row("m1", "ADD", None, "Likes milk", DAY), row("m1", "UPDATE", "Likes milk", "Likes juice", "2026-01-10T00:00:00Z"),
        row("gone", "ADD", None, "Secret", DAY), row("gone", "UPDATE", "Secret", "Secret 2", DAY), row("gone", "DELETE", "Secret 2", None, DAY),
        row("m1", "UPDATE", "Likes juice", "Likes tea", "2026-02-01T00:00:00Z"), row("m2", "UPDATE", None, "Trial ends soon", DAY), {}, 7]}


def test_a_history_of_mem0_becomes_versions(daemon, user):
    done = take_in(daemon, user, history()).json()
    assert done["format"] == "mem0" and done["facts"] == 4, done
    path = f"/v1/users/{user}/facts"
    current = {f["value"]: f["id"] for f in daemon.admin("GET", path).json()["facts"]}
    assert set(current) == {"Likes tea", "Trial ends soon"}
    tea = daemon.admin("GET", f"{path}/{current['Likes tea']}").json()
    versions = {h["value"]: h for h in tea["history"]}
    assert set(versions) == {"Likes milk", "Likes juice"}
    assert versions["Likes milk"]["superseded_by"] == versions["Likes juice"]["id"] and versions["Likes juice"]["superseded_by"] == tea["id"]
    assert versions["Likes milk"]["ended_at"] == versions["Likes juice"]["observed_at"] == "2026-01-10T00:00:00Z"
    assert "Secret" not in json.dumps(export(daemon, user))
    assert take_in(daemon, user, history()).json()["known"] == 4


# ---- times that have not come ----

def from_now(hours):
    return (datetime.now(timezone.utc) + timedelta(hours=hours)).isoformat(timespec="milliseconds")


def test_a_message_from_the_future_is_refused(daemon, user):
    past = {"role": "user", "content": "I like tea.", "created_at": DAY}
    for at in (from_now(25), "9999-12-31T23:59:59Z", "2999-01-01"):
        reply = daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": [past, past | {"created_at": at}]})
        assert reply.status_code == 400 and "future" in reply.json()["error"]["message"]
    assert daemon.admin("GET", f"/v1/users/{user}/memory").status_code == 404, "all or nothing"


def test_a_message_of_a_clock_that_is_ahead_counts_as_now(daemon, user):
    message = {"role": "user", "content": "I like tea.", "created_at": from_now(20)}
    assert daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": [message], "learn": False}).status_code == 202
    (turn,) = daemon.memory(user)["messages"]
    assert turn["created_at"] < from_now(1)


def test_a_time_that_has_not_come_brings_nothing_back(daemon, user):
    say(daemon, user, "My cat is called Miso.")
    document = export(daemon, user)
    assert daemon.admin("DELETE", f"/v1/users/{user}").status_code == 200
    for conversation in document["conversations"]:
        for turn in conversation["turns"]:
            turn["created_at"] = from_now(3)
    assert take_in(daemon, user, document).json()["erased"] == 2
    message = {"role": "user", "content": "My cat is called Miso.", "created_at": from_now(3)}
    reply = daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": [message], "learn": False})
    assert reply.json()["erased"] == 1

    def says_now():  # once the clock is past the erasure
        said = message | {"created_at": from_now(0)}
        return daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": [said], "learn": False}).json()["imported"] == 1

    until(says_now)


@pytest.mark.parametrize("place", ["turn", "conversation", "fact", "mem0"])
def test_a_file_from_the_future_is_refused(daemon, user, place):
    say(daemon, user, "My cat is called Miso.")
    daemon.admin("POST", f"/v1/users/{user}/facts", json={"key": "cat", "value": "Miso"})
    document = export(daemon, user)
    if place == "turn":
        document["conversations"][0]["turns"][0]["created_at"] = from_now(25)
    elif place == "conversation":
        document["conversations"][0]["last_active"] = from_now(25)
    elif place == "fact":
        document["facts"][0]["observed_at"] = from_now(25)
    else:
        document = {"results": [{"id": "m1", "memory": "Likes tea", "created_at": DAY}, {"id": "m2", "memory": "Likes jam", "created_at": "2999-01-01"}]}
    for query in ("?dry_run=1", ""):
        reply = take_in(daemon, user + "-new", document, query)
        assert reply.status_code == 400 and "future" in reply.json()["error"]["message"]
    assert daemon.admin("GET", f"/v1/users/{user}-new/memory").status_code == 404
