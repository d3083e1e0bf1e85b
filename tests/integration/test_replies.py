"""Replies reach the client byte for byte."""

import json

import pytest

from harness.upstream import completion, json_reply, sse_reply, text_events
from harness.wire import RawClient
from test_bytes import ODD_BODIES


def test_a_reply_reaches_the_client_byte_for_byte(daemon, upstream, known_user):
    body = b' {"choices" : [ {"index":0,"message":{"role":"assistant","content":"\\u00e9 \xc3\xa9"},"finish_reason":"stop"}],"x":1e400,"x":2} \n'
    upstream.script(json_reply(body))
    assert daemon.post_chat(ODD_BODIES["plain"], {"X-User-Id": known_user}).content == body


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_reply_arrives_whole_in_any_framing(daemon, upstream, user, framing):
    upstream.script(json_reply(completion("Framed."), framing=framing))
    reply = daemon.post_chat(ODD_BODIES["plain"], {"X-User-Id": user})
    assert reply.json() == completion("Framed.")
    assert daemon.messages(user)[-1] == ("assistant", "Framed.")


def test_only_chats_ask_for_replies_as_they_are(daemon, upstream):
    def asked():
        return [value for name, value in upstream.last.fields if name.lower() == "accept-encoding"]

    with RawClient(daemon.port) as raw:
        raw.post_chat(ODD_BODIES["plain"], fields=[("Accept-Encoding", "gzip, br")])
        assert raw.read_reply().status == 200 and asked() == ["identity"]
        raw.send("GET", "/v1/models", fields=[("Accept-Encoding", "br")])
        assert raw.read_reply().status == 200 and asked() == ["br"]
        raw.send("GET", "/v1/models")
        assert raw.read_reply().status == 200 and asked() == []


@pytest.mark.parametrize(
    ("coding", "wbits", "is_read"),
    [("gzip", 31, True), ("X-Gzip", 31, True), ("deflate", 15, True), ("identity", 0, True), ("br", 31, False)],
)
def test_a_reply_of_any_coding_passes_and_is_learned_where_it_can_be_read(daemon, upstream, user, coding, wbits, is_read):
    import zlib

    packer = zlib.compressobj(wbits=wbits) if wbits else None
    text = json.dumps(completion("Packed.")).encode()
    packed = packer.compress(text) + packer.flush() if packer else text
    upstream.script(json_reply(packed, fields=[("Content-Encoding", coding)]))
    with RawClient(daemon.port) as raw:
        raw.post_chat(ODD_BODIES["plain"], user)
        reply = raw.read_reply()
    assert reply.status == 200 and reply.body == packed
    assert (daemon.knows(user) and daemon.messages(user)[-1] == ("assistant", "Packed.")) == is_read


@pytest.mark.parametrize("torn", [1, 7, 10_000])
def test_compressed_replies_come_in_several_members_and_without_a_header(daemon, upstream, user, torn):
    import gzip
    import zlib

    events = b"".join(text_events("Packed twice."))
    bare = zlib.compressobj(wbits=-15)
    packings = {
        "gzip": gzip.compress(events[:90]) + gzip.compress(events[90:]) + b"\0\0",
        "deflate": bare.compress(events) + bare.flush(),
    }
    for coding, packed in packings.items():
        pieces = [packed[at : at + torn] for at in range(0, len(packed), torn)]
        upstream.script(sse_reply(pieces, fields=[("Content-Encoding", coding)]))
        with RawClient(daemon.port) as raw:
            raw.post_chat(ODD_BODIES["plain"], user + coding)
            reply = raw.read_reply()
        assert reply.body == packed
        assert daemon.messages(user + coding)[-1] == ("assistant", "Packed twice.")


def test_a_compressed_reply_is_relayed_as_it_is_and_still_learned(daemon, upstream, user):
    import gzip

    packed = gzip.compress(json.dumps(completion("Packed tightly.")).encode())
    upstream.script(json_reply(packed, fields=[("Content-Encoding", "gzip")]))
    with RawClient(daemon.port) as raw:
        raw.post_chat(ODD_BODIES["plain"], user, [("Accept-Encoding", "gzip")])
        reply = raw.read_reply()
    assert reply.body == packed and reply.field("Content-Encoding") == "gzip"
    assert daemon.messages(user) == [("user", "Hello there"), ("assistant", "Packed tightly.")]


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500, 503])
def test_an_upstream_error_passes_unchanged_and_teaches_nothing(daemon, upstream, user, status):
    body = b'{ "error" : {"message":"odd","code":"x"} }'
    upstream.script(json_reply(body, status=status, fields=[("Retry-After", "3")]))
    reply = daemon.post_chat(ODD_BODIES["plain"], {"X-User-Id": user})
    assert (reply.status_code, reply.content) == (status, body)
    assert reply.headers["Retry-After"] == "3"
    assert len(upstream.requests) == 1
    assert not daemon.knows(user)
