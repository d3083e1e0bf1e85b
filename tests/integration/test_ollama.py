"""Ollama's /api/chat through the real daemon: memory goes in and comes out as over Chat Completions, the
bytes stay the client's, and the last line waits for the disk."""

import itertools
import json

import ollama
import pytest

from conftest import KNOWN_VALUE, MODES, make_known
from harness.chat import Chat
from harness.memory_model import fact
from harness.ollama import Ollama, lines_of, lines_reply, lines_that_say, saying
from harness.provider import Call, Said, texts_of
from harness.upstream import error_reply, json_reply
from harness.wire import insertions
from test_section6 import QUESTION, TURNS

streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
STORE = TURNS[1]


def remembering(asked):
    """A model that knows nothing but what is in the request."""
    texts = [text for message in asked["messages"] for text in texts_of(message.get("content"))]
    if QUESTION in texts[-1]:
        return "You use ChromaDB." if "ChromaDB" in "\n".join(texts) else "I do not know."
    return f"Noted, of {len(texts)}."


@pytest.fixture
def server(upstream):
    upstream.answer = saying(remembering)
    return upstream


@pytest.fixture
def store(memory_model):
    memory_model.answers[STORE] = [fact("vector_store", "ChromaDB", "ChromaDB for the vector store")]


# ---- the conversation of CONTRACT section 6 ----

STYLES = {"its turns": {}, "its session": {"newest_only": True, "session": "s-1"}}


@streamed
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
@pytest.mark.parametrize("mode", MODES)
def test_the_vector_store_is_still_known_at_the_sixth_turn(daemon, server, store, mode_user, mode, style, stream):
    user = mode_user(mode)
    talk = Ollama(daemon, user, stream=stream, **style)
    for turn in TURNS:
        talk.say(turn)
    daemon.settle(user)
    answer = talk.say(QUESTION)
    assert answer.text == "You use ChromaDB." and answer.headers["X-Memory-Mode"] == mode
    assert [m for m in daemon.messages(user) if m[0] == "user"] == [("user", t) for t in [*TURNS, QUESTION]]
    assert len({m["session"] for m in daemon.memory(user)["messages"]}) == 1


@pytest.mark.parametrize("told, asked", [(Chat, Ollama), (Ollama, Chat)], ids=["told over chat", "asked over chat"])
@pytest.mark.parametrize("mode", ["buffer", "entity", "hybrid"])
def test_what_was_told_over_one_api_is_known_over_the_other(daemon, server, store, mode_user, mode, told, asked):
    user = mode_user(mode)
    first = told(daemon, user, session="first")
    for turn in TURNS[:3]:
        first.say(turn)
    daemon.settle(user)
    assert asked(daemon, user, session="second").say(QUESTION).text == "You use ChromaDB."


def test_one_session_goes_on_over_both_apis(daemon, server, mode_user):
    user = mode_user("buffer")
    for number, turn in enumerate(TURNS):
        (Chat, Ollama)[number % 2](daemon, user, session="one", newest_only=True).say(turn)
    assert Ollama(daemon, user, session="one", newest_only=True).say(QUESTION).text == "You use ChromaDB."
    assert {m["session"] for m in daemon.memory(user)["messages"]} == {"one"}


# ---- bytes, and what is asked of whom ----

BODIES = {
    "a string": b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}',
    "a system message": b'{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello"}],"model":"m"}',
    "odd spaces, an image": b' { "messages" : [ {"role":"user","content":"Hello","images":["aGk="]} ] , "keep_alive":-1.0e1 } ',
    "escapes": b'{"mess\\u0061ges":[{"role":"us\\u0065r","content":"Hell\\u00f6 \\ud83d\\ude00"}],"options":{"x":[1e400]}}',
}
bodies = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())


@bodies
def test_with_nothing_to_remember_the_bytes_are_the_clients(daemon, server, user, body):
    reply = daemon.post_chat(body, {"X-User-Id": user}, "/api/chat")
    assert reply.headers["X-Memory-Status"] == "empty" and server.last.body == body


@bodies
def test_what_is_injected_is_inserted_and_nothing_else(daemon, server, known_user, body):
    reply = daemon.post_chat(body, {"X-User-Id": known_user}, "/api/chat")
    assert reply.headers["X-Memory-Status"] == "injected" and KNOWN_VALUE in server.last.body.decode()
    assert insertions(body, server.last.body)
    assert all(isinstance(m["content"], str) for m in server.last.json["messages"])


@pytest.mark.parametrize("body", [b"[]", b'{"messages":7}', b'{"messages":[],"messages":[]}', b"{", b'{"messages":[1]}'])
def test_what_is_no_request_is_the_servers_business(daemon, upstream, known_user, body):
    reply = daemon.post_chat(body, {"X-User-Id": known_user}, "/api/chat")
    assert reply.headers["X-Memory-Status"] == "bypassed" and upstream.last.body == body


def test_the_path_stays_as_it_is_beside_the_base_url(daemon, server, known_user):
    assert server.base_url.endswith("/v1")
    talk = Ollama(daemon)
    for path in (f"/u/{known_user}/api/chat?x=1", f"/u/{known_user}/api/chat"):
        talk.path = path
        assert talk.say("Hello").status == "injected"
        assert server.last.target == path.removeprefix(f"/u/{known_user}")
        assert server.last.field("Authorization") is None


def test_open_webui_says_who_asks_and_in_which_chat(daemon, server, user):
    headers = {"X-OpenWebUI-User-Id": user, "X-OpenWebUI-Chat-Id": "c-1", "X-OpenWebUI-User-Email": "alex@example.org"}
    Ollama(daemon, headers=headers).say("Hello")
    assert daemon.messages(user) == [("user", "Hello"), ("assistant", "Noted, of 1.")]
    assert {m["session"] for m in daemon.memory(user)["messages"]} == {"c-1"}
    sent = [name.lower() for name, _ in server.last.fields]
    assert not [name for name in sent if name.startswith("x-openwebui-user")]


def test_from_clients_without_a_key_it_learns_all_the_same(make_daemon, server, store, user):
    daemon = make_daemon({"model": {"api_key": ""}})
    Ollama(daemon, user).say(STORE)
    daemon.settle(user)
    assert "ChromaDB" in daemon.values(user)


def test_its_title_requests_leave_nothing(daemon, server, user):
    task = "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n### Output:\nJSON"
    reply = Ollama(daemon, user, stream=False).send(task + '\n### Chat History:\n<chat_history>\nUSER: Hi\n</chat_history>')
    assert reply.headers["X-Memory-Status"] == "side"
    assert Ollama(daemon, user).send("Who am I?", format={"type": "object"}).status_code == 200
    assert not [m for m in daemon.messages(user) if "Task" in m[1]]


def test_loading_and_unloading_a_model_leaves_nothing(daemon, upstream, known_user):
    before = daemon.messages(known_user)
    for reason in ("load", "unload"):
        value = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason}
        upstream.script(lines_reply([json.dumps(value).encode() + b"\n"]))
        body = Ollama(daemon).body([], keep_alive=0)
        assert daemon.post_chat(body, {"X-User-Id": known_user}, "/api/chat").status_code == 200
        assert upstream.last.body == body
    assert daemon.messages(known_user) == before


# ---- loops of tool calls, and prompt caches ----


@streamed
def test_ten_turns_with_a_tool_loop_each_share_their_prefix(daemon, upstream, memory_model, mode_user, stream):
    user = make_known(daemon, memory_model, mode_user("hybrid"))
    numbers = itertools.count(1)

    def say(asked):
        n = next(numbers)
        return Said("I look.", [Call("", "weather", {"city": "Köln", "days": [n, 2]})]) if n % 2 else f"It rains, {n} says."

    upstream.answer = saying(say)
    talk = Ollama(daemon, user, stream=stream, system="Be brief.")
    for turn in range(10):
        talk.say(f"Where is my favourite city, part {turn}?")
        talk.say([{"role": "tool", "tool_name": "weather", "content": "It rains."}])
    prompts = [r.json["messages"] for r in upstream.requests]
    for before, behind in itertools.pairwise(prompts):
        assert behind[: len(before)] == before and KNOWN_VALUE in before[0]["content"]
    said = [m for m in daemon.messages(user) if "part" in m[1] or "says" in m[1]]
    assert [m[0] for m in said] == ["user", "assistant"] * 10


# ---- what the client is told ----


def test_a_reply_has_its_fields_receipt_and_dry_run(daemon, server, known_user):
    talk = Ollama(daemon, known_user)
    shown = talk.send("Hello", {"X-Memory-Dry-Run": "1"})
    answer = talk.say("Hello")
    assert shown.content == server.last.body
    assert shown.headers["X-Memory-Tokens"] == answer.headers["X-Memory-Tokens"]
    receipt = daemon.receipt(answer.headers["X-Memory-Receipt"])
    assert receipt["user"] == known_user and receipt["tokens"] == int(answer.headers["X-Memory-Tokens"])


def test_a_preview_shows_its_form(daemon, known_user):
    path = daemon.memory_path(known_user, "/preview?dialect=ollama")
    body = json.loads(daemon.admin("POST", path, json={"question": "Where do I live?"}).json()["body"])
    assert [m["role"] for m in body["messages"]] == ["system", "user"] and KNOWN_VALUE in str(body["messages"])


@pytest.mark.parametrize("status", [400, 413, 422])
@streamed
def test_a_refused_injection_is_sent_once_more_without(daemon, server, known_user, status, stream):
    talk = Ollama(daemon, known_user, stream=stream)
    server.script(error_reply(status))
    answer = talk.say("Hello")
    assert answer.status == "bypassed" and len(server.requests) == 2
    assert server.last.body == Ollama(daemon, stream=stream).body([{"role": "user", "content": "Hello"}])


# ---- streams ----

STREAMS = {
    "as Ollama streams": b"".join(lines_that_say("Hi Alex")),
    "CRLF": b"".join(lines_that_say("Hi Alex")).replace(b"\n", b"\r\n"),
    "without the last line break": b"".join(lines_that_say("Hi Alex"))[:-1],
}


@pytest.mark.parametrize("body", STREAMS.values(), ids=STREAMS.keys())
def test_byte_by_byte_a_stream_arrives_identical_and_is_learned(daemon, upstream, user, body):
    upstream.script(lines_reply([body[i : i + 1] for i in range(len(body))]))
    assert Ollama(daemon, user).send("Hello").content == body
    assert daemon.messages(user) == [("user", "Hello"), ("assistant", "Hi Alex")]


def test_a_last_line_of_any_size_ends_the_stream(daemon, upstream, user):
    """Of one larger than what is read, the text is not learned; what streamed before is."""
    first, *_, last = lines_that_say("Hi Alex")
    told = first + json.dumps(json.loads(last) | {"message": {"role": "assistant", "content": "A" * (5 << 20)}}).encode() + b"\n"
    upstream.script(lines_reply([told]))
    assert Ollama(daemon, user).send("Hello").content == told
    said = daemon.memory(user)["messages"]
    assert [m["role"] for m in said] == ["user", "assistant"] and all(m["complete"] for m in said)
    assert said[1]["content"] == json.loads(first)["message"]["content"].strip()


# ---- the SDK ----


def sdk(daemon, user):
    return ollama.Client(host=daemon.origin, headers={"X-User-Id": user})


HELLO = [{"role": "user", "content": "Hello"}]


@streamed
def test_the_sdk_gets_its_answer(daemon, server, store, user, stream):
    client = sdk(daemon, user)
    client.chat("llama3.2", [{"role": "user", "content": STORE}])
    daemon.settle(user)
    asked = [{"role": "user", "content": QUESTION}]
    if not stream:
        assert client.chat("llama3.2", asked).message.content == "You use ChromaDB."
        return
    parts = list(client.chat("llama3.2", asked, stream=True))
    assert "".join(part.message.content for part in parts) == "You use ChromaDB." and parts[-1].done


@streamed
def test_the_sdks_tool_loop_is_one_turn(daemon, upstream, user, stream):
    def say(asked):
        if asked["messages"][-1]["role"] == "tool":
            return "It rains in Köln."
        return Said("", [Call("", "weather", {"city": "Köln", "days": [1, 2]})])

    upstream.answer = saying(say)
    client = sdk(daemon, user)
    messages = [{"role": "user", "content": "Does it rain in Köln?"}]

    def weather(city: str) -> str:
        """The weather of a city."""
        return f"It rains in {city}."

    replies = client.chat("llama3.2", messages, tools=[weather], stream=stream)
    called = [r.message for r in (replies if stream else [replies]) if r.message.tool_calls]
    messages += [called[0], {"role": "tool", "tool_name": "weather", "content": weather("Köln")}]
    assert client.chat("llama3.2", messages, tools=[weather]).message.content == "It rains in Köln."
    assert daemon.messages(user) == [("user", "Does it rain in Köln?"), ("assistant", "It rains in Köln.")]


def test_the_sdk_raises_on_a_break_off(daemon, upstream, user):
    begun = lines_that_say("Hello Alex")[:1]
    upstream.script(lines_reply(begun, break_after=1))
    told = lines_of(Ollama(daemon, user).send("Hello").content)
    assert [list(line) for line in told[1:]] == [["error"]] and "broke off" in told[-1]["error"]
    assert [(m["content"], m["complete"]) for m in daemon.memory(user)["messages"]] == [("Hello", True), ("Hello ", False)]
    upstream.script(lines_reply(begun, break_after=1))
    with pytest.raises(ollama.ResponseError, match="broke off"):
        list(sdk(daemon, user).chat("llama3.2", HELLO, stream=True))


def test_the_sdk_raises_on_a_stream_that_only_stops(daemon, upstream, user):
    upstream.script(lines_reply(lines_that_say("Hello Alex")[:1]))
    with pytest.raises(ollama.ResponseError):
        list(sdk(daemon, user).chat("llama3.2", HELLO, stream=True))
    daemon.wait_known(user)
    assert [(m["content"], m["complete"]) for m in daemon.memory(user)["messages"]] == [("Hello", True), ("Hello ", False)]


def test_the_sdk_reads_the_errors(make_daemon, upstream, user):
    upstream.script(json_reply({"error": "model 'x' not found"}, status=404))
    daemon = make_daemon()
    with pytest.raises(ollama.ResponseError, match="model 'x' not found") as raised:
        sdk(daemon, user).chat("x", HELLO)
    assert raised.value.status_code == 404
    upstream.script(lines_reply([*lines_that_say("a")[:1], b'{"error":"the model runner has stopped"}\n']))
    with pytest.raises(ollama.ResponseError, match="^the model runner has stopped"):
        list(sdk(daemon, user).chat("x", HELLO, stream=True))
    with pytest.raises(ollama.ResponseError, match="X-Memory-Mode") as raised:
        ollama.Client(host=daemon.origin, headers={"X-User-Id": user, "X-Memory-Mode": "loud"}).chat("x", HELLO)
    assert raised.value.status_code == 400
    assert list(Ollama(daemon, user, mode="loud").send("Hello").json()) == ["error"]


def test_the_sdk_is_told_that_the_server_is_away(make_daemon, user):
    daemon = make_daemon({"upstream": {"base_url": "http://127.0.0.1:1/v1"}})
    with pytest.raises(ollama.ResponseError, match="cannot be reached") as raised:
        sdk(daemon, user).chat("x", HELLO)
    assert raised.value.status_code == 502
