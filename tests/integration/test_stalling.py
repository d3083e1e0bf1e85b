"""Clients and upstreams that leave, stall, or go slowly: whatever one side does, the other is let go in
time, and what waits here is little."""

import contextlib
import gzip
import json
import os
import resource
import select
import socket
import struct
import threading
import time

import pytest

from harness.clock import until
from harness.daemon import fast_clock, stalled_calls
from harness.upstream import DONE, Reply, chunk, event, text_events
from harness.wire import RawClient, dechunked_so_far
from test_ends import ENGINES

BODY = b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}'
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = JSON + b"Content-Length: 2\r\n\r\n{}"
MOST_HELD = 256 * 1024


class Peer:
    """One of the daemon's connections to the upstream, in the test's own hands."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(60)
        self.seen = b""

    def read_request(self):
        while b"\r\n\r\n" not in self.seen:
            self.more()
        head, self.seen = self.seen.split(b"\r\n\r\n", 1)
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        while len(self.seen) < length:
            self.more()
        body, self.seen = self.seen[:length], self.seen[length:]
        return head, body

    def more(self):
        got = self.socket.recv(65536)
        assert got, "the daemon closed before its request was whole"
        self.seen += got

    def send(self, data):
        self.socket.sendall(data)

    def wait_closed(self, since):
        """Seconds from `since` until the daemon had closed it."""
        try:
            assert self.socket.recv(1) == b""
        except ConnectionResetError:
            pass
        return time.monotonic() - since

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class HandUpstream:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.listener.settimeout(60)
        self.port = self.listener.getsockname()[1]
        self.sections = {"upstream": {"base_url": f"http://127.0.0.1:{self.port}/v1"}, "listen": {"workers": "1"}}
        self.peers = []

    def accept(self):
        self.peers.append(Peer(self.listener.accept()[0]))
        return self.peers[-1]

    def asked_again(self):
        return bool(select.select([self.listener], [], [], 0.3)[0])

    def close(self):
        self.listener.close()
        for peer in self.peers:
            peer.socket.close()


@pytest.fixture
def hand():
    upstream = HandUpstream()
    yield upstream
    upstream.close()


def check_error(reply, status, code, unsent=False):
    assert reply.status == status and reply.whole
    assert reply.field("x-should-retry") == (None if unsent else "false")
    assert json.loads(reply.body)["error"]["code"] == code


def check_error_event(body, code):
    last = body.rstrip(b"\n").split(b"\n\n")[-1]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == code
    assert b"[DONE]" not in body


# ---- the client leaves ----

PART = event(chunk({"content": "Begun"}))


def before_the_first_byte(client, peer):
    pass


def in_mid_stream(client, peer):
    peer.send(EVENTS + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(PART), PART))
    client.read_until(b"Begun")


def in_a_plain_reply(client, peer):
    peer.send(JSON + b"Content-Length: 100000\r\n\r\n" + b'{"begun":')
    client.read_until(b"begun")


def without_having_read(client, peer):
    peer.send(EVENTS + b"\r\n")
    write_until_stuck(peer.socket)


CLOCK = 0.02
LEAVING = [before_the_first_byte, in_mid_stream, in_a_plain_reply, without_having_read]


@pytest.mark.parametrize("until", LEAVING, ids=lambda function: function.__name__)
@pytest.mark.parametrize("who", ["known", "anonymous"])
def test_a_client_that_leaves_frees_the_upstream_connection_within_100_ms(make_daemon, hand, user, tmp_path, until, who):
    """By a clock that runs slowly: what a timer notices comes seconds later."""
    daemon = make_daemon(hand.sections, environment=fast_clock(tmp_path, CLOCK))
    seconds = []
    for _ in range(10 if until != without_having_read else 3):
        with RawClient(daemon.port) as client:
            client.post_chat(STREAM, user if who == "known" else None)
            peer = hand.accept()
            peer.read_request()
            until(client, peer)
            left = time.monotonic()
        seconds.append(peer.wait_closed(left))
    assert min(seconds) < 0.1 / CLOCK, "late each time"
    assert daemon.metric("recalld_clients_gone_total") == len(seconds)


def test_a_client_that_half_closes_counts_as_gone(make_daemon, hand):
    daemon = make_daemon(hand.sections)
    with RawClient(daemon.port) as client:
        client.post_chat(STREAM)
        peer = hand.accept()
        peer.read_request()
        client.socket.shutdown(socket.SHUT_WR)
        peer.wait_closed(time.monotonic())


# ---- the client goes slowly ----


def write_until_stuck(sock, most=64 << 20, data=b": nothing\n" * 1000, patience=0.5):
    """How many bytes it took until nothing more was taken for `patience` seconds."""
    written = 0
    sock.setblocking(False)
    while written < most and select.select([], [sock], [], patience)[1]:
        with contextlib.suppress(BlockingIOError):
            written += sock.send(data[written % len(data) :])
    sock.settimeout(60)
    return written


def in_the_kernel(*ports):
    """Bytes in the send and receive queues of the connections between these pairs of ports, both ends."""
    pairs = {(a, b) for a, b in ports} | {(b, a) for a, b in ports}
    total = 0
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in list(table)[1:]:
            columns = line.split()
            pair = tuple(int(address.split(":")[1], 16) for address in columns[1:3])
            if pair in pairs:
                total += sum(int(size, 16) for size in columns[4].split(":"))
    return total


def ports_of(sock):
    return sock.getsockname()[1], sock.getpeername()[1]


@pytest.mark.parametrize("who", ["known", "anonymous"])
def test_a_slow_reader_holds_no_more_than_256_KB_here_and_slows_the_upstream(make_daemon, hand, user, who):
    daemon = make_daemon(hand.sections)
    with RawClient(daemon.port) as client:
        client.post_chat(STREAM, user if who == "known" else None)
        peer = hand.accept()
        peer.read_request()
        peer.send(EVENTS + b"\r\n")
        written = write_until_stuck(peer.socket)
        held = written - in_the_kernel(ports_of(client.socket), ports_of(peer.socket))
        assert 0 < held <= MOST_HELD, f"{held} of {written} bytes are held"
        rest = DONE
        writer = threading.Thread(target=lambda: (peer.send(rest), peer.close()))
        writer.start()
        seen = b""
        while not seen.endswith(b"0\r\n\r\n"):
            got = client.socket.recv(1 << 20)
            assert got
            seen += got
        writer.join(60)
    body = dechunked(seen.partition(b"\r\n\r\n")[2])
    pattern = b": nothing\n" * (written // 10 + 1)
    assert body == pattern[:written] + rest


def dechunked(data):
    pieces, at = [], 0
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(data[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


def test_while_the_disk_is_slow_no_more_than_256_KB_is_held_behind_the_end(make_daemon, hand, user, tmp_path):
    """What comes behind the [DONE] is held until the exchange is on disk, for 2 s at most."""
    daemon = make_daemon(hand.sections, environment=stalled_calls(tmp_path, disk=60))
    for _ in range(5):
        if held_behind_the_end(daemon, hand, user, tmp_path / "stalled"):
            return
    pytest.fail("too late to tell each time")


def held_behind_the_end(daemon, hand, user, stalled):
    """False: the 2 s were over before it could be told."""
    with RawClient(daemon.port) as client:
        client.post_chat(STREAM, user)
        peer = hand.accept()
        peer.read_request()
        peer.send(EVENTS + b"\r\n")
        sent = write_until_stuck(peer.socket)
        tail = b"".join(text_events("Short."))
        reader = threading.Thread(target=lambda: client.read_content_until(b'"stop"'))
        reader.start()
        stalled.touch()
        begun = time.monotonic()
        peer.send(tail)
        reader.join(60)
        written = sent + len(tail) + write_until_stuck(peer.socket, patience=0.3)
        passed = len(dechunked_so_far(client.seen))
        held = written - passed - in_the_kernel(ports_of(client.socket), ports_of(peer.socket))
        in_time = time.monotonic() - begun < 1.9
        stalled.unlink()
        if in_time:
            assert b"[DONE]" not in client.seen and 0 < held <= MOST_HELD, f"{held} bytes are held"
            client.read_content_until(b"[DONE]")
        return in_time


def test_an_answer_waits_for_nothing_that_is_made_of_it(make_daemon, hand, user, tmp_path):
    """All but the [DONE] has been sent when the worker hands the exchange over to the store."""
    daemon = make_daemon(hand.sections, environment=stalled_calls(tmp_path, wakes=60))
    reply = b"".join(text_events("Short."))
    with RawClient(daemon.port, 60) as client:
        client.post_chat(STREAM, user)
        peer = hand.accept()
        peer.read_request()
        (tmp_path / "stalled").touch()
        try:
            peer.send(EVENTS + b"Content-Length: %d\r\n\r\n" % len(reply) + reply)
            client.read_until(b'"stop"')
            assert b"[DONE]" not in client.seen
        finally:
            (tmp_path / "stalled").unlink()
        client.read_until(b"[DONE]")


def test_slow_clients_have_a_deadline(make_daemon, hand, tmp_path):
    """With clocks 20 times as fast: 60 s for a request, 75 s between requests, 120 s without progress of
    a reply."""
    daemon = make_daemon(hand.sections, environment=fast_clock(tmp_path, 20))
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        idle, deaf = (stack.enter_context(RawClient(daemon.port, 60)) for _ in range(2))
        deaf.post_chat(STREAM)
        peer = hand.accept()
        peer.read_request()
        peer.send(EVENTS + b"\r\n")
        filler = threading.Thread(target=write_until_stuck, args=(peer.socket,))
        filler.start()
        head, body, chunks = (stack.enter_context(RawClient(daemon.port, 60)) for _ in range(3))
        slow = {
            head: [b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\n", b"A: b\r\n"],
            body: [b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", b"x"],
            chunks: [b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"],
        }
        for client, (first, _) in slow.items():
            client.socket.sendall(first)
        waiting = set(slow)
        while waiting and time.monotonic() - begun < 60:
            time.sleep(0.1)  # so slowly they send
            answered = select.select([client.socket for client in waiting], [], [], 0)[0]
            waiting = {client for client in waiting if client.socket not in answered}
            for client in waiting:
                client.socket.sendall(slow[client][1])
        took = time.monotonic() - begun
        assert not waiting and 2.9 < took, f"a slow sender was given {took:.1f} s for its minute, which takes 3"
        for client in slow:
            reply = client.read_reply()
            assert reply.status == 408 and json.loads(reply.body)["error"]["code"] == "request_timeout"
            assert client.socket.recv(1) == b""
        assert idle.socket.recv(1) == b""
        filler.join()
        peer.wait_closed(begun)
        assert not hand.asked_again()


# ---- the upstream stalls ----


def test_an_upstream_that_cannot_be_connected_to_in_time_is_504(make_daemon):
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # more than its queue takes: what follows gets no answer
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        base_url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        daemon = make_daemon({"upstream": {"base_url": base_url, "connect_timeout": "300ms"}})
        for body in (BODY, STREAM):
            begun = time.monotonic()
            with RawClient(daemon.port, 60) as client:
                client.post_chat(body)
                check_error(client.read_reply(), 504, "upstream_timeout", unsent=True)
            assert 0.2 < time.monotonic() - begun


def test_an_upstream_that_falls_silent_is_timed_out_wherever_it_is(make_daemon, hand, user):
    """The first-byte timeout covers the whole head; after it there is no status left to tell by."""
    hand.sections["upstream"] |= {"first_byte_timeout": "300ms"}
    daemon = make_daemon(hand.sections)

    def ask(body, *pieces, least):
        with RawClient(daemon.port, 60) as client:
            begun = time.monotonic()
            client.post_chat(body, user)
            peer = hand.accept()
            peer.read_request()
            for i, piece in enumerate(pieces):
                time.sleep(0.5 if i else 0)  # silent for less than its limit
                peer.send(piece)
            reply = client.read_reply()
            assert least < peer.wait_closed(begun)
            return reply

    for sent in (b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/"):
        check_error(ask(BODY, sent, least=0.25), 504, "upstream_timeout")
        check_error(ask(STREAM, sent, least=0.25), 504, "upstream_timeout")
    hand.sections["upstream"] = {"base_url": hand.sections["upstream"]["base_url"], "idle_timeout": "900ms"}
    daemon = make_daemon(hand.sections)
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    head = EVENTS + chunked
    begun = b"%x\r\n%s\r\n" % (len(PART), PART)
    for reply in (ask(STREAM, head, least=0.8), ask(STREAM, head, begun, least=1.3)):
        assert reply.status == 200
        check_error_event(reply.body, "upstream_timeout")
    reply = ask(BODY, JSON + chunked + begun, least=0.8)
    assert reply.status == 200 and not reply.whole


def test_a_slow_reader_is_not_taken_for_a_silent_upstream(make_daemon, hand, user):
    hand.sections["upstream"]["idle_timeout"] = "2s"
    daemon = make_daemon(hand.sections)
    with RawClient(daemon.port) as client:
        client.post_chat(STREAM, user)
        peer = hand.accept()
        peer.read_request()
        peer.send(EVENTS + b"\r\n")
        write_until_stuck(peer.socket, patience=4)
        writer = threading.Thread(target=lambda: (peer.send(DONE), peer.close()))
        writer.start()
        client.read_content_until(b"[DONE]")
        writer.join(60)


# ---- the upstream's connections die ----


def ask_twice(daemon, hand, die, fields=()):
    """A request that is answered, then one on the same connection, which `die` ends."""
    client = RawClient(daemon.port)
    client.post_chat(BODY, fields=fields)
    peer = hand.accept()
    first = peer.read_request()
    peer.send(WHOLE)
    assert client.read_reply().body == b"{}"
    client.post_chat(BODY, fields=fields)
    assert peer.read_request() == first, "the connection was not used again"
    die(peer)
    return client, first


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_what_has_an_idempotency_key_is_tried_on_a_fresh_connection_once_a_kept_one_died(make_daemon, hand, reset):
    daemon = make_daemon(hand.sections)
    client, request = ask_twice(daemon, hand, lambda peer: peer.close(reset), [("Idempotency-Key", "1")])
    with client:
        fresh = hand.accept()
        assert fresh.read_request() == request
        fresh.send(WHOLE)
        reply = client.read_reply()
    assert (reply.status, reply.body) == (200, b"{}")
    assert not hand.asked_again()


def test_what_may_have_been_read_is_not_to_be_retried(make_daemon, hand):
    """Sent on a connection that then died; its upstream does not listen any more."""
    daemon = make_daemon(hand.sections)

    def die(peer):
        hand.listener.close()
        peer.close(reset=True)

    client, _ = ask_twice(daemon, hand, die)
    with client:
        check_error(client.read_reply(), 502, "upstream_broken")
    with RawClient(daemon.port) as other:
        other.post_chat(BODY)
        reply = other.read_reply()
        assert (reply.status, reply.field("x-should-retry")) == (502, None)


UNASKED = {"408": b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", "a reply": WHOLE.replace(b"{}", b"[]"), "an empty line": b"\r\n"}


@pytest.mark.parametrize("unasked", UNASKED)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_upstream_sends_unasked_is_no_answer(make_daemon, hand, engine, unasked):
    """It would be another's: the next request goes over a fresh connection."""
    daemon = make_daemon(hand.sections, environment=ENGINES[engine])
    with RawClient(daemon.port) as client:
        client.post_chat(BODY)
        peer = hand.accept()
        request = peer.read_request()
        peer.send(WHOLE)
        assert client.read_reply().body == b"{}"
        peer.send(UNASKED[unasked])
        client.post_chat(BODY)
        fresh = hand.accept()
        assert fresh.read_request() == request
        fresh.send(WHOLE)
        reply = client.read_reply()
        assert (reply.status, reply.body) == (200, b"{}")
        client.post_chat(BODY)
        assert fresh.read_request() == request, "the connection was not kept"
        fresh.send(WHOLE)
        assert client.read_reply().status == 200


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_nothing_else_is_tried_again(make_daemon, hand, reset):
    daemon = make_daemon(hand.sections)
    with RawClient(daemon.port) as client:
        client.post_chat(BODY)
        peer = hand.accept()
        peer.read_request()
        peer.close(reset)
        check_error(client.read_reply(), 502, "upstream_broken")
        assert not hand.asked_again(), "a fresh connection that died was tried again"

    def die(peer):
        peer.send(b"HTTP/1.1 200 OK\r\n")
        time.sleep(0.1)  # the daemon may read it before the end, or with it
        peer.close(reset)

    client, _ = ask_twice(daemon, hand, die)
    with client:
        check_error(client.read_reply(), 502, "upstream_broken")
    assert not hand.asked_again(), "a reply that had begun was asked for again"


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("end", [b"", b"1\r\n", b"ffff\r\nda"], ids=["between", "within a size", "within a chunk"])
def test_an_upstream_that_breaks_off_gives_an_error_event_and_no_done(make_daemon, hand, user, reset, end):
    daemon = make_daemon(hand.sections)
    with RawClient(daemon.port) as client:
        client.post_chat(STREAM, user)
        peer = hand.accept()
        peer.read_request()
        peer.send(EVENTS + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(PART), PART) + end)
        client.read_until(b"Begun")
        peer.close(reset)
        reply = client.read_reply()
    assert reply.whole and reply.body.startswith(PART)
    check_error_event(reply.body, "upstream_broken")


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_a_small_reply_that_decodes_to_much_costs_little(make_daemon, upstream, user, kind):
    """Six gigabytes of zeros. What is made of them for learning ends where the reader is full."""
    packed = gzip.compress(bytes(256 << 20))
    pieces = [packed] * 24
    fields = [("Content-Type", kind), ("Content-Encoding", "gzip")]
    daemon = make_daemon({"listen": {"workers": "1"}})
    upstream.script(Reply(fields=fields, pieces=pieces, framing="chunked"))
    used = daemon.cpu_seconds()
    with RawClient(daemon.port) as client:
        client.post_chat(STREAM, user)
        assert client.read_reply().body == packed * 24
    assert daemon.cpu_seconds() - used < 1
    assert daemon.messages(user)[0] == ("user", "Hello")


@pytest.mark.parametrize("head", [JSON, b"HTTP/1.1 413 Too Large\r\nConnection: close\r\n"], ids=["200", "413"])
def test_a_whole_answer_stands_though_the_connection_dies_under_the_upload(make_daemon, hand, head):
    daemon = make_daemon(hand.sections)
    with RawClient(daemon.port) as client:
        client.post_chat(BODY.replace(b"Hello", b"Hello, " * 1_200_000))
        peer = hand.accept()
        peer.more()
        peer.send(head + b"Content-Length: 2\r\n\r\n{}")
        reply = client.read_reply()
        peer.close(reset=True)
        daemon.wait_log(" path=/v1/chat/completions ")
    (line,) = (line for line in daemon.stderr_lines if " path=/v1/chat/completions " in line)
    assert reply.whole and reply.body == b"{}"
    assert f" status={reply.status} " in line and line.endswith(" end=done")
    assert daemon.metric('recalld_errors_total{kind="upstream"}') == 0


# ---- names and descriptors ----


def ask_for(seconds, daemon):
    """Requests that ask no upstream, for so long. A loop that waits for a name answers none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with RawClient(daemon.port, 60) as client:
            client.send("GET", "/v1/x", fields=[("Upgrade", "y")])
            assert client.read_reply().status == 501
        time.sleep(0.01)  # leaves the daemon time of the processor


def test_looking_up_a_name_blocks_no_loop(make_daemon, tmp_path):
    """Neither while it is looked up, nor when that is given up or the client has gone."""
    sections = {
        "upstream": {"base_url": "http://stalled.invalid/v1", "connect_timeout": "600ms"},
        "listen": {"workers": "1"},
    }
    daemon = make_daemon(sections, environment=stalled_calls(tmp_path, names=150))
    (tmp_path / "stalled").touch()
    waits, leaves = RawClient(daemon.port, 60), RawClient(daemon.port, 60)
    waits.post_chat(BODY)
    leaves.post_chat(BODY)
    ask_for(0.3, daemon)
    leaves.socket.close()
    ask_for(0.7, daemon)
    with waits:
        check_error(waits.read_reply(), 504, "upstream_timeout", unsent=True)
    (tmp_path / "stalled").unlink()


def test_out_of_descriptors_the_listener_pauses_and_goes_on_later(make_daemon, upstream):
    daemon = make_daemon()
    pid = daemon.process.pid
    with RawClient(daemon.port) as client:
        client.send("GET", "/v1/models")
        assert client.read_reply().status == 200
        limit = max(int(name) for name in os.listdir(f"/proc/{pid}/fd")) + 9
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))
        held = [RawClient(daemon.port) for _ in range(40)]
        until(lambda: len(os.listdir(f"/proc/{pid}/fd")) >= limit - 1, "descriptors did not run out")
        begun, used = time.monotonic(), daemon.cpu_seconds()
        time.sleep(1.5)  # over which its use of the processor is measured
        share = (daemon.cpu_seconds() - used) / (time.monotonic() - begun)
        assert share < 0.2, f"out of descriptors, it uses {share:.0%} of a CPU"
        client.send("GET", "/v1/models")
        assert client.read_reply().status == 200, "who is connected is not served"
        for other in held[:-1]:
            other.socket.close()
        held[-1].socket.settimeout(60)
        held[-1].send("GET", "/v1/models")
        assert held[-1].read_reply().status == 200
        held[-1].socket.close()
