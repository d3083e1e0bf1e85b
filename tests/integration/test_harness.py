"""The harness itself: what it pretends to be is taken for real by the SDKs, without a daemon between."""

import math
import subprocess
import tempfile
import time
from pathlib import Path

import httpx
import openai
import pytest

from harness.chat import stream_text
from harness.daemon import clean_environment, daemon_program, program
from harness.upstream import (
    DONE,
    Upstream,
    completion,
    error_reply,
    event,
    json_reply,
    sse_reply,
    text_events,
    tool_call,
    tool_call_events,
    torn,
)
from harness.memory_model import MemoryModel, fact
from harness.wire import RawClient, insertions, messages_bytes, prefix_stability

MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def scripted():
    upstream = Upstream()
    yield upstream
    upstream.close()
    assert not upstream.faults


@pytest.fixture
def client(scripted):
    return openai.OpenAI(api_key="k", base_url=scripted.base_url, max_retries=0)


def test_the_sdk_reads_a_scripted_completion(scripted, client):
    scripted.script(json_reply(completion("Hi there")))
    reply = client.chat.completions.create(model="m", messages=MESSAGES)
    assert reply.choices[0].message.content == "Hi there"
    assert scripted.last.json["messages"] == MESSAGES


@pytest.mark.parametrize("framing", ["chunked", "close", "length"])
def test_the_sdk_reads_a_scripted_stream(scripted, client, framing):
    scripted.script(sse_reply(text_events("Grüße, 世界 and more", include_usage=True), framing))
    stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in stream if c.choices) == "Grüße, 世界 and more"


def test_the_sdk_reads_scripted_tool_calls(scripted, client):
    calls = [tool_call("call_1", "weather", {"city": "Oslo"}), tool_call("call_2", "time", {"city": "Rome"})]
    scripted.script(sse_reply(tool_call_events(calls)))
    stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    arguments = {}
    for part in stream:
        for call in part.choices[0].delta.tool_calls or []:
            arguments[call.index] = arguments.get(call.index, "") + (call.function.arguments or "")
    assert arguments == {0: '{"city": "Oslo"}', 1: '{"city": "Rome"}'}


def test_the_sdk_sees_a_scripted_error(scripted, client):
    scripted.script(error_reply(400, "no such thing", param="temperature"))
    with pytest.raises(openai.BadRequestError, match="no such thing"):
        client.chat.completions.create(model="m", messages=MESSAGES)


def test_a_break_off_reaches_the_client_as_one(scripted):
    events = text_events("This will not be whole.")
    scripted.script(sse_reply(events, break_after=3))
    with RawClient(scripted.port) as raw:
        raw.post_chat(b'{"stream":true}')
        reply = raw.read_reply()
    assert not reply.whole
    assert reply.body == b"".join(events[:3])


def test_requests_are_recorded_byte_for_byte(scripted):
    with RawClient(scripted.port) as raw:
        raw.send("POST", "/v1/x?a=%20b", b'{"a":1e400 }', [("X-Odd", "1"), ("x-odd", "2")])
        assert raw.read_reply().status == 200
        raw.send("DELETE", "/v1/y")
        assert raw.read_reply().status == 200
    first, second = scripted.requests
    assert first.body == b'{"a":1e400 }'
    assert (first.method, first.target) == ("POST", "/v1/x?a=%20b")
    assert [f for f in first.fields if f[0].lower() == "x-odd"] == [("X-Odd", "1"), ("x-odd", "2")]
    assert second.method == "DELETE" and second.connection == first.connection


def test_stream_text_reads_any_line_end():
    for end in (b"\n\n", b"\r\n\r\n", b"\r\r"):
        body = event({"choices": [{"index": 0, "delta": {"content": "a€"}}]}, end) + DONE
        assert stream_text(body) == "a€"


def test_torn_bodies_join_to_the_whole():
    assert b"".join(torn(b"abcdef", [2, 4])) == b"abcdef"
    assert torn(b"abcdef", [2, 4]) == [b"ab", b"cd", b"ef"]


def test_insertions_are_found_and_changes_are_not_taken_for_them():
    client_body = b'{"messages":[{"role":"user","content":"aaaa"},{"role":"user","content":"bbbb"}]}'
    one = client_body.replace(b'"aaaa', b'"MEMORY aaaa')
    assert b"".join(i[1] for i in insertions(client_body, one)).strip() == b"MEMORY"
    two = one.replace(b'[{"role"', b'[{"role":"system","content":"m"},{"role"', 1)
    assert sum(len(i[1]) for i in insertions(client_body, two)) == len(two) - len(client_body)
    assert insertions(client_body, client_body) == []
    assert insertions(client_body, client_body.replace(b"bbbb", b"bbb")) is None
    assert insertions(client_body, one.replace(b"bbbb", b"cccc")) is None


def test_messages_are_found_as_they_were_sent():
    assert messages_bytes('{"a":"\\"messages\\":[9]","messages" : [ {"c":"]é"}, 2 ] ,"z":[]}'.encode()) == '[ {"c":"]é"}, 2 '.encode()
    for body in (b"", b"[1]", b'{"messages":7}', b'{"messages":[1', b"\xff"):
        assert messages_bytes(body) == b""


def ask(client, *texts):
    usage = client.chat.completions.create(model="m", messages=[{"role": "user", "content": t} for t in texts]).usage
    return usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens


def test_usage_counts_what_an_earlier_request_began_with(scripted, client):
    first = ask(client, "One.")
    assert first == (math.ceil(len(scripted.last.prompt) / 4), 0)
    grown = ask(client, "One.", "Two.")
    assert scripted.cached_bytes(scripted.last) == len(scripted.requests[0].prompt)
    assert grown == (math.ceil(len(scripted.last.prompt) / 4), len(scripted.requests[0].prompt) // 4)
    assert ask(client, "One.")[1] == len(scripted.requests[0].prompt) // 4
    scripted.bytes_per_token = 2.5
    assert ask(client, "One.")[0] == math.ceil(len(scripted.requests[0].prompt) / 2.5)


def test_the_prompt_cache_holds_64_requests(scripted, client):
    known = ask(client, "A long beginning of its own.")[0]
    for _ in range(64):
        ask(client, "Other.")
    assert ask(client, "A long beginning of its own.")[1] < known / 2


def test_a_changed_beginning_is_seen_as_unstable(scripted, client):
    ask(client, "One.")
    ask(client, "One.", "Two.")
    ask(client, "Ond.", "Two.")
    whole, changed = prefix_stability(scripted.requests)
    assert whole == 1.0 and changed < 0.5


def test_the_memory_model_answers_for_the_newest_turn():
    model = MemoryModel()
    model.answers = {"I live in Rome.": [fact("city", "Rome")], "I moved to Oslo.": [fact("city", "Oslo")]}
    prompt = "Before: I live in Rome.\nThe new turn: I moved to Oslo."
    body = {"messages": [{"role": "user", "content": prompt}], "response_format": {"type": "json_object"}}
    model.fail("I moved to Oslo.", error_reply(429))
    replies = [httpx.post(model.base_url + "/chat/completions", json=body, timeout=60) for _ in range(2)]
    model.close()
    assert replies[0].status_code == 429
    assert "Oslo" in replies[1].json()["choices"][0]["message"]["content"]
    assert len(model.fact_calls("I moved to Oslo.")) == 2


def run_leaving_files(limit):
    """The exit status of a unit test program whose tests have `limit` seconds each, and the files that it left."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        environment = clean_environment(TMPDIR=folder, CK_DEFAULT_TIMEOUT=limit)
        done = subprocess.run([program("tests/test_store_hide")], capture_output=True, env=environment)
        return done.returncode, list(Path(folder).iterdir())


def test_unit_tests_leave_no_files():
    assert run_leaving_files("3000") == (0, [])


def test_unit_tests_that_are_killed_leave_no_files():
    for _ in range(10):  # Check ends by itself, with 2, if a killed test had half written its result: one in 50 when all is busy
        assert run_leaving_files("0.001")[1] == []


@pytest.mark.skipif("late" not in daemon_program(), reason="the store answers at once")
def test_a_late_store_answers_late(make_daemon):
    daemon = make_daemon()
    begun = time.monotonic()
    daemon.forget("nobody")
    assert time.monotonic() - begun >= 0.02
