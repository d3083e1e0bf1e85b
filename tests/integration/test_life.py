"""The daemon's life and its bounds: draining, reloading, descriptors, bytes under way, and what HTTP
asks of a proxy beside chats."""

import json
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from harness.clock import until
from harness.upstream import Reply, completion, json_reply, sse_reply, text_events
from harness.wire import RawClient

HELLO = b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}'


def code_of(reply):
    return json.loads(reply.body)["error"]["code"]

# ---- threads ----

def test_each_thread_has_a_name_of_its_own(make_daemon):
    daemon = make_daemon({"listen": {"workers": "3"}})
    files = Path(f"/proc/{daemon.process.pid}/task").glob("*/comm")
    names = sorted(name for name in (file.read_text().strip() for file in files) if "-" in name)
    workers = ["recalld-work0", "recalld-work1", "recalld-work2"]
    assert names == ["recalld-import", "recalld-learn", "recalld-retain", "recalld-scrub", "recalld-store", *workers]


def niceness(daemon):
    """{thread: its niceness}, of proc(5)."""
    found = {}
    for task in Path(f"/proc/{daemon.process.pid}/task").iterdir():
        name, fields = task.joinpath("stat").read_text().split("(", 1)[1].rsplit(") ", 1)
        found[name] = int(fields.split()[16])
    return found


@pytest.mark.parametrize("started_at", [0, 4, 15])
def test_the_learner_gives_way_to_the_other_threads(make_daemon, started_at):
    """Also where the process itself gives way to others."""
    daemon = make_daemon({"listen": {"workers": "1"}}, start=False)
    daemon.start(nice=started_at)

    def gives_way():
        nice = niceness(daemon)
        return nice["recalld-learn"] == min(nice["recalld-work0"] + 10, 19)

    until(gives_way, lambda: niceness(daemon))
    nice = niceness(daemon)
    assert nice["recalld-store"] == nice["recalld-work0"]

# ---- draining ----

@pytest.fixture
def gated(make_daemon, upstream):
    """A daemon with one stream open, which `gate` lets go on."""
    gate = threading.Event()
    daemon = make_daemon({"listen": {"drain_timeout": "30s"}})
    upstream.script(sse_reply(text_events("Said while it was ending."), gates={3: gate}))
    with RawClient(daemon.port) as client:
        client.post_chat(STREAM)
        client.read_until(b"data:")
        yield daemon, client, gate
        gate.set()


def ended(daemon, code=0):
    assert daemon.wait_end() == code
    daemon.process = None
    daemon.check_sanitizers()


def test_an_idle_connection_is_closed_at_once_when_draining(gated):
    daemon, client, gate = gated
    with RawClient(daemon.port, 60) as idle, RawClient(daemon.port, 60) as used:
        used.send("GET", "/v1/models")
        assert used.read_reply().status == 200
        daemon.signal(signal.SIGTERM)
        assert idle.socket.recv(1) == b"" and used.socket.recv(1) == b""
    assert daemon.process.poll() is None
    gate.set()
    assert client.read_reply().whole
    ended(daemon)


def test_a_reply_that_begins_while_draining_says_that_its_connection_closes(make_daemon, upstream):
    daemon = make_daemon({"listen": {"drain_timeout": "30s"}})
    gate = threading.Event()
    upstream.script(lambda request: gate.wait(120) and json_reply(completion("Late")))
    with RawClient(daemon.port) as client:
        client.post_chat(HELLO)
        upstream.wait(1)
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.admin("GET", "/readyz").status_code == 503, "it does not drain")
        gate.set()
        reply = client.read_reply()
        assert (reply.status, reply.field("Connection")) == (200, "close")
        assert client.socket.recv(1) == b""
    ended(daemon)


def test_a_request_whose_body_is_still_coming_is_answered_while_draining(gated):
    daemon, client, gate = gated
    with RawClient(daemon.port) as slow:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(HELLO)}\r\n\r\n"
        slow.socket.sendall(head.encode() + HELLO[:10])
        until(lambda: daemon.metric("recalld_connections") == 2, "it is not connected")
        time.sleep(0.2)  # until it has read what came, which nothing tells
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.admin("GET", "/readyz").status_code == 503, "it does not drain")
        slow.socket.sendall(HELLO[10:])
        reply = slow.read_reply()
        assert (reply.status, reply.field("Connection")) == (200, "close")
    gate.set()
    assert client.read_reply().whole
    ended(daemon)


def test_an_import_that_has_begun_is_answered_while_draining(make_daemon, user):
    daemon = make_daemon({"listen": {"drain_timeout": "30s"}})
    body = b'{"messages":[{"role":"user","content":"Late."}],"learn":false}'
    head = f"POST /v1/users/{user}/messages HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
    with RawClient(daemon.admin_port) as client:
        client.socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        assert client.read_head().status == 100
        daemon.signal(signal.SIGTERM)
        daemon.wait_log("draining")
        until(lambda: not listens(daemon.admin_port), "the admin address is still open")
        client.socket.sendall(body)
        reply = client.read_reply()
        assert (reply.status, reply.field("Connection")) == (202, "close")
    ended(daemon)
    daemon.start()
    assert daemon.messages(user) == [("user", "Late.")]


@pytest.mark.parametrize("address", ["port", "admin_port"])
def test_half_a_head_holds_up_no_stop(make_daemon, address):
    daemon = make_daemon({"listen": {"drain_timeout": "1h"}})
    with RawClient(getattr(daemon, address)) as client:
        client.socket.sendall(b"GET /readyz HTTP/1.1\r\nHos")
        daemon.signal(signal.SIGTERM)
        ended(daemon)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionError:
        return False
    return True


def test_what_a_slow_reader_has_yet_to_read_is_waited_for_while_draining(make_daemon, upstream):
    """The exchange is over, its reply on its way out of the daemon's own buffer."""
    daemon = make_daemon({"listen": {"drain_timeout": "30s"}})
    body = b"x" * 180_000  # more than the sockets hold, and less than would hold the upstream up
    upstream.script(Reply(pieces=[body]))
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        slow.settimeout(60)
        slow.connect(("127.0.0.1", daemon.port))
        slow.sendall(b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        upstream.wait(1)
        until(lambda: daemon.metric("recalld_exchanges_open") == 0, "the exchange is not over")
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.admin("GET", "/readyz").status_code == 503, "it does not drain")
        time.sleep(0.3)  # the slow reader
        seen = b"".join(iter(lambda: slow.recv(65536), b""))
    assert seen.endswith(body)
    ended(daemon)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(gated, second):
    daemon, client, _ = gated
    daemon.signal(signal.SIGTERM)
    until(lambda: daemon.admin("GET", "/readyz").status_code == 503, "it does not drain")
    daemon.signal(second)
    ended(daemon)
    assert not client.read_reply().whole


def test_two_signals_at_once_end_it_whatever_has_drained_by_then(make_daemon):
    daemon = make_daemon()
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        daemon.signal(number)
    ended(daemon)

# ---- dead upstream connections ----

IDEMPOTENT = [("Idempotency-Key", "1")]


def test_a_request_whose_reused_connection_died_is_sent_once_more_and_on_a_fresh_one(make_daemon, upstream):
    """If it may be sent twice. However many other connections are kept that would die likewise."""
    daemon = make_daemon({"listen": {"workers": "1"}})
    together = threading.Barrier(4)

    def wait_for_the_others(request):
        together.wait(120)
        return json_reply({"object": "ok"})

    upstream.answer = wait_for_the_others
    clients = [RawClient(daemon.port) for _ in range(4)]
    for client in clients:
        client.post_chat(HELLO)
    for client in clients:
        assert client.read_reply().status == 200
        client.socket.close()
    kept = {request.connection for request in upstream.requests}
    assert len(kept) == 4

    def die_when_reused(request):
        return Reply(break_after=0) if request.connection in kept else json_reply({"object": "fresh"})

    upstream.answer = die_when_reused
    asked = len(upstream.requests)
    with RawClient(daemon.port) as client:
        client.post_chat(HELLO, fields=IDEMPOTENT)
        assert json.loads(client.read_reply().body) == {"object": "fresh"}
    again = upstream.requests[asked:]
    assert [request.connection in kept for request in again] == [True, False]
    assert [request.body for request in again] == [HELLO, HELLO]


def test_the_fresh_connection_is_the_last_try(make_daemon, upstream):
    daemon = make_daemon({"listen": {"workers": "1"}})
    assert daemon.post_chat(HELLO).status_code == 200
    upstream.answer = lambda request: Reply(break_after=0)
    with RawClient(daemon.port) as client:
        client.post_chat(HELLO, fields=IDEMPOTENT)
        reply = client.read_reply()
        assert (reply.status, code_of(reply)) == (502, "upstream_broken")
    time.sleep(0.3)  # a further try would follow at once
    assert len(upstream.requests) == 3


# ---- what HTTP asks beside chats ----

def test_an_options_request_and_its_cors_fields_pass_as_they_are(daemon, upstream):
    cors = [
        ("Access-Control-Allow-Origin", "https://a.example"),
        ("Access-Control-Allow-Headers", "authorization, x-user-id"),
    ]
    upstream.script(Reply(status=204, reason="No Content", fields=cors))
    asked = [
        ("Origin", "https://a.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,x-user-id"),
    ]
    with RawClient(daemon.port) as client:
        client.send("OPTIONS", "/v1/chat/completions", fields=asked)
        reply = client.read_reply()
    assert reply.status == 204 and reply.body == b""
    assert [f for f in reply.fields if f[0].startswith("Access-Control")] == cors
    assert upstream.last.method == "OPTIONS" and not reply.field("X-Memory-Status")
    assert [f for f in upstream.last.fields if f in asked] == asked


def test_options_of_all_is_asked_of_the_upstreams_root(daemon, upstream):
    with RawClient(daemon.port) as client:
        client.send("OPTIONS", "*")
        assert client.read_reply().status == 200
    assert (upstream.last.method, upstream.last.target, upstream.last.body) == ("OPTIONS", "/", b"")
    assert upstream.last.field("Content-Length") is None


@pytest.mark.parametrize(
    "sent", [["x-a"], ["x-a", "x-b"], ["*"], [""]], ids=["one", "several", "star", "empty"]
)
def test_names_of_ours_join_what_the_upstream_exposes_and_displace_nothing(daemon, upstream, user, sent):
    fields = [("access-control-expose-headers", value) for value in sent]
    upstream.script(json_reply(completion("Hi"), fields=fields))
    with RawClient(daemon.port) as client:
        client.post_chat(HELLO, user)
        reply = client.read_reply()
    exposed = [v for n, v in reply.fields if n.lower() == "access-control-expose-headers"]
    names = [name.strip() for value in exposed for name in value.split(",")]
    ours = [n for n, _ in reply.fields if n.startswith("X-Memory-")]
    assert len(ours) == 4 and sorted(names) == sorted([v for v in sent if v] + ours)


def test_interim_replies_and_trailers_of_the_upstream_stay_behind(make_daemon, user):
    body = json.dumps(completion("Hi")).encode()
    raw = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
        b"Trailer: X-Sum\r\n\r\n%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(body), body)
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        daemon = make_daemon({"upstream": {"base_url": base_url}})
        with RawClient(daemon.port) as client:
            client.post_chat(HELLO, user)
            with listener.accept()[0] as peer:
                peer.settimeout(60)
                until(lambda: HELLO in peer.recv(65536, socket.MSG_PEEK), "the request did not come")
                peer.sendall(raw)
                reply = client.read_reply()
    assert (reply.status, reply.body) == (200, body)
    assert reply.field("Link") is None and reply.field("X-Sum") is None
    assert daemon.messages(user)[-1] == ("assistant", "Hi")


@pytest.mark.parametrize("status", [204, 304])
def test_a_reply_without_a_body_to_a_chat_is_whole_at_its_head(daemon, upstream, user, status):
    upstream.script(Reply(status=status, reason="Nothing"))
    with RawClient(daemon.port, 60) as client:
        client.post_chat(HELLO, user)
        reply = client.read_reply()
        assert (reply.status, reply.body) == (status, b"") and reply.field("Transfer-Encoding") is None
        client.post_chat(HELLO, user)
        assert client.read_reply().status == 200


def test_a_head_request_gets_the_length_and_no_body(daemon, upstream):
    upstream.script(json_reply({"object": "list"}))
    with RawClient(daemon.port, 60) as client:
        client.send("HEAD", "/v1/models")
        reply = client.read_head()
        assert reply.status == 200 and reply.field("Content-Length") == "18"
        client.send("GET", "/v1/models")
        assert client.read_reply().status == 200
    assert upstream.requests[0].method == "HEAD"


def test_another_protocol_is_501_and_reaches_no_upstream(daemon, upstream):
    with RawClient(daemon.port) as client:
        fields = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
        client.send("GET", "/v1/realtime", fields=fields)
        reply = client.read_reply()
        assert (reply.status, code_of(reply)) == (501, "not_implemented") and reply.field("Connection") == "close"
        assert client.socket.recv(1) == b""
    assert not upstream.requests

# ---- what is counted ----

def test_open_exchanges_and_connections_are_counted_as_they_stand(gated):
    daemon, client, gate = gated
    assert daemon.metric("recalld_exchanges_open") == 1
    assert daemon.metric('recalld_exchanges{state="relaying"}') == 1
    assert daemon.metric("recalld_connections") == 1
    gate.set()
    client.read_reply()
    until(lambda: daemon.metric("recalld_exchanges_open") == 0, "it is still counted")


def test_requests_that_are_refused_are_counted(make_daemon):
    daemon = make_daemon()
    with RawClient(daemon.port) as client:
        client.socket.sendall(b"GET /v1/models HTTP/1.1\r\n\r\n")
        assert client.read_reply().status == 400
    assert daemon.metric('recalld_errors_total{kind="client"}') == 1
