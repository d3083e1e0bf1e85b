"""All users and a user's receipts, at the admin address and in recallctl."""

import json
import re
import subprocess
from urllib.parse import parse_qsl, urlsplit

import pytest

from harness.chat import Chat
from harness.clock import until
from harness.daemon import clean_environment, program
from harness.memory_model import fact
from harness.upstream import error_reply, json_reply
from harness.wire import RawClient

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def turns(*texts, session="s"):
    both = [(("user", "assistant")[i % 2], text) for i, text in enumerate(texts)]
    return [{"role": role, "content": text, "session": session} for role, text in both]


def listing(daemon, **query):
    reply = daemon.admin("GET", "/v1/users", params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def all_users(daemon, **query):
    """Every page, put together; each as it came, too."""
    pages = [listing(daemon, **query)]
    while pages[-1]["next"] is not None:
        pages.append(listing(daemon, **query, after=pages[-1]["next"]))
    return [user for page in pages for user in page["users"]], pages


def names(users):
    return sorted(user["user"] for user in users)


@pytest.fixture
def fresh(make_daemon):
    return make_daemon({"memory": {"mode": "hybrid"}})


# ---- all users ----


def test_a_store_without_users_lists_none(fresh):
    assert listing(fresh) == {"users": [], "next": None}


def test_a_user_is_listed_with_what_is_stored(fresh, memory_model):
    memory_model.answers["I live in Graz."] = [fact("city", "Graz", "I live in Graz.")]
    fresh.import_messages("alex", turns("I live in Graz.", "Nice."))
    fresh.import_messages("alex", turns("Hello.", "Hi.", "Bye.", session="t"), learn=False)
    fresh.settle("alex")
    (user,), _ = all_users(fresh)
    assert set(user) == {"user", "tenant", "first_seen", "last_seen", "turns", "facts", "conversations", "pending", "parked", "restricted"}
    assert (user["user"], user["tenant"], user["turns"], user["conversations"]) == ("alex", "", 5, 2)
    assert user["facts"] == len(fresh.memory("alex")["facts"]) == 1
    assert (user["pending"], user["parked"], user["restricted"]) == (0, 0, False)
    assert TIME.fullmatch(user["first_seen"]) and user["first_seen"] <= user["last_seen"]


def test_what_waits_to_be_learned_is_pending(make_daemon, memory_model):
    memory_model.fail("I live in Graz.", *[error_reply(500)] * 20)
    daemon = make_daemon({"memory": {"mode": "entity"}})
    daemon.import_messages("alex", turns("I live in Graz.", "Nice."))
    assert listing(daemon)["users"][0]["pending"] == daemon.memory("alex")["pending"] == 1


def test_pages_hold_every_user_once(fresh):
    expected = [f"user-{i}" for i in range(7)]
    for name in expected:
        fresh.import_messages(name, turns("Hello."), learn=False)
    users, pages = all_users(fresh, limit=3)
    assert names(users) == expected
    assert [len(page["users"]) for page in pages[:2]] == [3, 3] and all(len(p["users"]) <= 3 for p in pages)
    assert names(all_users(fresh)[0]) == expected
    fresh.forget("user-3")
    assert names(all_users(fresh, limit=3)[0]) == [name for name in expected if name != "user-3"]


@pytest.mark.parametrize("encrypt", ["off", "on"])
def test_the_user_of_a_line_in_the_log_is_looked_up(make_daemon, tmp_path, encrypt):
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    daemon = make_daemon({"storage": {"encrypt": "on", "key_file": str(key)}} if encrypt == "on" else {})
    for user in ("alex", "team/bob", "zoe"):
        assert Chat(daemon, user).say("Hello.").status == "empty"
    until(lambda: len(re.findall(r"user=[0-9a-f]{8} ", daemon.stderr)) == 3)
    ids = re.findall(r"user=([0-9a-f]{8}) ", daemon.stderr)
    assert [names(all_users(daemon, log_id=one)[0]) for one in ids] == [["alex"], ["team/bob"], ["zoe"]]
    assert all_users(daemon, log_id="00000000")[0] == []
    for written in (ids[1], f"user={ids[1]}"):
        done = recallctl(daemon, "users", "--log-id", written)
        assert done.returncode == 0 and "team/bob" in done.stdout and "alex" not in done.stdout
    for wrong in ("8396d7c", "8396d7c9a", "8396D7C9", "x"):
        assert daemon.admin("GET", "/v1/users", params={"log_id": wrong}).status_code == 400
    assert recallctl(daemon, "users", "--log-id", "x").returncode == 1


def test_a_prefix_and_a_tenant_select(fresh):
    for name, tenant in (("team/ann", None), ("team/bob", "t1"), ("ann", "t1"), ("ü", None), ("team", None)):
        fresh.import_messages(name, turns("Hello."), learn=False, tenant=tenant)
    assert names(all_users(fresh, prefix="team/")[0]) == ["team/ann", "team/bob"]
    assert names(all_users(fresh, prefix="ü")[0]) == ["ü"]
    assert names(all_users(fresh, tenant="t1")[0]) == ["ann", "team/bob"]
    assert names(all_users(fresh, tenant="")[0]) == ["team", "team/ann", "ü"]
    assert names(all_users(fresh, tenant="t1", prefix="t")[0]) == ["team/bob"]
    assert all_users(fresh, prefix="nobody")[0] == all_users(fresh, tenant="T1")[0] == []
    assert len(all_users(fresh)[0]) == 5
    assert {user["tenant"] for user in all_users(fresh)[0]} == {"", "t1"}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=99999999999999999999", "after=", "after=x", "after=" + "g" * 32, "prefix=%zz", "tenant=%"]
)
def test_a_bad_query_is_400(daemon, query):
    reply = daemon.admin("GET", f"/v1/users?{query}")
    assert reply.status_code == 400 and reply.json()["error"]["code"] == "invalid_query"
    assert query.split("=")[0] in reply.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/users", "/v1/users/alex/receipts"])
def test_lists_need_the_token_and_no_page_reads_them(make_daemon, upstream, path):
    daemon = make_daemon({"listen": {"admin_token": "t0ken"}})
    daemon.import_messages("alex", turns("Hello."), learn=False)
    assert daemon.admin("GET", path).status_code == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert daemon.admin("GET", path, headers=headers).status_code == 401
    token = {"Authorization": "Bearer t0ken"}
    assert daemon.admin("GET", path, headers=token | {"Host": "evil.example"}).status_code == 421
    assert daemon.admin("GET", path, headers=token | {"Origin": "http://evil.example"}).status_code == 403
    assert daemon.admin("POST", path, headers=token, json={}).status_code == 405
    daemon.request("GET", path)
    assert upstream.last.target == path, "the traffic address knows no such path"


def test_a_client_that_leaves_ends_its_list(daemon):
    for _ in range(20):
        with RawClient(daemon.admin_port) as raw:
            raw.socket.sendall(b"GET /v1/users?prefix=nobody HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert daemon.admin("GET", "/readyz").status_code == 200


# ---- a user's receipts ----


def receipts(daemon, user, **query):
    reply = daemon.admin("GET", daemon.memory_path(user, "/receipts"), params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def say(daemon, user, *texts):
    """The receipts of what was said, in order, once all are kept."""
    chat = Chat(daemon, user, session="s")
    ids = [chat.send(text).headers["X-Memory-Receipt"] for text in texts]
    for receipt in ids:
        daemon.receipt(receipt)
    return ids


def test_receipts_come_newest_first_with_what_was_given(daemon, user):
    ids = say(daemon, user, "One.", "Two.", "Three.")
    answer = receipts(daemon, user)
    assert answer["user"] == user and answer["next"] is None
    assert [receipt["id"] for receipt in answer["receipts"]] == ids[::-1]
    for short in answer["receipts"]:
        whole = daemon.receipt(short["id"])
        assert TIME.fullmatch(short["created_at"]) and short["created_at"] == whole["created_at"]
        assert {name: short[name] for name in ("mode", "status", "tokens", "budget")} == {
            name: whole[name] for name in ("mode", "status", "tokens", "budget")
        }
        assert (short["items"], short["dropped"]) == (len(whole["items"]), len(whole["dropped"]))


def test_receipts_are_paged_and_bounded_in_time(daemon, user):
    ids = say(daemon, user, "One.", "Two.", "Three.")[::-1]
    first = receipts(daemon, user, limit=2)
    assert [r["id"] for r in first["receipts"]] == ids[:2] and first["next"] == ids[1]
    rest = receipts(daemon, user, limit=2, after=first["next"])
    assert [r["id"] for r in rest["receipts"]] == ids[2:] and rest["next"] is None
    assert receipts(daemon, user, since="2100-01-01")["receipts"] == []
    assert receipts(daemon, user, until="2000-01-01T00:00:00+02:00")["receipts"] == []
    assert len(receipts(daemon, user, since="2000-01-01", until="2100-01-01")["receipts"]) == 3


@pytest.mark.parametrize("query", ["since=yesterday", "until=", "limit=0", "limit=1001", "after=1", "after=" + "g" * 16])
def test_a_bad_query_for_receipts_is_400(daemon, user, query):
    say(daemon, user, "One.")
    reply = daemon.admin("GET", daemon.memory_path(user, "/receipts") + "?" + query)
    assert reply.status_code == 400 and reply.json()["error"]["code"] == "invalid_query"


def test_receipts_of_others_stay_theirs(daemon, user):
    say(daemon, user, "One.")
    assert daemon.admin("GET", daemon.memory_path(user + "-x", "/receipts")).status_code == 404
    assert daemon.admin("GET", daemon.memory_path(user, "/receipts", tenant="other")).status_code == 404
    other = say(daemon, user + "-y", "Two.")
    assert other[0] not in json.dumps(receipts(daemon, user))
    daemon.forget(user)
    assert daemon.admin("GET", daemon.memory_path(user, "/receipts")).status_code == 404
    assert len(receipts(daemon, user + "-y")["receipts"]) == 1


# ---- recallctl ----


def recallctl(daemon, *arguments, **environment):
    command = [program("proxy/recallctl"), "-c", str(daemon.config_file), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment(**environment))


def rows(done):
    assert done.returncode == 0 and not done.stderr, done.stderr
    head, *lines = done.stdout.splitlines()
    return head.split(), [line.split() for line in lines]


def test_recallctl_lists_users_by_name(fresh):
    for name in ("team/bob", "team/ann", "zoe"):
        fresh.import_messages(name, turns("Hello.", "Hi."), learn=False)
    head, lines = rows(recallctl(fresh, "users"))
    assert head == ["user", "turns", "facts", "chats", "waiting", "last", "seen"]
    assert [line[0] for line in lines] == ["team/ann", "team/bob", "zoe"]
    assert lines[0][1:5] == ["2", "0", "1", "0"] and TIME.fullmatch(lines[0][5])
    assert [line[0] for line in rows(recallctl(fresh, "users", "team/"))[1]] == ["team/ann", "team/bob"]
    assert recallctl(fresh, "users", "nobody").stdout == "no such user\n"
    few = recallctl(fresh, "users", "--limit", "2").stdout.splitlines()
    assert len(few) == 4 and "--limit 0" in few[-1]
    told = json.loads(recallctl(fresh, "users", "--json", "--limit", "0").stdout)
    assert names(told["users"]) == ["team/ann", "team/bob", "zoe"] and told["next"] is None


def test_recallctl_shows_tenants_where_there_are_some(fresh):
    fresh.import_messages("ann", turns("Hello."), learn=False, tenant="t1")
    fresh.import_messages("ann", turns("Hello."), learn=False)
    head, lines = rows(recallctl(fresh, "users"))
    assert head[-1] == "tenant" and [line[6:] for line in lines] == [[], ["t1"]]
    assert len(rows(recallctl(fresh, "users", "--tenant", "t1"))[1]) == 1


def page_of(request, total=2500):
    """A page of a scripted admin address with so many users."""
    query = dict(parse_qsl(urlsplit(request.target).query))
    first, limit = int(query.get("after", "0")), int(query["limit"])
    last = min(first + min(limit, 1000), total)
    users = [{"user": f"user-{i:04}", "tenant": "", "turns": i, "last_seen": "2026-01-05T10:00:00Z"} for i in range(first, last)]
    return json_reply({"users": users, "next": str(last) if last < total else None})


def scripted(upstream, *arguments, **environment):
    command = [program("proxy/recallctl"), "--admin", f"127.0.0.1:{upstream.port}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment(**environment))


def test_recallctl_asks_for_page_after_page(upstream):
    upstream.answer = page_of
    for limit, count in (("0", 2500), ("1500", 1500), ("7", 7)):
        done = scripted(upstream, "users", "--json", "--limit", limit)
        told = json.loads(done.stdout)["users"]
        assert [user["user"] for user in told] == [f"user-{i:04}" for i in range(count)]
    lines = scripted(upstream, "users", COLUMNS="60").stdout.splitlines()
    assert len(lines) == 1 + 1000 + 1 and max(map(len, lines[:-1])) <= 60


def test_recallctl_gives_up_on_a_list_that_leads_nowhere(upstream):
    for answer in ({"users": [], "next": "1"}, {"users": 7}, {"users": "x", "next": None}, {}):
        upstream.answer = lambda request, answer=answer: json_reply(answer)
        done = scripted(upstream, "users")
        assert done.returncode == 1 and "--admin" in done.stderr


@pytest.mark.parametrize("limit", ["x", "-1", "", "1e3", "99999999999999999999"])
def test_recallctl_refuses_a_bad_limit(daemon, limit):
    done = recallctl(daemon, "users", "--limit", limit)
    assert done.returncode == 1 and "--limit" in done.stderr


def test_recallctl_lists_receipts_and_explains_one_of_the_log(daemon, user):
    ids = say(daemon, user, "One.", "Two.")
    head, lines = rows(recallctl(daemon, "receipts", user))
    assert head == ["receipt", "time", "mode", "memory", "tokens", "given", "ms"]
    assert [line[0] for line in lines] == ids[::-1] and all(len(line) == 7 for line in lines)
    assert max(len(line) for line in recallctl(daemon, "receipts", user).stdout.splitlines()) <= 80
    assert rows(recallctl(daemon, "receipts", user, "--limit", "1"))[1][0][0] == ids[1]
    assert recallctl(daemon, "receipts", user, "--since", "2100-01-01").stdout == "no receipt of that time\n"
    bad = recallctl(daemon, "receipts", user, "--since", "yesterday")
    assert bad.returncode == 1 and "2026-01-05T10:00:00Z" in bad.stderr
    unknown = recallctl(daemon, "receipts", user + "-x")
    assert unknown.returncode == 1 and "nothing is stored" in unknown.stderr
    for written in (ids[0], f"receipt={ids[0]}", f'"receipt":"{ids[0]}"', f'"{ids[0]}",'):
        done = recallctl(daemon, "explain", written)
        assert done.returncode == 0 and ids[0] in done.stdout.splitlines()[0]


def test_recallctl_check_fits_a_screen_and_tells_how_the_work_goes(make_daemon, upstream, memory_model):
    daemon = make_daemon({"memory": {"mode": "entity"}})
    daemon.import_messages("alex", turns("I live in Graz.", "Nice."))
    daemon.settle("alex")
    upstream.script(error_reply(400))
    say(daemon, "alex", "Hello.")
    daemon.post_chat(b'{"messages":[{"role":"user","content":"Hi"}]}')
    status = daemon.admin("GET", "/v1/status").json()
    assert status["requests"]["anonymous"] == 1 and status["requests"] == {"anonymous": 1} | status["requests"]
    assert status["store_writable"] is True and status["disk_free"] > 0 and status["memory_model"]["calls"] >= 1
    done = recallctl(daemon, "check")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) <= 24 and max(map(len, lines)) <= 80, done.stdout
    assert re.search(r"^  store       takes writes; [0-9.]+ GB of the disk free$", done.stdout, re.M)
    assert re.search(r"^  requests    .*1 without user", done.stdout, re.M)
    assert re.search(r"^  model       \d+ calls?: 0% refused, 0% unusable, \d+% empty, 0% unanswered$", done.stdout, re.M)
    assert json.loads(recallctl(daemon, "check", "--json").stdout)["memory_model"]["calls"] == status["memory_model"]["calls"]


WELL = {"ready": True, "version": "1", "requests": {"injected": 7}, "bypassed": {}, "memory_model": {"calls": 100, "empty": 3}}


@pytest.mark.parametrize(
    "change, advice",
    [
        ({}, None),
        ({"learning_trouble": "it refused (status 401)"}, "[model] base_url, api_key and name"),
        ({"upstream_trouble": "no answer"}, "[upstream] base_url"),
        ({"embedding_trouble": "no answer"}, "[model] embedding"),
        ({"parked": 2}, "recallctl unpark"),
        ({"memory_model": {"calls": 100, "empty": 90}}, "another [model] name"),
        ({"memory_model": {"calls": 5, "empty": 5}}, None),
        ({"memory_model": {"calls": 100, "lessons": 20, "empty": 19}}, "finds next to nothing"),
        ({"memory_model": {"calls": 100, "lessons": 50, "empty": 19}}, None),
        ({"memory_model": {"calls": 100, "lessons": 20, "empty": 19, "missed": 2}}, None),
        ({"memory_model": {"calls": 100, "lessons": 20, "empty": 19, "missed": 19}}, "finds next to nothing"),
        ({"configuration_trouble": "a.conf:3: no such key"}, "recalld -t"),
        ({"memory_model": {"calls": 40, "facts_stored": 2, "facts_rejected": 38}}, "makes up what it finds"),
        ({"memory_model": {"calls": 40, "facts_stored": 30, "facts_rejected": 10}}, None),
        ({"memory_model": {"calls": 40, "late": 30}}, "too slow"),
        ({"memory_model": {"calls": 5, "late": 5}}, None),
        ({"bytes_used": 90, "bytes_mapped": 100}, "map_size"),
        ({"bypassed": {"refused": 3}}, "role = user"),
    ],
    ids=repr,
)
def test_recallctl_check_says_what_to_do(upstream, change, advice):
    upstream.script(json_reply(WELL | change))
    done = scripted(upstream, "check")
    todo = [line for line in done.stdout.splitlines() if line.startswith("  do  ")]
    assert len(todo) == (advice is not None) and all(advice in line and len(line) <= 80 for line in todo)
    assert done.returncode == any("trouble" in name for name in change)
    if "bypassed" in change:
        assert "  bypassed    3 refused upstream\n" in done.stdout
