"""Which header fields pass, and which stay."""

import pytest

from harness.upstream import completion, json_reply
from harness.wire import RawClient
from test_bytes import ODD_BODIES

OURS = [
    ("X-Session-Id", "s-9"),
    ("X-OpenWebUI-User-Id", "someone"),
    ("X-OpenWebUI-Chat-Id", "chat"),
    ("X-Memory-Task", ""),
    ("X-Memory-Mode", "hybrid"),
    ("X-Memory-Anything", "1"),
]


HOP = [
    ("Keep-Alive", "timeout=5"),
    ("Proxy-Connection", "keep-alive"),
    ("TE", "trailers"),
    ("X-Hop", "by name"),
    ("Connection", "keep-alive, X-Hop"),
]


PASSED = [
    ("OpenAI-Organization", "org-1"),
    ("OpenAI-Project", "proj_1"),
    ("Idempotency-Key", "k-1"),
    ("X-Stainless-Retry-Count", "0"),
    ("User-Agent", "some/1.0"),
    ("Accept", "application/json"),
    ("X-Forwarded-For", "203.0.113.7"),
    ("Cookie", "a=b; c=d"),
    ("X-OpenWebUI-Message-Id", "m-1"),
    ("X-Empty", ""),
]


def test_headers_of_ours_and_of_the_hop_stay_and_all_others_go_on(daemon, upstream, user):
    with RawClient(daemon.port) as raw:
        raw.post_chat(ODD_BODIES["plain"], user, OURS + HOP + PASSED)
        assert raw.read_reply().status == 200
    sent = {}
    for name, value in upstream.last.fields:
        sent.setdefault(name.lower(), []).append(value)
    for name in [n for n, _ in OURS + HOP if n != "Connection"] + ["X-User-Id"]:
        assert name.lower() not in sent, name
    for name, value in PASSED:
        assert sent.get(name.lower()) == [value], name
    assert sent["host"] == [f"127.0.0.1:{upstream.port}"]
    assert sent["authorization"] == ["Bearer test-key"]
    assert sent["content-length"] == [str(len(ODD_BODIES["plain"]))]
    assert sent["accept-encoding"] == ["identity"]
    assert "expect" not in sent


def test_the_configured_key_replaces_the_clients(make_daemon, upstream):
    daemon = make_daemon({"upstream": {"api_key": "house-key"}})
    daemon.post_chat(ODD_BODIES["plain"], {"Authorization": "Bearer client-key"})
    assert upstream.last.field("Authorization") == "Bearer house-key"


@pytest.mark.parametrize("name", ["X-Api-Key", "api-key", "x-goog-api-key"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
def test_no_key_of_the_clients_goes_out_beside_the_configured_one(make_daemon, upstream, user, name, path):
    daemon = make_daemon({"upstream": {"api_key": "house-key"}})
    daemon.post_chat(ODD_BODIES["plain"], {name: "client-key", "X-User-Id": user}, path=path)
    assert upstream.last.field(name) is None
    assert upstream.last.field("Authorization") == "Bearer house-key"


def test_without_a_configured_key_all_of_the_clients_go_on(daemon, upstream):
    sent = {"X-Api-Key": "a", "api-key": "b", "x-goog-api-key": "c", "Authorization": "Bearer d"}
    daemon.post_chat(ODD_BODIES["plain"], sent)
    assert {name: upstream.last.field(name) for name in sent} == sent


PERSONAL = {
    "X-OpenWebUI-User-Name": "Alex",
    "x-openwebui-user-email": "a@example.org",
    "X-OpenWebUI-User-Role": "admin",
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings", "/v1/models"])
def test_a_persons_name_and_address_stay(daemon, upstream, user, path):
    daemon.post_chat(ODD_BODIES["plain"], PERSONAL | {"X-User-Id": user, "X-OpenWebUI-Message-Id": "m-1"}, path=path)
    assert [upstream.last.field(name) for name in PERSONAL] == [None] * 3
    assert upstream.last.field("X-OpenWebUI-Message-Id") == "m-1"


def test_drop_headers_says_which_stay(make_daemon, upstream):
    daemon = make_daemon({"identity": {"drop_headers": "X-Employee"}})
    daemon.post_chat(ODD_BODIES["plain"], PERSONAL | {"x-employee": "77"})
    assert upstream.last.field("X-Employee") is None
    assert upstream.last.field("X-OpenWebUI-User-Name") == "Alex"


def test_reply_headers_pass_and_hop_headers_stay(daemon, upstream, user):
    fields = [
        ("x-request-id", "req_1"),
        ("Set-Cookie", "a=1; Path=/"),
        ("Set-Cookie", "b=2; Path=/"),
        ("Retry-After", "7"),
        ("X-Odd", "caf\u00e9"),
        ("Keep-Alive", "timeout=9"),
        ("openai-version", "2020-10-01"),
    ]
    upstream.script(json_reply(completion("Hi"), fields=fields))
    with RawClient(daemon.port) as raw:
        raw.post_chat(ODD_BODIES["plain"], user)
        reply = raw.read_reply()
    assert [v for n, v in reply.fields if n.lower() == "set-cookie"] == ["a=1; Path=/", "b=2; Path=/"]
    assert reply.field("Retry-After") == "7"
    assert reply.field("X-Odd") == "caf\u00e9"
    assert reply.field("openai-version") == "2020-10-01"
    assert reply.field("Keep-Alive") != "timeout=9"
    assert reply.field("X-Memory-Status") == "empty"


def test_what_an_upstream_says_of_its_own_memory_is_not_taken_for_ours(daemon, upstream, user):
    fields = [("x-memory-status", "injected"), ("X-Memory-Receipt", "0123456789abcdef")]
    upstream.script(json_reply(completion("Hi"), fields=fields))
    reply = daemon.post_chat(ODD_BODIES["plain"])
    assert reply.headers["X-Memory-Status"] == "anonymous"
    assert "X-Memory-Receipt" not in reply.headers
    upstream.script(json_reply({"object": "list"}, fields=fields))
    assert daemon.request("GET", "/v1/models").headers["X-Memory-Status"] == "injected"


def test_names_of_ours_are_exposed_only_where_the_upstream_speaks_cors(daemon, upstream, user):
    upstream.script(
        json_reply(completion("Hi"), fields=[("Access-Control-Expose-Headers", "x-request-id")]),
        json_reply(completion("Hi")),
    )
    exposed = daemon.post_chat(ODD_BODIES["plain"], {"X-User-Id": user}).headers["Access-Control-Expose-Headers"]
    names = [n.strip().lower() for n in exposed.split(",")]
    assert "x-request-id" in names
    for name in ("x-memory-status", "x-memory-mode", "x-memory-tokens", "x-memory-receipt"):
        assert name in names
    reply = daemon.post_chat(ODD_BODIES["plain"], {"X-User-Id": user})
    assert "Access-Control-Expose-Headers" not in reply.headers
