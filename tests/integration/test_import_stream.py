"""A file of any size and shape is read within 64 MB beside its own bytes, and holds nobody up."""

import contextlib
import io
import json
import os
import random
import resource
import threading
import uuid
import zipfile

import httpx
import pytest
from conftest import SANITIZED

from harness.clock import until
from test_import_parts import conversation
from test_intake import DAY, fact, own

MB = 1 << 20
MOST = 64 * MB
WORDS = "river lamp oboe quokka granite Tuesday harbour violet ladder saffron kettle birch meadow copper thimble atlas".split()


# ---- archives like ChatGPT's ----

class Export:
    """Conversations as ChatGPT exports them: trees of shown and hidden messages, of persons, models, systems and tools."""

    def __init__(self, seed=28):
        self.random = random.Random(seed)
        self.shown = []  # texts on the paths that were shown last

    def id(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def words(self, most):
        return " ".join(self.random.choices(WORDS, k=self.random.randint(3, most)))

    def message(self, role, content, at, **more):
        metadata = {"request_id": self.id(), "timestamp_": "absolute", "message_type": None, "citations": [], "content_references": [],
                    "model_slug": "gpt-5-thinking", "default_model_slug": "auto", "parent_id": self.id(), "turn_exchange_id": self.id(),
                    **more.pop("metadata", {})}
        return {"id": self.id(), "author": {"role": role, "name": more.pop("name", None), "metadata": {}}, "create_time": at, "update_time": None,
                "content": content, "status": "finished_successfully", "end_turn": True, "weight": 1.0, "metadata": metadata,
                "recipient": "all", "channel": None, **more}

    def text(self, role, at, most, **more):
        return self.message(role, {"content_type": "text", "parts": [self.words(most)]}, at, **more)

    def question(self, at):
        if self.random.random() < 0.1:
            picture = {"content_type": "image_asset_pointer", "asset_pointer": f"file-service://file-{self.random.getrandbits(64):x}",
                       "size_bytes": 91332, "width": 1024, "height": 768, "fovea": None, "metadata": {"dalle": None, "sanitized": True}}
            return self.message("user", {"content_type": "multimodal_text", "parts": [picture, self.words(40)]}, at)
        return self.text("user", at, 60)

    def work(self, at):
        """What lies between a question and its answer."""
        yield self.message("assistant", {"content_type": "thoughts", "thoughts": [{"summary": self.words(5), "content": self.words(90)}],
                                         "source_analysis_msg_id": self.id()}, at)
        yield self.message("assistant", {"content_type": "code", "language": "unknown", "text": "search(\"" + self.words(6) + "\")"}, at,
                           recipient="web.run", end_turn=False)
        yield self.message("assistant", {"content_type": "text", "parts": [self.words(9)]}, at, recipient="bio", end_turn=False)
        yield self.message("tool", {"content_type": "execution_output", "text": self.words(300)}, at, name="web.run")
        yield self.message("assistant", {"content_type": "reasoning_recap", "content": "Thought for 12 seconds"}, at)

    def conversation(self, number, exchanges=12):
        at = 1735689600.25 + 86400 * (number % 300)
        root = {"id": "client-created-root", "message": None, "parent": None, "children": []}
        nodes = {root["id"]: root}

        def add(parent, message):
            node = {"id": message["id"], "message": message, "parent": parent["id"], "children": []}
            parent["children"].append(node["id"])
            nodes[node["id"]] = node
            return node

        last = add(root, self.message("system", {"content_type": "text", "parts": [""]}, None, weight=0.0,
                                      metadata={"is_visually_hidden_from_conversation": True}))
        last = add(last, self.message("user", {"content_type": "user_editable_context", "user_profile": self.words(40),
                                               "user_instructions": self.words(40)}, None, metadata={"is_user_system_message": True}))
        for turn in range(exchanges):
            at += 60.5
            if self.random.random() < 0.15:  # a branch that was left
                add(add(last, self.text("user", at, 60)), self.text("assistant", at, 200))
            asked = self.question(at)
            self.shown.append(asked["content"]["parts"][-1])
            last = add(last, asked)
            if self.random.random() < 0.4:
                for message in self.work(at):
                    last = add(last, message)
            answer = self.text("assistant", at + 20, 900, channel="final")
            self.shown.append(answer["content"]["parts"][0])
            last = add(last, answer)
        return {"title": self.words(5), "create_time": at, "update_time": at + 100, "mapping": nodes, "moderation_results": [],
                "current_node": last["id"], "plugin_ids": None, "conversation_id": self.id(), "conversation_template_id": None, "gizmo_id": None,
                "is_archived": False, "safe_urls": [], "default_model_slug": "auto", "voice": None, "async_status": None, "id": self.id()}

    def file(self, size):
        """conversations.json of about so many bytes."""
        out, number = io.BytesIO(), 0
        while out.tell() < size:
            out.write((b"[" if number == 0 else b", ") + json.dumps(self.conversation(number)).encode())
            number += 1
        out.write(b"]")
        return out.getvalue(), number


def archive(content, name="conversations.json"):
    """`content`: bytes, or pieces of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed, packed.open(name, "w") as file:
        for piece in [content] if isinstance(content, bytes) else content:
            file.write(piece)
    return out.getvalue()


# ---- measures ----

def send(daemon, user, body, query=""):
    kind = "zip" if body.startswith(b"PK") else "json"
    return daemon.admin("POST", f"/v1/users/{user}/import{query}", content=body, headers={"Content-Type": f"application/{kind}"}, timeout=600)


def bound_memory(daemon, more):
    """The process may have so many bytes of data more than now. One more, and an allocation fails, which ends it: no peak is missed."""
    if SANITIZED:
        return
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        data = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
    resource.prlimit(daemon.process.pid, resource.RLIMIT_DATA, (data + more, resource.RLIM_INFINITY))


def thread_seconds(daemon, name):
    """CPU seconds of the threads of that name."""
    total = 0
    folder = f"/proc/{daemon.process.pid}/task"
    for thread in os.listdir(folder):
        with open(f"{folder}/{thread}/stat", encoding="ascii") as stat:
            head, _, tail = stat.read().rpartition(")")
        if head.partition("(")[2] == name:
            total += sum(map(int, tail.split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return total


# ---- memory ----

def mapped(inside):
    return b'[{"mapping": {"a": {"id": "a", "parent": null, "message": ' + inside + b'}}, "current_node": "a"}]'


def said(content):
    return b'{"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["' + content + b'"]}}'


def noise(size):
    return random.Random(28).randbytes(size).hex().encode()


ELEMENTS = (2 if SANITIZED else 20) * MB

FILES = {  # name: (its bytes, what is left out, turns)
    "many empty objects": (lambda: archive([b'[{"mapping": {}, "noise": "' + noise(200_000) + b'", "x": ['] + [b"{}," * MB] * 30 + [b"{}]}]"]),
                           {"too_large": 1}, 0),
    "empty objects as elements": (lambda: archive([b'{"noise": "' + noise(200_000) + b'", "memories": [{"memory": "x"}'] + [b",{}" * MB] * (ELEMENTS // MB) + [b"]}"]),
                                  {"empty": ELEMENTS}, 0),
    "a bomb just within the ratio": (lambda: archive([mapped(b"null")[:-2] + b', "x": "' + noise(700_000)] + [b"y" * MB] * 240 + [b'"}]']),
                                     {"too_large": 1}, 0),
    "one string of 60 MB": (lambda: mapped(said(b"x" * 60 * MB)), {"too_large": 1}, 0),
    "a message of 11 MB": (lambda: mapped(said(b"lamp " * (2 * MB + 200_000))), {"too_large": 1}, 0),
    "a message of 5 MB": (lambda: mapped(said(b"lamp " * MB)), {}, 1),
    "deep nesting": (lambda: mapped(b"[" * 20 * MB + b"]" * 20 * MB), {"too_large": 1}, 0),
    "long ids": (lambda: json.dumps([{"memory": f"Likes {n}", "id": "i" * 4000} for n in range(12_000)]).encode(), {}, 0),
    "a session for each message": (lambda: json.dumps({"messages": [
        {"role": "user", "content": f"Lamp {n}", "session": f"{'s' * 200}{n}"} for n in range(40_000)]}).encode(), {}, 40_000),
    "keys of all lengths": (lambda: b"{" + b",".join(b'"%s": 1' % (b"k" * n) for n in range(8000)) + b', "memories": [{"memory": "x"}]}', {}, 0),
}


@pytest.mark.bounded
@pytest.mark.parametrize("name", FILES)
def test_a_file_takes_little_memory_whatever_it_holds(make_daemon, user, name):
    make, left_out, turns = FILES[name]
    daemon = make_daemon()
    body = make()
    send(daemon, user, archive(b"[]"))
    bound_memory(daemon, len(body) + len(body) // 2 + MOST)
    reply = send(daemon, user, body)
    assert reply.status_code == 200, reply.text
    assert (reply.json()["reasons"], reply.json()["turns"]) == (left_out, turns)
    daemon.check_alive()


def test_an_archive_of_two_formats_harms_nothing(daemon, user):
    """Ids of recalld's own format are any numbers, those of others are places."""
    turn = {"id": str(1 << 40), "exchange": str(1 << 40), "role": "user", "content": "I row.", "created_at": DAY}
    first = {"format": "recalld-export-1", "facts": [], "conversations": [{"session": "s", "turns": [turn]}]}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("conversations-000.json", json.dumps(first))
        packed.writestr("conversations-001.json", mapped(said(b"I sail.")))
    reply = send(daemon, user, out.getvalue())
    assert reply.status_code == 200 and reply.json()["turns"] == 2, reply.text
    daemon.check_alive()


@pytest.mark.costs
def test_very_many_facts_take_little_memory(make_daemon, user):
    """All but ten thousand give way."""
    daemon = make_daemon()
    one = json.dumps({"id": "%d", "entity": "user", "key": "likes", "value": "%d", "many": True}).encode()
    body = b'{"format": "recalld-export-1", "conversations": [], "facts": [' + b",".join(one % (n, n) for n in range(1, 200_001)) + b"]}"
    bound_memory(daemon, len(body) + len(body) // 2 + MOST)
    reply = send(daemon, user, body)
    assert reply.status_code == 200, reply.text
    done = reply.json()
    assert done["facts"] == 200_000 and 9_000 <= done["facts"] - done["crowded"] <= 10_000


# ---- a real archive ----

def exported(daemon, user):
    talks = daemon.admin("GET", f"/v1/users/{user}/export", timeout=600).json()["conversations"]
    return [turn for talk in talks for turn in talk["turns"]]


@pytest.mark.costs
def test_an_archive_of_chatgpt_goes_in_whole_within_its_memory_and_once(make_daemon, user):
    """Of 73 MB, half of which was shown: it takes more than one memory."""
    daemon = make_daemon()
    export = Export()
    file, count = export.file(73 * MB)
    body = archive(file)
    bound_memory(daemon, 2 * len(body) + MOST)
    shown = send(daemon, user, body, "?dry_run=1").json()
    assert (shown["conversations"], shown["turns"]) == (count, len(export.shown))
    done = send(daemon, user, body).json()
    assert (done["conversations"], done["turns"], done["known"]) == (count, len(export.shown), 0)
    assert done["reasons"] == shown["reasons"] and set(done["reasons"]) == {"unshown"}
    again = send(daemon, user, body).json()
    assert (again["conversations"], again["turns"], again["known"]) == (0, 0, len(export.shown))
    resource.prlimit(daemon.process.pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert sorted(turn["content"] for turn in exported(daemon, user)) == sorted(export.shown)


@pytest.mark.bounded
def test_a_long_own_export_keeps_its_links_over_its_parts(make_daemon, user):
    """Questions, answers, the facts that rest on them and the summary name turns by ids that are new here."""
    daemon = make_daemon()
    count, filler = 9000, "granite " * 800
    talks = [{"id": "1", "session": "long", "last_active": DAY, "answers": count, "turns": [
        {"id": str(2 * n + 1 + answer), "exchange": str(2 * n + 1), "ordinal": n, "role": "assistant" if answer else "user",
         "content": f"{'Answer' if answer else 'Question'} {n}. {filler}", "created_at": DAY, "utc_offset": 0, "complete": True, "state": "current",
         **({} if answer else {"answer": str(2 * n + 2)})} for n in range(count // 2) for answer in range(2)]}]
    rests = [fact(n + 1, f"stone {n}") for n in range(100)]
    for n, one in enumerate(rests):
        one["source"]["exchange"] = str(1 + 2 * n * 40)
    document = {"format": "recalld-export-1", "settings": None, "facts": rests, "conversations": talks,
                "summary": {"text": "They speak of stones.", "covers": str(count), "updated_at": DAY, "model": "m"}}
    body = json.dumps(document).encode()
    assert len(body) > 50 * MB
    bound_memory(daemon, 2 * len(body) + MOST)
    done = send(daemon, user, body).json()
    assert (done["turns"], done["facts"], done["summary"], done["left_out"]) == (count, 100, True, 0), done
    resource.prlimit(daemon.process.pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    whole = daemon.admin("GET", f"/v1/users/{user}/export", timeout=600).json()
    (talk,) = whole["conversations"]
    turns = {turn["id"]: turn for turn in talk["turns"]}
    assert talk["session"] == "long" and len(turns) == count
    for turn in talk["turns"]:
        number = turn["content"].split(".")[0].split()[1]
        if turn["role"] == "user":
            assert turns[turn["answer"]]["content"].startswith(f"Answer {number}.")
        else:
            assert turns[turn["exchange"]]["content"].startswith(f"Question {number}.")
    for one in whole["facts"]:
        number = int(one["value"].split()[1])
        assert turns[one["source"]["exchange"]]["content"].startswith(f"Question {number * 40}.")
    assert whole["summary"]["covers"] == max(turns, key=int)
    again = send(daemon, user, body).json()
    assert (again["turns"], again["facts"], again["known"]) == (0, 0, count + 100)
    # A summary of what was erased since stays out, whichever part brings it.
    assert daemon.admin("DELETE", f"/v1/users/{user}/turns/{min(turns, key=int)}").status_code == 200
    left = send(daemon, user, body).json()
    assert left["erased"] >= 1 and left["summary"] is False, left
    assert daemon.admin("GET", f"/v1/users/{user}/export?include=summary").json()["summary"] is None


def test_two_turns_with_one_id_are_refused_however_far_apart(make_daemon, user):
    """The second stands in another part, and nothing of the first was stored."""
    daemon = make_daemon()
    turns = [{"id": str(n % 8999 + 1), "role": "user", "content": f"Lamp {n}. " + "granite " * 800, "created_at": DAY} for n in range(9000)]
    document = {"format": "recalld-export-1", "facts": [], "conversations": [{"session": "long", "turns": turns}]}
    reply = send(daemon, user, json.dumps(document).encode())
    assert reply.status_code == 400 and "one id" in reply.json()["error"]["message"]
    assert not daemon.knows(user)


@pytest.mark.parametrize("parts", [1, 2])
def test_what_a_kill_leaves_of_a_long_import_the_same_completes(make_daemon, user, parts):
    daemon = make_daemon()
    daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": [{"role": "user", "content": "I row."}], "learn": False})
    body = archive(json.dumps([conversation(n, 200_000, answers=2) for n in range(200)]).encode())

    def import_it():
        with contextlib.suppress(httpx.HTTPError):
            send(daemon, user, body)

    importing = threading.Thread(target=import_it)
    importing.start()
    until(lambda: daemon.metric("recalld_store_turns") > 150 * parts, timeout=120)
    daemon.kill()
    importing.join()
    daemon.start()
    part = len(exported(daemon, user))
    assert 1 < part < 801
    done = send(daemon, user, body).json()
    assert (done["turns"], done["known"]) == (801 - part, part - 1)
    turns = exported(daemon, user)
    assert len(turns) == 801 and len({turn["content"] for turn in turns}) == 801
    by_id = {turn["id"]: turn for turn in turns}
    for turn in turns:
        if turn["role"] == "user" and turn["content"] != "I row.":
            assert by_id[turn["answer"]]["content"].split()[1].rstrip(".") == turn["content"].split()[1]


# ---- others ----

@pytest.mark.costs
def test_others_do_not_pay_for_an_import(make_daemon, user):
    """What the admin address's own thread works beside an import is what its probes cost without: the reading is done elsewhere.
    CPU time tells it on a busy machine, too."""
    daemon = make_daemon()
    file, _ = Export().file(40 * MB)
    body = archive(file)
    daemon.admin("GET", "/healthz")

    def cost_of_probes(count):
        before = thread_seconds(daemon, "recalld")
        for _ in range(count):
            assert daemon.admin("GET", "/healthz").status_code == 200
        return (thread_seconds(daemon, "recalld") - before) / count

    idle = cost_of_probes(300)
    done = []
    importing = threading.Thread(target=lambda: done.append(send(daemon, user, body)))
    importing.start()
    before, probes = thread_seconds(daemon, "recalld"), 0
    while importing.is_alive():
        assert daemon.admin("GET", "/healthz").status_code == 200
        probes += 1
    spent = thread_seconds(daemon, "recalld") - before
    assert done[0].status_code == 200 and probes > 5
    # Beside the probes: the body is received, and the answer sent.
    assert spent - probes * idle < 0.5, (spent, probes, idle)
