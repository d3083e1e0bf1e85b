"""What the admin address tells of trouble, and what it may hold."""

import contextlib
import json
import re
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from conftest import SANITIZED

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
    until(lambda: upstream_trouble(daemon) == told, lambda: upstream_trouble(daemon))


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
    daemon.wait_log("warn upstream call failed: ")
    assert daemon.stderr.count("warn upstream call failed: ") == 1
    check = recallctl(daemon, "check").stdout
    assert f"  trouble     the upstream: {upstream_trouble(daemon)}; see the log\n" in check
    assert "secret" not in check + daemon.stderr
    upstream.script(error_reply(400))  # the client's business
    assert chat.send("Hello.").status_code == 400
    wait_trouble(daemon, "")


@pytest.mark.parametrize("path, told", [("/v1", "it refused (status 404)"), ("", "is /v1 missing at the end of [upstream] base_url? (status 404)")])
def test_a_chat_that_is_not_found_is_trouble_where_the_base_url_has_no_path(make_daemon, upstream, user, path, told):
    daemon = make_daemon({"upstream": {"base_url": upstream.origin + path}})
    upstream.script(error_reply(404), error_reply(404))
    assert Chat(daemon, user).send("Hello.").status_code == 404
    wait_trouble(daemon, told)
    until(lambda: f"warn upstream call failed: {told}" in daemon.stderr)
    daemon.post_chat(b"{}", path="/v1/models")
    wait_trouble(daemon, told)  # it says nothing of chats
    assert Chat(daemon, user).say("Hello.").status == "empty"
    wait_trouble(daemon, "")


def failures(daemon):
    return [line for line in daemon.stderr_lines if "upstream call failed" in line or "refused a request" in line]


@pytest.mark.parametrize("status", [401, 402, 403, 404, 429])
@pytest.mark.parametrize("key", ["", "k"], ids=["the client's key", "ours"])
def test_check_sees_what_the_upstream_refuses(make_daemon, upstream, user, key, status):
    daemon = make_daemon({"upstream": {"api_key": key}})
    upstream.script(error_reply(status, "sk-secret"))
    assert Chat(daemon, user).send("Hello.").status_code == status
    wait_trouble(daemon, f"it refused (status {status})")
    check = recallctl(daemon, "check")
    assert check.returncode == 1 and f"the upstream: it refused (status {status}); see the log" in check.stdout
    assert re.search(r"^  answers     1 " + ("too many" if status == 429 else "refused") + "$", check.stdout, re.M), check.stdout
    assert Chat(daemon, user).say("Hello.").status == "empty"
    wait_trouble(daemon, "")
    assert recallctl(daemon, "check").returncode == 0


def test_the_log_names_program_and_model_of_what_fails_once_for_each(make_daemon, upstream, user):
    daemon = make_daemon()
    said = "my very own words"
    calls = [("OpenAI/Python 1.9", "gpt-x", 429), ("OpenAI/Python 2.0", "gpt-x", 429), ("OpenAI/Python 2.0", "gpt-y", 429),
             ("curl/8", "gpt-x", 429), ("curl/8", "gpt-x", 500), ("curl/8", "gpt-x", 400), ("curl/8", f"x {said}", 500)]
    for agent, model, status in calls * 2:
        upstream.script(error_reply(status, said))
        body = {"model": model, "messages": [{"role": "user", "content": said}]}
        reply = daemon.request("POST", "/v1/chat/completions", json=body, headers={"X-User-Id": user, "User-Agent": agent})
        assert reply.status_code == status
    until(lambda: len(failures(daemon)) >= 6)
    daemon.stop()
    told = [re.search(r"status=(\d+) program=(\S+) model=(\S+)", line).groups() for line in failures(daemon)]
    assert told == [("429", "OpenAI/Python", "gpt-x"), ("429", "OpenAI/Python", "gpt-y"), ("429", "curl", "gpt-x"),
                    ("500", "curl", "gpt-x"), ("400", "curl", "gpt-x"), ("500", "curl", "x")]
    assert said not in daemon.stderr and user not in daemon.stderr


ANSWERS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages", "ollama": "/api/chat", "none": "/v1/files"}


@pytest.mark.parametrize("dialect", ANSWERS)
def test_answers_of_the_upstream_are_counted_by_dialect_and_class(daemon, upstream, dialect):
    def counted():
        return [int(daemon.metric(f'recalld_upstream_responses_total{{dialect="{dialect}",status="{name}"}}')) for name in classes]

    classes = ("2xx", "3xx", "4xx", "429", "5xx")
    before = counted()
    for status in (200, 307, 401, 404, 429, 500, 503):
        upstream.script(error_reply(status))
        daemon.request("POST", ANSWERS[dialect], json={"model": "m", "messages": [{"role": "user", "content": "Hi."}], "input": "Hi."}, follow_redirects=False)
    after = counted()
    assert [now - then for now, then in zip(after, before)] == [1, 1, 2, 1, 2]


def test_check_sees_a_configuration_that_is_not_in_force(make_daemon, tmp_path):
    daemon = make_daemon()
    daemon.config["memory"] = {"mode": "sometimes"}
    daemon.write_configuration()
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.metric("recalld_config_faults_total") >= 1)
    empty = tmp_path / "empty.conf"
    empty.touch()
    command = [program("proxy/recallctl"), "-c", str(empty), "--admin", f"127.0.0.1:{daemon.admin_port}", "check"]
    check = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert check.returncode == 1 and '[memory] mode is "sometimes"' in check.stdout and "not in force" in check.stdout, check
    assert "recalld -t names each fault" in check.stdout
    daemon.config["memory"] = {"mode": "hybrid"}
    daemon.write_configuration()
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.metric("recalld_config_reloads_total") >= 1)
    assert recallctl(daemon, "check").returncode == 0


QUESTIONS = ["What is the capital of France?", "How do I boil an egg?", "what should I cook tonight", "Write a haiku about snow.",
             "Explain quicksort to me.", "Give me three names for a bakery.", "Translate 'good morning' into Spanish.",
             "Can you summarize the French Revolution?", "Which is faster, a mutex or a spinlock?", "why is the sky blue",
             "Is it ok to freeze bread?", "Tell me a joke.", "Wie hoch ist der Brocken?", "¿Cuál es la capital de Perú?", "who wrote Faust"]


@pytest.mark.parametrize("turns, is_alarmed", [(QUESTIONS, False), ([f"I live in town number {i}." for i in range(15)], True)], ids=["asked", "told"])
def test_fifteen_questions_raise_no_alarm_and_fifteen_facts_that_no_model_finds_do(make_daemon, memory_model, user, turns, is_alarmed):
    daemon = make_daemon({"memory": {"mode": "entity"}})
    chat = Chat(daemon, user)
    for turn in turns:
        chat.say(turn)
    daemon.settle(user)
    check = recallctl(daemon, "check")
    todo = [line for line in check.stdout.splitlines() if line.startswith("  do ")]
    assert check.returncode == 0 and bool(todo) == is_alarmed, check.stdout
    assert not is_alarmed or "finds next to nothing" in todo[0]

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


@pytest.mark.bounded
def test_an_import_of_many_short_messages_takes_no_tree_of_them(make_daemon, user):
    """They took seventy times their bytes."""
    daemon = make_daemon({"memory": {"mode": "buffer"}})
    before = peak(daemon)
    turn = {"role": "system", "content": "x"}
    body = json.dumps({"messages": [turn] * 150_000 + [{"role": "user", "content": "I sail."}]}).encode()
    reply = daemon.admin("POST", daemon.memory_path(user, "/messages"), content=body)
    assert reply.json() == {"imported": 1, "left_out": 150_000, "erased": 0}
    most = 40 if SANITIZED else 8
    assert peak(daemon) - before < most * len(body)
