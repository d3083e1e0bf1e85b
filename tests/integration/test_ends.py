"""How replies end where the upstream makes it hard: bytes behind the [DONE], line ends that are torn,
replies without a body, and what the reply's fields then say."""

import json
import socket
import threading
import zlib

import pytest

from harness.chat import Chat
from harness.upstream import Reply, chunk, event, json_reply, sse_reply, text_events
from harness.wire import RawClient, dechunked_so_far

STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}'


def sse_events(body):
    """The data of each event, read as the WHATWG HTML standard says (section 9.2.6)."""
    found, data = [], []
    for line in body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            found.append(b"\n".join(data))
            data = []
    return found


def test_a_flood_behind_the_end_does_not_stall_the_reply(daemon, upstream, user):
    """It is held while the exchange is written to the disk, and must go on afterwards."""
    body = b"".join(text_events("Short.")) + b": nothing\n" * 400_000
    upstream.script(sse_reply([body]))
    with RawClient(daemon.port, timeout=60) as raw:
        raw.post_chat(STREAM, user)
        reply = raw.read_reply()
    assert reply.whole and reply.body == body
    assert daemon.messages(user)[-1] == ("assistant", "Short.")


@pytest.mark.parametrize("end", [b"\n", b"\n\n", b"\r\n", b"\r\n\r\n", b"\r", b"\r\r", b"\r\n\r", b""])
def test_the_error_event_stands_by_itself_wherever_the_stream_broke_off(daemon, upstream, user, end):
    first = event(chunk({"content": "Begun"}), end=b"")
    upstream.script(sse_reply([first + end], break_after=1))
    with RawClient(daemon.port) as raw:
        raw.post_chat(STREAM, user)
        reply = raw.read_reply()
    events = sse_events(reply.body)
    assert len(events) == 2 and events[0] == first[6:]
    assert json.loads(events[1])["error"]["code"] == "upstream_broken"
    assert reply.body.count(b"\n") + reply.body.count(b"\r") <= end.count(b"\n") + end.count(b"\r") + 4


def test_a_compressed_stream_that_breaks_off_ends_without_an_event_that_nobody_could_read(daemon, upstream, user):
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(event(chunk({"content": "Begun"}))) + packer.flush(zlib.Z_SYNC_FLUSH)
    upstream.script(sse_reply([packed, b"more"], fields=[("Content-Encoding", "gzip")], break_after=1))
    with RawClient(daemon.port) as raw:
        raw.post_chat(STREAM, user)
        reply = raw.read_reply()
    assert not reply.whole and packed.startswith(reply.body)


@pytest.mark.parametrize("status", [204, 304])
def test_a_reply_without_a_body_keeps_its_connection(daemon, upstream, status):
    with RawClient(daemon.port, timeout=60) as raw:
        for fields in ([], [("Content-Length", "0" if status == 204 else "1234")]):
            upstream.script(Reply(status=status, fields=fields, framing="raw"))
            raw.send("GET", "/v1/models/x")
            assert raw.read_head().status == status
        upstream.script(json_reply({"object": "list"}))
        raw.send("GET", "/v1/models")
        assert raw.read_reply().body == b'{"object": "list"}'


def test_a_head_request_keeps_its_connection(daemon, upstream):
    with RawClient(daemon.port, timeout=60) as raw:
        for framing in ("length", "chunked"):
            upstream.script(json_reply({"object": "list"}, framing=framing))
            raw.send("HEAD", "/v1/models")
            reply = raw.read_head()
            assert reply.status == 200 and reply.field("Transfer-Encoding") is None
        raw.send("GET", "/v1/models")
        assert raw.read_reply().status == 200


def test_every_receipt_that_is_named_is_kept(daemon, upstream, known_user):
    for headers, script in [
        ({}, None),
        ({"X-Memory-Mode": "readonly"}, None),
        ({}, json_reply({"error": {"message": "slow down"}}, status=429)),
    ]:
        if script:
            upstream.script(script)
        reply = Chat(daemon, known_user).send("Where do I live?", headers)
        assert reply.headers["X-Memory-Status"] == "injected"
        receipt = reply.headers["X-Memory-Receipt"]
        assert daemon.receipt(receipt)["id"] == receipt


def test_an_upstream_that_breaks_is_told_with_what_memory_did(daemon, upstream, known_user):
    upstream.answer = lambda request: json_reply({}, break_after=0)
    reply = Chat(daemon, known_user).send("Where do I live?")
    assert reply.status_code == 502 and reply.json()["error"]["code"] == "upstream_broken"
    assert reply.headers["x-should-retry"] == "false"
    assert reply.headers["X-Memory-Status"] == "injected"


ENGINES = {"own": {}, "libcurl": {"RECALLD_UPSTREAM_ENGINE": "libcurl"}}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_chat_that_an_upstream_read_is_not_sent_to_it_twice(make_daemon, upstream, user, engine):
    """On a kept connection, which may have died unseen: it has not, the model is at work."""
    daemon = make_daemon({"listen": {"workers": "1"}, "memory": {"learn": "off"}}, ENGINES[engine])
    chat = Chat(daemon, user)
    chat.say("Hello.")
    upstream.script(json_reply({}, first_byte_delay=0.5, break_after=0))
    reply = chat.send("Delete the oldest one.")
    assert reply.status_code == 502 and reply.json()["error"]["code"] == "upstream_broken"
    assert reply.headers["x-should-retry"] == "false" and "Retry-After" not in reply.headers
    assert [r.connection for r in upstream.requests] == [upstream.requests[0].connection] * 2
    chat.say("Hello again.")
    upstream.script(json_reply({}, break_after=0))
    assert chat.send("What now?", {"Idempotency-Key": "1"}).status_code == 200
    assert len(upstream.requests) == 5 and upstream.requests[-1].body == upstream.requests[-2].body


def test_the_receipt_of_a_refused_injection_says_that_nothing_was_given(daemon, upstream, known_user):
    upstream.script(json_reply({"error": {"message": "no system role"}}, status=400))
    reply = Chat(daemon, known_user).send("Where do I live?", model="refuses-once")
    assert reply.headers["X-Memory-Status"] == "bypassed"
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert (receipt["status"], receipt["tokens"], receipt["items"]) == ("bypassed", 0, [])
    assert receipt["bytes_in"] == receipt["bytes_out"]


def test_a_refusal_without_an_end_does_not_hold_the_retry_up(daemon, upstream, known_user):
    never = threading.Event()
    endless = [b'{"error":"' + b"x" * 65536] * 2
    upstream.script(Reply(status=400, pieces=[*endless, b"end"], framing="chunked", gates={2: never}))
    with RawClient(daemon.port, timeout=60) as raw:
        raw.post_chat(STREAM, known_user)
        try:
            assert raw.read_reply().field("X-Memory-Status") == "bypassed"
        finally:
            never.set()


def test_the_end_of_a_compressed_stream_comes_only_after_its_exchange_is_on_disk(make_daemon, upstream, user):
    daemon = make_daemon()
    for i in range(4):
        packer, unpacker = zlib.compressobj(wbits=31), zlib.decompressobj(wbits=31)
        packed = packer.compress(b"".join(text_events(f"Answer {i}."))) + packer.flush(zlib.Z_SYNC_FLUSH)
        fields = [("Content-Encoding", "gzip")]
        upstream.script(sse_reply([packed, packer.flush()], fields=fields, delay=0.2))
        with RawClient(daemon.port) as raw:
            raw.post_chat(STREAM, f"{user}-{i}")
            while b"[DONE]" not in unpacker.copy().decompress(dechunked_so_far(raw.seen)):
                raw.read_until(raw.seen + raw.socket.recv(1, socket.MSG_PEEK))
            daemon.kill()
        daemon.start()
        assert daemon.messages(f"{user}-{i}")[-1] == ("assistant", f"Answer {i}.")
