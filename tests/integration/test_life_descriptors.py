"""What a daemon does with too few descriptors."""

import contextlib
import resource
import signal
import subprocess
import threading

import pytest

from harness.clock import until
from harness.daemon import clean_environment, program, write_config
from harness.upstream import json_reply
from harness.wire import RawClient
from test_life import HELLO, code_of


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
        gate.wait(120)
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
        timeout=60,
        env=clean_environment(),
        preexec_fn=limited(4096),
    )
    assert done.returncode == 0
    assert f"{file}: warning: the limit of 4096 open files allows " in done.stderr
