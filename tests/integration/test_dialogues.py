"""Scripted dialogues, one file each in dialogues/: what a user says, what a memory model answers to it
(its mistakes included), and what must, and must not, be known in the end.

    name       what the dialogue is about
    model      "recorded" (default): each turn's `learned` is what the memory model answers;
               "demo": the demo model is asked
    turns      {user, assistant?, date?, session?, learned?}; with a date the turn is imported as
               of then, else it is said now. Turns of one session are one conversation
    facts      all the current facts in the end: {entity?, key or key_pattern, value or
               value_pattern, pii?, valid_until?}; entity is the user when not given
    more_facts true: there may be others as well
    forbidden  texts that are in no fact, and in nothing that a new conversation is given
    given      texts that a new conversation is given (mode entity)

Those in dialogues/recall/ ask afterwards what is found in the past. Beside the above they have:

    turns      {replaces?, continues?}: the client takes back so many exchanges of this session, or
               begins it with a copy of another session's history, before it says this turn
    asks       [{question, mode, given, not_given?, once?}]: each in a new session; texts that the
               request is given, is not given, and is given no more than once
"""

import json
import re
from pathlib import Path

import pytest

from conftest import MODES
from harness.chat import Chat
from harness.upstream import completion, json_reply

FOLDER = Path(__file__).with_name("dialogues")
FILES = sorted(FOLDER.glob("*.json"))
RECALL_FILES = sorted(FOLDER.glob("recall/*.json"))
FIELDS = {"name", "model", "turns", "facts", "more_facts", "forbidden", "given"}
TURN_FIELDS = {"user", "assistant", "date", "session", "learned"}
RECALL_TURN_FIELDS = TURN_FIELDS | {"replaces", "continues"}
ASK_FIELDS = {"question", "mode", "given", "not_given", "once"}
FACT_FIELDS = {"entity", "key", "key_pattern", "value", "value_pattern", "pii", "valid_until"}


def read(path):
    dialogue = json.loads(path.read_text(encoding="utf-8"))
    recalls = path in RECALL_FILES
    assert set(dialogue) <= (FIELDS | {"asks"} if recalls else FIELDS) and dialogue["name"] and dialogue["turns"]
    for turn in dialogue["turns"]:
        assert set(turn) <= (RECALL_TURN_FIELDS if recalls else TURN_FIELDS) and turn["user"]
    for ask in dialogue["asks"] if recalls else []:
        assert set(ask) <= ASK_FIELDS and ask["question"] and ask["mode"] and ask["given"]
    for wanted in dialogue["facts"]:
        assert set(wanted) <= FACT_FIELDS
        assert ("key" in wanted) != ("key_pattern" in wanted)
        assert ("value" in wanted) != ("value_pattern" in wanted)
    return dialogue


class Talk:
    """Says a dialogue's turns, each after the one before has been learned from."""

    def __init__(self, daemon, upstream, memory_model, user):
        self.daemon, self.upstream, self.memory_model, self.user = daemon, upstream, memory_model, user
        self.chats = {}

    def say(self, turn):
        if self.memory_model:
            self.memory_model.otherwise = turn.get("learned", [])
        if "date" in turn:
            self.bring(turn)
        else:
            self.speak(turn)
        self.daemon.settle(self.user)

    def bring(self, turn):
        said = {"created_at": turn["date"], "session": turn.get("session", "past")}
        answer = turn.get("assistant", "I see.")
        messages = [{"role": "user", "content": turn["user"]}, {"role": "assistant", "content": answer}]
        self.daemon.import_messages(self.user, [m | said for m in messages])

    def speak(self, turn):
        session = turn.get("session", "now")
        chat = self.chats.setdefault(session, Chat(self.daemon, self.user, session=session))
        if "continues" in turn:
            chat.messages = list(self.chats[turn["continues"]].messages)
        if "replaces" in turn:
            del chat.messages[-2 * turn["replaces"] :]
        if self.upstream and "assistant" in turn:
            self.upstream.script(json_reply(completion(turn["assistant"])))
        chat.say(turn["user"])


def is_wanted(wanted, learned):
    if wanted.get("entity", "user").casefold() != learned["entity"].casefold():
        return False
    if "key" in wanted and wanted["key"] != learned["key"]:
        return False
    if "key_pattern" in wanted and not re.fullmatch(wanted["key_pattern"], learned["key"]):
        return False
    if "value" in wanted and wanted["value"] != learned["value"]:
        return False
    if "value_pattern" in wanted and not re.fullmatch(wanted["value_pattern"], learned["value"]):
        return False
    if "pii" in wanted and wanted["pii"] != learned["pii"]:
        return False
    until = wanted.get("valid_until", "")
    return (learned.get("valid_until") or "")[: len(until)] == until


def check_facts(dialogue, learned):
    shown = [(f["entity"], f["key"], f["value"]) for f in learned]
    left = list(learned)
    for wanted in dialogue["facts"]:
        found = next((f for f in left if is_wanted(wanted, f)), None)
        assert found, f"{wanted} is not among {shown}"
        left.remove(found)
    if not dialogue.get("more_facts"):
        assert not left, f"nobody said {[(f['entity'], f['key'], f['value']) for f in left]}"


def dry_run(daemon, user, mode):
    chat = Chat(daemon, user, session=f"afterwards-{mode}", mode=mode)
    reply = chat.send("What do you know about me?", {"X-Memory-Dry-Run": "1"})
    assert reply.status_code == 200
    return json.dumps(reply.json(), ensure_ascii=False)


def check(dialogue, daemon, user):
    memory = daemon.memory(user)
    check_facts(dialogue, memory["facts"])
    values = " | ".join(f"{f['key']} {f['value']}" for f in memory["facts"])
    given = dry_run(daemon, user, "entity")
    for text in dialogue.get("forbidden", []):
        assert text not in values, f"{text!r} is a fact"
        assert text not in given, f"{text!r} is given to a new conversation"
    for text in dialogue.get("given", []):
        assert text in given, f"{text!r} is not given to a new conversation"


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_dialogue(path, request, user):
    dialogue = read(path)
    if dialogue.get("model", "recorded") == "demo":
        daemon, upstream, memory_model = request.getfixturevalue("demo_daemon"), None, None
    else:
        daemon = request.getfixturevalue("daemon")
        upstream, memory_model = request.getfixturevalue("upstream"), request.getfixturevalue("memory_model")
    talk = Talk(daemon, upstream, memory_model, user)
    for turn in dialogue["turns"]:
        talk.say(turn)
    check(dialogue, daemon, user)


@pytest.mark.parametrize("mode", MODES)
def test_what_was_forgotten_is_given_in_no_mode(daemon, upstream, memory_model, user, mode):
    dialogue = read(FOLDER / "forget_a_person.json")
    talk = Talk(daemon, upstream, memory_model, user)
    for turn in dialogue["turns"]:
        talk.say(turn)
    for text in dialogue["forbidden"]:
        assert text not in dry_run(daemon, user, mode)


def ask_of_the_past(daemon, user, number, ask):
    """What a request with this question is given, in the texts of its messages."""
    chat = Chat(daemon, user, session=f"asks-{number}", mode=ask["mode"])
    reply = chat.send(ask["question"], {"X-Memory-Dry-Run": "1"})
    assert reply.status_code == 200, reply.text
    return "\n".join(message["content"] for message in reply.json()["messages"]).replace(ask["question"], "")


@pytest.mark.parametrize("path", RECALL_FILES, ids=[path.stem for path in RECALL_FILES])
def test_recall_dialogue(path, daemon, upstream, memory_model, user):
    dialogue = read(path)
    talk = Talk(daemon, upstream, memory_model, user)
    for turn in dialogue["turns"]:
        talk.say(turn)
    check(dialogue, daemon, user)
    for number, ask in enumerate(dialogue["asks"]):
        given = ask_of_the_past(daemon, user, number, ask)
        for text in ask["given"]:
            assert text in given, f"{text!r} is not given for {ask['question']!r} in mode {ask['mode']}:\n{given}"
        for text in ask.get("not_given", []):
            assert text not in given, f"{text!r} is given for {ask['question']!r} in mode {ask['mode']}:\n{given}"
        for text in ask.get("once", []):
            assert given.count(text) <= 1, f"{text!r} is given {given.count(text)} times"


@pytest.mark.parametrize("path", RECALL_FILES, ids=[path.stem for path in RECALL_FILES])
def test_a_recall_dialogue_holds_what_it_asks_for(path):
    dialogue = read(path)
    said = " ".join(turn["user"] for turn in dialogue["turns"])
    for ask in dialogue["asks"]:
        for text in [*ask["given"], *ask.get("not_given", []), *ask.get("once", [])]:
            assert text in said and text not in ask["question"]
        assert ask["mode"] in ("vector", "hybrid", "auto", "entity")


def test_there_are_dialogues():
    assert len(FILES) >= 30 and len(RECALL_FILES) >= 8
