"""Large requests cost what their size says."""

import json
from pathlib import Path

import pytest
from conftest import SANITIZED

from harness.chat import Chat
from harness.provider import Said, response_events
from harness.upstream import completion, json_reply, sse_reply


def peak_memory(daemon):
    """Of the daemon, in bytes."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(next(l for l in status.splitlines() if l.startswith("VmHWM")).split()[1]) * 1024


def test_a_large_turn_before_many_tool_calls_is_read_once(make_daemon, upstream, user):
    daemon = make_daemon()
    messages = [{"role": "user", "content": "A long document.\n" * 120_000}]
    for i in range(300):
        call = {"id": f"call_{i}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call_{i}", "content": "nothing"})
    body = json.dumps({"model": "m", "messages": messages}).encode()
    before, used = peak_memory(daemon), daemon.cpu_seconds()
    assert daemon.post_chat(body, {"X-User-Id": user}).status_code == 200
    assert peak_memory(daemon) - before < 30 * len(body)
    assert daemon.cpu_seconds() - used < 3


def test_of_a_reply_that_is_too_long_to_be_read_the_users_turn_is_kept(daemon, upstream, user):
    """An image in it, say."""
    upstream.script(json_reply(completion("A boat.") | {"images": ["A" * (9 << 20)]}))
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Paint my boat."}]}).encode()
    assert len(daemon.post_chat(body, {"X-User-Id": user}).content) > 9 << 20
    kept = [(message["content"], message["complete"]) for message in daemon.memory(user)["messages"]]
    assert kept == [("Paint my boat.", True)]


@pytest.mark.bounded
def test_a_long_stream_of_escapes_takes_no_more_memory_than_its_text(make_daemon, provider, user):
    daemon = make_daemon({"upstream": {"base_url": provider.base_url}})
    said = json.dumps("é" * 3000).encode()
    delta = b'data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":%s}\n\n' % said
    provider.script(sse_reply([delta * 16] * 150 + [response_events(Said("."))[-1]]))
    body = json.dumps({"model": "m", "input": "Tell me all of it.", "stream": True}).encode()
    before = peak_memory(daemon)
    assert len(daemon.post_chat(body, {"X-User-Id": user}, "/v1/responses").content) > 40 << 20
    if not SANITIZED:
        assert peak_memory(daemon) - before < 32 << 20
    assert [m["content"] for m in daemon.memory(user)["messages"]] == ["Tell me all of it.", "."]


def test_of_a_turn_the_first_megabyte_is_kept(daemon, upstream, user):
    said, answered = ("é" + text * 60_000 for text in ("Une très longue histoire. ", "Très, très longue. "))
    upstream.script(json_reply(completion(answered)))
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": said}]}).encode()
    assert daemon.post_chat(body, {"X-User-Id": user}).json()["choices"][0]["message"]["content"] == answered
    for message, whole in zip(daemon.memory(user)["messages"], (said, answered), strict=True):
        kept = message["content"]
        assert whole.startswith(kept) and (1 << 20) - 2 < len(kept.encode()) <= 1 << 20


def test_an_answer_too_large_to_be_hashed_whole_is_known_again(daemon, upstream, user):
    answer = "Une très longue réponse. " * 180_000
    upstream.script(json_reply(completion(answer)))
    chat = Chat(daemon, user, session="large")
    chat.say("Tell me all of it.")
    for text in ("And then?", "And what came before?"):
        chat.messages = chat.messages[:2]
        chat.say(text)
    said = [message["content"] for message in daemon.memory(user)["messages"] if message["role"] == "user"]
    assert said == ["Tell me all of it.", "And what came before?"], "the edit was not seen"
