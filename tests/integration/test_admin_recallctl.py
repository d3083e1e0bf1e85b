"""The admin address as recallctl uses it, and its token."""

import json
import subprocess
import threading

import pytest

from harness.chat import Chat
from harness.daemon import clean_environment, plain_client, program
from harness.upstream import completion, json_reply

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
        timeout=60,
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
    assert json.loads(done.stdout) == {"imported": 400, "left_out": 400, "erased": 0, "undated": 0}
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
    reader.join(60)
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
    assert done.returncode == 0 and done.stdout.startswith(f"forgotten: {user}\nthe store's file holds the erased texts until recallctl scrub\n") and not done.stderr
