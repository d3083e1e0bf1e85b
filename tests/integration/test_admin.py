"""The admin address: health, metrics, what is remembered, importing, forgetting, receipts, its token."""

import contextlib
import json
import re
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from conftest import KNOWN_TURN, KNOWN_VALUE, make_known
from harness.chat import Chat
from harness.daemon import clean_environment, plain_client, program
from harness.memory_model import fact
from harness.upstream import Reply, completion, error_reply, json_reply, sse_reply, text_events, tool_call
from harness.wire import RawClient

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_healthz_and_readyz_are_200(daemon):
    assert daemon.admin("GET", "/healthz").status_code == 200
    assert daemon.admin("GET", "/readyz").status_code == 200


def test_an_unknown_address_is_404_and_a_wrong_method_405(daemon):
    for path in ("/", "/v1/nothing", "/v1/users/", "/v1/users/x/y/z"):
        reply = daemon.admin("GET", path)
        assert reply.status_code == 404 and reply.json()["error"]["message"]
    reply = daemon.admin("POST", "/healthz")
    assert reply.status_code == 405 and reply.headers["Allow"] == "GET, HEAD"
    assert daemon.admin("GET", "/v1/users/x").headers["Allow"] == "DELETE"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_head_is_answered_as_get_without_the_body(daemon, path):
    reply = daemon.admin("HEAD", path)
    assert reply.status_code == 200 and reply.content == b""
    assert int(reply.headers["Content-Length"]) > 0


# ---- metrics ----

SAMPLE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*",?)*\})? -?[0-9.eE+-]+(Inf|NaN)?( [0-9]+)?')


def test_metrics_are_prometheus_text_that_names_no_user(daemon, known_user):
    Chat(daemon, known_user, session="a-session").say("Hello.")
    reply = daemon.admin("GET", "/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain")
    typed = set()
    for line in reply.text.splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif line and not line.startswith("#"):
            assert SAMPLE.fullmatch(line), line
            name = re.match(r"[a-zA-Z0-9_:]+", line)[0]
            assert name in typed or re.sub(r"_(bucket|sum|count)$", "", name) in typed, name
    for secret in (known_user, "a-session", KNOWN_VALUE, "test-model", "test-key"):
        assert secret not in reply.text


def test_requests_are_counted_by_what_memory_did(daemon, user):
    before = daemon.metric('recalld_requests_total{memory="anonymous"}')
    Chat(daemon).say("Hello.")
    assert daemon.metric('recalld_requests_total{memory="anonymous"}') == before + 1


# ---- what is remembered ----


def test_a_user_never_seen_is_404(daemon, user):
    reply = daemon.admin("GET", daemon.memory_path(user, "/memory"))
    assert reply.status_code == 404
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


def test_memory_has_its_promised_shape(daemon, memory_model, known_user):
    Chat(daemon, known_user, session="s-5").say("What is new?")
    memory = daemon.memory(known_user)
    assert {"user", "pending", "summary", "facts", "messages"} <= set(memory)
    assert memory["user"] == known_user and isinstance(memory["pending"], int)
    assert memory["summary"] is None or set(memory["summary"]) == {"text", "updated_at"}
    for learned in memory["facts"]:
        assert {"id", "entity", "kind", "key", "value", "confidence", "pii", "observed_at", "source"} <= set(learned)
        assert learned["observed_at"] == "2026-01-05T10:00:00Z", "when it was said, not when it was learned"
        assert {"exchange", "quote"} <= set(learned["source"]) and learned["source"]["quote"] in KNOWN_TURN
    for message in memory["messages"]:
        assert set(message) == {"role", "content", "created_at", "session", "complete"}
        assert TIME.fullmatch(message["created_at"])
    assert [m["session"] for m in memory["messages"]] == ["past", "past", "s-5", "s-5"]
    assert [m["created_at"] for m in memory["messages"]][:2] == ["2026-01-05T10:00:00Z", "2026-01-05T10:00:05Z"]


def test_users_in_paths_are_percent_encoded(daemon):
    name = "a/b?c#d%e ü".replace(" ", "")
    with RawClient(daemon.port) as raw:
        raw.post_chat(b'{"messages":[{"role":"user","content":"Hi"}]}', name.encode().decode("latin-1"))
        assert raw.read_reply().status == 200
    assert daemon.memory(name)["user"] == name
    assert daemon.admin("GET", "/v1/users/%zz/memory").status_code == 400


# ---- importing ----


def test_an_import_is_on_disk_when_it_is_answered(make_daemon, user):
    daemon = make_daemon()
    messages = [{"role": "user", "content": "Once."}, {"role": "assistant", "content": "Upon a time."}]
    daemon.import_messages(user, messages, learn=False)
    daemon.kill_and_restart()
    assert daemon.messages(user) == [("user", "Once."), ("assistant", "Upon a time.")]


def test_an_import_that_is_not_to_be_learned_asks_no_model(daemon, memory_model, user):
    daemon.import_messages(user, [{"role": "user", "content": "Silent."}, {"role": "assistant", "content": "Ok."}], learn=False)
    assert daemon.memory(user)["pending"] == 0
    time.sleep(0.3)
    assert not any(c.holds("Silent.") for c in memory_model.calls())


def test_times_of_any_offset_come_out_in_utc(daemon, user):
    daemon.import_messages(
        user,
        [
            {"role": "user", "content": "East.", "created_at": "2026-03-01T01:30:00+05:30"},
            {"role": "assistant", "content": "West.", "created_at": "2026-02-28T20:00:01.250Z"},
        ],
        learn=False,
    )
    times = [m["created_at"] for m in daemon.memory(user)["messages"]]
    assert times[0] == "2026-02-28T20:00:00Z" and times[1].startswith("2026-02-28T20:00:01")


def test_a_date_alone_is_its_midnight_in_utc(daemon, user):
    turn = {"role": "user", "content": "Long ago."}
    daemon.import_messages(user, [turn | {"created_at": "2024-05-01"}], learn=False)
    assert [m["created_at"] for m in daemon.memory(user)["messages"]] == ["2024-05-01T00:00:00Z"]
    for time in ("2024-05", "2024-05-01T10:00:00", "2024-02-30", 1714557600):
        body = {"messages": [turn | {"created_at": time}], "learn": False}
        reply = daemon.admin("POST", daemon.memory_path(user, "/messages"), json=body)
        assert reply.status_code == 400 and "created_at" in reply.json()["error"]["message"], time


def test_imported_turns_are_injected_with_their_dates(daemon, upstream, user):
    daemon.import_messages(
        user,
        [
            {"role": "user", "content": "I planted quinces.", "created_at": "2025-04-03T10:00:00Z", "session": "old"},
            {"role": "assistant", "content": "How nice.", "created_at": "2025-04-03T10:00:01Z", "session": "old"},
        ],
        learn=False,
    )
    Chat(daemon, user, mode="buffer").say("What did I plant?")
    assert b"quinces" in upstream.last.body and b"2025-04-03" in upstream.last.body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"messages":[]}',
        b'{"messages":"x"}',
        b'{"messages":[{"role":"user"}]}',
        b'{"messages":[{"content":"x"}]}',
        b'{"messages":[{"role":"king","content":"x"}]}',
        b'{"messages":[{"role":"user","content":7}]}',
        b'{"messages":[{"role":"user","content":"x","created_at":"yesterday"}]}',
        b'{"messages":[{"role":"user","content":"x","session":7}]}',
        b'{"messages":[{"role":"user","content":"x"}],"learn":"yes"}',
    ],
)
def test_a_bad_import_is_400_and_changes_nothing(daemon, user, body):
    reply = daemon.admin("POST", daemon.memory_path(user, "/messages"), content=body)
    assert reply.status_code == 400
    assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
    assert not daemon.knows(user)


@pytest.mark.parametrize("name", ["{{USER_ID}}", "two words", "x" * 257, "zero\u200bwidth", "new\nline"])
def test_nothing_is_imported_for_an_id_that_no_request_can_have(daemon, name):
    body = {"messages": [{"role": "user", "content": "Hello."}], "learn": False}
    reply = daemon.admin("POST", daemon.memory_path(name, "/messages"), json=body)
    assert reply.status_code == 400 and reply.json()["error"]["code"] == "invalid_user_id"
    assert not daemon.knows(name)


def test_a_large_import_is_taken_whole_and_in_order(daemon, user):
    messages = []
    for i in range(1500):
        messages.append({"role": "user", "content": f"Question {i}?", "session": "big"})
        messages.append({"role": "assistant", "content": f"Answer {i}.", "session": "big"})
    daemon.import_messages(user, messages, learn=False)
    kept = daemon.messages(user)
    assert kept == [(m["role"], m["content"]) for m in messages]


# ---- forgetting ----


def test_forgetting_takes_everything(daemon, upstream, memory_model, known_user):
    reply = Chat(daemon, known_user).say("Hello.")
    receipt = reply.headers["X-Memory-Receipt"]
    daemon.settle(known_user)
    daemon.forget(known_user)
    assert not daemon.knows(known_user)
    assert daemon.admin("GET", f"/v1/receipts/{receipt}").status_code == 404
    for mode in ("buffer", "summary", "entity", "hybrid"):
        Chat(daemon, known_user, mode=mode, session=mode).say("Where do I live?")
        assert KNOWN_VALUE.encode() not in upstream.last.body
    assert KNOWN_VALUE not in str(daemon.memory(known_user))


def test_forgetting_leaves_others_alone(daemon, memory_model, known_user):
    other = make_known(daemon, memory_model, known_user + "-other")
    before = daemon.memory(other)
    daemon.forget(known_user)
    assert daemon.memory(other) == before


def test_forgetting_a_user_never_seen_is_204(daemon, user):
    reply = daemon.admin("DELETE", daemon.memory_path(user))
    assert reply.status_code == 204 and "Content-Length" not in reply.headers
    daemon.forget(user)


def test_forgetting_takes_jobs_and_calls_under_way(daemon, memory_model, user):
    held = threading.Event()
    turn = "I live on a lighthouse."
    original = memory_model.answer

    def slow(request):
        held.wait(10)
        return original(request)

    memory_model.answers[turn] = [fact("home", "lighthouse", "I live on a lighthouse")]
    memory_model.answer = slow
    Chat(daemon, user).say(turn)
    end = time.monotonic() + 15
    while not memory_model.fact_calls(turn):
        assert time.monotonic() < end, "nobody asked"
        time.sleep(0.02)
    daemon.forget(user)
    held.set()
    time.sleep(0.5)
    assert not daemon.knows(user)


def test_forgetting_takes_an_exchange_in_flight(daemon, upstream, user):
    Chat(daemon, user, session="s").say("Before.")
    gate = threading.Event()
    events = text_events("A slow answer about nothing much.")
    upstream.script(sse_reply(events, gates={3: gate}))
    with RawClient(daemon.port) as raw:
        raw.post_chat(b'{"stream":true,"messages":[{"role":"user","content":"My secret is quartz."}]}', user)
        raw.read_until(b"data:")
        daemon.forget(user)
        gate.set()
        reply = raw.read_reply()
    assert reply.whole and reply.body == b"".join(events)
    time.sleep(0.2)
    assert not daemon.knows(user)


def test_a_forgotten_user_stays_forgotten_over_kill_9(make_daemon, user):
    daemon = make_daemon()
    Chat(daemon, user).say("My secret is basalt.")
    daemon.forget(user)
    daemon.kill_and_restart()
    assert not daemon.knows(user)


def test_an_imported_log_loses_its_system_and_tool_messages_only(daemon, user):
    messages = [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "Which day is it?"},
        {"role": "assistant", "content": None, "tool_calls": [tool_call("1", "day", {})]},
        {"role": "tool", "tool_call_id": "1", "content": "Monday"},
        {"role": "assistant", "content": "Let me look again.", "tool_calls": [tool_call("2", "day", {})]},
        {"role": "assistant", "function_call": {"name": "day", "arguments": "{}"}},
        {"role": "function", "name": "day", "content": "Monday"},
        {"role": "assistant", "content": "Monday.", "tool_calls": []},
    ]
    reply = daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": messages, "learn": False})
    assert (reply.status_code, reply.json()) == (202, {"imported": 2, "left_out": 6})
    assert [m["content"] for m in daemon.memory(user)["messages"]] == ["Which day is it?", "Monday."]


def test_imported_parts_are_their_text(daemon, user):
    parts = [
        {"type": "reasoning", "text": "A boat it is."},
        {"type": "text", "text": "This is my boat,"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "text", "text": "the Hedwig."},
    ]
    path = f"/v1/users/{user}/messages"
    for content, status in ((parts, 202), (["Hedwig"], 400), ({"text": "Hedwig"}, 400), (None, 400), (7, 400)):
        body = {"messages": [{"role": "user", "content": content}], "learn": False}
        assert daemon.admin("POST", path, json=body).status_code == status
    assert [m["content"] for m in daemon.memory(user)["messages"]] == ["This is my boat,\nthe Hedwig."]


def test_what_a_user_is_shown_as_can_be_imported_again(daemon, user):
    """A chat takes all that JSON allows in a string."""
    said = "A boat\0 \x1b[1m\u2028\U0001f600."
    daemon.import_messages(user, [{"role": "user", "content": said, "session": "s\0t"}], learn=False)
    shown = daemon.memory(user)["messages"]
    assert [(message["content"], message["session"]) for message in shown] == [(said, "s\0t")]
    document = json.dumps({"user": user + "-2", "messages": shown, "learn": False})
    assert recallctl(daemon, "import", "-", stdin=document).returncode == 0
    assert daemon.memory(user + "-2")["messages"] == shown
    for name, value in (("user", "user\0"), ("role", "user\0"), ("created_at", "2026-01-05T10:00:00Z\0")):
        broken = {"user": user, "messages": [shown[0] | {name: value}]} | ({name: value} if name == "user" else {})
        assert recallctl(daemon, "import", "-", stdin=json.dumps(broken)).returncode != 0, name


# ---- receipts ----


@pytest.mark.parametrize("name", ["0", "nothing", "f" * 16, "%00", "..%2Fusers"])
def test_an_unknown_receipt_is_404(daemon, name):
    assert daemon.admin("GET", f"/v1/receipts/{name}").status_code in (400, 404)


def test_a_receipt_is_kept_over_kill_9(make_daemon, user):
    daemon = make_daemon()
    answer = Chat(daemon, user).say("Hello.")
    receipt = daemon.receipt(answer.headers["X-Memory-Receipt"])
    daemon.kill_and_restart()
    assert daemon.receipt(answer.headers["X-Memory-Receipt"]) == receipt


def test_receipts_of_one_conversation_name_what_each_request_was_given(daemon, memory_model, user):
    memory_model.answers["I play the oboe."] = [fact("instrument", "oboe")]
    Chat(daemon, user, session="before").say("I play the oboe.")
    daemon.settle(user)
    chat = Chat(daemon, user, session="now")
    answers = [chat.say("Hello."), chat.say("And again.")]
    receipts = [daemon.receipt(answer.headers["X-Memory-Receipt"]) for answer in answers]
    assert [answer.status for answer in answers] == ["injected", "injected"]
    assert "oboe" in [item["text"] for item in receipts[0]["items"] if item["kind"] == "fact"][0]
    assert receipts[1]["items"] == receipts[0]["items"]
    assert receipts[1]["bytes_out"] > receipts[1]["bytes_in"]


def test_a_request_that_only_reads_has_a_receipt_too(daemon, memory_model, user):
    memory_model.answers["I play the oboe."] = [fact("instrument", "oboe")]
    Chat(daemon, user).say("I play the oboe.")
    daemon.settle(user)
    answer = Chat(daemon, user, mode="readonly").say("Hello.")
    receipt = daemon.receipt(answer.headers["X-Memory-Receipt"])
    assert (receipt["mode"], receipt["status"]) == ("readonly", "injected")
    assert "oboe" in receipt["items"][0]["text"]


def test_only_so_many_receipts_are_kept_and_the_oldest_go_first(make_daemon, user):
    daemon = make_daemon({"memory": {"receipts": "5"}})
    talk = Chat(daemon, user, session="s", newest_only=True)
    ids = [talk.say(f"Turn {i}.").headers["X-Memory-Receipt"] for i in range(12)]
    found = [daemon.admin("GET", f"/v1/receipts/{name}").status_code for name in ids]
    assert found[0] == 404 and found[-5:] == [200] * 5
    assert found == sorted(found, reverse=True)


# ---- the token ----


@pytest.fixture
def guarded(make_daemon):
    return make_daemon({"listen": {"admin_token": "let-me-in"}})


def test_the_token_is_asked_for_everywhere_but_at_the_probes(guarded, user):
    for method, path in [
        ("GET", "/metrics"),
        ("GET", f"/v1/users/{user}/memory"),
        ("POST", f"/v1/users/{user}/messages"),
        ("DELETE", f"/v1/users/{user}"),
        ("GET", "/v1/receipts/1"),
    ]:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "let-me-in"}, {"Authorization": "Basic let-me-in"}):
            reply = guarded.admin(method, path, headers=headers)
            assert reply.status_code == 401, (method, path, headers)
            assert reply.headers["WWW-Authenticate"] == "Bearer"
    for path in ("/healthz", "/readyz"):
        assert guarded.admin("GET", path, headers={}).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "Token"])
def test_either_scheme_carries_the_token(guarded, scheme):
    assert guarded.admin("GET", "/metrics", headers={"Authorization": f"{scheme} let-me-in"}).status_code == 200


# ---- recallctl ----


def recallctl(daemon, *arguments, stdin=None):
    return subprocess.run(
        [program("proxy/recallctl"), "-c", str(daemon.config_file), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=30,
        env=clean_environment(),
    )


def test_recallctl_parts_no_turn_from_its_answer(daemon, upstream):
    """However many messages it sends in one call."""
    turns = [{"role": "assistant", "content": "Hello, who is there?"}]
    for i in range(600):
        turns += [{"role": "user", "content": f"Turn {i}."}, {"role": "assistant", "content": f"Answer {i}."}]
    upstream.answer = lambda request: json_reply({"imported": len(request.json["messages"])}, status=202)
    document = json.dumps({"user": "alex", "messages": turns})
    assert recallctl(daemon, "--admin", f"127.0.0.1:{upstream.port}", "import", "-", stdin=document).returncode == 0
    calls = [request.json["messages"] for request in upstream.requests]
    assert len(calls) > 1 and sum(calls, []) == turns
    assert all(call[0]["role"] == "user" for call in calls[1:])


def test_recallctl_counts_what_was_imported_and_what_was_left_out(daemon, user):
    messages = [{"role": "system", "content": "You are terse."}, {"role": "user", "content": "Hello"}]
    document = json.dumps({"user": user, "messages": messages * 400, "learn": False})
    done = recallctl(daemon, "import", "-", stdin=document)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "imported: 400 messages; 400 left out (system and tool messages)\n"
    assert len(daemon.messages(user)) == 400
    done = recallctl(daemon, "import", "-", "--json", stdin=document)
    assert json.loads(done.stdout) == {"imported": 400, "left_out": 400}
    done = recallctl(daemon, "import", "-", stdin=document + "{}")
    assert done.returncode == 1 and "recallctl: 400 messages before it were imported" in done.stderr


def test_recallctl_tells_of_a_file_that_is_cut_off(daemon, user):
    whole = json.dumps({"user": user, "messages": [{"role": "user", "content": "One."}], "learn": False})
    assert recallctl(daemon, "import", "-", stdin=whole + "\n" + whole + "\n\n").returncode == 0
    for broken in (whole + "\n" + whole[:-9], "", "\n"):
        done = recallctl(daemon, "import", "-", stdin=broken)
        assert done.returncode != 0 and "imported:" not in done.stdout
    assert "cannot read /: Is a directory" in recallctl(daemon, "import", "/").stderr
    assert "recallctl: cannot read /nowhere: No such file" in recallctl(daemon, "import", "/nowhere").stderr


def test_recallctl_imports_a_file_behind_a_byte_order_mark(daemon, user):
    document = json.dumps({"user": user, "messages": [{"role": "user", "content": "Hello"}]})
    assert recallctl(daemon, "import", "-", stdin="\ufeff" + document).returncode == 0
    assert daemon.messages(user) == [("user", "Hello")]
    for broken in ("\ufeff", "\ufeff\ufeff" + document, "\ufefe" + document):
        assert "line 1 of an object" in recallctl(daemon, "import", "-", stdin=broken).stderr


def test_recallctl_prints_any_name(daemon):
    assert "nothing is stored" in recallctl(daemon, "forget", b"odd-\xc2").stderr


def test_recallctl_shows_imports_and_forgets(guarded, user):
    document = '{"user":"%s","learn":false,"messages":[{"role":"user","content":"I fold paper cranes."},' % user
    document += '{"role":"assistant","content":"Lovely."}]}'
    done = recallctl(guarded, "import", "-", stdin=document)
    assert (done.returncode, done.stdout) == (0, "imported: 2 messages\n"), done.stderr
    shown = recallctl(guarded, "show", user)
    assert shown.returncode == 0 and "I fold paper cranes." in shown.stdout
    assert recallctl(guarded, "forget", user).returncode == 0
    gone = recallctl(guarded, "show", user)
    assert gone.returncode != 0 and gone.stderr
    assert recallctl(guarded, "--token", "wrong", "show", user).returncode != 0
    assert recallctl(guarded, "frobnicate").returncode != 0


def test_recallctl_says_so_when_nobody_answers(guarded):
    guarded.stop()
    done = recallctl(guarded, "check")
    assert done.returncode != 0 and done.stderr


def test_the_admin_address_is_no_proxy_and_the_proxy_no_admin(daemon, upstream, known_user):
    assert daemon.admin("POST", "/v1/chat/completions", content=b"{}").status_code == 404
    daemon.request("GET", f"/v1/users/{known_user}/memory")
    assert upstream.last.target == f"/v1/users/{known_user}/memory"


def test_memory_is_read_while_chats_go_on(daemon, upstream, user):
    upstream.answer = lambda request: json_reply(completion("Steady."))
    stop = threading.Event()
    failures = []

    def read():
        with plain_client() as client:
            while not stop.is_set():
                reply = client.get(f"http://127.0.0.1:{daemon.admin_port}{daemon.memory_path(user, '/memory')}")
                if reply.status_code not in (200, 404):
                    failures.append(reply.status_code)

    reader = threading.Thread(target=read)
    reader.start()
    talk = Chat(daemon, user, session="s", newest_only=True)
    for i in range(30):
        talk.say(f"Turn {i}.")
    stop.set()
    reader.join(10)
    assert not failures
    assert len(daemon.messages(user)) == 60


def test_recallctl_tells_how_many_jobs_it_set_going(daemon, user):
    done = recallctl(daemon, "unpark", user)
    assert (done.returncode, done.stdout) == (1, "") and "nothing is stored" in done.stderr
    daemon.import_messages(user, [{"role": "user", "content": "Hello"}], learn=False)
    for words in ([user], []):
        done = recallctl(daemon, "unpark", *words)
        assert (done.returncode, done.stdout) == (0, "set going again: 0 jobs\n"), done.stderr
    assert json.loads(recallctl(daemon, "unpark", user, "--json").stdout) == {"unparked": 0}


def test_recallctl_tells_when_nobody_was_forgotten(daemon, user):
    daemon.import_messages(user, [{"role": "user", "content": "Hello"}], learn=False)
    told = "recallctl: nothing is stored under that name; with [identity] tenant = api-key, give the user's --tenant\n"
    for words in (["forget", user], ["show", user], ["forget", user + "x"], ["show", user + "x"], ["unpark", user + "x"]):
        tenant = ["--tenant", "0011223344556677"] if words[1] == user else []
        done = recallctl(daemon, *tenant, *words, "--json")
        assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] == "not_found"
        words = tenant + words
        done = recallctl(daemon, *words)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", told)
    done = recallctl(daemon, "forget", user)
    assert done.returncode == 0 and done.stdout == f"forgotten: {user}\n" and not done.stderr


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
    "nothing": (Reply(break_after=0), "Empty reply from server"),
    "half": (json_reply(completion("Half.") | {"pad": "x" * 99}, reset=True, break_after=1, framing="chunked"), "reset"),
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
    assert daemon.stderr.count("warn the upstream fails: ") == 1
    check = recallctl(daemon, "check").stdout
    assert f"  trouble     the upstream: {upstream_trouble(daemon)}; the log tells more\n" in check
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
    assert ("warn the upstream fails: is /v1 missing" in daemon.stderr) == bool(told)
    daemon.post_chat(b"{}", path="/v1/models")
    wait_trouble(daemon, "")


@pytest.mark.parametrize("key, told", [("", ""), ("k", "it refused (status 401)")], ids=["the client's", "ours"])
def test_a_refused_key_is_trouble_when_it_is_ours(make_daemon, upstream, user, key, told):
    daemon = make_daemon({"upstream": {"api_key": key}})
    upstream.script(error_reply(401))
    assert Chat(daemon, user).send("Hello.").status_code == 401
    wait_trouble(daemon, told)


# ---- what it may hold ----


def wait_until(condition, timeout=20):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_bodies_under_way_are_bounded(make_daemon, user):
    daemon = make_daemon({"listen": {"max_in_flight": "4M", "max_body": "1M"}})
    body = b'{"messages":[{"role":"user","content":"I sail."}],"pad":"' + b"x" * 900_000 + b'"}'
    head = f"POST {daemon.memory_path(user, '/messages')} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    with RawClient(daemon.admin_port) as slow, RawClient(daemon.admin_port) as late:
        slow.socket.sendall(head.encode() + body[:-1])
        wait_until(lambda: daemon.metric("recalld_admin_in_flight_bytes ") >= 900_000)
        late.socket.sendall(head.encode())
        refused = late.read_reply()
        assert refused.status == 503 and refused.field("Retry-After") == "1"
        assert json.loads(refused.body)["error"]["code"] == "too_many_bytes"
        assert daemon.admin("GET", "/readyz").status_code == 200
        slow.socket.sendall(body[-1:])
        assert slow.read_reply().status == 202
    wait_until(lambda: daemon.metric("recalld_admin_in_flight_bytes ") < 1000)


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
    assert reply.json() == {"imported": 1, "left_out": 150_000}
    most = 8 if "sanitized" not in program("proxy/recalld") else 40
    assert peak(daemon) - before < most * len(body)
