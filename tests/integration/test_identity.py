"""Whose request it is: by header, path or body, signed or not, and never another tenant's."""

import hashlib
import hmac
import json
from urllib.parse import quote

import pytest

from harness.wire import RawClient

BODY = b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}'


def remembered(daemon, upstream, user, headers=None, path="/v1/chat/completions", body=BODY):
    reply = daemon.post_chat(body, headers, path=path)
    assert reply.status_code == 200, reply.text
    assert upstream.last.target == "/v1/chat/completions"
    return daemon.knows(user)


def test_the_header_names_the_user(daemon, upstream, user):
    assert remembered(daemon, upstream, user, {"X-User-Id": user})


def test_open_webuis_header_names_the_user(daemon, upstream, user):
    assert remembered(daemon, upstream, user, {"X-OpenWebUI-User-Id": user})


def test_the_first_header_of_the_list_wins(daemon, upstream, user):
    headers = {"X-OpenWebUI-User-Id": user + "-b", "X-User-Id": user}
    assert remembered(daemon, upstream, user, headers)
    assert not daemon.knows(user + "-b")


def test_an_empty_header_equals_an_absent_one(daemon, upstream, user):
    assert remembered(daemon, upstream, user, {"X-User-Id": "", "X-OpenWebUI-User-Id": user})
    reply = daemon.post_chat(BODY, {"X-User-Id": ""})
    assert reply.headers["X-Memory-Status"] == "anonymous"


@pytest.mark.parametrize("tail", ["/v1/chat/completions", "/chat/completions"])
def test_the_path_names_the_user(daemon, upstream, user, tail):
    assert remembered(daemon, upstream, user, path=f"/u/{user}{tail}")


def test_the_path_is_percent_decoded(daemon, upstream, user):
    name = f"{user}@example.org/ü"
    assert remembered(daemon, upstream, name, path=f"/u/{quote(name, safe='')}/v1/chat/completions")


def test_the_path_goes_before_other_paths_too(daemon, upstream, user):
    daemon.request("GET", f"/u/{user}/v1/models?x=1")
    assert upstream.last.target == "/v1/models?x=1"


def test_a_header_wins_over_the_path(daemon, upstream, user):
    assert remembered(daemon, upstream, user, {"X-User-Id": user}, f"/u/{user}-path/v1/chat/completions")
    assert not daemon.knows(user + "-path")


def test_without_user_path_it_is_a_path_like_any_other(make_daemon, upstream, user):
    daemon = make_daemon({"identity": {"user_path": "off"}})
    daemon.post_chat(BODY, path=f"/u/{user}/v1/chat/completions")
    assert upstream.last.target == f"/u/{user}/v1/chat/completions"
    assert not daemon.knows(user)


@pytest.fixture
def body_daemon(make_daemon):
    return make_daemon({"identity": {"user_body": "user, safety_identifier, metadata.user_id"}})


def with_fields(**fields):
    return json.dumps(fields | json.loads(BODY)).encode()


def test_body_fields_name_the_user_where_configured(body_daemon, daemon, upstream):
    cases = {
        "by-user": {"user": "by-user", "safety_identifier": "other"},
        "by-safety": {"safety_identifier": "by-safety", "metadata": {"user_id": "other"}},
        "by-metadata": {"metadata": {"user_id": "by-metadata"}},
    }
    for name, fields in cases.items():
        body = with_fields(**fields)
        assert remembered(body_daemon, upstream, name, body=body)
        assert upstream.last.body == body
        assert not body_daemon.knows("other")
    reply = daemon.post_chat(with_fields(user="nobody"))
    assert reply.headers["X-Memory-Status"] == "anonymous", "body fields name nobody unless configured"


def test_header_and_path_win_over_the_body(body_daemon, upstream):
    body = with_fields(user="from-body")
    assert remembered(body_daemon, upstream, "from-header", {"X-User-Id": "from-header"}, body=body)
    assert remembered(body_daemon, upstream, "from-path", path="/u/from-path/v1/chat/completions", body=body)
    assert not body_daemon.knows("from-body")


# ---- ids that are none ----

BAD_IDS = {
    "a placeholder": b"{{LIBRECHAT_USER_ID}}",
    "a placeholder within": b"u-{{user}}",
    "too long": b"x" * 257,
    "a space": b"a b",
    "a tab": b"a\tb",
    "a control": b"a\x01b",
    "not UTF-8": b"a\xff\xfeb",
    "overlong UTF-8": b"a\xc0\xafb",
    "a zero-width space": "a\u200bb".encode(),
    "a direction override": "a\u202eb".encode(),
    "a no-break space": "a\u00a0b".encode(),
}


@pytest.mark.parametrize("name", BAD_IDS.values(), ids=BAD_IDS.keys())
def test_a_bad_id_is_400(daemon, upstream, name):
    with RawClient(daemon.port) as raw:
        raw.post_chat(BODY, fields=[("X-User-Id", name.decode("latin-1"))])
        reply = raw.read_reply()
    assert reply.status == 400
    assert set(json.loads(reply.body)["error"]) == {"message", "type", "param", "code"}
    assert not upstream.requests


@pytest.mark.parametrize("sessions", [["s" * 257], ["a\xff"], ["one", "two"]], ids=["long", "not UTF-8", "two"])
def test_a_bad_session_is_400_and_named(daemon, upstream, user, sessions):
    with RawClient(daemon.port) as raw:
        raw.post_chat(BODY, fields=[("X-User-Id", user), *(("X-Session-Id", session) for session in sessions)])
        reply = raw.read_reply()
    error = json.loads(reply.body)["error"]
    assert (reply.status, error["code"]) == (400, "invalid_session_id") and "session header" in error["message"]
    assert not upstream.requests


@pytest.mark.parametrize("path", ["/u/a%20b", "/u/%7B%7Buser%7D%7D", "/u/%zz", "/u/a%00b", "/u/alex%EF%B8%8F", "/u/alex%E2%A0%80"])
def test_a_bad_id_in_the_path_is_400(daemon, upstream, path):
    assert daemon.post_chat(BODY, path=path + "/v1/chat/completions").status_code == 400
    assert not upstream.requests


@pytest.mark.parametrize("name", ["x" * 256, "ユーザー七", "a@b.example", "{single}", "a/b?c#d%20", "~tilde~"])
def test_any_visible_id_of_1_to_256_bytes_will_do(daemon, upstream, name):
    with RawClient(daemon.port) as raw:
        raw.post_chat(BODY, fields=[("X-User-Id", name.encode().decode("latin-1"))])
        assert raw.read_reply().status == 200
    assert daemon.knows(name)
    assert daemon.memory(name)["user"] == name


# ---- signed ids ----

SECRET = "a-shared-secret"


def signature(user):
    return hmac.new(SECRET.encode(), user.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def signed_daemon(make_daemon):
    return make_daemon({"identity": {"secret": SECRET}})


def test_a_signed_id_is_let_in_and_its_signature_kept_from_the_upstream(signed_daemon, upstream, user):
    headers = {"X-User-Id": user, "X-User-Signature": signature(user)}
    assert remembered(signed_daemon, upstream, user, headers)
    assert upstream.last.field("X-User-Signature") is None


@pytest.mark.parametrize("sign", [None, "", "00", "f" * 64, "other"])
def test_an_id_without_its_signature_is_401(signed_daemon, upstream, user, sign):
    headers = {"X-User-Id": user}
    if sign is not None:
        headers["X-User-Signature"] = signature("someone else") if sign == "other" else sign
    reply = signed_daemon.post_chat(BODY, headers)
    assert reply.status_code == 401 and "X-User-Signature" in reply.json()["error"]["message"]
    assert not upstream.requests


def test_a_path_carries_its_signature(signed_daemon, upstream, user):
    assert remembered(signed_daemon, upstream, user, path=f"/u/{user}~{signature(user)}/v1/chat/completions")
    for path in (f"/u/{user}", f"/u/{user}~{'0' * 64}", f"/u/{user}-other~{signature(user)}"):
        assert signed_daemon.post_chat(BODY, path=path + "/v1/chat/completions").status_code == 401


def test_no_id_needs_no_signature(signed_daemon, upstream):
    assert signed_daemon.post_chat(BODY).headers["X-Memory-Status"] == "anonymous"


# ---- tenants ----


def tenant_of(key):
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def test_users_of_different_api_keys_never_share_memory(make_daemon, upstream, user):
    daemon = make_daemon({"identity": {"tenant": "api-key"}, "memory": {"mode": "buffer"}})
    secret = "The word is heliotrope."
    told = json.dumps({"model": "m", "messages": [{"role": "user", "content": secret}]}).encode()
    daemon.post_chat(told, {"X-User-Id": user, "Authorization": "Bearer key-one"})
    for key in ("key-two", None):
        headers = {"X-User-Id": user} | ({"Authorization": f"Bearer {key}"} if key else {})
        reply = daemon.post_chat(BODY, headers)
        assert reply.headers["X-Memory-Status"] == "empty"
        assert b"heliotrope" not in upstream.last.body
    reply = daemon.post_chat(BODY, {"X-User-Id": user, "Authorization": "Bearer key-one"})
    assert reply.headers["X-Memory-Status"] == "injected"
    assert b"heliotrope" in upstream.last.body
    assert ("user", secret) in daemon.messages(user, tenant_of("key-one"))
    assert "heliotrope" not in str(daemon.memory(user, tenant_of("key-two")))
    assert not daemon.knows(user)
    assert not daemon.knows(user, tenant_of("key-three"))


def test_keys_of_any_scheme_part_tenants(make_daemon, user):
    daemon = make_daemon({"identity": {"tenant": "api-key"}})
    keys = ["Api-Key one", "Api-Key two", "Basic b25lOm9uZQ==", "key-one"]
    for key in keys:
        reply = daemon.post_chat(BODY, {"X-User-Id": user, "Authorization": key})
        assert reply.headers["X-Memory-Status"] == "empty"
    assert all(len(daemon.messages(user, tenant_of(key))) == 2 for key in keys)


def test_a_receipt_is_shown_in_its_own_tenant(make_daemon, user):
    daemon = make_daemon({"identity": {"tenant": "api-key"}})
    reply = daemon.post_chat(BODY, {"X-User-Id": user, "Authorization": "Bearer key-one"})
    receipt = reply.headers["X-Memory-Receipt"]
    assert daemon.receipt(receipt) == daemon.receipt(receipt, tenant_of("key-one"))
    other = daemon.admin("GET", f"/v1/receipts/{receipt}?tenant={tenant_of('key-two')}")
    assert other.status_code == 404


def test_forgetting_in_one_tenant_leaves_the_other(make_daemon, user):
    daemon = make_daemon({"identity": {"tenant": "api-key"}})
    for key in ("key-one", "key-two"):
        daemon.post_chat(BODY, {"X-User-Id": user, "Authorization": f"Bearer {key}"})
    daemon.forget(user, tenant_of("key-one"))
    assert not daemon.knows(user, tenant_of("key-one"))
    assert daemon.knows(user, tenant_of("key-two"))


def test_two_sessions_of_one_user_are_two_conversations(daemon, upstream, chat, user):
    one = chat(user, session="one", newest_only=True, mode="buffer")
    two = chat(user, session="two", newest_only=True, mode="buffer")
    one.say("First of one.")
    two.say("First of two.")
    one.say("Second of one.")
    roles = [m["role"] for m in upstream.last.messages if m["role"] != "system"]
    assert roles == ["user", "assistant", "user"]
    assert upstream.last.messages[-3]["content"] == "First of one."
