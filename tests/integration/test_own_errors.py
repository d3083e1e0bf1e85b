"""Errors that recalld itself answers with."""

import json
import socket

import pytest

from harness.upstream import completion, json_reply, sse_reply, text_events
from harness.wire import RawClient
from test_bytes import ODD_BODIES


def check_error(reply, status):
    error = json.loads(reply.body)["error"] if hasattr(reply, "whole") else reply.json()["error"]
    assert (reply.status if hasattr(reply, "whole") else reply.status_code) == status
    assert set(error) == {"message", "type", "param", "code"} and error["message"]


def test_upgrade_is_501(daemon, upstream):
    with RawClient(daemon.port) as raw:
        raw.send("GET", "/v1/realtime", fields=[("Connection", "Upgrade"), ("Upgrade", "websocket")])
        check_error(raw.read_reply(), 501)
    assert not upstream.requests


@pytest.mark.parametrize("path", ["/v1/responses", "/responses?a=b", "/u/ann/v1/responses", "/u/ann/responses"])
def test_codex_is_told_to_take_http(daemon, upstream, path):
    """It tries a WebSocket for seconds where it is told anything but 426."""
    with RawClient(daemon.port) as raw:
        raw.send("GET", path, fields=[("Connection", "Upgrade"), ("Upgrade", "websocket")])
        reply = raw.read_reply()
        check_error(reply, 426)
        assert reply.field("Upgrade") == "HTTP/1.1" and ("Connection", "Upgrade") in reply.fields
    assert not upstream.requests


def test_an_offer_of_http_2_is_passed_over(daemon, upstream):
    """Java's own client makes it."""
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi."}]}'
    offer = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAEAAEAA")]
    with RawClient(daemon.port) as raw:
        for _ in range(2):
            raw.send("POST", "/v1/chat/completions", body, fields=offer)
            assert raw.read_reply().status == 200
            assert upstream.last.body == body
            assert not {"upgrade", "http2-settings"} & {name.lower() for name, _ in upstream.last.fields}


def test_a_body_larger_than_allowed_is_413(make_daemon, upstream):
    daemon = make_daemon({"listen": {"max_body": "64K"}})
    big = b'{"messages":[{"role":"user","content":"' + b"x" * 70_000 + b'"}]}'
    with RawClient(daemon.port) as raw:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(big)}\r\n\r\n"
        raw.socket.sendall(head.encode())
        reply = raw.read_reply()
        check_error(reply, 413)
        assert b"[listen] max_body" in reply.body
    assert not upstream.requests


SHAPES = {
    "/v1/messages": lambda error: (error["type"], error["error"]["type"]),
    "/u/ann/v1/messages?beta=true": lambda error: (error["type"], error["error"]["type"]),
    "/v1/responses": lambda error: (error["error"]["type"],),
    "/api/chat": lambda error: (type(error["error"]).__name__,),
}


def shaped(reply, path, status):
    assert reply.status == status
    return SHAPES[path](json.loads(reply.body))


@pytest.mark.parametrize("path", SHAPES)
def test_errors_before_the_body_is_read_have_the_shape_of_the_address(make_daemon, upstream, path):
    daemon = make_daemon({"listen": {"max_body": "64K"}})
    line = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
    with RawClient(daemon.port) as raw:
        raw.socket.sendall(f"{line}Content-Length: 70000\r\n\r\n".encode())
        too_large = shaped(raw.read_reply(), path, 413)
    with RawClient(daemon.port) as raw:
        raw.socket.sendall(f"{line}A: {'b' * 65_536}\r\n\r\n".encode())
        long_head = shaped(raw.read_reply(), path, 431)
    expected = {
        "/v1/messages": (("error", "request_too_large"), ("error", "invalid_request_error")),
        "/v1/responses": (("invalid_request_error",), ("invalid_request_error",)),
        "/api/chat": (("str",), ("str",)),
    }
    assert (too_large, long_head) == expected[path.removeprefix("/u/ann").split("?")[0]]
    assert not upstream.requests


@pytest.mark.parametrize("path", SHAPES)
def test_what_keeps_web_pages_out_is_told_in_the_shape_of_the_address(daemon, upstream, path):
    fields = {"host": [], "page": [("Origin", "http://evil.example"), ("Content-Type", "text/plain")]}
    replies = {}
    for who, sent in fields.items():
        host = "evil.example" if who == "host" else "localhost"
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Length: 2", *(f"{n}: {v}" for n, v in sent)]
        with RawClient(daemon.port) as raw:
            raw.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n{}")
            replies[who] = shaped(raw.read_reply(), path, 421 if who == "host" else 403)
    expected = {
        "/v1/messages": {"host": ("error", "api_error"), "page": ("error", "permission_error")},
        "/v1/responses": {"host": ("invalid_request_error",), "page": ("invalid_request_error",)},
        "/api/chat": {"host": ("str",), "page": ("str",)},
    }
    assert replies == expected[path.removeprefix("/u/ann").split("?")[0]]
    assert not upstream.requests


def test_an_upstream_that_cannot_be_reached_is_502(make_daemon):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        daemon = make_daemon({"upstream": {"base_url": f"http://127.0.0.1:{taken.getsockname()[1]}/v1"}})
        reply = daemon.post_chat(ODD_BODIES["plain"])
    check_error(reply, 502)
    # Nothing was sent, as when the upstream restarts: an SDK that asks again does so for good.
    assert "x-should-retry" not in reply.headers and reply.headers["Retry-After"] == "1"
    # Which address it has is not the client's business; the log has it.
    assert reply.json()["error"]["message"] == "The model provider cannot be reached."
    assert "127.0.0.1" not in reply.text
    daemon.wait_log("Failed to connect to 127.0.0.1")


def test_an_upstream_that_says_nothing_is_504(make_daemon, upstream):
    daemon = make_daemon({"upstream": {"first_byte_timeout": "300ms"}})
    upstream.script(json_reply(completion("late"), first_byte_delay=5))
    reply = daemon.post_chat(ODD_BODIES["plain"])
    check_error(reply, 504)
    assert reply.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nA: b\r\n folded\r\n\r\n",
        b"GET /v1/mod\x00els HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GARBAGE\r\n\r\n",
    ],
)
def test_a_malformed_request_is_400_and_goes_nowhere(daemon, upstream, request_bytes):
    with RawClient(daemon.port) as raw:
        raw.socket.sendall(request_bytes)
        check_error(raw.read_reply(), 400)
    assert not upstream.requests


def test_a_head_too_large_is_431(daemon, upstream):
    with RawClient(daemon.port) as raw:
        try:
            raw.socket.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n")
        except ConnectionError:
            pass
        check_error(raw.read_reply(), 431)
    assert not upstream.requests


def test_too_many_connections_get_503(make_daemon):
    daemon = make_daemon({"listen": {"max_connections": "4"}})
    held = [RawClient(daemon.port) for _ in range(4)]
    try:
        for client in held:
            client.send("GET", "/v1/models")
            assert client.read_reply().status == 200
        with RawClient(daemon.port) as fifth:
            fifth.send("GET", "/v1/models")
            reply = fifth.read_reply()
        check_error(reply, 503)
        assert reply.field("Retry-After") and json.loads(reply.body)["error"]["code"] == "too_many_connections"
    finally:
        for client in held:
            client.socket.close()


def test_a_stream_and_its_text_pass_in_every_framing(daemon, upstream, user):
    events = text_events("One two three four.")
    for framing in ("chunked", "close", "length"):
        upstream.script(sse_reply(events, framing))
        body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello %s"}]}' % framing.encode()
        assert daemon.post_chat(body, {"X-User-Id": user}).content == b"".join(events)
    assert [m for m in daemon.messages(user) if m[0] == "assistant"] == [("assistant", "One two three four.")] * 3
