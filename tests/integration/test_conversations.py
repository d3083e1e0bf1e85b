"""Which conversation a request goes on with."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.chat import Chat
from harness.upstream import completion, json_reply


def roles_sent(upstream):
    return [m["role"] for m in upstream.last.messages if m["role"] != "system"]


def test_resent_history_finds_its_conversation_whatever_the_white_space_and_reasoning(daemon, upstream, user):
    """Turns of this conversation that the request does not carry go in as turns, so that it is known."""
    headers = {"X-Memory-Mode": "buffer"}
    talk = Chat(daemon, user, headers=headers)
    talk.say("First things first.")
    second = talk.say("And the second thing.")
    spaced = "<think>Let me see.</think>\n\n  " + second.text.replace(" ", "  ") + "\n"
    carried = [
        {"role": "user", "content": "And the second thing, with a document round it."},
        {"role": "assistant", "content": spaced},
        {"role": "user", "content": "Now the third."},
    ]
    daemon.post_chat(json.dumps({"model": "m", "messages": carried}).encode(), talk.headers)
    assert roles_sent(upstream) == ["user", "assistant"] * 2 + ["user"]
    assert upstream.last.body.count(b"First things first.") == 1


@pytest.mark.parametrize("mode", ["hybrid", "vector", "summary", "buffer"])
@pytest.mark.parametrize("session", ["new", None])
def test_what_a_request_carries_is_not_given_again_whichever_conversation_it_is_of(daemon, upstream, user, mode, session):
    old = Chat(daemon, user, session="old", mode=mode)
    old.say("My kayak is called Gerda.")
    answer = old.say("Gerda is a red kayak with two seats.")
    daemon.settle(user)
    new = Chat(daemon, user, session=session, mode=mode)
    new.messages = [
        {"role": "user", "content": "Gerda is a red kayak with two seats."},
        {"role": "assistant", "content": answer.text + " And the client wrote this."},
    ]
    new.say("What is my red kayak called?")
    assert upstream.last.body.count(b"red kayak with two seats") == 1
    assert upstream.last.body.count(b"is called Gerda") == 1


def test_what_stands_before_a_deleted_exchange_is_not_given_again(daemon, upstream, user):
    talk = Chat(daemon, user, session="s", mode="buffer")
    for number in ("first", "second", "third"):
        talk.say(f"This is the {number} thing that I say.")
    del talk.messages[2:4]
    talk.say("And this is the last.")
    assert upstream.last.body.count(b"This is the first thing") == 1
    assert upstream.last.body.count(b"This is the third thing") == 1


def test_a_short_answer_stays_beside_its_question(daemon, upstream, user):
    upstream.script(json_reply(completion("Are you allergic to nuts?")))
    old = Chat(daemon, user, session="old", mode="buffer")
    old.say("Plan a dinner for me, please.")
    old.say("Yes.")
    new = Chat(daemon, user, session="new", mode="buffer")
    new.say("Is it raining?")
    new.say("Yes.")
    body = upstream.last.body
    assert body.index(b"allergic to nuts") < body.index(b"user: Yes.")


def test_a_request_that_resends_no_known_turn_begins_a_new_conversation(daemon, upstream, user):
    Chat(daemon, user, mode="buffer").say("First things first.")
    Chat(daemon, user, mode="buffer").say("A fresh start.")
    assert roles_sent(upstream) == ["user"]


def test_a_regenerated_answer_replaces_the_first(daemon, upstream, memory_model, user):
    talk = Chat(daemon, user)
    talk.say("Hello.")
    for answer in ("The first answer.", "A better answer."):
        upstream.script(json_reply(completion(answer)))
        talk.say("Tell me something.")
        talk.messages = talk.messages[:2]
    daemon.settle(user)
    assert [c for r, c in daemon.messages(user) if r == "user"].count("Tell me something.") == 1
    assert ("assistant", "A better answer.") in daemon.messages(user)
    assert ("assistant", "The first answer.") not in daemon.messages(user)


def ask_two_at_once(chat, upstream, text):
    """Two models are asked the same, and both before either has answered."""
    together = threading.Barrier(2)

    def answer(request):
        together.wait(120)
        return json_reply(completion(f"So says {request.json['model']} of: {text}"))

    upstream.answer = answer
    with ThreadPoolExecutor(2) as pool:
        replies = [pool.submit(chat.send, text, model=model) for model in ("model-a", "model-b")]
        answers = [Chat.read(reply.result()).text for reply in replies]
    upstream.answer = upstream.default_answer
    return answers


@pytest.mark.parametrize("goes_on_from", [0, 1])
def test_a_turn_that_two_models_answer_at_once_is_one_turn(daemon, upstream, memory_model, known_user, goes_on_from):
    chat = Chat(daemon, known_user, session="arena")
    before = len(daemon.messages(known_user))
    asked = ["My boat is called Petrel.", "Its home port is Whitby."]
    for text in asked:
        answer = ask_two_at_once(chat, upstream, text)[goes_on_from]
        chat.messages += [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
    given = upstream.last.messages
    chat.say("Go on.")
    sent = upstream.last.messages
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert sent[: len(given)] == given, "the prefix stands"
    daemon.settle(known_user)
    users = [content for role, content in daemon.messages(known_user)[before:] if role == "user"]
    assert users == [*asked, "Go on."]
    learned = [text for call in memory_model.fact_calls() for text in users if call.asked.endswith(text)]
    assert learned == users, "each turn is learned from once"


@pytest.mark.parametrize("sends", ["joined", "one by one"])
@pytest.mark.parametrize("session", [None, "tale"])
def test_an_answer_that_is_continued_is_one_turn_of_its_conversation(
    daemon, upstream, memory_model, known_user, session, sends
):
    """As "Continue" in chat applications does: the request ends with what the answer has come to."""
    asked = {"role": "user", "content": "Tell me a tale."}

    def answer_to(messages, text):
        upstream.script(json_reply(completion(text)))
        body = json.dumps({"model": "test-model", "messages": messages}).encode()
        reply = daemon.post_chat(body, Chat(daemon, known_user, session).headers)
        assert reply.headers["X-Memory-Status"] == "injected"
        return {"role": "assistant", "content": text}

    begun = answer_to([asked], "Once upon a time")
    history = [asked, begun]
    whole = begun["content"]
    for text in (" there was a king.", " He had a castle."):
        part = answer_to(history, text)
        whole += text
        daemon.settle(known_user)
        assert daemon.messages(known_user)[2:] == [("user", asked["content"]), ("assistant", whole)]
        joined = [asked, {"role": "assistant", "content": whole}]
        history = joined if sends == "joined" else [*history, part]
    answer_to([*history, {"role": "user", "content": "And then?"}], "He died.")
    first = upstream.chats()[0].prompt
    assert [request.prompt.startswith(first) for request in upstream.chats()] == [True] * 4
    daemon.settle(known_user)
    asked_for = [c for c in memory_model.fact_calls() if c.asked.endswith(asked["content"])]
    assert len(asked_for) == 1, "it was learned from twice"
    assert [m["session"] for m in daemon.memory(known_user)["messages"][2:]] == [session] * 4


@pytest.mark.parametrize("reply", [' {"name": "Kim"}', '{"people": [ {"name": "Kim"}'])
def test_an_answer_that_the_client_began_is_kept_whole(daemon, upstream, user, reply):
    """Some servers say its beginning once more."""
    messages = [{"role": "user", "content": "List them."}, {"role": "assistant", "content": '{"people": ['}]
    upstream.script(json_reply(completion(reply)))
    body = json.dumps({"model": "test-model", "messages": messages}).encode()
    daemon.post_chat(body, {"X-User-Id": user})
    assert upstream.last.body == body
    assert daemon.messages(user)[1] == ("assistant", '{"people": [ {"name": "Kim"}')
