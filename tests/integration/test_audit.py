"""The audit log: who read or changed whose memory, without texts or names; tampering shows."""

import hashlib
import itertools
import json
import signal
import time

import pytest

from harness.chat import Chat
from harness.clock import until
from harness.daemon import rfc3339
from harness.memory_model import fact
from harness.upstream import json_reply
from test_admin_recallctl import recallctl
from test_recallctl import recallctl as recallctl_at

marks = itertools.count(424242)


def entries(daemon, query=""):
    reply = daemon.admin("GET", "/v1/audit" + query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def all_entries(daemon, after=0):
    """Of all pages: other tests share the daemon and its log."""
    found = []
    while after is not None:
        page = entries(daemon, f"?limit=1000&after={after}" if after else "?limit=1000")
        found += page["entries"]
        after = page["next"]
    return found


def mark(daemon):
    """The sequence of an entry behind all earlier ones."""
    number = next(marks)
    daemon.admin("GET", daemon.memory_path("marker", f"/facts/{number}"))
    found = until(lambda: [e for e in all_entries(daemon) if e.get("id") == str(number)])
    return found[0]["seq"]


def between(daemon, begin, end):
    """The entries between two marks, without those of reading the log."""
    return [e for e in all_entries(daemon, begin) if e["target"] != "audit" and e["seq"] < end]


def whole(answer):
    """Whether raw lines are a chain from what was before them to the head."""
    digest = answer["before"]
    for line in answer["entries"]:
        if json.loads(line)["prev"] != digest:
            return False
        digest = hashlib.sha256(line.encode()).hexdigest()
    return digest == answer["head"]


def test_each_call_about_a_memory_leaves_one_entry(daemon, known_user):
    path = daemon.memory_path
    Chat(daemon, known_user).say("Where do I live?")
    facts = daemon.admin("GET", path(known_user, "/facts")).json()["facts"]
    one = facts[0]["id"]
    receipt = daemon.admin("GET", path(known_user, "/receipts")).json()["receipts"][0]["id"]
    exported = daemon.admin("GET", path(known_user, "/export")).content
    calls = [
        ("GET", path(known_user, "/memory"), {}, 200, "read", "memory"),
        ("GET", path(known_user, "/facts"), {}, 200, "read", "facts"),
        ("GET", path(known_user, f"/facts/{one}"), {}, 200, "read", "fact"),
        ("GET", path(known_user, "/facts/987654"), {}, 404, "read", "fact"),
        ("GET", path("nobody-at-all", "/memory"), {}, 404, "read", "memory"),
        ("GET", path(known_user, "/settings"), {}, 200, "read", "settings"),
        ("GET", path(known_user, "/receipts"), {}, 200, "read", "receipts"),
        ("GET", f"/v1/receipts/{receipt}", {}, 200, "read", "receipt"),
        ("GET", path(known_user, "/export"), {}, 200, "export", "memory"),
        ("GET", "/v1/users", {}, 200, "read", "users"),
        ("POST", path(known_user, "/preview"), {"json": {"question": "Where do I live?"}}, 200, "preview", "memory"),
        ("POST", path(known_user, "/facts"), {"json": {"key": "pet", "value": "cat"}}, 201, "correct", "fact"),
        ("PATCH", path(known_user, f"/facts/{one}"), {"json": {"value": "green"}}, 200, "correct", "fact"),
        ("PATCH", path(known_user, f"/facts/{one}"), {"json": {"value": "red"}}, 409, "correct", "fact"),
        ("POST", path(known_user, f"/facts/{one}/restore"), {}, 200, "correct", "fact"),
        ("POST", path(known_user, "/import?dry_run=1"), {"content": exported, "headers": {"Content-Type": "application/json"}}, 200, "preview", "memory"),
        ("POST", path(known_user, "/import"), {"content": exported, "headers": {"Content-Type": "application/json"}}, 200, "import", "memory"),
        ("POST", path(known_user, "/messages"), {"json": {"messages": [{"role": "user", "content": "I row."}]}}, 202, "import", "turns"),
        ("POST", path(known_user, "/unpark"), {}, 202, "correct", "jobs"),
        ("PUT", path(known_user, "/settings"), {"json": {"note": "asked by mail"}}, 200, "settings", "settings"),
        ("PUT", path(known_user, "/settings"), {"json": {"learn": False}}, 200, "restrict", "settings"),
        ("POST", path(known_user, "/forget"), {"json": {"about": "colour"}}, 200, "preview", "topic"),
        ("DELETE", path(known_user, "/facts/987654"), {}, 404, "delete", "fact"),
        ("DELETE", path(known_user, f"/facts/{one}"), {}, 200, "delete", "fact"),
        ("DELETE", path(known_user, "/turns/987654"), {}, 404, "delete", "turn"),
        ("DELETE", path(known_user, "/conversations?session=none"), {}, 404, "delete", "conversation"),
        ("DELETE", path(known_user, "/memory?since=2001-01-01&until=2001-01-02"), {}, 404, "delete", "span"),
        ("DELETE", path(known_user), {}, 200, "delete", "user"),
        ("DELETE", "/v1/tenants/none", {"json": {"confirm": "none"}}, 200, "delete", "tenant"),
    ]
    begin = mark(daemon)
    for method, address, body, status, action, target in calls:
        reply = daemon.admin(method, address, **body)
        assert reply.status_code == status, (method, address, reply.text)
    own = between(daemon, begin, mark(daemon))
    assert [(e["action"], e["target"], e["result"]) for e in own if e["by"] == "admin"] == [
        (action, target, 200 if target == "turns" else status) for _, _, _, status, action, target in calls
    ]
    assert {e["from"] for e in own if e["by"] == "admin"} == {"127.0.0.1"}
    assert len({e["of"] for e in own if e.get("id") == one}) == 1
    deleted = [e for e in own if e["target"] == "user" and "counts" in e]
    assert deleted[0]["counts"]["turns"] > 0
    text = daemon.admin("GET", "/v1/audit?limit=1000").text
    for told in (known_user, "nobody-at-all", "green", "colour", "asked by mail"):
        assert told not in text, told


def test_bad_requests_and_health_leave_none(daemon, known_user):
    begin = mark(daemon)
    for address in ("/healthz", "/metrics", "/v1/status", daemon.memory_path(known_user, "/facts?limit=x")):
        daemon.admin("GET", address)
    daemon.admin("PATCH", daemon.memory_path(known_user, "/facts/1"), json=[])
    assert between(daemon, begin, mark(daemon)) == []


@pytest.mark.parametrize("query", ["?since=yesterday", "?limit=0", "?limit=1001", "?after=-1", "?lines=2", "?user=%zz"])
def test_a_query_that_is_not_one_is_refused(daemon, query):
    assert daemon.admin("GET", "/v1/audit" + query).status_code == 400


def test_one_users_entries_are_found_and_paged(daemon, known_user):
    for _ in range(3):
        daemon.admin("GET", daemon.memory_path(known_user, "/memory"))
    daemon.admin("GET", daemon.memory_path("somebody-else", "/memory"))
    mark(daemon)
    first = entries(daemon, f"?user={known_user}&limit=2&action=read")
    assert len(first["entries"]) == 2 and first["next"]
    rest = entries(daemon, f"?user={known_user}&action=read&after={first['next']}")
    assert len(rest["entries"]) >= 1
    assert {e["of"] for e in first["entries"] + rest["entries"]} == {first["entries"][0]["of"]}
    assert entries(daemon, "?since=2100-01-01")["entries"] == []
    assert entries(daemon, "?until=2001-01-01")["entries"] == []


def test_what_a_user_forgets_in_a_chat_is_recorded(daemon, memory_model, user):
    turn = "Please forget my kite."
    memory_model.answers["I own a kite."] = [fact("toy", "kite", "I own a kite")]
    memory_model.answers[turn] = [fact("toy", "kite", "forget my kite", forget=True)]
    Chat(daemon, user, mode="entity").say("I own a kite.")
    daemon.settle(user)
    assert not entries(daemon, f"?user={user}&action=delete")["entries"], "learning is no deletion"
    Chat(daemon, user, mode="entity").say(turn)
    daemon.settle(user)
    (entry,) = entries(daemon, f"?user={user}&action=delete")["entries"]
    assert (entry["by"], entry["target"]) == ("chat", "topic") and "from" not in entry


def test_injections_are_recorded_only_on_request(make_daemon, user):
    daemon = make_daemon()
    note = {"memory": "Lives in Lisbon", "created_at": rfc3339(time.time())}
    assert daemon.admin("POST", daemon.memory_path(user, "/import?format=mem0"), json=[note]).status_code == 200
    assert Chat(daemon, user).say("Where do I live?").status == "injected"
    mark(daemon)
    assert not entries(daemon, f"?user={user}&action=inject")["entries"]
    daemon.config["audit"] = {"inject": "on"}
    daemon.write_configuration()
    daemon.signal(signal.SIGHUP)
    until(lambda: "configuration reloaded" in daemon.stderr)
    assert Chat(daemon, user).say("Where do I live?").status == "injected"
    assert Chat(daemon, user + "-new").say("Hello!").status == "empty"
    receipts = daemon.admin("GET", daemon.memory_path(user, "/receipts")).json()["receipts"]
    (entry,) = until(lambda: entries(daemon, f"?user={user}&action=inject")["entries"])
    assert (entry["by"], entry["target"], entry["result"]) == ("chat", "receipt", 200)
    assert entry["id"] in [receipt["id"] for receipt in receipts]
    mark(daemon)
    assert len(entries(daemon, "?action=inject")["entries"]) == 1


def test_entries_go_to_the_log_as_they_stand(make_daemon, user):
    daemon = make_daemon({"audit": {"log": "on"}, "log": {"format": "json"}})
    daemon.admin("GET", daemon.memory_path(user, "/memory"))
    mark(daemon)
    stored = all_entries(daemon)

    def logged():
        return [json.loads(line) for line in daemon.stderr_lines if '"message":"audit"' in line]

    until(lambda: len(logged()) >= len(stored), "not all was logged")  # standard error is read by a thread
    assert [line["entry"] for line in logged()][: len(stored)] == stored
    assert user not in str(logged())


def test_expiry_is_recorded_and_old_entries_go(make_daemon, user):
    daemon = make_daemon({"retention": {"messages": "1m"}, "audit": {"keep": "1s"}})
    daemon.import_messages(user, [{"role": "user", "content": "I row.", "created_at": rfc3339(time.time() - 3600)}], learn=False)
    # Its entry goes, too, so that it may be seen or not: the log's first one tells.
    until(lambda: not daemon.knows(user))
    until(lambda: entries(daemon)["first"] > 2)
    verified = recallctl(daemon, "audit", "--verify")
    assert verified.returncode == 0, verified.stderr


def test_expiry_names_itself(make_daemon, user):
    daemon = make_daemon({"retention": {"messages": "1m"}})
    daemon.import_messages(user, [{"role": "user", "content": "I row.", "created_at": rfc3339(time.time() - 3600)}], learn=False)
    until(lambda: not daemon.knows(user))
    assert [e["by"] for e in entries(daemon, f"?user={user}&action=delete")["entries"]] == ["expiry"]


def test_the_log_outlives_a_restart_and_is_whole(daemon, known_user):
    for _ in range(5):
        daemon.admin("GET", daemon.memory_path(known_user, "/memory"))
    mark(daemon)
    daemon.kill_and_restart()
    answer = entries(daemon, "?lines=1&limit=1000")
    assert len(answer["entries"]) == answer["last"] - answer["first"] + 1
    assert whole(answer)
    changed = dict(answer, entries=[line.replace('"read"', '"edit"', 1) for line in answer["entries"]])
    assert not whole(changed)


# ---- recallctl ----


def test_recallctl_shows_and_verifies_the_log(daemon, known_user):
    daemon.admin("GET", daemon.memory_path(known_user, "/memory"))
    mark(daemon)
    shown = recallctl(daemon, "audit", "--user", known_user)
    assert shown.returncode == 0 and "read memory" in shown.stdout and known_user not in shown.stdout
    assert "no entry" in recallctl(daemon, "audit", "--user", "nobody-ever").stdout
    verified = recallctl(daemon, "audit", "--verify")
    assert verified.returncode == 0 and verified.stdout.startswith("whole: "), verified.stderr
    assert json.loads(recallctl(daemon, "audit", "--verify", "--json").stdout)["whole"] is True
    assert recallctl(daemon, "audit", "--since", "yesterday").returncode == 1
    assert recallctl(daemon, "audit", "alex").returncode == 1


def chain(count, before="0" * 64, first=1):
    lines = []
    for number in range(first, first + count):
        lines.append(json.dumps({"seq": number, "action": "read", "prev": before}, separators=(",", ":")))
        before = hashlib.sha256(lines[-1].encode()).hexdigest()
    return {"first": first, "last": first + count - 1, "before": "0" * 64, "head": before, "entries": lines, "next": None}


def told(lines):
    return lambda log: log | {"entries": lines(log["entries"])}


TAMPERED = {
    "changed": told(lambda e: [e[0].replace("read", "edit"), *e[1:]]),
    "the newest changed": told(lambda e: [*e[:-1], e[-1].replace("read", "edit")]),
    "removed": told(lambda e: [e[0], *e[2:]]),
    "reordered": told(lambda e: [e[0], e[2], e[1], *e[3:]]),
    "cut off": told(lambda e: e[:-1]),
    "cut off at the front": told(lambda e: e[1:]),
    "all removed": told(lambda e: []),
    "no text": told(lambda e: [1, *e[1:]]),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_recallctl_finds_what_was_tampered_with(upstream, how):
    log = chain(5)
    upstream.answer = lambda request: json_reply(log)
    assert recallctl_at(upstream, "audit", "--verify").returncode == 0
    log = TAMPERED[how](log)
    found = recallctl_at(upstream, "audit", "--verify")
    assert found.returncode == 1 and b"not whole" in found.stderr, found


def test_recallctl_verifies_page_by_page_what_was_there_when_it_began(upstream):
    whole_log = chain(5, first=7)
    pages = [
        whole_log | {"entries": whole_log["entries"][:3], "next": "9"},
        whole_log | {"last": 12, "head": "f" * 64, "entries": [*whole_log["entries"][3:], "{}"]},
    ]
    upstream.script(*map(json_reply, pages))
    done = recallctl_at(upstream, "audit", "--verify")
    assert done.returncode == 0 and done.stdout.startswith(b"whole: 5 entries"), done
    assert "after=9" in upstream.last.target
