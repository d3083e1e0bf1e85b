"""Streamed replies: identical bytes however they are torn, learned whole, broken off honestly, and
finished only when the exchange is on disk."""

import json
import threading
import time

import openai
import pytest

from harness.chat import Chat, stream_text
from harness.upstream import DONE, Reply, chunk, completion, event, json_reply, sse_reply, text_events, torn
from harness.wire import RawClient


def delta(text, finish=None):
    """The smallest chunk that is one, so that all positions are few."""
    choice = {"index": 0, "delta": {"content": text} if text else {}}
    if finish:
        choice["finish_reason"] = finish
    return json.dumps({"choices": [choice]}, ensure_ascii=False, separators=(",", ":")).encode()


def stream_of(*texts, end=b"\n\n", lead=b"data: ", done=True):
    parts = [lead + delta(text) + end for text in texts]
    parts.append(lead + delta("", "stop") + end)
    return b"".join(parts) + (lead + b"[DONE]" + end if done else b"")


USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n\n'
STREAMS = {
    "plain, of several scripts": (stream_of("Grüße ", "世界🙂"), "Grüße 世界🙂"),
    "CRLF": (stream_of("a\\n", "é", end=b"\r\n\r\n"), "a\\né"),
    "CR": (stream_of("b", "ü", end=b"\r\r"), "bü"),
    "no space behind the colon": (stream_of("tight", lead=b"data:"), "tight"),
    "comments and other fields": (
        b": ping\n\n" + stream_of("x").replace(b"data: [", b"event: end\nid: 7\n:c\ndata: [") + b": bye\n\n",
        "x",
    ),
    "byte order mark": (b"\xef\xbb\xbf" + stream_of("marked"), "marked"),
    "usage without choices": (stream_of("u", done=False) + USAGE + DONE, "u"),
    "no DONE": (stream_of("endless", done=False), "endless"),
    "no blank line at the end": (stream_of("short")[:-1], "short"),
}

streams = pytest.mark.parametrize(("body", "text"), STREAMS.values(), ids=STREAMS.keys())
QUESTION = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}'
framed = pytest.mark.parametrize("framing", ["chunked", "close"])


def one(role_content_complete):
    return [(m["role"], m["content"], m["complete"]) for m in role_content_complete]


@streams
def test_torn_at_every_byte_it_arrives_identical_and_is_learned_whole(daemon, upstream, user, body, text):
    with RawClient(daemon.port) as raw:
        for position in range(1, len(body)):
            upstream.script(sse_reply(torn(body, [position]), delay=0.001))
            raw.post_chat(QUESTION, f"{user}-{position}")
            reply = raw.read_reply()
            assert reply.whole and reply.body == body, f"torn at {position}"
    for position in range(1, len(body)):
        said = one(daemon.memory(f"{user}-{position}")["messages"])
        assert said == [("user", "Hello", True), ("assistant", text, True)], f"torn at {position}"


@framed
@streams
def test_byte_by_byte_it_arrives_identical_and_is_learned_whole(daemon, upstream, user, body, text, framing):
    upstream.script(sse_reply([body[i : i + 1] for i in range(len(body))], framing))
    assert daemon.post_chat(QUESTION, {"X-User-Id": user}).content == body
    assert one(daemon.memory(user)["messages"]) == [("user", "Hello", True), ("assistant", text, True)]


def test_only_choice_0_is_learned_and_no_reasoning(daemon, upstream, user):
    events = [
        event(chunk({"content": "second", "role": "assistant"}, index=1)),
        event(chunk({"reasoning_content": "hmm", "reasoning": "hmm", "content": ""})),
        event(chunk({"content": "first"})),
        event(chunk({}, "stop", index=1)),
        event(chunk({}, "stop")),
        DONE,
    ]
    upstream.script(sse_reply(events))
    daemon.post_chat(QUESTION, {"X-User-Id": user})
    assert daemon.messages(user)[-1] == ("assistant", "first")


def in_halves(*pieces):
    """Events as a server in JavaScript writes them that cuts its text anywhere."""
    events = [b"data: " + json.dumps(chunk({"content": piece})).encode() + b"\n\n" for piece in pieces]
    return [*events, event(chunk({}, "stop")), DONE]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["Fine \ud83d", "\ude00 then."], "Fine \U0001f600 then."),
        (["\ud83d", "", "\ude00\ud83d", "\ude01"], "\U0001f600\U0001f601"),
        (["a\ud83d", "b", "\ude00"], "a\ufffdb\ufffd"),
        (["\\ud83d", "\ude00"], "\\ud83d\ufffd"),
        (["\ud83d"], "\ufffd"),
    ],
    ids=["two", "with nothing between", "never joined", "a backslash", "the end"],
)
def test_a_character_cut_in_halves_between_two_events_is_learned_whole(daemon, upstream, user, pieces, text):
    upstream.script(sse_reply(in_halves(*pieces)))
    daemon.post_chat(QUESTION, {"X-User-Id": user})
    assert daemon.messages(user)[-1] == ("assistant", text)


def test_a_client_that_joins_the_halves_resends_a_known_turn(daemon, upstream, user):
    upstream.script(sse_reply(in_halves("Your boat \ud83d", "\udea4 is Kittiwake.")))
    daemon.post_chat(QUESTION, {"X-User-Id": user})
    history = [("user", "Hello"), ("assistant", "Your boat \U0001f6a4 is Kittiwake."), ("user", "What is my boat?")]
    value = {"model": "test-model", "messages": [{"role": role, "content": text} for role, text in history]}
    body = json.dumps(value).encode()
    daemon.post_chat(body, {"X-User-Id": user})
    assert upstream.last.body == body, "the turn that the request carries is given once more"


def test_each_event_is_passed_on_as_it_arrives(daemon, upstream, user):
    gates = {i: threading.Event() for i in range(1, 5)}
    events = text_events("abcdefghijklmnopqr")[:4] + [event(chunk({}, "stop")) + DONE]
    upstream.script(sse_reply(events, gates=gates))
    with RawClient(daemon.port) as raw:
        raw.post_chat(QUESTION, user)
        for i in range(4):
            raw.read_content_until(events[i].strip())  # while the upstream has not sent more
            gates[i + 1].set()
        raw.read_until(b"[DONE]")


def test_the_first_event_comes_without_delay(daemon, upstream, user):
    slowest = []
    with RawClient(daemon.port) as raw:
        for _ in range(20):
            upstream.script(sse_reply(text_events("quick")))
            begun = time.monotonic()
            raw.post_chat(QUESTION, user)
            raw.read_until(b"data:")
            slowest.append(time.monotonic() - begun)
            assert raw.read_reply().whole
    assert min(slowest[10:]) < 0.035, "as slow as Nagle's algorithm against delayed acknowledgements"


# ---- broken off ----


@pytest.mark.parametrize(
    ("framing", "reset"),
    [("chunked", False), ("chunked", True), ("close", True)],
    ids=["chunked and closed", "chunked and reset", "reset"],
)
@pytest.mark.parametrize("cut", ["at an event's end", "within a line"])
def test_a_break_off_is_told_by_an_error_event_and_kept_as_incomplete(
    daemon, upstream, memory_model, user, framing, reset, cut
):
    events = text_events("This sentence will never be finished.")
    sent = events[:4] if cut == "at an event's end" else events[:3] + [events[3][:-9]]
    own = f"Hello from {user}"
    upstream.script(sse_reply(sent, framing, break_after=4, reset=reset, delay=0.02))
    with RawClient(daemon.port) as raw:
        raw.post_chat(QUESTION.replace(b"Hello", own.encode()), user)
        reply = raw.read_reply()
    assert b"[DONE]" not in reply.body
    assert reply.body.startswith(b"".join(events[:3]))
    last = reply.body.rstrip(b"\n").split(b"\n\n")[-1]
    error = json.loads(last.removeprefix(b"data: "))["error"]
    assert set(error) == {"message", "type", "param", "code"}
    daemon.settle(user)
    said = one(daemon.memory(user)["messages"])
    assert said[0][:2] == ("user", own)
    assert said[1][0] == "assistant" and said[1][1].startswith("This") and said[1][2] is False
    assert not memory_model.fact_calls("This sent")


@pytest.mark.parametrize("mode", ["vector", "hybrid", "buffer"])
def test_a_talk_goes_on_behind_an_answer_that_broke_off(daemon, upstream, user, mode):
    told, asked = "The plumber replaced the pressure valve.", "Which valve did the plumber replace?"
    pieces = text_events("The plumber did well.")[:3]
    upstream.script(sse_reply([*pieces, DONE], break_after=len(pieces)))
    headers = {"X-User-Id": user, "X-Memory-Mode": mode}
    first = {"model": "m", "stream": True, "messages": [{"role": "user", "content": told}]}
    daemon.post_chat(json.dumps(first).encode(), headers)
    assert one(daemon.memory(user)["messages"])[1][2] is False
    history = [*first["messages"], {"role": "assistant", "content": "The plumber "}]
    body = json.dumps({"model": "m", "messages": [*history, {"role": "user", "content": asked}]}).encode()
    assert daemon.post_chat(body, headers).headers["X-Memory-Status"] == "empty"
    assert upstream.last.body == body


@pytest.mark.parametrize("newest_only", [True, False])
@pytest.mark.parametrize("mode", ["vector", "hybrid", "buffer"])
def test_a_question_asked_again_is_not_given_its_broken_answer(daemon, upstream, user, mode, newest_only):
    talk = Chat(daemon, user, session=user, stream=True, mode=mode, newest_only=newest_only)
    for asked in ("Which valve did the plumber replace?", "And what did the plumber ask for it?"):
        upstream.script(sse_reply(text_events(f"The plumber did {len(asked)} valves.")[:5], break_after=5))
        talk.send(asked)
        talk.say(asked)
        assert b"The plumber did" not in upstream.last.body


def test_a_close_without_an_end_is_incomplete(daemon, upstream, user):
    upstream.script(sse_reply(text_events("Half a sentence")[:3], "close"))
    daemon.post_chat(QUESTION, {"X-User-Id": user})
    assert one(daemon.memory(user)["messages"])[1][2] is False


def test_the_sdk_raises_on_a_break_off(daemon, upstream, user):
    upstream.script(sse_reply(text_events("Never finished, this one.")[:4], break_after=4, delay=0.01))
    client = openai.OpenAI(
        api_key="k", base_url=daemon.base_url, default_headers={"X-User-Id": user}, max_retries=0
    )
    with client, pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hello"}], stream=True
        ):
            pass


def test_a_stream_that_stalls_is_ended_by_an_error_event(make_daemon, upstream, user):
    daemon = make_daemon({"upstream": {"idle_timeout": "400ms"}})
    held = threading.Event()
    upstream.script(sse_reply(text_events("Stalling for ever"), gates={2: held}))
    reply = daemon.post_chat(QUESTION, {"X-User-Id": user})
    held.set()
    assert b'"error"' in reply.content and b"[DONE]" not in reply.content


def test_an_error_within_a_stream_passes_and_the_answer_teaches_nothing(daemon, upstream, memory_model, user):
    events = text_events("Before the fault")[:3] + [b'data: {"error":{"message":"overloaded","code":529}}\n\n']
    own = f"Hello from {user}"
    upstream.script(sse_reply(events))
    body = QUESTION.replace(b"Hello", own.encode())
    assert daemon.post_chat(body, {"X-User-Id": user}).content == b"".join(events)
    daemon.settle(user)
    assert len(memory_model.fact_calls(own)) == 1 and not memory_model.fact_calls("Before the")


def test_an_upstream_error_to_a_streamed_request_passes_unchanged(daemon, upstream, user):
    body = b'{"error":{"message":"slow down","type":"rate","param":null,"code":"r"}}'
    upstream.script(json_reply(body, status=429, fields=[("Retry-After", "2"), ("x-should-retry", "true")]))
    reply = daemon.post_chat(QUESTION, {"X-User-Id": user})
    assert (reply.status_code, reply.content) == (429, body)
    assert (reply.headers["Retry-After"], reply.headers["x-should-retry"]) == ("2", "true")
    assert not daemon.knows(user)


def test_a_json_reply_that_breaks_off_does_not_look_whole(daemon, upstream, user):
    body = json.dumps(completion("A long answer that will be cut.")).encode()
    reply = json_reply(body)
    reply.pieces = torn(body, [40])
    reply.break_after = 1
    upstream.script(reply)
    with RawClient(daemon.port) as raw:
        raw.post_chat(QUESTION.replace(b'"stream":true,', b""), user)
        try:
            got = raw.read_reply()
            whole = got.whole and got.status == 200
        except ConnectionError:
            whole = False
    assert not whole


def test_a_json_answer_to_a_streamed_request_is_learned(daemon, upstream, user):
    upstream.script(json_reply(completion("Not streamed.")))
    daemon.post_chat(QUESTION, {"X-User-Id": user})
    assert daemon.messages(user)[-1] == ("assistant", "Not streamed.")


def test_when_the_client_leaves_the_upstream_is_left_too_and_what_came_is_kept_as_incomplete(daemon, upstream, user):
    events = [event(chunk({"content": "x" * 2000}))] * 2000
    upstream.script(sse_reply(events, delay=0.02))
    with RawClient(daemon.port) as raw:
        raw.post_chat(QUESTION, user)
        raw.read_until(b"data:")
    upstream.wait_left(1)
    daemon.wait_known(user)
    said, answer = daemon.memory(user)["messages"]
    assert said["content"] == "Hello" and answer["content"].startswith("xxx") and not answer["complete"]


def test_when_the_client_leaves_before_the_reply_the_upstream_is_left_too(daemon, upstream, user):
    fields = [("Content-Type", "application/json"), ("Content-Length", "2000000")]
    late = Reply(fields=fields, pieces=[b" " * 1000] * 2000, framing="raw", first_byte_delay=0.5, delay=0.02)
    upstream.script(late)
    with RawClient(daemon.port) as raw:
        raw.post_chat(QUESTION, user)
        upstream.wait(1)
    upstream.wait_left(1)


def test_a_slow_reader_gets_everything(daemon, upstream, user):
    events = [event(chunk({"content": "y" * 8000})) for _ in range(400)] + [event(chunk({}, "stop")), DONE]
    upstream.script(sse_reply(events))
    with RawClient(daemon.port) as raw:
        raw.post_chat(QUESTION, user)
        raw.read_until(b"data:")
        time.sleep(0.5)  # the slow reader
        reply = raw.read_reply()
    assert reply.whole and reply.body == b"".join(events)


# ---- on disk before the end ----

DURABLE = {
    "a stream": (True, lambda text: sse_reply(text_events(text)), b"[DONE]"),
    "a stream without DONE": (True, lambda text: sse_reply(text_events(text, done=False)), b"\r\n0\r\n\r\n"),
    "a whole reply": (False, lambda text: json_reply(completion(text)), b"}"),
    "a whole reply, chunked": (False, lambda text: json_reply(completion(text), framing="chunked"), b"\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize(("stream", "reply", "end"), DURABLE.values(), ids=DURABLE.keys())
def test_the_end_of_a_reply_comes_only_after_its_exchange_is_on_disk(make_daemon, upstream, user, stream, reply, end):
    daemon = make_daemon()
    question = QUESTION if stream else QUESTION.replace(b'"stream":true,', b"")
    for i in range(4):
        text = f"Answer number {i}."
        upstream.script(reply(text))
        with RawClient(daemon.port) as raw:
            raw.post_chat(question, f"{user}-{i}")
            if end == b"}":
                raw.read_reply()
            else:
                raw.read_until(end)
            daemon.kill()
        daemon.start()
        assert daemon.messages(f"{user}-{i}") == [("user", "Hello"), ("assistant", text)]


def test_with_relaxed_durability_exchanges_are_kept_all_the_same(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"durability": "relaxed"}})
    for i in range(5):
        upstream.script(sse_reply(text_events(f"Answer {i}.")))
        daemon.post_chat(QUESTION, {"X-User-Id": f"{user}-{i}"})
    daemon.restart()
    for i in range(5):
        assert daemon.messages(f"{user}-{i}") == [("user", "Hello"), ("assistant", f"Answer {i}.")]


def test_many_streams_at_once_arrive_whole_and_are_all_kept(daemon, upstream, user):
    replies = {}

    def ask(i):
        with RawClient(daemon.port) as raw:
            raw.post_chat(QUESTION, f"{user}-{i}")
            replies[i] = raw.read_reply()

    upstream.answer = lambda request: sse_reply(text_events("One of very many answers."), delay=0.002)
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(replies) == 60
    for i, reply in replies.items():
        assert reply.whole and stream_text(reply.body) == "One of very many answers."
        assert daemon.messages(f"{user}-{i}")[-1] == ("assistant", "One of very many answers.")
