"""The bound on the bytes of all exchanges under way."""

import contextlib
import json
import os
import select
import socket
import threading
import time

import pytest
from conftest import SANITIZED, make_known

from harness.clock import until
from harness.upstream import DONE, completion, json_reply, sse_reply
from harness.wire import RawClient
from test_life import HELLO, STREAM, code_of

MEGABYTE = 1 << 20


def padded(size):
    return HELLO[:-1] + b',"x":"' + b"y" * (size - len(HELLO) - 7) + b'"}'


def in_chunks(body, size=65536):
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def send_body(client, body, chunked):
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    with contextlib.suppress(ConnectionError):  # it may be answered before it is read
        if not chunked:
            client.socket.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            return
        client.socket.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for piece in in_chunks(body):
            client.socket.sendall(piece)


def rss_anon(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        return int(next(l for l in status if l.startswith("RssAnon")).split()[1]) * 1024


@pytest.mark.bounded
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
def test_bodies_of_all_connections_have_a_bound(make_daemon, upstream, chunked):
    daemon = make_daemon({"listen": {"max_in_flight": "64M"}})
    gate = threading.Event()

    def answer(request):
        gate.wait(120)
        return json_reply({"size": len(request.body)})

    upstream.answer = answer
    body = padded(10 * MEGABYTE)
    before = rss_anon(daemon)
    clients = [RawClient(daemon.port) for _ in range(20)]
    for client in clients:
        send_body(client, body, chunked)

    def answered():
        return [client for client in clients if select.select([client.socket], [], [], 0)[0]]

    until(lambda: len(answered()) >= len(clients) - 6, "too few were refused")
    until(lambda: daemon.metric("recalld_in_flight_bytes") >= 60 * MEGABYTE, "the bodies are not read")
    refused = answered()
    assert len(refused) == len(clients) - 6
    for client in refused:
        reply = client.read_reply()
        assert (reply.status, code_of(reply)) == (503, "too_many_bytes")
        assert reply.field("Retry-After") == "1" and reply.field("x-should-retry") is None
    grown = rss_anon(daemon) - before
    assert daemon.metric("recalld_in_flight_bytes") <= 65 * MEGABYTE
    if not SANITIZED:
        assert grown < 160 * MEGABYTE, f"{grown} bytes more"
    assert daemon.metric('recalld_errors_total{kind="bytes"}') == len(refused)
    gate.set()
    for client in set(clients) - set(refused):
        assert json.loads(client.read_reply().body) == {"size": len(body)}
    for client in clients:
        client.socket.close()
    until(lambda: daemon.metric("recalld_in_flight_bytes") == 0, "bytes are counted that are not held")
    assert daemon.request("POST", "/v1/x", content=body).json() == {"size": len(body)}


def test_a_body_that_only_fits_alone_fits_alone(make_daemon, upstream):
    daemon = make_daemon({"listen": {"max_in_flight": "2M", "max_body": "2M"}})
    for chunked in (False, True, False):
        with RawClient(daemon.port) as client:
            send_body(client, padded(2 * MEGABYTE), chunked)
            assert client.read_reply().status == 200
            until(lambda: daemon.metric("recalld_in_flight_bytes") == 0, "it is still counted")


def test_leave_to_send_is_refused_when_the_body_would_not_fit(make_daemon):
    daemon = make_daemon({"listen": {"max_in_flight": "2M", "max_body": "2M"}})
    head = b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1500000\r\n"
    with RawClient(daemon.port) as first, RawClient(daemon.port) as second:
        first.socket.sendall(head + b"\r\n" + b"x" * 1000000)
        until(lambda: daemon.metric("recalld_in_flight_bytes") == 1000000, "it is not counted")
        second.socket.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert second.read_reply().status == 503
        second.socket.close()
        first.socket.close()
        until(lambda: daemon.metric("recalld_in_flight_bytes") == 0, "it is still counted")


def test_who_only_announces_bodies_takes_nothing_from_others(make_daemon):
    daemon = make_daemon({"listen": {"max_in_flight": "2M", "max_body": "2M"}})
    head = b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1500000\r\n\r\n"
    idle = [RawClient(daemon.port) for _ in range(8)]
    for client in idle:
        client.socket.sendall(head)
    assert daemon.request("POST", "/v1/chat/completions", content=padded(MEGABYTE)).status_code == 200
    for client in idle:
        client.socket.close()


def test_what_slow_readers_have_not_read_is_counted(make_daemon, upstream):
    daemon = make_daemon({"listen": {"max_in_flight": "1M", "max_body": "512K"}})
    upstream.answer = lambda request: sse_reply([b": " + b"x" * 65536 + b"\n\n"] * 20 + [DONE])
    # What waits for each is between the low mark (32 KB) and a little over the high one (128 KB).
    readers = [RawClient(daemon.port) for _ in range(40)]
    for reader in readers:
        reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.post_chat(STREAM)
    until(lambda: daemon.metric("recalld_in_flight_bytes") > MEGABYTE, "it is not counted")
    with RawClient(daemon.port) as client:
        client.post_chat(HELLO)
        reply = client.read_reply()
        assert (reply.status, code_of(reply)) == (503, "too_many_bytes")
    for reader in readers:
        reader.socket.close()
    until(lambda: daemon.metric("recalld_in_flight_bytes") == 0, "it is still counted")


@pytest.mark.parametrize("size, least, most", [(48 * 1024, 2, 2.5), (3 * MEGABYTE, 1, 1.1)])
def test_of_a_small_request_the_copy_with_memory_in_it_is_counted(
    make_daemon, upstream, memory_model, user, size, least, most
):
    """And of a large one there is none."""
    daemon = make_daemon()
    make_known(daemon, memory_model, user)
    gate = threading.Event()

    def answer(request):
        gate.wait(120)
        return json_reply(completion("Yes."))

    asked = len(upstream.requests)
    asked = len(upstream.requests)
    upstream.answer = answer
    with RawClient(daemon.port) as client:
        client.post_chat(padded(size), user)
        until(lambda: len(upstream.requests) > asked, "the request did not get through")
        held = daemon.metric("recalld_in_flight_bytes") / size
        gate.set()
        reply = client.read_reply()
        assert (reply.status, reply.field("X-Memory-Status")) == (200, "injected")
        assert least <= held <= most
        until(lambda: daemon.metric("recalld_in_flight_bytes") == 0, "it is still counted")


def unsent_to(client):
    """Bytes that the kernel keeps for this client. Its port alone is not enough: what it was used for
    before, to another server, stands in the table for a minute."""
    ends = client.getpeername()[1], client.getsockname()[1]
    with open("/proc/net/tcp", encoding="ascii") as table:
        for columns in (line.split() for line in list(table)[1:]):
            if tuple(int(address.split(":")[1], 16) for address in columns[1:3]) == ends:
                return int(columns[4].split(":")[0], 16)
    raise AssertionError("there is no such connection")


def test_the_kernel_keeps_little_for_a_slow_reader(make_daemon, upstream):
    """What is on its way has the client's own window as its bound."""
    daemon = make_daemon()
    upstream.script(sse_reply([b": " + b"x" * 65536 + b"\n\n"] * 400 + [DONE]))
    with RawClient(daemon.port) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.post_chat(STREAM)
        client.read_until(b": x")
        until(lambda: unsent_to(client.socket) > 0, "nothing waits for the reader")
        time.sleep(1)  # in which more would come, if it were let
        most = unsent_to(client.socket)
        assert 0 < most <= 256 * 1024, f"{most} bytes lie in the kernel"
