"""Strict HTTP/1.1 in front (RFC 9112): what two parsers could read differently is refused here, closes
its connection, and nothing of it reaches the upstream. What is merely unusual works."""

import json
import select
import socket

import pytest

from harness.upstream import completion, json_reply
from harness.wire import RawClient

CHAT = b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(fields, body=b"", line=b"POST /v1/chat/completions HTTP/1.1"):
    return line + b"\r\nHost: localhost\r\n" + fields + b"\r\n" + body


def chunked(body):
    return post(b"Transfer-Encoding: chunked\r\n", body)


def get(line):
    return line + b"\r\nHost: localhost\r\n\r\n"


# Each is followed by a request that would be run if the first were taken, or taken for shorter.
REFUSED = {
    "Content-Length and Transfer-Encoding": (400, post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    "Transfer-Encoding and Content-Length": (400, post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n")),
    "two different lengths": (400, post(b"Content-Length: 2\r\nContent-Length: 40\r\n", b"{}")),
    "two lengths in a list": (400, post(b"Content-Length: 2, 40\r\n", b"{}")),
    "a plus in a length": (400, post(b"Content-Length: +2\r\n", b"{}")),
    "a minus in a length": (400, post(b"Content-Length: -2\r\n", b"{}")),
    "a blank in a length": (400, post(b"Content-Length: 2 0\r\n", b"{}")),
    "a hexadecimal length": (400, post(b"Content-Length: 0x2\r\n", b"{}")),
    "an empty length": (400, post(b"Content-Length: \r\n")),
    "a length beyond 64 bits": (413, post(b"Content-Length: 18446744073709551618\r\n", b"{}")),
    "a blank before the colon": (400, post(b"Content-Length : 2\r\n", b"{}")),
    "a tab before the colon": (400, post(b"Content-Length\t: 2\r\n", b"{}")),
    "an empty name": (400, post(b": value\r\n")),
    "an illegal name": (400, post(b"a(b): value\r\n")),
    "a name that is not ASCII": (400, post(b"\xc3\xa4: value\r\n")),
    "a field without a colon": (400, post(b"nothing\r\n")),
    "NUL in a value": (400, post(b"A: b\0c\r\n")),
    "NUL in the target": (400, get(b"GET /v1/a\0b HTTP/1.1")),
    "a control byte in a value": (400, post(b"A: b\x01c\r\n")),
    "folding by a blank": (400, post(b"A: b\r\n c\r\n")),
    "folding by a tab": (400, post(b"A: b\r\n\tc\r\n")),
    "bare LF": (400, b"GET /v1/models HTTP/1.1\nHost: x\n\n"),
    "one bare LF": (400, post(b"A: b\nC: d\r\n")),
    "bare CR": (400, post(b"A: b\rC: d\r\n")),
    "no Host": (400, b"GET /v1/models HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, get(b"GET /v1/models HTTP/1.1\r\nHost: y")),
    "a Host with a blank": (400, b"GET /v1/models HTTP/1.1\r\nHost: x y\r\n\r\n"),
    "gzip, chunked": (501, post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n")),
    "identity": (501, post(b"Transfer-Encoding: identity\r\n")),
    "a name like chunked": (501, post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n")),
    "chunked behind a control byte": (400, post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n")),
    "chunked twice": (400, post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    "chunked in HTTP/1.0": (400, post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"POST /v1/x HTTP/1.0")),
    "a chunk's size in letters": (400, chunked(b"zz\r\n")),
    "a chunk's size with a sign": (400, chunked(b"+2\r\n{}\r\n0\r\n\r\n")),
    "a chunk's size with 0x": (400, chunked(b"0x2\r\n{}\r\n0\r\n\r\n")),
    "a chunk's size behind a blank": (400, chunked(b" 2\r\n{}\r\n0\r\n\r\n")),
    "a chunk's size before a blank": (400, chunked(b"2 \r\n{}\r\n0\r\n\r\n")),
    "a chunk's size of 17 digits": (400, chunked(b"00000000000000002\r\n{}\r\n0\r\n\r\n")),
    "no chunk's size": (400, chunked(b"\r\n{}\r\n0\r\n\r\n")),
    "a chunk line with bare LF": (400, chunked(b"2\n{}\r\n0\r\n\r\n")),
    "a chunk line ended by another byte": (400, chunked(b"2\rx{}\r\n0\r\n\r\n")),
    "a chunk's size with a letter before LF": (400, chunked(b"2x\n{}\r\n0\r\n\r\n")),
    "a chunk longer than its size": (400, chunked(b"2\r\n{}}\r\n0\r\n\r\n")),
    "a chunk's data ended by other bytes": (400, chunked(b"2\r\n{}xx0\r\n\r\n")),
    "a chunk's data ended by LF": (400, chunked(b"2\r\n{}\n0\r\n\r\n")),
    "a long chunk extension": (400, chunked(b"2;" + b"e" * 5000 + b"\r\n{}\r\n0\r\n\r\n")),
    "NUL in a chunk extension": (400, chunked(b"2;a\0b\r\n{}\r\n0\r\n\r\n")),
    "an endless trailer section": (431, chunked(b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 12_000)),
    "a chunk beyond 64 bits": (413, chunked(b"ffffffffffffffff\r\n")),
    "a body of GET in HTTP/1.0": (400, post(b"Content-Length: %d\r\n" % len(HIDDEN), line=b"GET /v1/models HTTP/1.0")),
    "a body of HEAD": (400, post(b"Content-Length: %d\r\n" % len(HIDDEN), line=b"HEAD /v1/models HTTP/1.1")),
    "a body of TRACE": (400, post(b"Content-Length: %d\r\n" % len(HIDDEN), line=b"TRACE /v1/models HTTP/1.1")),
    "a chunked body of TRACE": (400, post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"TRACE /v1/models HTTP/1.1")),
    "a control byte in the target": (400, get(b"GET /v1/a\x01b HTTP/1.1")),
    "DEL in the target": (400, get(b"GET /v1/a\x7fb HTTP/1.1")),
    "a blank in the target": (400, get(b"GET /v1/a b HTTP/1.1")),
    "a fragment in the target": (400, get(b"GET /v1/a#b HTTP/1.1")),
    "a relative target": (400, get(b"GET v1/models HTTP/1.1")),
    "a method that is no token": (400, get(b"G@T /v1/models HTTP/1.1")),
    "no method": (400, get(b" /v1/models HTTP/1.1")),
    "no version": (400, get(b"GET /v1/models")),
    "another version": (505, get(b"GET /v1/models HTTP/2.0")),
    "another expectation": (417, post(b"Expect: 200-ok\r\nContent-Length: 2\r\n", b"{}")),
    "CONNECT": (501, get(b"CONNECT x:80 HTTP/1.1")),
    "a head over 64 KB": (431, post(b"A: " + b"b" * 65_536 + b"\r\n")),
    "a request line over 64 KB": (431, get(b"GET /" + b"a" * 65_536 + b" HTTP/1.1")),
    "257 fields": (431, post(b"A: b\r\n" * 256)),
}


def check_refused(client, status):
    reply = client.read_reply()
    assert reply.status == status and reply.whole
    assert reply.field("Content-Type") == "application/json"
    assert reply.field("Connection") == "close"
    error = json.loads(reply.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"] and error["type"] and error["code"]
    assert client.socket.recv(1) == b"" and not client.seen, "the connection was not closed"


def send_all(client, data):
    try:
        client.socket.sendall(data)
    except ConnectionError:
        pass  # it was refused before its end


@pytest.mark.parametrize(("status", "data"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_gets_its_error_and_reaches_no_upstream(daemon, upstream, status, data):
    with RawClient(daemon.port, timeout=60) as client:
        send_all(client, data + HIDDEN)
        if data.startswith(b"HEAD"):
            reply = client.read_head()
            assert (reply.status, reply.field("Connection")) == (status, "close")
            assert client.socket.recv(1) == b""
        else:
            check_refused(client, status)
    assert not upstream.requests


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET /v1/models HTTP/1.1\nHost: x\n\n", "bare LF"),
        (b"GET /v1/models HTTP/1.1\r\nA: b\rC", "bare CR"),
        (b"GET /v1/models HTTP/1.1\r\nA: b\0", "NUL"),
        (b"\r\n" * 5, "empty lines"),
        (b"\x16\x03\x01\x02\x00\x01\n", "speaks TLS, but this address does not"),
        (b"A" * 65_536, "64 KB"),
        (post(b"A: b\r\n c: d\r\n"), "folded"),
        (chunked(b"2;" + b"e" * 5000), "chunked"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_never_be_taken_is_refused_at_once_and_by_its_name(daemon, data, reason):
    """Without the end that it waits for, or with only that wrong which its name says."""
    with RawClient(daemon.port, timeout=60) as client:
        send_all(client, data)
        reply = client.read_reply()
    assert reason in json.loads(reply.body)["error"]["message"]


def test_what_is_refused_is_in_the_log_with_its_reason(make_daemon):
    daemon = make_daemon()
    with RawClient(daemon.port) as client:
        send_all(client, post(b"Content-Length: 2\r\nContent-Length: 40\r\n", b"{}"))
        check_refused(client, 400)
    daemon.wait_log("info refused status=400 client=127.0.0.1:")
    assert 'reason="The request has two Content-Length fields."' in daemon.stderr


def test_a_request_that_is_refused_does_not_harm_the_one_before(daemon, upstream):
    with RawClient(daemon.port, timeout=60) as client:
        good = post(b"Content-Length: %d\r\n" % len(CHAT), CHAT)
        client.socket.sendall(good + post(b"A : b\r\n") + HIDDEN)
        assert client.read_reply().status == 200
        check_refused(client, 400)
    assert [request.body for request in upstream.requests] == [CHAT]


def test_a_body_over_the_limit_is_413_in_either_framing(make_daemon, upstream):
    daemon = make_daemon({"listen": {"max_body": "64K"}})
    piece = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    exactly = chunked(piece * 2 + b"0\r\n\r\n")
    for data in (post(b"Content-Length: 65537\r\n"), chunked(piece * 2 + b"1\r\nx\r\n0\r\n\r\n")):
        with RawClient(daemon.port, timeout=60) as client:
            send_all(client, data + HIDDEN)
            check_refused(client, 413)
    assert not upstream.requests
    with RawClient(daemon.port, timeout=60) as client:
        client.socket.sendall(exactly)
        assert client.read_reply().status == 200
    assert upstream.last.body == b"x" * 0x10000


# ---- what works ----


def answer_with_target(upstream):
    upstream.answer = lambda request: json_reply({"target": request.target, "size": len(request.body)})


@pytest.mark.parametrize("step", [1, 7, 100_000], ids=["byte by byte", "in sevens", "in one piece"])
def test_pipelined_requests_of_all_framings_are_answered_in_their_order(daemon, upstream, step):
    answer_with_target(upstream)
    requests = [
        get(b"GET /v1/a HTTP/1.1"),
        post(b"Content-Length: 2\r\n", b"{}", b"POST /v1/b HTTP/1.1"),
        post(b"Transfer-Encoding: chunked\r\n", b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", b"POST /v1/c HTTP/1.1"),
        post(b"Content-Length: 0\r\n", line=b"POST /v1/d HTTP/1.1"),
        b"\r\n" + get(b"DELETE /v1/e HTTP/1.1"),
        post(b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN, b"GET /v1/g HTTP/1.1"),
        post(b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"GET /v1/h HTTP/1.1"),
        post(b"Connection: close\r\n", line=b"GET /v1/f HTTP/1.1"),
    ]
    data = b"".join(requests)
    with RawClient(daemon.port, timeout=60) as client:
        for i in range(0, len(data), step):
            client.socket.sendall(data[i : i + step])
        replies = [json.loads(client.read_reply().body) for _ in requests]
        assert client.socket.recv(1) == b"", "Connection: close was not heeded"
    assert [reply["target"] for reply in replies] == [f"/v1/{name}" for name in "abcdeghf"]
    assert [reply["size"] for reply in replies] == [0, 2, 2, 0, 0, len(HIDDEN), 3, 0]


def test_chunk_extensions_and_trailers_are_read_and_dropped(daemon, upstream):
    half = len(CHAT) // 2
    body = b'%x;a=1;b="c d"\r\n%s\r\n' % (half, CHAT[:half])
    body += b"%04X;x\r\n%s\r\n0;end\r\nX-Trailer: 1\r\n\r\n" % (len(CHAT) - half, CHAT[half:])
    with RawClient(daemon.port, timeout=60) as client:
        client.socket.sendall(chunked(body) + get(b"GET /v1/models HTTP/1.1"))
        assert [client.read_reply().status, client.read_reply().status] == [200, 200]
    assert [request.target for request in upstream.requests] == ["/v1/chat/completions", "/v1/models"]
    chat = upstream.requests[0]
    assert chat.body == CHAT and chat.field("X-Trailer") is None


@pytest.mark.parametrize(
    ("version", "field", "stays"),
    [("1.1", "", True), ("1.1", "close", False), ("1.0", "", False), ("1.0", "keep-alive", True)],
)
def test_a_connection_is_kept_as_the_client_asks(daemon, upstream, version, field, stays):
    fields = [("Connection", field)] if field else []
    with RawClient(daemon.port, timeout=60) as client:
        for _ in range(3 if stays else 1):
            client.send("GET", "/v1/models", fields=fields, version=f"HTTP/{version}")
            assert client.read_reply().status == 200
        if not stays:
            assert client.socket.recv(1) == b""


def expecting(length, version="1.1"):
    line = f"POST /v1/chat/completions HTTP/{version}".encode()
    return post(b"Expect: 100-continue\r\nContent-Length: %d\r\n" % length, line=line)


def is_silent(client):
    return not select.select([client.socket], [], [], 0.2)[0]


def test_a_client_that_expects_100_is_told_only_when_it_waits(daemon, upstream):
    with RawClient(daemon.port, timeout=60) as client:
        client.socket.sendall(expecting(len(CHAT)))
        assert client.read_head().status == 100
        client.socket.sendall(CHAT)
        assert client.read_reply().status == 200
        client.socket.sendall(expecting(len(CHAT)) + CHAT)
        assert client.read_reply().status == 200
        client.socket.sendall(expecting(0))
        assert client.read_reply().status == 200
        client.socket.sendall(expecting(len(CHAT), "1.0"))
        assert is_silent(client), "an HTTP/1.0 client knows no 100"
        client.socket.sendall(CHAT)
        assert client.read_reply().status == 200
    assert [request.body for request in upstream.requests] == [CHAT, CHAT, b"", CHAT]
    assert all(request.field("Expect") is None for request in upstream.requests)


def test_a_client_that_expects_100_for_too_much_is_told_413_instead(daemon, upstream):
    with RawClient(daemon.port, timeout=60) as client:
        client.socket.sendall(expecting(10**12))
        check_refused(client, 413)
    assert not upstream.requests


def test_a_client_of_http_1_0_without_a_host_is_answered_until_close(daemon, upstream):
    """It asks to stay, but knows no chunks: only the close can end a reply without a length."""
    upstream.script(json_reply(completion("Old but fine."), framing="chunked"))
    with socket.create_connection(("127.0.0.1", daemon.port), 20) as client:
        head = b"POST /v1/chat/completions HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n"
        client.sendall(head % len(CHAT) + CHAT)
        seen = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = seen.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert json.loads(body) == completion("Old but fine.")
