"""CONTRACT section 7: which web pages and hosts are kept out, over raw requests and in a real browser."""

import json

import pytest

from conftest import KNOWN_VALUE
from harness.browser import NAME, PROGRAM, HostilePage
from harness.clock import until
from harness.wire import RawClient

ASK = b'{"model":"m","messages":[{"role":"user","content":"My cat is called Tom."}]}'
TURNS = b'{"messages":[{"role":"user","content":"My cat is called Tom."}]}'


def ask(port, method, target, host="localhost", body=b"", **fields):
    """One request with this Host; None leaves it out, as HTTP/1.0 may."""
    version = "1.0" if host is None else "1.1"
    lines = [f"{method} {target} HTTP/{version}"] + ([] if host is None else [f"Host: {host}"])
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    lines += [f"Content-Length: {len(body)}"] if body else []
    with RawClient(port) as raw:
        raw.socket.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        return raw.read_reply()


def error(reply):
    found = json.loads(reply.body)["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return found


FOREIGN = ["evil.example", "evil.example:8080", "localhost.evil.example", "0.0.0.0:8080", "127.0.0.1.evil.example", "192.0.2.1"]
KNOWN = ["localhost", "LOCALHOST:1", "localhost.", "127.0.0.1:9", "[::1]:8080", "127.200.0.1", None]


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/u/alex/v1/chat/completions", "/v1/models"])
def test_traffic_for_a_foreign_host_is_421(daemon, upstream, host, path):
    reply = ask(daemon.port, "POST", path, host, ASK, Content_Type="application/json")
    assert reply.status == 421 and "[listen] hosts" in error(reply)["message"]
    assert reply.field("X-Should-Retry") == "false"
    assert not upstream.requests


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("target", ["/metrics", "/v1/users/alex/memory", "/nowhere"])
def test_an_admin_call_for_a_foreign_host_is_421(daemon, host, target):
    reply = ask(daemon.admin_port, "GET", target, host)
    assert reply.status == 421 and "[listen] admin_hosts" in error(reply)["message"]


@pytest.mark.parametrize("host", KNOWN)
def test_loopback_by_any_name_is_let_in(daemon, upstream, host):
    assert ask(daemon.port, "POST", "/v1/chat/completions", host, ASK, Content_Type="application/json").status == 200
    assert ask(daemon.admin_port, "GET", "/metrics", host).status == 200


def test_the_host_of_an_absolute_target_counts(daemon, upstream):
    assert ask(daemon.port, "GET", "http://evil.example/v1/models").status == 421
    assert not upstream.requests
    assert ask(daemon.port, "GET", f"http://127.0.0.1:{daemon.port}/v1/models").status == 200


def test_listed_hosts_are_let_in_each_at_its_address(make_daemon, upstream):
    daemon = make_daemon({"listen": {"hosts": "recalld.lan, 192.0.2.1", "admin_hosts": "admin.lan"}})
    for host in ("Recalld.LAN.:8080", "192.0.2.1"):
        assert ask(daemon.port, "GET", "/v1/models", host).status == 200
        assert ask(daemon.admin_port, "GET", "/metrics", host).status == 421
    assert ask(daemon.admin_port, "GET", "/metrics", "admin.lan").status == 200
    assert ask(daemon.port, "GET", "/v1/models", "admin.lan").status == 421


def test_an_open_address_takes_any_host_but_no_dry_run_for_it(make_daemon, upstream):
    daemon = make_daemon(start=False)
    daemon.config["listen"] |= {
        "address": f"0.0.0.0:{daemon.port}",
        "admin": f"0.0.0.0:{daemon.admin_port}",
        "admin_token": "t0ken",
    }
    daemon.start()
    json_type, token = "application/json", "Bearer t0ken"
    chat = (daemon.port, "POST", "/v1/chat/completions")
    assert ask(*chat, "any.example", ASK, Content_Type=json_type).status == 200
    assert ask(*chat, "any.example", ASK, Content_Type=json_type, X_Memory_Dry_Run="1").status == 403
    dry = ask(*chat, "any.example", ASK, Content_Type=json_type, X_Memory_Dry_Run="1", Authorization=token)
    assert dry.status == 200 and dry.body == ASK
    assert ask(daemon.admin_port, "GET", "/metrics", "any.example", Authorization=token).status == 200
    assert ask(daemon.admin_port, "GET", "/metrics", "any.example").status == 401


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
def test_probes_answer_any_host_and_page(daemon, probe):
    reply = ask(daemon.admin_port, "GET", probe, "pod-7.example", Origin="http://evil.example", Sec_Fetch_Site="cross-site")
    assert reply.status == 200
    assert not [name for name, _ in reply.fields if name.lower().startswith("access-control")]


TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain;application/json"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3000"])
@pytest.mark.parametrize("kind", TYPES)
def test_a_pages_undeclared_body_is_403(daemon, upstream, user, origin, kind):
    reply = ask(daemon.port, "POST", f"/u/{user}/v1/chat/completions", body=ASK, Content_Type=kind, Origin=origin)
    assert reply.status == 403 and "application/json" in error(reply)["message"]
    assert not upstream.requests and not daemon.knows(user)


def test_a_page_may_chat_with_json_and_a_program_with_anything(daemon, upstream, user):
    chat = (daemon.port, "POST", "/v1/chat/completions")
    page = ask(*chat, body=ASK, Content_Type="application/json", Origin="http://localhost:3000", X_User_Id=user)
    assert page.status == 200 and daemon.knows(user)
    assert ask(*chat, body=ASK, Content_Type="text/plain").status == 200
    assert ask(daemon.port, "GET", "/v1/models", Origin="http://evil.example").status == 200


def test_a_dry_run_for_a_page_or_a_foreign_host_is_403(daemon, upstream, known_user):
    fields = {"Content_Type": "application/json", "X_User_Id": known_user, "X_Memory_Dry_Run": "1"}
    chat = (daemon.port, "POST", "/v1/chat/completions")
    assert ask(*chat, "evil.example", ASK, **fields).status == 403
    assert ask(*chat, body=ASK, Origin="http://localhost:3000", **fields).status == 403
    assert ask(*chat, body=ASK, **fields).status == 200
    assert not upstream.requests


@pytest.mark.parametrize(
    "fields",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}],
    ids=["origin", "null", "cross-site"],
)
@pytest.mark.parametrize("method, what", [("GET", "/memory"), ("POST", "/messages"), ("DELETE", "")])
def test_the_admin_address_answers_no_foreign_page(daemon, known_user, fields, method, what):
    body = TURNS if method == "POST" else b""
    reply = ask(daemon.admin_port, method, daemon.memory_path(known_user, what), body=body, Content_Type="application/json", **fields)
    assert reply.status == 403 and "[listen] admin_hosts" in error(reply)["message"]
    assert KNOWN_VALUE in str(daemon.memory(known_user)) and "Tom" not in str(daemon.memory(known_user))


def test_an_import_must_be_json_unless_its_client_says_nothing(daemon, user):
    messages = (daemon.admin_port, "POST", daemon.memory_path(user, "/messages"))
    for kind in TYPES:
        assert ask(*messages, body=TURNS, Content_Type=kind).status == 415
    assert ask(*messages, body=TURNS, Origin="http://localhost").status == 415
    assert ask(*messages, body=TURNS, Sec_Fetch_Site="same-origin").status == 415
    assert daemon.admin("GET", daemon.memory_path(user, "/memory")).status_code == 404
    assert ask(*messages, body=TURNS).status == 202
    assert ask(*messages, body=TURNS, Content_Type="Application/JSON; charset=utf-8").status == 202


# ---- in a browser ----

in_chromium = pytest.mark.skipif(PROGRAM is None, reason="Debian's chromium is not installed")

FORGERY = """
async function post(url, body) {
  try {
    return (await fetch(url, {method: 'POST', mode: 'no-cors', headers: {'Content-Type': 'text/plain'}, body})).type;
  } catch (error) { return 'failed'; }
}
function submit(url, body) {
  const frame = Object.assign(document.createElement('iframe'), {name: 'frame' + frames.length});
  document.body.appendChild(frame);
  const form = document.body.appendChild(document.createElement('form'));
  Object.assign(form, {method: 'POST', action: url, enctype: 'text/plain', target: frame.name});
  const [name, value] = [body.slice(0, 20), body.slice(20)];
  form.appendChild(Object.assign(document.createElement('input'), {name, value}));
  const done = new Promise(resolve => frame.addEventListener('load', () => resolve('sent')));
  form.submit();
  return done;
}
async function attack() {
  const found = [];
  for (const [url, body] of TARGETS) found.push(await post(url, body), await submit(url + '?form', body));
  return found;
}
"""


@pytest.fixture
def page():
    pages = []

    def make(script):
        pages.append(HostilePage(script))
        return pages[0]

    yield make
    for each in pages:
        each.close()


@in_chromium
def test_no_page_in_a_browser_writes_memory(daemon, upstream, user, page, tmp_path):
    # A form puts "=" behind its first name, which has to stand within a string.
    chat = '{"pad":"0123456789=","model":"m","messages":[{"role":"user","content":"My cat is called Tom."}]}'
    turns = '{"pad":"0123456789=","messages":[{"role":"user","content":"My cat is called Tom."}]}'
    targets = [
        [f"http://127.0.0.1:{daemon.port}/u/{user}/v1/chat/completions", chat],
        [f"http://127.0.0.1:{daemon.admin_port}/v1/users/{user}/messages", turns],
    ]
    hostile = page(f"const TARGETS = {json.dumps(targets)};" + FORGERY)
    assert hostile.open_in_chromium(tmp_path / "browser") == ["opaque", "sent", "opaque", "sent"]

    def refused():
        return [line for line in daemon.stderr_lines if "/v1/chat/completions" in line and "status=403" in line]

    until(lambda: len(refused()) >= 2, "the page's requests did not arrive")
    assert not upstream.requests
    assert not daemon.knows(user)


REBINDING = """
async function attack() {
  const found = [];
  for (const [path, options] of TARGETS) {
    const reply = await fetch(path, options);
    found.push([reply.status, await reply.text()]);
  }
  return found;
}
"""


def rebind(page, folder, port, targets):
    return page(f"const TARGETS = {json.dumps(targets)};" + REBINDING).open_in_chromium(folder, port)


def dry_run(user):
    headers = {"Content-Type": "application/json", "X-User-Id": user, "X-Memory-Dry-Run": "1"}
    return {"method": "POST", "headers": headers, "body": ASK.decode()}


@in_chromium
def test_no_rebound_name_reads_the_admin_address(daemon, known_user, page, tmp_path):
    memory = daemon.memory_path(known_user, "/memory")
    delete = [daemon.memory_path(known_user), {"method": "DELETE"}]
    found = rebind(page, tmp_path / "browser", daemon.admin_port, [[memory, {}], delete, ["/metrics", {}]])
    assert [status for status, _ in found] == [421] * 3
    assert KNOWN_VALUE not in str(found)
    assert daemon.knows(known_user)


@in_chromium
def test_no_rebound_name_reads_by_a_chat_or_a_dry_run(daemon, upstream, known_user, page, tmp_path):
    chat = dry_run(known_user)
    del chat["headers"]["X-Memory-Dry-Run"]
    path = "/v1/chat/completions"
    found = rebind(page, tmp_path / "browser", daemon.port, [[path, dry_run(known_user)], [path, chat]])
    assert [status for status, _ in found] == [403, 421]
    assert KNOWN_VALUE not in str(found) and not upstream.requests


@in_chromium
def test_the_same_page_reads_where_its_name_is_allowed(make_daemon, page, tmp_path, user):
    """What the tests before show is the guard's doing: nothing else keeps the page from reading."""
    daemon = make_daemon({"listen": {"admin_hosts": NAME}})
    daemon.admin("POST", daemon.memory_path(user, "/messages"), json=json.loads(TURNS))
    (found,) = rebind(page, tmp_path / "browser", daemon.admin_port, [[daemon.memory_path(user, "/memory"), {}]])
    assert found[0] == 200 and "My cat is called Tom." in found[1]
