"""The listener and the admin address on local sockets: unix:/PATH."""

import json
import os
import signal
import socket
import stat
import subprocess
import threading

import httpx
import openai
import pytest

from harness.chat import stream_text
from harness.daemon import clean_environment, program
from harness.upstream import sse_reply, text_events

HELLO = json.dumps({"model": "test-model", "messages": [{"role": "user", "content": "Hello."}]}).encode()
JSON = {"Content-Type": "application/json"}


def over(path):
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost", timeout=60)


@pytest.fixture
def local(make_daemon, tmp_path):
    """A daemon whose clients come over a local socket."""
    daemon = make_daemon(start=False)
    daemon.socket = tmp_path / "clients"
    daemon.config["listen"]["address"] = f"unix:{daemon.socket}"
    return daemon.start()


def post(daemon, headers=None):
    with over(daemon.socket) as client:
        return client.post("/v1/chat/completions", content=HELLO, headers=JSON | (headers or {}))


def test_chats_come_over_a_local_socket(local, user):
    assert stat.S_IMODE(os.stat(local.socket).st_mode) == 0o660
    for _ in range(8):  # whichever worker takes it
        assert post(local, {"X-User-Id": user}).status_code == 200
    assert local.knows(user)
    assert f"clients use unix:{local.socket}" in local.stderr


def test_a_stream_comes_through_an_sdk_over_a_local_socket(local, user, upstream):
    upstream.script(sse_reply(text_events("One two three.")))
    with openai.OpenAI(
        base_url="http://localhost/v1", api_key="k", http_client=over(local.socket), default_headers={"X-User-Id": user}
    ) as client:
        stream = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Count."}], stream=True
        )
        assert "".join(c.choices[0].delta.content or "" for c in stream if c.choices) == "One two three."


def test_clients_of_a_local_socket_are_local(local, user):
    assert post(local, {"X-Memory-Dry-Run": "1", "X-User-Id": user}).content == HELLO


def test_its_file_goes_when_the_daemon_ends(local):
    local.stop()
    assert not local.socket.exists() and os.listdir(local.socket.parent) == [local.directory.name]


def test_a_socket_that_a_dead_process_left_is_replaced(local, user):
    local.kill()
    assert local.socket.exists()
    local.start()
    assert post(local).status_code == 200


def test_a_socket_that_is_listened_on_is_refused(local, make_daemon):
    two = make_daemon(start=False)
    two.config["listen"]["address"] = f"unix:{local.socket}"
    two.start(wait=False)
    assert two.wait_end() == 1
    two.process = None
    assert "another process listens there" in two.stderr
    assert post(local).status_code == 200, "the first one keeps it"


def test_a_second_daemon_on_the_same_configuration_takes_nothing_away(local, make_daemon):
    two = make_daemon(start=False)
    two.config["listen"] = dict(local.config["listen"])
    two.config["storage"] = local.config["storage"]
    two.start(wait=False)
    assert two.wait_end() == 1
    two.process = None
    assert post(local).status_code == 200 and local.admin("GET", "/readyz").status_code == 200


def test_a_file_that_is_no_socket_is_kept(make_daemon, tmp_path):
    daemon = make_daemon(start=False)
    (tmp_path / "file").write_text("mine")
    daemon.config["listen"]["address"] = f"unix:{tmp_path / 'file'}"
    daemon.start(wait=False)
    assert daemon.wait_end() == 1
    daemon.process = None
    assert "a file, not a socket" in daemon.stderr and (tmp_path / "file").read_text() == "mine"


def test_who_takes_the_place_of_a_draining_daemon_keeps_it(local, make_daemon, upstream, user):
    """A restart that does not wait: the old one ends after the new one has begun."""
    begun = threading.Event()
    upstream.script(sse_reply(text_events("a b c d e"), gates={2: begun}))
    with over(local.socket) as client:
        body = json.loads(HELLO) | {"stream": True}
        with client.stream("POST", "/v1/chat/completions", json=body) as reply:
            lines = reply.iter_raw()
            seen = next(lines)
            local.signal(signal.SIGTERM)
            local.wait_log("draining")
            two = make_daemon(start=False)
            two.config["listen"]["address"] = f"unix:{local.socket}"
            two.start()
            begun.set()
            assert stream_text(seen + b"".join(lines)) == "a b c d e"
    assert local.wait_end() == 0
    local.process = None
    two.socket = local.socket
    assert post(two).status_code == 200


def test_the_admin_address_and_recallctl_take_a_local_socket(make_daemon, tmp_path):
    daemon = make_daemon(start=False)
    path = tmp_path / "admin"
    daemon.config["listen"]["admin"] = f"unix:{path}"
    daemon.start(wait=False)
    daemon.wait_log("clients use")
    with over(path) as client:
        assert client.get("/readyz").status_code == 200
    for arguments in (["-c", str(daemon.config_file)], ["--admin", f"unix:{path}"]):
        done = subprocess.run(
            [program("proxy/recallctl"), *arguments, "check"], capture_output=True, timeout=60, env=clean_environment()
        )
        assert done.returncode == 0, done.stderr
    daemon.stop()
    assert not path.exists()
    done = subprocess.run(
        [program("proxy/recallctl"), "--admin", f"unix:{path}", "check"],
        capture_output=True, text=True, timeout=60, env=clean_environment(),
    )
    assert done.returncode == 1 and f"unix:{path} cannot be reached" in done.stderr
    assert done.stderr.startswith("recallctl: No such file or directory\n")


def test_a_connection_that_says_nothing_harms_nobody(local):
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(str(local.socket))
        assert post(local).status_code == 200
