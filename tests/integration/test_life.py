"""The daemon's life and its bounds: draining, reloading, descriptors, bytes under way, and what HTTP
asks of a proxy beside chats."""

import contextlib
import errno
import json
import os
import resource
import select
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import make_known
from harness.daemon import clean_environment, merged, program, write_config
from harness.upstream import DONE, Reply, completion, json_reply, sse_reply, text_events
from harness.wire import RawClient

HELLO = b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}'


def until(condition, what, timeout=20):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def code_of(reply):
    return json.loads(reply.body)["error"]["code"]


# ---- threads ----


def test_each_thread_has_a_name_of_its_own(make_daemon):
    daemon = make_daemon({"listen": {"workers": "3"}})
    files = Path(f"/proc/{daemon.process.pid}/task").glob("*/comm")
    names = sorted(name for name in (file.read_text().strip() for file in files) if "-" in name)
    workers = ["recalld-work0", "recalld-work1", "recalld-work2"]
    assert names == ["recalld-learn", "recalld-retain", "recalld-store", *workers]


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
    end = time.monotonic() + 20
    while (nice := niceness(daemon))["recalld-learn"] != min(nice["recalld-work0"] + 10, 19):
        assert time.monotonic() < end, nice
        time.sleep(0.05)
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
    assert daemon.wait_end(20) == code
    daemon.process = None
    daemon.check_sanitizers()


def test_an_idle_connection_is_closed_at_once_when_draining(gated):
    daemon, client, gate = gated
    with RawClient(daemon.port, 20) as idle, RawClient(daemon.port, 20) as used:
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
    upstream.script(lambda request: gate.wait(20) and json_reply(completion("Late")))
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
        time.sleep(0.2)
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
        slow.settimeout(10)
        slow.connect(("127.0.0.1", daemon.port))
        slow.sendall(b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        upstream.wait(1)
        until(lambda: daemon.metric("recalld_exchanges_open") == 0, "the exchange is not over")
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.admin("GET", "/readyz").status_code == 503, "it does not drain")
        time.sleep(0.3)
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


# ---- reloading ----


def mode_of(daemon):
    return daemon.post_chat(HELLO, {"X-User-Id": "reader"}).headers["X-Memory-Mode"]


def open_to_write(pipe, timeout=60):
    """Once somebody has opened the other end."""
    end = time.monotonic() + timeout
    while True:
        try:
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as fault:
            if fault.errno != errno.ENXIO or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            os.set_blocking(descriptor, True)
            return open(descriptor, "wb")


def test_a_reload_that_is_asked_for_while_it_starts_is_made_then(make_daemon):
    """Its configuration comes through a pipe, so that the signal arrives while it is being read."""
    daemon = make_daemon(start=False)
    pipe, file = daemon.directory / "pipe", daemon.directory / "file"
    os.mkfifo(pipe)
    write_config(file, daemon.config)
    config = file.read_bytes()
    command = [program("proxy/recalld"), "-c", str(pipe)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=clean_environment()) as process:
        end = threading.Timer(60, process.kill)
        end.start()
        with open_to_write(pipe) as out:
            process.send_signal(signal.SIGHUP)
            file.rename(pipe)
            out.write(config)
        is_reloaded = any(b"configuration reloaded" in line for line in process.stderr)
        process.terminate()
        process.stderr.read()
        end.cancel()
    assert is_reloaded and process.returncode == 0


def test_signals_that_mean_something_to_other_proxies_do_nothing(make_daemon):
    daemon = make_daemon()
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        daemon.signal(number)
    assert daemon.admin("GET", "/readyz").status_code == 200
    daemon.check_alive()


def test_a_file_that_an_editor_renames_into_place_is_noticed(make_daemon):
    """It writes a new one, moves the old one away, and the new one to its name."""
    daemon = make_daemon()
    daemon.config |= {"memory": {"mode": "buffer"}}
    new = daemon.directory / "recalld.conf.new"
    write_config(new, daemon.config)
    os.rename(daemon.config_file, daemon.directory / "recalld.conf~")
    time.sleep(1.5)
    assert mode_of(daemon) == "hybrid"
    os.rename(new, daemon.config_file)
    until(lambda: mode_of(daemon) == "buffer", "it was not noticed")
    assert "faults" not in daemon.stderr


def test_what_needs_a_restart_is_said_by_name_until_it_is_taken_back(make_daemon):
    daemon = make_daemon({"log": {"format": "json"}})
    was = daemon.config["listen"]["workers"]
    for count, workers in enumerate(["3", "3", "3", was], 1):
        daemon.config["listen"]["workers"] = workers
        daemon.config["upstream"]["idle_timeout"] = f"{100 + count}s"
        write_config(daemon.config_file, daemon.config)
        daemon.signal(signal.SIGHUP)
        until(lambda: daemon.metric("recalld_config_reloads_total") >= count, "it was not read")
    told = [line for line in daemon.stderr_lines if "restart recalld to apply" in line]
    assert [json.loads(line)["message"].split(": ")[1] for line in told] == ["listen.workers"] * 3


def reload(daemon, sections):
    count = daemon.metric("recalld_config_reloads_total")
    daemon.config = merged(daemon.config, sections)
    write_config(daemon.config_file, daemon.config)
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.metric("recalld_config_reloads_total") > count, "it was not read")


def test_a_reload_reaches_the_log(make_daemon):
    daemon = make_daemon({"log": {"format": "json", "level": "error"}})
    reload(daemon, {"log": {"level": "info"}})
    daemon.wait_log('"configuration reloaded"')
    reload(daemon, {"log": {"format": "text"}})
    until(lambda: not daemon.stderr_lines[-1].startswith("{"), "it is JSON still")


def test_a_reload_reaches_the_admin_address(make_daemon):
    daemon = make_daemon({"listen": {"admin_token": "old"}})
    daemon.config["listen"]["admin_token"] = "new"
    write_config(daemon.config_file, daemon.config)
    daemon.signal(signal.SIGHUP)

    def answers(token):
        return daemon.admin("GET", "/metrics", headers={"Authorization": f"Bearer {token}"}).status_code

    until(lambda: answers("new") == 200, "the new token is not taken")
    assert answers("old") == 401


def test_a_reload_reaches_the_learner(make_daemon, memory_model, user):
    daemon = make_daemon()
    reload(daemon, {"model": {"name": "another-model", "api_key": "another-key"}})
    daemon.post_chat(HELLO, {"X-User-Id": user})
    daemon.settle(user)
    call = memory_model.calls()[-1]
    assert (call.body["model"], call.authorization) == ("another-model", "Bearer another-key")


def test_a_reload_reaches_what_a_request_may_have(make_daemon):
    daemon = make_daemon()
    reload(daemon, {"listen": {"max_body": "1K"}})
    until(lambda: daemon.post_chat(padded(2000)).status_code == 413, "the new limit is not kept")


def test_what_was_read_is_not_read_again_and_a_fault_told_once(make_daemon):
    daemon = make_daemon()
    reload(daemon, {"memory": {"mode": "buffer"}})
    time.sleep(2.5)
    assert daemon.metric("recalld_config_reloads_total") == 1
    daemon.config["memory"]["mode"] = "nonsense"
    write_config(daemon.config_file, daemon.config)
    until(lambda: daemon.metric("recalld_config_faults_total") == 1, "the fault is not counted")
    time.sleep(2.5)
    assert daemon.metric("recalld_config_faults_total") == 1
    assert daemon.stderr.count("the old one stays in force") == 1


def test_a_change_of_the_same_size_in_the_same_second_is_noticed(make_daemon):
    daemon = make_daemon()
    time.sleep(1 - time.time() % 1)
    reload(daemon, {"memory": {"mode": "entity"}})
    daemon.config["memory"]["mode"] = "buffer"
    write_config(daemon.config_file, daemon.config)
    until(lambda: mode_of(daemon) == "buffer", "it was not noticed")


def test_two_daemons_on_one_store_are_refused_with_what_to_do(make_daemon):
    one = make_daemon()
    two = make_daemon({"storage": {"path": one.config["storage"]["path"]}}, start=False)
    two.start(wait=False)
    assert two.wait_end(10) == 1
    two.process = None
    assert one.config["storage"]["path"] in two.stderr and "is in use by another recalld" in two.stderr
    assert one.admin("GET", "/readyz").status_code == 200


def test_an_address_that_cannot_be_had_is_refused_with_what_to_do(make_daemon, tmp_path):
    taken = make_daemon()
    said = {
        f"127.0.0.1:{taken.port}": "in use; stop the process that listens there, or choose another port",
        "192.0.2.1:8080": "; choose an address of this machine",
        f"unix:{tmp_path}/no/socket": "its directory does not exist; create it, or choose another path",
    }
    for address, message in said.items():
        daemon = make_daemon({"listen": {"address": address}}, start=False)
        daemon.start(wait=False)
        assert daemon.wait_end(10) == 1
        daemon.process = None
        assert f"[listen] address: cannot listen on {address}: " in daemon.stderr and message in daemon.stderr


# ---- bytes under way ----

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
    if "sanitize" not in os.environ.get("TEST_BUILD", ""):
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
        gate.wait(30)
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
        time.sleep(1)
        most = unsent_to(client.socket)
        assert 0 < most <= 256 * 1024, f"{most} bytes lie in the kernel"


# ---- descriptors ----


def limited(limit):
    def limit_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, limit), limit))

    return limit_descriptors


def start_limited(daemon, limit, monkeypatch):
    """With a soft limit of 256 and this hard one."""
    popen = subprocess.Popen
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", lambda *a, **k: popen(*a, preexec_fn=limited(limit), **k))
        daemon.start()


def limits_of(daemon):
    return resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)


def test_the_soft_limit_is_raised_to_the_hard_one(make_daemon, monkeypatch):
    daemon = make_daemon({"listen": {"max_connections": "100"}}, start=False)
    start_limited(daemon, 2000, monkeypatch)
    assert limits_of(daemon) == (2000, 2000)
    assert "open files" not in daemon.stderr


def test_too_low_a_limit_is_warned_of_at_a_reload(make_daemon, monkeypatch):
    daemon = make_daemon({"listen": {"workers": "1", "max_connections": "100"}}, start=False)
    start_limited(daemon, 2000, monkeypatch)
    assert "open files" not in daemon.stderr
    daemon.config["listen"]["max_connections"] = "5000"
    write_config(daemon.config_file, daemon.config)
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("the limit of 2000 open files allows ")


@pytest.fixture
def few(make_daemon, upstream, monkeypatch):
    """A daemon with descriptors for a few hundred, how many connections it lets in, and what lets the
    upstream answer."""
    daemon = make_daemon({"listen": {"workers": "1"}}, start=False)
    start_limited(daemon, 700, monkeypatch)
    daemon.wait_log("the limit of 700 open files allows ")
    said = next(l for l in daemon.stderr_lines if "open files allows" in l)
    most = int(said.split("open files allows ")[1].split()[0])
    assert 50 < most < 350
    gate = threading.Event()

    def answer(request):
        gate.wait(30)
        return json_reply({"object": "ok"})

    upstream.answer = answer
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(RawClient(daemon.port)) for _ in range(most)]
        yield daemon, clients, gate
        gate.set()


def test_no_more_are_let_in_than_there_are_descriptors_for(few, upstream):
    daemon, clients, gate = few
    until(lambda: daemon.metric("recalld_connections") == len(clients), "not all are let in")
    clients[0].send("GET", "/v1/models")
    upstream.wait(1)
    told, others = 0, []
    for _ in range(400):
        others.append(RawClient(daemon.port))
        with contextlib.suppress(ConnectionError):
            others[-1].send("GET", "/v1/models")  # at once: who asks for nothing is soon closed uncounted
    for other in others:
        with contextlib.suppress(ConnectionError):
            told += other.read_reply().status == 503
        other.socket.close()
    assert told >= 16
    assert daemon.metric('recalld_errors_total{kind="connections"}') == len(others)
    assert len(upstream.requests) == 1
    gate.set()
    assert clients[0].read_reply().status == 200


def test_no_request_is_left_without_a_descriptor_for_the_upstream(few, upstream):
    """When all ask at once, each is answered, by the upstream or with when to come back."""
    daemon, clients, gate = few
    for client in clients:
        client.post_chat(HELLO)
    until(lambda: daemon.metric('recalld_errors_total{kind="connections"}') > 0, "none was refused")
    gate.set()
    replies = [client.read_reply() for client in clients]
    served = sum(reply.status == 200 for reply in replies)
    assert served >= len(clients) // 4
    for reply in replies:
        if reply.status != 200:
            assert (reply.status, code_of(reply)) == (503, "too_many_connections")
            assert reply.field("Retry-After") and reply.field("x-should-retry") is None
    assert daemon.metric('recalld_errors_total{kind="upstream"}') == 0
    clients[-1].post_chat(HELLO)
    assert clients[-1].read_reply().status == 200


def test_too_low_a_limit_is_warned_of_by_t(tmp_path):
    file = tmp_path / "recalld.conf"
    file.write_text("[listen]\nworkers = 2\n")
    done = subprocess.run(
        [program("proxy/recalld"), "-t", "-c", str(file)],
        capture_output=True,
        text=True,
        timeout=30,
        env=clean_environment(),
        preexec_fn=limited(4096),
    )
    assert done.returncode == 0
    assert f"{file}: warning: the limit of 4096 open files allows " in done.stderr


# ---- dead upstream connections ----


def test_a_request_whose_reused_connection_died_is_sent_once_more_and_on_a_fresh_one(make_daemon, upstream):
    """However many other connections are kept that would die likewise."""
    daemon = make_daemon({"listen": {"workers": "1"}})
    together = threading.Barrier(4)

    def wait_for_the_others(request):
        together.wait(10)
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
        client.post_chat(HELLO)
        assert json.loads(client.read_reply().body) == {"object": "fresh"}
    again = upstream.requests[asked:]
    assert [request.connection in kept for request in again] == [True, False]
    assert [request.body for request in again] == [HELLO, HELLO]


def test_the_fresh_connection_is_the_last_try(make_daemon, upstream):
    daemon = make_daemon({"listen": {"workers": "1"}})
    assert daemon.post_chat(HELLO).status_code == 200
    upstream.answer = lambda request: Reply(break_after=0)
    with RawClient(daemon.port) as client:
        client.post_chat(HELLO)
        reply = client.read_reply()
        assert (reply.status, code_of(reply)) == (502, "upstream_broken")
    time.sleep(0.3)
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
        listener.settimeout(10)
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        daemon = make_daemon({"upstream": {"base_url": base_url}})
        with RawClient(daemon.port) as client:
            client.post_chat(HELLO, user)
            with listener.accept()[0] as peer:
                peer.settimeout(10)
                while HELLO not in peer.recv(65536, socket.MSG_PEEK):
                    time.sleep(0.01)
                peer.sendall(raw)
                reply = client.read_reply()
    assert (reply.status, reply.body) == (200, body)
    assert reply.field("Link") is None and reply.field("X-Sum") is None
    assert daemon.messages(user)[-1] == ("assistant", "Hi")


@pytest.mark.parametrize("status", [204, 304])
def test_a_reply_without_a_body_to_a_chat_is_whole_at_its_head(daemon, upstream, user, status):
    upstream.script(Reply(status=status, reason="Nothing"))
    with RawClient(daemon.port, 10) as client:
        client.post_chat(HELLO, user)
        reply = client.read_reply()
        assert (reply.status, reply.body) == (status, b"") and reply.field("Transfer-Encoding") is None
        client.post_chat(HELLO, user)
        assert client.read_reply().status == 200


def test_a_head_request_gets_the_length_and_no_body(daemon, upstream):
    upstream.script(json_reply({"object": "list"}))
    with RawClient(daemon.port, 10) as client:
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
