"""People who talk over all four APIs at random: in strings and parts, with tool loops and reasoning, edits, chains
and sessions. Of each request the client's own bytes must arrive, its model's untouched, behind the prefix of the
request before; each reply must come back as it was; and at the end each turn must be stored once.

    RANDOM_SEED=N       begins with this one
"""

import copy
import itertools
import json
import os
import random
import re

import pytest

from conftest import make_known
from harness.provider import (
    Call,
    Said,
    chat_calls,
    messages_blocks,
    ollama_message,
    render,
    response_items,
)

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages", "ollama": "/api/chat"}
TOPICS = ["boat", "bread", "piano", "garden", "novel", "harbour", "school", "castle", "colour", "Lisbon"]
GIVEN = re.compile(r"<user_memory>.*?</user_memory>(\n\n)?", re.DOTALL)
WRAPPED = "<system-reminder>\nAs you answer\n</system-reminder>\n"
TURNS = 60


def is_in(small, large):
    """Whether the bytes of the one are those of the other with some left out."""
    rest = iter(large)
    return all(byte in rest for byte in small)


def without_memory(value):
    """The JSON value with what was given taken out of its texts."""
    if isinstance(value, dict):
        return {name: without_memory(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_memory(member) for member in value]
    return GIVEN.sub("", value) if isinstance(value, str) else value


def as_prompt(element):
    """What the model reads of it, in whatever shape the client sent it."""
    element = copy.deepcopy(element)
    content = element.get("content")
    if element.get("role") == "user" and isinstance(content, list):
        for part in content:
            part.pop("cache_control", None)
        if [part["type"] for part in content] == ["text"]:
            element["content"] = content[0]["text"]
    return element


class Person:
    """One conversation over one API; `chance` decides."""

    tags = itertools.count(1)

    def __init__(self, daemon, provider, chance, user):
        self.daemon, self.provider, self.chance, self.user = daemon, provider, chance, user
        self.api = chance.choice(list(PATHS))
        self.session = f"s{next(self.tags)}" if chance.random() < 0.5 else None
        self.system = chance.choice([None, "Be brief.", ["One.", "Two."]])
        self.stream = chance.random() < 0.5
        self.chained = self.api == "responses" and chance.random() < 0.4
        self.previous = None
        self.history = []  # as the API has it
        self.turns = []  # what was said, the answer, and how long the history is then
        self.last = None  # the prompt of the request before, if the next one goes on from it

    # ---- what is sent ----

    def image(self):
        return {
            "chat": {"type": "image_url", "image_url": {"url": "data:x"}},
            "responses": {"type": "input_image", "image_url": "data:x"},
            "messages": {"type": "image", "source": {"type": "url", "url": "x"}},
        }[self.api]

    def said(self, text):
        """A user's turn in one of the shapes that clients have."""
        kind = self.chance.random()
        if kind < 0.5 or self.api == "ollama":
            return {"role": "user", "content": text} | ({"images": ["aGk="]} if kind < 0.1 and self.api == "ollama" else {})
        type_of_text = "input_text" if self.api == "responses" else "text"
        parts = [{"type": type_of_text, "text": text}]
        if kind < 0.65 and self.api == "messages":
            parts[0]["cache_control"] = {"type": "ephemeral"}
        elif kind < 0.8:
            parts.insert(self.chance.randrange(2), self.image())
        else:
            parts.insert(0, {"type": type_of_text, "text": WRAPPED})
        return {"role": "user", "content": parts}

    def results(self, calls):
        texts = [(call, f"result {next(self.tags)}") for call in calls]
        if self.api == "chat":
            return [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in texts]
        if self.api == "ollama":
            return [{"role": "tool", "tool_name": call.name, "content": text} for call, text in texts]
        if self.api == "responses":
            return [{"type": "function_call_output", "call_id": call.id, "output": text} for call, text in texts]
        blocks = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in texts]
        return [{"role": "user", "content": blocks}]

    def sent_again(self, element):
        """Claude Code sends a turn as a block first, and as a string from then on."""
        prompt = as_prompt(element)
        return prompt if self.api == "messages" and self.chance.random() < 0.5 else element

    def led(self, name, elements):
        """With the system text before it."""
        if self.system is None:
            return elements
        texts = [self.system] if isinstance(self.system, str) else self.system
        return [{"role": name, "content": text} for text in texts] + elements

    def body(self, new):
        elements = new if self.previous else [*map(self.sent_again, self.history), *new]
        body = {"model": "test-model", "stream": self.stream}
        if self.api == "messages":
            system = self.system
            if isinstance(system, list):
                system = [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}} for text in system]
            return body | ({} if system is None else {"system": system}) | {"messages": elements, "max_tokens": 99}
        if self.api != "responses":
            return body | {"messages": self.led("system", elements)}
        if isinstance(self.system, str):
            body["instructions"] = self.system
        elif not self.chained:
            elements = self.led("developer", elements)
        chain = {"previous_response_id": self.previous} if self.previous else {}
        return body | {"input": elements} | (chain if self.chained else {"store": False})

    # ---- what must hold ----

    def check_elements(self, own, arrived):
        if self.system is None and len(arrived) == len(own) + 1:
            assert arrived[0]["role"] == "system"  # memory's own message
            arrived = arrived[1:]
        assert len(arrived) == len(own)
        for before, after in zip(own, arrived):
            if before.get("role") == "user":
                assert without_memory(after) == before
            elif before.get("role") not in ("system", "developer"):
                assert after == before, "what the model or a tool said is never touched"

    def check_prefix(self, elements, arrived):
        prompt = (arrived.get("instructions", arrived.get("system")), [as_prompt(e) for e in arrived[elements]])
        if self.last is not None:
            assert prompt[0] == self.last[0]
            assert self.chained or prompt[1][: len(self.last[1])] == self.last[1]
        self.last = prompt

    def ask(self, new, said):
        body = self.body(new)
        own = json.dumps(body, ensure_ascii=False).encode()
        headers = {"X-User-Id": self.user} | ({"X-Session-Id": self.session} if self.session else {})
        self.provider.say = lambda asked, number: said
        reply = self.daemon.post_chat(own, headers, PATHS[self.api])
        asked = self.provider.last
        assert reply.status_code == 200 and reply.headers["X-Memory-Status"] in ("injected", "empty"), reply.text
        assert reply.content == render(said, self.api, asked.json, asked.number).body
        assert is_in(own, asked.body)
        elements = "input" if self.api == "responses" else "messages"
        self.check_elements(body[elements], asked.json[elements])
        self.check_prefix(elements, asked.json)
        self.history += new + self.answer(said, asked.number)
        self.previous = f"resp_{asked.number:04}" if self.chained else None

    def answer(self, said, number):
        """As the client sends it from then on."""
        if self.api == "responses":
            return response_items(said, number)
        if self.api == "messages":
            return [{"role": "assistant", "content": messages_blocks(said, number)}]
        if self.api == "ollama":
            return [ollama_message(said)]
        return [{"role": "assistant", "content": said.text or None} | ({"tool_calls": chat_calls(said)} if said.calls else {})]

    # ---- a turn ----

    def thinking(self):
        return "" if self.api == "chat" else self.chance.choice(["", "Let me think."])

    def turn(self):
        about = self.chance.sample(TOPICS, 2)
        text = f"What about the {about[0]} and the {about[1]}, t{next(self.tags)}x?"
        new = [self.said(text)]
        for _ in range(self.chance.choice([0, 0, 0, 1, 2])):
            calls = [Call(f"call_{next(self.tags)}", "look", {"at": about[0]}) for _ in range(self.chance.choice([1, 1, 2]))]
            self.ask(new, Said(self.chance.choice(["", "I will look."]), calls, self.thinking()))
            new = self.results(calls)
        answer = f"The {about[0]} is fine, t{next(self.tags)}x."
        self.ask(new, Said(answer, thinking=self.thinking()))
        self.turns.append((text, answer, len(self.history)))

    def edit(self):
        """Takes a turn back, but the first, and says something else in its place."""
        place = self.chance.randrange(1, len(self.turns))
        self.history = self.history[: self.turns[place - 1][2]]
        self.turns = self.turns[:place]
        self.turn()


@pytest.mark.parametrize("mode", ["buffer", "summary", "entity", "hybrid"])
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_said_over_whichever_api_arrives_and_is_kept_once(provider_daemon, provider, memory_model, mode_user, mode, seed):
    chance = random.Random(int(os.environ.get("RANDOM_SEED") or seed))
    users = [mode_user(mode) + name for name in "ab"]
    make_known(provider_daemon, memory_model, users[0])
    people = []
    for _ in range(TURNS):
        if not people or chance.random() < 0.15:
            people.append(Person(provider_daemon, provider, chance, chance.choice(users)))
        person = chance.choice(people[-6:])
        if len(person.turns) > 1 and not person.chained and chance.random() < 0.15:
            # What others were given of the turns that are taken back is made anew.
            for other in people:
                other.last = None
            person.edit()
            for other in people:
                other.last = person.last if other is person else None
        else:
            person.turn()
    for user in users:
        stored = [text for _, text in provider_daemon.messages(user)] if provider_daemon.knows(user) else []
        for said, answer, _ in (turn for person in people if person.user == user for turn in person.turns):
            assert stored.count(said) == 1 and stored.count(answer) == 1, (said, answer)
