"""What the admin address tells of trouble, and what it may hold."""

import contextlib
import json
import re
import time
from pathlib import Path

import httpx
import pytest

from harness.chat import Chat
from harness.clock import until
from harness.daemon import program
from harness.upstream import Reply, completion, error_reply, json_reply
from harness.wire import RawClient
from test_admin_recallctl import recallctl

# ---- the status ----

def upstream_trouble(daemon):
    return daemon.admin("GET", "/v1/status").json()["upstream_trouble"]


def wait_trouble(daemon, told):
    """What it is once the exchange has ended, which may be just after its answer."""
    end = time.monotonic() + 20
    while upstream_trouble(daemon) != told:
        assert time.monotonic() < end, upstream_trouble(daemon)
        time.sleep(0.02)


TROUBLES = {
    "nothing": (Reply(break_after=0), "closed the connection before its reply"),
    "half": (json_reply(completion("Half.") | {"pad": "x" * 99}, reset=True, break_after=1, framing="chunked"), "broke off its reply"),
    "503": (error_reply(503, "sk-secret"), "it failed (status 503)"),
}


@pytest.mark.parametrize("reply, told", TROUBLES.values(), ids=TROUBLES)
def test_the_status_tells_that_the_upstream_fails_until_it_answers(make_daemon, upstream, user, reply, told):
    daemon = make_daemon()
    assert upstream_trouble(daemon) == ""
    chat = Chat(daemon, user)
    for _ in range(3):
        upstream.script(reply)
        with contextlib.suppress(httpx.RemoteProtocolError):
            chat.send("Hello.")
    assert told in upstream_trouble(daemon)
    assert daemon.stderr.count("warn upstream call failed: ") == 1
    check = recallctl(daemon, "check").stdout
    assert f"  trouble     the upstream: {upstream_trouble(daemon)}; see the log\n" in check
    assert "secret" not in check + daemon.stderr
    upstream.script(error_reply(404))  # the client's business
    assert chat.send("Hello.").status_code == 404
    wait_trouble(daemon, "")


@pytest.mark.parametrize("path, told", [("/v1", ""), ("", "is /v1 missing at the end of [upstream] base_url? (status 404)")])
def test_a_chat_that_is_not_found_is_trouble_where_the_base_url_has_no_path(make_daemon, upstream, user, path, told):
    daemon = make_daemon({"upstream": {"base_url": upstream.origin + path}})
    upstream.script(error_reply(404), error_reply(404))
    assert Chat(daemon, user).send("Hello.").status_code == 404
    wait_trouble(daemon, told)
    assert ("warn upstream call failed: is /v1 missing" in daemon.stderr) == bool(told)
    daemon.post_chat(b"{}", path="/v1/models")
    wait_trouble(daemon, "")


@pytest.mark.parametrize("key, told", [("", ""), ("k", "it refused (status 401)")], ids=["the client's", "ours"])
def test_a_refused_key_is_trouble_when_it_is_ours(make_daemon, upstream, user, key, told):
    daemon = make_daemon({"upstream": {"api_key": key}})
    upstream.script(error_reply(401))
    assert Chat(daemon, user).send("Hello.").status_code == 401
    wait_trouble(daemon, told)

# ---- what it may hold ----

def test_bodies_under_way_are_bounded(make_daemon, user):
    daemon = make_daemon({"listen": {"max_in_flight": "4M", "max_body": "1M"}})
    body = b'{"messages":[{"role":"user","content":"I sail."}],"pad":"' + b"x" * 900_000 + b'"}'
    head = f"POST {daemon.memory_path(user, '/messages')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with RawClient(daemon.admin_port) as slow, RawClient(daemon.admin_port) as late:
        slow.socket.sendall(head.encode() + body[:-1])
        until(lambda: daemon.metric("recalld_admin_in_flight_bytes ") >= 900_000)
        late.socket.sendall(head.encode())
        refused = late.read_reply()
        assert refused.status == 503 and refused.field("Retry-After") == "1"
        assert json.loads(refused.body)["error"]["code"] == "too_many_bytes"
        assert daemon.admin("GET", "/readyz").status_code == 200
        slow.socket.sendall(body[-1:])
        assert slow.read_reply().status == 202
    until(lambda: daemon.metric("recalld_admin_in_flight_bytes ") < 1000)


def peak(daemon):
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) * 1024


def test_an_import_of_many_short_messages_takes_no_tree_of_them(make_daemon, user):
    """They took seventy times their bytes."""
    daemon = make_daemon({"memory": {"mode": "buffer"}})
    before = peak(daemon)
    turn = {"role": "system", "content": "x"}
    body = json.dumps({"messages": [turn] * 150_000 + [{"role": "user", "content": "I sail."}]}).encode()
    reply = daemon.admin("POST", daemon.memory_path(user, "/messages"), content=body)
    assert reply.json() == {"imported": 1, "left_out": 150_000, "erased": 0}
    most = 8 if "sanitized" not in program("proxy/recalld") else 40
    assert peak(daemon) - before < most * len(body)
