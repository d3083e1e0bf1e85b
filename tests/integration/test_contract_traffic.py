"""CONTRACT section 3 from the outside: what an examiner tries of traffic, conversations and replies."""

import gzip
import json
import socket
import threading
import time

import pytest

from conftest import KNOWN_VALUE, MODES, make_known
from harness.chat import Chat
from harness.memory_model import fact
from harness.upstream import (
    DONE,
    Reply,
    completion,
    error_reply,
    event,
    json_reply,
    sse_reply,
    text_events,
    tool_call,
    tool_call_events,
)
from harness.wire import RawClient, insertions

ASK = b'{"model":"m","messages":[{"role":"user","content":"Where do I live?"}]}'


def chat_body(*messages, **more):
    return json.dumps({"model": "m", "messages": list(messages)} | more, ensure_ascii=False).encode()


def said(role, content, **more):
    return {"role": role, "content": content} | more


class RawUpstream:
    """Answers each connection's first request with the bytes given, and closes."""

    def __init__(self, *pieces, delay=0.0):
        self.pieces, self.delay = pieces, delay
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            seen = b""
            while b"\r\n\r\n" not in seen:
                seen += connection.recv(65536)
            head, body = seen.split(b"\r\n\r\n", 1)
            length = next(
                (int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length")), 0
            )
            while len(body) < length:
                body += connection.recv(65536)
            for piece in self.pieces:
                connection.sendall(piece)
                time.sleep(self.delay)  # so slowly it answers


# ---- clients and upstreams of every kind ----


def test_a_request_without_a_content_type_is_a_chat_request(daemon, upstream, known_user):
    reply = daemon.request("POST", "/v1/chat/completions", content=ASK, headers={"X-User-Id": known_user})
    assert reply.headers["X-Memory-Status"] == "injected"
    assert KNOWN_VALUE.encode() in upstream.last.body


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
def test_a_reply_that_ends_with_its_connection_is_whole_and_learned(make_daemon, user, version, stream):
    body = b"".join(text_events("Porto it is.")) if stream else json.dumps(completion("Porto it is.")).encode()
    kind = b"text/event-stream" if stream else b"application/json"
    raw = RawUpstream(version + b" 200 OK\r\nContent-Type: " + kind + b"\r\n\r\n", body)
    daemon = make_daemon({"upstream": {"base_url": raw.base_url}})
    talk = Chat(daemon, user, stream=stream)
    assert talk.say("I live in Porto.").body == body
    assert daemon.messages(user) == [("user", "I live in Porto."), ("assistant", "Porto it is.")]
    assert all(m["complete"] for m in daemon.memory(user)["messages"])


def test_a_client_of_http_1_0_is_answered(daemon, upstream, user):
    with RawClient(daemon.port) as client:
        body = ASK
        client.send("POST", "/v1/chat/completions", body, [("X-User-Id", user)], version="HTTP/1.0")
        reply = client.read_reply()
    assert reply.status == 200 and b"Understood" in reply.body
    assert not any(n.lower() == "transfer-encoding" for n, _ in reply.fields)
    assert len(daemon.messages(user)) == 2


def test_a_client_that_expects_100_is_told_to_go_on(daemon, upstream, user):
    with RawClient(daemon.port) as client:
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-User-Id: {user}\r\n"
            f"Content-Length: {len(ASK)}\r\nExpect: 100-continue\r\n\r\n"
        )
        client.socket.sendall(head.encode())
        client.read_until(b"\r\n\r\n")
        assert client.seen.startswith(b"HTTP/1.1 100")
        client.seen = client.seen.split(b"\r\n\r\n", 1)[1]
        client.socket.sendall(ASK)
        assert client.read_reply().status == 200
    assert upstream.last.body == ASK


def test_pipelined_chats_are_answered_in_their_order(daemon, upstream, user):
    bodies = [chat_body(said("user", f"Question {i}.")) for i in range(4)]
    upstream.answer = lambda r: json_reply(completion("To: " + r.messages[-1]["content"]))
    with RawClient(daemon.port) as client:
        for body in bodies:
            client.post_chat(body, user)
        replies = [client.read_reply() for _ in bodies]
    assert [r.status for r in replies] == [200] * 4
    for i, reply in enumerate(replies):
        assert f"Question {i}." in reply.body.decode()


def test_the_clients_authorization_is_passed_on_and_its_absence_too(daemon, upstream, user):
    daemon.post_chat(ASK, {"X-User-Id": user, "Authorization": "Bearer sk-own"})
    assert upstream.last.field("Authorization") == "Bearer sk-own"
    daemon.post_chat(ASK, {"X-User-Id": user})
    assert upstream.last.field("Authorization") is None


# ---- durability ----


@pytest.mark.parametrize("mode", MODES)
def test_kill_9_right_after_done_loses_nothing(make_daemon, memory_model, user, mode):
    daemon = make_daemon({"memory": {"mode": mode}})
    with RawClient(daemon.port) as client:
        client.post_chat(chat_body(said("user", "I keep bees."), stream=True), user)
        client.read_until(b"[DONE]")
        daemon.kill()
    daemon.start()
    assert [r for r, _ in daemon.messages(user)] == ["user", "assistant"]
    daemon.settle(user)


def test_a_client_that_closes_at_done_has_left_nothing_undone(daemon, upstream, user):
    for number in range(10):
        with RawClient(daemon.port) as client:
            client.post_chat(chat_body(said("user", f"Bee hive {number}."), stream=True), user)
            client.read_until(b"[DONE]")
        messages = daemon.memory(user)["messages"]
        assert len(messages) == 2 * (number + 1) and all(m["complete"] for m in messages)


def test_a_client_that_reads_a_json_reply_finds_it_in_memory_at_once(daemon, upstream, user):
    talk = Chat(daemon, user)
    for number in range(10):
        talk.say(f"Bee hive {number}.")
        assert len(daemon.messages(user)) == 2 * (number + 1)


# ---- dry run ----


@pytest.mark.parametrize("mode", MODES)
def test_a_dry_run_equals_the_request_that_follows_at_every_turn(daemon, upstream, memory_model, mode_user, mode):
    user = make_known(daemon, memory_model, mode_user(mode))
    talk = Chat(daemon, user, system="Be kind.")
    for number in range(4):
        before = daemon.memory(user)
        shown = talk.send(f"Turn {number}.", {"X-Memory-Dry-Run": "1"})
        assert shown.status_code == 200 and daemon.memory(user) == before
        answer = talk.say(f"Turn {number}.")
        assert shown.content == upstream.last.body
        assert shown.headers["X-Memory-Status"] == answer.status == "injected"
        assert shown.headers["X-Memory-Tokens"] == answer.headers["X-Memory-Tokens"]
        daemon.settle(user)


def test_a_dry_run_leaves_no_user_behind(daemon, upstream, memory_model, user):
    own = f"I am Ana, {user}."
    reply = Chat(daemon, user, session="s").send(own, {"X-Memory-Dry-Run": "1"})
    assert reply.status_code == 200
    assert not upstream.requests and not memory_model.fact_calls(own) and not daemon.knows(user)


# ---- the one retry ----


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_injection_is_retried_for_streams_too(daemon, upstream, known_user, status, stream):
    body = chat_body(said("user", "Hello."), stream=stream, model="refusing")
    upstream.script(error_reply(status))
    reply = daemon.post_chat(body, {"X-User-Id": known_user})
    assert reply.status_code == 200 and reply.headers["X-Memory-Status"] == "bypassed"
    assert reply.headers["X-Memory-Tokens"] == "0"
    assert [r.body for r in upstream.requests][1] == body and len(upstream.requests) == 2


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500, 503])
def test_no_other_status_is_retried(daemon, upstream, known_user, status):
    upstream.script(error_reply(status))
    assert daemon.post_chat(ASK, {"X-User-Id": known_user}).status_code == status
    assert len(upstream.requests) == 1


# ---- replies of every kind ----


def test_only_the_first_of_several_choices_is_kept(daemon, upstream, user):
    value = completion("First.")
    value["choices"].append({"index": 1, "message": said("assistant", "Second."), "finish_reason": "stop"})
    value["choices"].reverse()
    upstream.script(json_reply(value))
    Chat(daemon, user).send("Choose.")
    assert daemon.messages(user) == [("user", "Choose."), ("assistant", "First.")]


def test_a_reply_cut_off_by_length_is_a_reply(daemon, upstream, memory_model, user):
    upstream.script(json_reply(completion("And then", finish_reason="length")))
    memory_model.answers["I am Ana."] = [fact("name", "Ana", "I am Ana")]
    Chat(daemon, user).say("I am Ana.")
    daemon.settle(user)
    assert daemon.values(user) == ["Ana"]


def test_a_refusal_is_a_final_reply(daemon, upstream, memory_model, user):
    upstream.script(json_reply(completion(None, refusal="I cannot help with that.")))
    memory_model.answers["I am Ana."] = [fact("name", "Ana", "I am Ana")]
    assert Chat(daemon, user).send("I am Ana.").status_code == 200
    daemon.settle(user)
    assert daemon.values(user) == ["Ana"]


def test_an_error_in_a_stream_of_200_passes_and_teaches_nothing(daemon, upstream, memory_model, user):
    events = [event({"error": {"message": "overloaded", "type": "server_error"}}), DONE]
    upstream.script(sse_reply(events))
    own = f"I am Ana, {user}."
    reply = Chat(daemon, user, stream=True).send(own)
    assert reply.content == b"".join(events)
    assert not memory_model.fact_calls(own)


@pytest.mark.parametrize("stream", [False, True])
def test_a_compressed_reply_is_passed_on_and_learned(daemon, upstream, user, stream):
    body = b"".join(text_events("Grüße.")) if stream else json.dumps(completion("Grüße.")).encode()
    packed = gzip.compress(body)
    kind = "text/event-stream" if stream else "application/json"
    pieces = [packed[i : i + 7] for i in range(0, len(packed), 7)]
    upstream.script(
        Reply(fields=[("Content-Type", kind), ("Content-Encoding", "gzip")], pieces=pieces, framing="chunked")
    )
    with RawClient(daemon.port) as client:
        client.post_chat(chat_body(said("user", "Hallo."), stream=stream), user)
        reply = client.read_reply()
    assert reply.body == packed and reply.whole
    assert daemon.messages(user) == [("user", "Hallo."), ("assistant", "Grüße.")]


def test_what_is_timed_out_is_not_to_be_retried(make_daemon, upstream, user):
    daemon = make_daemon({"upstream": {"base_url": upstream.base_url, "first_byte_timeout": "300ms"}})
    upstream.script(json_reply(completion("Late."), first_byte_delay=5))
    reply = daemon.post_chat(ASK, {"X-User-Id": user})
    assert reply.status_code == 504 and reply.headers["x-should-retry"] == "false"
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


# ---- where memory goes ----


@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_block_joins_a_leading_message_and_keeps_its_shape(daemon, upstream, known_user, role):
    parts = [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]
    for content in ("Be kind.", parts):
        body = chat_body(said(role, content), said("user", "Where do I live?"))
        daemon.post_chat(body, {"X-User-Id": known_user})
        sent = upstream.last.messages
        assert [m["role"] for m in sent] == [role, "user"]
        if isinstance(content, str):
            assert sent[0]["content"].startswith("Be kind.") and KNOWN_VALUE in sent[0]["content"]
        else:
            assert sent[0]["content"][0] == parts[0] and len(sent[0]["content"]) == 2
            assert sent[0]["content"][1]["type"] == "text" and KNOWN_VALUE in sent[0]["content"][1]["text"]
        assert len(insertions(body, upstream.last.body)) == 1


def test_without_a_system_message_one_comes_first(daemon, upstream, known_user):
    daemon.post_chat(ASK, {"X-User-Id": known_user})
    sent = upstream.last.messages
    assert [m["role"] for m in sent] == ["system", "user"] and KNOWN_VALUE in sent[0]["content"]
    assert sent[1] == said("user", "Where do I live?")


def test_role_developer_inserts_a_developer_message(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"role": "developer"}})
    make_known(daemon, memory_model, user)
    daemon.post_chat(ASK, {"X-User-Id": user})
    assert [m["role"] for m in upstream.last.messages] == ["developer", "user"]


def test_role_user_goes_before_the_text_and_leaves_images(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"role": "user"}})
    make_known(daemon, memory_model, user)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 4000}}
    body = chat_body(said("system", "Be kind."), said("user", [{"type": "text", "text": "What is it?"}, image]))
    daemon.post_chat(body, {"X-User-Id": user})
    system, turn = upstream.last.messages
    assert system == said("system", "Be kind.")
    text, last = turn["content"]
    assert last == image and text["text"].endswith("\n\nWhat is it?") and KNOWN_VALUE in text["text"]
    daemon.settle(user)
    assert daemon.messages(user)[-2][1] == "What is it?"


# ---- which conversation ----


def resent(daemon, upstream, user, turns, wrap=lambda t: t, answer=lambda t: t, system=None, count=None):
    """A client that rewrites the history that it sends again; gives the blocks that were inserted."""
    history, blocks = [], []
    for turn in turns:
        messages = [*history, said("user", wrap(turn))]
        if system:
            messages.insert(0, said("system", system()))
        body = chat_body(*messages)
        reply = daemon.post_chat(body, {"X-User-Id": user})
        blocks.append(b"".join(text for _, text in insertions(body, upstream.last.body)))
        text = reply.json()["choices"][0]["message"]["content"]
        history += [said("user", wrap(turn)), said("assistant", answer(text))]
        daemon.settle(user)
    return blocks


CHAT_TURNS = ["I work as a radiologist.", "My cat is called Momo.", "I drive a red car.", "Good night."]


def teach(memory_model):
    memory_model.answers |= {
        CHAT_TURNS[0]: [fact("profession", "radiologist", "I work as a radiologist")],
        CHAT_TURNS[1]: [fact("cat", "Momo", "My cat is called Momo")],
        CHAT_TURNS[2]: [fact("car", "red car", "I drive a red car")],
    }


def check_one_conversation(daemon, user, blocks):
    assert len(set(blocks)) == 1 and KNOWN_VALUE.encode() in blocks[0]
    assert [c for r, c in daemon.messages(user) if r == "user"][1:] == CHAT_TURNS


def test_documents_round_the_user_text_do_not_hide_the_conversation(daemon, upstream, memory_model, known_user):
    teach(memory_model)
    counter = iter(range(100))

    def wrap(turn):
        return f"<context>\n<source id=\"{next(counter)}\">Some page.</source>\n</context>\n\n{turn}"

    check_one_conversation(daemon, known_user, resent(daemon, upstream, known_user, CHAT_TURNS, wrap=wrap))


def test_a_dated_system_prompt_does_not_hide_the_conversation(daemon, upstream, memory_model, known_user):
    teach(memory_model)
    counter = iter(range(100))
    blocks = resent(daemon, upstream, known_user, CHAT_TURNS, system=lambda: f"It is {next(counter)} o'clock.")
    check_one_conversation(daemon, known_user, blocks)


def test_trimmed_white_space_does_not_hide_the_conversation(daemon, upstream, memory_model, known_user):
    teach(memory_model)
    upstream.answer = lambda r: json_reply(completion(f"\n\n  Fine,\n number {r.number}. \n"))
    blocks = resent(daemon, upstream, known_user, CHAT_TURNS, answer=lambda t: " ".join(t.split()))
    check_one_conversation(daemon, known_user, blocks)


def test_stripped_reasoning_does_not_hide_the_conversation(daemon, upstream, memory_model, known_user):
    teach(memory_model)
    upstream.answer = lambda r: json_reply(completion(f"<think>\nHm, {r.number}.\n</think>\n\nFine, number {r.number}."))
    blocks = resent(daemon, upstream, known_user, CHAT_TURNS, answer=lambda t: t.split("</think>")[1].strip())
    check_one_conversation(daemon, known_user, blocks)
    assert not any("<think>" in c for _, c in daemon.messages(known_user))


def test_reasoning_that_the_client_keeps_does_not_hide_it_either(daemon, upstream, memory_model, known_user):
    teach(memory_model)
    upstream.answer = lambda r: json_reply(completion(f"Fine, number {r.number}.", reasoning_content="Hm."))
    blocks = resent(daemon, upstream, known_user, CHAT_TURNS, answer=lambda t: f"<think>Hm.</think>\n{t}")
    check_one_conversation(daemon, known_user, blocks)


def test_two_chats_that_begin_alike_are_kept_apart_once_they_differ(daemon, upstream, memory_model, user):
    upstream.answer = lambda r: json_reply(
        completion("Hello!" if len(r.messages) <= 2 else f"Answer to {r.messages[-1]['content']}")
    )
    first, second = Chat(daemon, user), Chat(daemon, user)
    for talk in (first, second):
        talk.say("Hi.")
    first.say("Cats?")
    second.say("Dogs?")
    first.say("More cats?")
    second.say("More dogs?")
    asked = [c for r, c in daemon.messages(user) if r == "user"]
    assert sorted(asked) == sorted(["Hi.", "Hi.", "Cats?", "Dogs?", "More cats?", "More dogs?"])


def test_a_regenerated_answer_with_history_is_learned_once(daemon, upstream, memory_model, user):
    memory_model.answers["I keep bees."] = [fact("pet", "bees", "I keep bees")]
    talk = Chat(daemon, user)
    talk.say("Hello there.")
    for _ in range(3):
        assert talk.send("I keep bees.").status_code == 200
    daemon.settle(user)
    assert len(memory_model.fact_calls("I keep bees.")) == 1
    assert [c for r, c in daemon.messages(user) if r == "user"] == ["Hello there.", "I keep bees."]


@pytest.mark.parametrize("session", [None, "tools"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_of_parallel_tools_teaches_once_from_the_users_text(daemon, upstream, memory_model, known_user, session, stream):
    memory_model.answers["My boss is Kim."] = [fact("boss", "Kim", "My boss is Kim")]
    headers = {"X-User-Id": known_user} | ({"X-Session-Id": session} if session else {})
    messages = [said("system", "Use tools."), said("user", "My boss is Kim.")]
    blocks = set()
    for number in range(3):
        calls = [tool_call(f"c{number}{i}", "look", {"q": i}) for i in range(2)]
        if number == 2:
            upstream.script(sse_reply(text_events("Done.")) if stream else json_reply(completion("Done.")))
        elif stream:
            upstream.script(sse_reply(tool_call_events(calls)))
        else:
            upstream.script(json_reply(completion(None, finish_reason="tool_calls", tool_calls=calls)))
        body = chat_body(*messages, stream=stream)
        assert daemon.post_chat(body, headers).status_code == 200
        inserted = insertions(body, upstream.last.body)
        assert len(inserted) == 1
        blocks.add(inserted[0])
        messages.append(said("assistant", None, tool_calls=calls))
        messages += [said("tool", "Secret result.", tool_call_id=c["id"]) for c in calls]
    daemon.settle(known_user)
    assert len(blocks) == 1
    assert len(memory_model.fact_calls("My boss is Kim.")) == 1
    assert not any(c.holds("Secret result.") for c in memory_model.calls())
    assert daemon.messages(known_user)[-2:] == [("user", "My boss is Kim."), ("assistant", "Done.")]


def test_an_off_turn_in_between_is_never_learned(daemon, upstream, memory_model, known_user):
    talk = Chat(daemon, known_user)
    talk.say("First, openly.")
    talk.say("My secret is Rosebud.", {"X-Memory-Mode": "off"})
    assert KNOWN_VALUE.encode() not in upstream.last.body
    talk.say("Third, openly.")
    daemon.settle(known_user)
    assert not any(c.holds("Rosebud") for c in memory_model.calls())
    assert "Rosebud" not in json.dumps(daemon.memory(known_user))


@pytest.mark.parametrize("names_session", [True, False], ids=["with a session", "without"])
@pytest.mark.parametrize("events", [4, 1], ids=["in its midst", "before its first word"])
def test_of_a_reply_that_broke_off_the_users_turn_is_learned_once(
    daemon, upstream, memory_model, user, events, names_session
):
    own = f"I am Ana, {user}."
    memory_model.answers[own] = [fact("name", "Ana", "I am Ana")]
    upstream.script(sse_reply(text_events("A long story begins here and")[:events], break_after=events))
    talk = Chat(daemon, user, session=user if names_session else None, stream=True)
    talk.send(own)
    daemon.settle(user)
    messages = daemon.memory(user)["messages"]
    assert [m["complete"] for m in messages if m["role"] == "assistant"] == [False] * (events > 1)
    assert daemon.values(user) == ["Ana"]
    talk.say(own)
    assert b"A long story" not in upstream.last.body
    talk.say("And now?")
    daemon.settle(user)
    assert len([c for c in memory_model.fact_calls(own) if c.asked.endswith(own)]) == 1
    assert not memory_model.fact_calls("A long")
    assert [m for r, m in daemon.messages(user) if r == "user"] == [own, "And now?"]


def test_a_refusal_that_is_sent_again_is_known_as_the_answer_it_was(daemon, upstream, known_user):
    upstream.script(json_reply(completion(None, refusal="I cannot.")))
    talk = Chat(daemon, known_user)
    assert talk.send("One.").status_code == 200
    talk.messages = [said("user", "One."), said("assistant", None, refusal="I cannot.")]
    talk.say("Two.")
    blocks = [r.messages[0] for r in upstream.chats()]
    assert blocks[0] == blocks[1] and KNOWN_VALUE in blocks[0]["content"]


# ---- receipts ----


def check_receipt(daemon, reply, user, mode):
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert receipt["id"] == reply.headers["X-Memory-Receipt"] and receipt["user"] == user
    assert receipt["mode"] == mode and receipt["status"] == reply.headers["X-Memory-Status"]
    assert receipt["tokens"] == int(reply.headers["X-Memory-Tokens"])
    for item in receipt["items"] + receipt["dropped"]:
        assert {"kind", "id", "text", "score", "source", "tokens"} <= set(item)
        assert item["kind"] in ("fact", "summary", "turn")
    for name in ("budget", "bytes_in", "bytes_out", "elapsed_us"):
        assert isinstance(receipt[name], int)
    return receipt


@pytest.mark.parametrize("mode", MODES)
def test_each_receipt_of_a_conversation_lists_what_was_given(daemon, upstream, memory_model, mode_user, mode):
    user = make_known(daemon, memory_model, mode_user(mode))
    talk = Chat(daemon, user)
    for number in range(3):
        reply = talk.say(f"Turn {number}.")
        receipt = check_receipt(daemon, reply, user, mode)
        assert KNOWN_VALUE in json.dumps(receipt["items"]), f"request {number}"
        assert receipt["bytes_out"] > receipt["bytes_in"]


@pytest.mark.parametrize("mode", ["readonly", "hybrid"])
def test_a_reply_with_a_receipt_has_one_even_when_nothing_is_learned(daemon, upstream, known_user, mode):
    reply = daemon.post_chat(ASK, {"X-User-Id": known_user, "X-Memory-Mode": mode})
    check_receipt(daemon, reply, known_user, mode)


def test_an_upstream_error_has_its_receipt_or_none(daemon, upstream, known_user):
    upstream.script(error_reply(500))
    reply = daemon.post_chat(ASK, {"X-User-Id": known_user})
    if "X-Memory-Receipt" in reply.headers:
        check_receipt(daemon, reply, known_user, "hybrid")
