"""Other paths and methods than a chat's."""

import itertools
import json

import pytest

from harness.chat import Chat
from harness.upstream import Reply
from harness.wire import RawClient, insertions
from test_bytes import ODD_BODIES

MULTIPART = b'--b1\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\x00\xff\r\n\x01\r\n--b1--\r\n'


@pytest.mark.parametrize(
    ("method", "path", "reaches", "body"),
    [
        ("GET", "/v1/models", "/v1/models", b""),
        ("GET", "/models", "/v1/models", b""),
        ("GET", "/v1/models/gpt%2F4?limit=2&after=a%20b&x", "/v1/models/gpt%2F4?limit=2&after=a%20b&x", b""),
        ("GET", "/v1/files", "/v1/files", b'{"after":"f-1"}'),
        ("DELETE", "/v1/files", "/v1/files", b'{"ids":["f-1"]}'),
        ("POST", "/v1/embeddings", "/v1/embeddings", b'{"input" : "x"}'),
        ("POST", "/embeddings", "/v1/embeddings", b'{"input" : "x"}'),
        ("GET", "/responses/resp_1?stream=true", "/v1/responses/resp_1?stream=true", b""),
        ("POST", "/v1/responses/input_tokens", "/v1/responses/input_tokens", b'{"input":"x"}'),
        ("POST", "/v1/completions", "/v1/completions", b'{"prompt":"x"}'),
        ("DELETE", "/v1/files/f-1", "/v1/files/f-1", b""),
        ("PUT", "/v1/things/1", "/v1/things/1", b"\x00\x01\xff"),
        ("PATCH", "/v1/things/1?y", "/v1/things/1?y", b"{}"),
        ("OPTIONS", "/v1/chat/completions", "/v1/chat/completions", b""),
        ("GET", "/v1/chat/completions?limit=1", "/v1/chat/completions?limit=1", b""),
        ("POST", "/v1/chat/completions/c-1", "/v1/chat/completions/c-1", b'{"metadata":{}}'),
        ("GET", "/api/tags", "/api/tags", b""),
        ("POST", "/api/generate?x=1", "/api/generate?x=1", b'{"prompt":"y"}'),
        ("GET", "/", "/", b""),
        ("GET", "/odd/..//path/;x=%00", "/odd/..//path/;x=%00", b""),
        ("POST", "/v1/audio/transcriptions", "/v1/audio/transcriptions", MULTIPART),
    ],
)
def test_other_methods_and_paths_are_forwarded_as_they_came(daemon, upstream, known_user, method, path, reaches, body):
    answer = Reply(status=207, reason="Odd", fields=[("Content-Type", "x/y"), ("X-A", "b")], pieces=[b"\x00any\xff"])
    upstream.script(answer)
    fields = [("X-User-Id", known_user)]
    if body:
        fields.append(("Content-Type", "multipart/form-data; boundary=b1" if body is MULTIPART else "application/json"))
    with RawClient(daemon.port) as raw:
        raw.send(method, path, body, fields)
        reply = raw.read_reply()
    assert (upstream.last.method, upstream.last.target) == (method, reaches)
    assert upstream.last.body == body
    assert (reply.status, reply.field("X-A"), reply.body) == (207, "b", b"\x00any\xff")
    assert len(upstream.requests) == 1


def test_each_client_program_that_asks_a_model_without_memory_is_told_of_once(make_daemon, user):
    daemon = make_daemon()
    for agent in ("OpenAI/Python 1.99.1", "OpenAI/Python 2.0.0", "codex_cli_rs/0.46.0 (Debian)", "(odd)", ""):
        for path in ("/v1/embeddings", "/v1/completions", "/api/generate", "/v1/completions"):
            daemon.request("POST", path, json={"input": "x"}, headers={"X-User-Id": user, "User-Agent": agent})
    daemon.stop()
    told = [line for line in daemon.stderr_lines if "without memory" in line]
    programs = ("OpenAI/Python", "codex_cli_rs", "without a name")
    assert len(told) == 6, told
    for line, (program, path) in zip(told, itertools.product(programs, ("/v1/completions", "/api/generate"))):
        assert f"client program {program} calls {path}," in line
        assert all(path in line for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat"))


WRONG_BASES = {
    "/v1/v1/chat/completions": "/v1",
    "//v1/chat/completions": "/v1",
    "/api/v1/responses": "/v1",
    "/v1/v1/messages": "",
    "//v1/messages": "",
    "/v1/api/chat": "",
    "/u/v1/chat/completions": "/u/USER/v1",
    "/u//v1/chat/completions": "/u/USER/v1",
    "/u//v1/messages": "/u/USER",
    "/u/v1/messages": "/u/USER",
    "/u/api/chat": "/u/USER",
}


def test_no_line_and_no_span_names_the_user_of_a_wrong_base_url(make_daemon):
    daemon = make_daemon()
    for path in ("//u/Zebra%40corp.example/v1/chat/completions", "/v1/u/Zebra/v1/responses", "/U/Zebra/v1/chat/completions", "/u/Zebra"):
        with RawClient(daemon.port) as raw:
            raw.send("POST", path, b'{"model":"m","messages":[]}', [("Content-Type", "application/json")])
            raw.read_reply()
    daemon.stop()
    assert "Zebra" not in daemon.stderr
    assert " path=//u/.../v1/chat/completions " in daemon.stderr
    assert f"set its base URL to http://127.0.0.1:{daemon.port}/u/USER/v1 (logged once" in daemon.stderr


def test_each_wrong_base_url_is_told_of_once_per_program_with_the_right_one(make_daemon):
    daemon = make_daemon()
    for _ in range(2):
        for agent in ("Anthropic/Python 0.99", "curl/8.1"):
            for path in WRONG_BASES:
                with RawClient(daemon.port) as raw:
                    raw.send("POST", path, b'{"model":"m","messages":[]}', [("Content-Type", "application/json"), ("User-Agent", agent)])
                    raw.read_reply()
    daemon.stop()
    told = [line for line in daemon.stderr_lines if "set its base URL to" in line and " warn " in line]
    assert len(told) == 2 * len(WRONG_BASES), told
    for line, (program, path) in zip(told, itertools.product(("Anthropic/Python", "curl"), WRONG_BASES)):
        assert f"client program {program} calls {path}, " in line
        assert f"set its base URL to http://127.0.0.1:{daemon.port}{WRONG_BASES[path]} (logged once" in line, line


WITHOUT_USER = [path for path in WRONG_BASES if path.startswith("/u/")]


def test_a_base_url_without_its_user_stores_nothing_under_another_name(make_daemon, upstream, memory_model):
    """The part of the path behind /u/ is the API's then. Users of these names are users like any other."""
    daemon = make_daemon()
    for path in WITHOUT_USER:
        reply = daemon.request("POST", path, json=json.loads(ODD_BODIES["plain"]))
        assert reply.status_code == 400 and "has no user id after /u/" in reply.text, (path, reply.text)
    assert not upstream.requests and daemon.admin("GET", "/v1/users").json()["users"] == []
    daemon.stop()
    assert sum("has no user id after /u/: set its base URL" in line for line in daemon.stderr_lines) == len(WITHOUT_USER)
    daemon.start()
    for name in ("v1", "api"):
        Chat(daemon, name).say(f"{name} is what I am called")
        assert daemon.post_chat(ODD_BODIES["plain"], path=f"/u/{name}/v1/chat/completions").status_code == 200
        assert daemon.post_chat(ODD_BODIES["plain"], {"X-User-Id": name}, path="/u/v1/chat/completions").status_code == 200
        assert len(daemon.messages(name)) == 6


def test_a_program_that_names_no_user_is_told_of_once(make_daemon, user):
    daemon = make_daemon()
    for _ in range(3):
        daemon.post_chat(ODD_BODIES["plain"], {"User-Agent": "OpenAI/Python 1.2"})
        daemon.post_chat(ODD_BODIES["plain"], {"User-Agent": "OpenAI/Python 1.2", "X-User-Id": user})
    daemon.stop()
    (line,) = [line for line in daemon.stderr_lines if "nothing is remembered" in line]
    assert " info client program OpenAI/Python calls /v1/chat/completions without a user id" in line
    assert "/u/USER/v1" in line and "user_header" in line


def without_memory(daemon):
    lines = daemon.admin("GET", "/metrics").text.splitlines()
    counted = dict(line.rsplit(" ", 1) for line in lines if line.startswith("recalld_without_memory_total"))
    return {name.split('"')[1]: int(value) for name, value in counted.items() if value != "0"}


def test_a_path_without_memory_says_so_to_whoever_names_a_user(make_daemon, upstream, user):
    daemon = make_daemon()
    for path, headers in (
        ("/v1/completions", {"X-User-Id": user}),
        (f"/u/{user}/v1/embeddings", {}),
        ("/api/generate", {"X-OpenWebUI-User-Id": user}),
        ("/v1/secret-" + user, {"X-User-Id": user}),
    ):
        reply = daemon.request("POST", path, json={"input": "x"}, headers=headers)
        ours = {name: value for name, value in reply.headers.items() if name.startswith("x-memory-")}
        assert ours == {"x-memory-status": "none"}
    reply = daemon.request("POST", "/v1/completions", json={"input": "x"}, headers={"X-User-Id": ""})
    assert "X-Memory-Status" not in reply.headers
    expected = {"/v1/completions": 1, "/v1/embeddings": 1, "/api/generate": 1, "other": 1}
    assert without_memory(daemon) == expected
    assert user not in daemon.admin("GET", "/metrics").text


def test_head_is_forwarded(daemon, upstream):
    upstream.script(Reply(fields=[("X-A", "b")], pieces=[b"12345"]))
    reply = daemon.request("HEAD", "/v1/models")
    assert reply.headers["X-A"] == "b" and reply.headers["Content-Length"] == "5" and reply.content == b""
    assert upstream.last.method == "HEAD"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions", "/v1/chat/completions?api-version=1"])
def test_chat_completions_is_recognised_with_and_without_v1(daemon, upstream, known_user, path):
    reply = daemon.post_chat(ODD_BODIES["plain"], {"X-User-Id": known_user}, path=path)
    assert reply.headers["X-Memory-Status"] == "injected"
    assert upstream.last.target.startswith("/v1/chat/completions")
    assert upstream.last.target.endswith(path.partition("?")[1] + path.partition("?")[2])


def test_a_chunked_request_is_a_request_like_any_other(daemon, upstream, known_user):
    body = ODD_BODIES["plain"]
    with RawClient(daemon.port) as raw:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-User-Id: {known_user}\r\nTransfer-Encoding: chunked\r\n\r\n"
        raw.socket.sendall(head.encode() + b"a\r\n" + body[:10] + b"\r\n")
        raw.socket.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body) - 10, body[10:]))
        reply = raw.read_reply()
    assert reply.field("X-Memory-Status") == "injected"
    assert insertions(body, upstream.last.body)


def test_requests_on_one_connection_are_answered_in_turn(daemon, upstream):
    with RawClient(daemon.port) as raw:
        for i in range(5):
            body = b'{"model":"m","messages":[{"role":"user","content":"turn %d"}]}' % i
            raw.post_chat(body)
            assert raw.read_reply().status == 200
            assert upstream.last.body == body
