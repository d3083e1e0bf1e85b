"""recallctl for a person's rights: forgetting parts, settings, taking a memory along and in."""

import json
import re

import pytest

from harness.chat import Chat
from test_admin_recallctl import recallctl
from test_portable import archive, chatgpt


def say(daemon, user, text, session):
    Chat(daemon, user, session=session, mode="buffer").say(text)
    daemon.wait_known(user)


@pytest.fixture
def talk(daemon, user):
    say(daemon, user, "I have a parrot called Coco.", "pets")
    say(daemon, user, "I work as a welder.", "work")
    return daemon


def texts(daemon, user):
    return [m["content"] for m in daemon.memory(user)["messages"] if m["role"] == "user"] if daemon.knows(user) else []


def run(daemon, *words, fails=False):
    done = recallctl(daemon, *words)
    assert (done.returncode != 0) == fails, done
    return done


# ---- forgetting parts ----


def test_a_topic_is_shown_first_and_deleted_by_its_plan(talk, user):
    shown = run(talk, "forget", user, "--about", "parrot").stdout
    assert "would delete: " in shown and "parrot called Coco" in shown and "Nothing was deleted" in shown
    assert len(texts(talk, user)) == 2
    plan = re.search(r"--plan ([0-9a-f]{16})", shown).group(1)
    done = run(talk, "forget", user, "--about", "parrot", "--plan", plan).stdout
    assert done.startswith("deleted: ") and texts(talk, user) == ["I work as a welder."]
    gone = run(talk, "forget", user, "--about", "parrot", "--plan", plan, fails=True)
    assert "40" in gone.stderr


def test_a_session_and_a_turn_go(talk, user):
    assert "Nothing was deleted" in run(talk, "forget", user, "--session", "pets", "--dry-run").stdout
    assert "2 turns" in run(talk, "forget", user, "--session", "pets").stdout
    (turn,) = [m["id"] for m in talk.memory(user)["messages"] if m["role"] == "user"]
    report = json.loads(run(talk, "forget", user, "--turn", turn, "--json").stdout)
    assert report["turns"] == 2 and not texts(talk, user)


def test_a_dry_run_of_everything_shows_it(talk, user):
    shown = run(talk, "forget", user, "--dry-run").stdout
    assert "would delete: 4 turns" in shown and "To delete everything, leave out --dry-run." in shown
    assert len(texts(talk, user)) == 2


def test_a_conversation_a_fact_and_a_time_go(talk, user):
    made = talk.admin("POST", talk.memory_path(user, "/facts"), json={"key": "pet", "value": "cat"}).json()
    assert "1 fact" in run(talk, "forget", user, "--fact", made["id"]).stdout
    ids = sorted({m["conversation"] for m in talk.memory(user)["messages"]})
    assert "1 conversation" in run(talk, "forget", user, "--conversation", ids[0]).stdout
    assert "deleted: 2 turns" in run(talk, "forget", user, "--since", "2001-01-01").stdout
    assert not texts(talk, user)


@pytest.mark.parametrize(
    "words",
    [
        ["--plan", "0123456789abcdef"],
        ["--turn", "1", "--fact", "1"],
        ["--turn", "x"],
        ["--fact", "987654"],
        ["--session", "none"],
        ["--since", "yesterday"],
        ["--about", ""],
        ["--about", "parrot", "--plan", "0"],
        ["--quiet"],
    ],
)
def test_a_part_that_is_none_deletes_nothing(talk, user, words):
    assert run(talk, "forget", user, *words, fails=True).stderr
    assert len(texts(talk, user)) == 2


def parts_of(daemon, user):
    """One of each part that can be deleted, as an address and a body, and as recallctl's options."""
    fact = daemon.admin("POST", daemon.memory_path(user, "/facts"), json={"key": "pet", "value": "cat"}).json()["id"]
    turns = [m for m in daemon.memory(user)["messages"] if m["role"] == "user"]
    path = daemon.memory_path
    plan = daemon.admin("POST", path(user, "/forget"), json={"about": "welder"}).json()["plan"]
    return [
        ("DELETE", path(user, f"/facts/{fact}"), None, ["--fact", fact]),
        ("DELETE", path(user, f"/turns/{turns[0]['id']}"), None, ["--turn", turns[0]["id"]]),
        ("DELETE", path(user, f"/conversations/{turns[0]['conversation']}"), None, ["--conversation", turns[0]["conversation"]]),
        ("DELETE", path(user, "/conversations?session=work"), None, ["--session", "work"]),
        ("DELETE", path(user, "/memory?since=2001-01-01"), None, ["--since", "2001-01-01"]),
        ("POST", path(user, "/forget"), {"about": "welder", "plan": plan}, ["--about", "welder", "--plan", plan]),
        ("DELETE", path(user), None, []),
    ]


def test_under_a_legal_hold_no_part_goes_without_force(talk, user):
    parts = parts_of(talk, user)
    run(talk, "settings", user, "hold_until=2100-01-01", "note=court")
    before = talk.memory(user)
    for method, address, body, words in parts:
        held = talk.admin(method, address, **({"json": body} if body else {}))
        assert held.status_code == 409 and held.json()["error"]["code"] == "legal_hold", (method, address, held.text)
        assert "legal hold" in run(talk, "forget", user, *words, fails=True).stderr, words
    assert talk.memory(user) == before, "what is held is as it was"
    # A look is no deletion.
    assert "Nothing was deleted" in run(talk, "forget", user, "--session", "work", "--dry-run").stdout
    assert "2 turns" in run(talk, "forget", user, "--session", "work", "--force").stdout
    assert texts(talk, user) == ["I have a parrot called Coco."]
    run(talk, "forget", user, "--force")
    assert not talk.knows(user)


def test_a_hold_that_is_over_holds_nothing(talk, user):
    run(talk, "settings", user, "hold_until=2020-01-01")
    assert "2 turns" in run(talk, "forget", user, "--session", "work").stdout


# ---- settings ----


def test_settings_are_shown_and_changed_one_by_one(daemon, user):
    shown = run(daemon, "settings", user).stdout
    assert re.search(r"learn +on", shown) and re.search(r"hold_until +-", shown)
    run(daemon, "settings", user, "learn=on", "inject=on", "messages=30d", "facts=30d", "pii=keep", "consent=x", "hold_until=-", "note=-")
    run(daemon, "settings", user, "learn=off", "messages=30d", "consent=Jo", "note=asked by mail", "pii=redact")
    changed = run(daemon, "settings", user, "hold_until=2100-01-01", "learn=on", "pii=-").stdout
    for line in (r"learn +on", r"messages +30d", r"hold_until +2100-01-01", r"note +asked by mail", r"by +Jo", r"pii +-"):
        assert re.search(line, changed), (line, changed)
    stored = json.loads(run(daemon, "settings", user, "--json").stdout)
    assert stored["learn"] is True and stored["retention"]["messages"] == "30d" and stored["consent"]["by"] == "Jo"
    assert json.loads(run(daemon, "settings", user, "consent=-", "--json").stdout)["consent"] is None


@pytest.mark.parametrize("word", ["learn", "learn=maybe", "=on", "colour=blue", "messages=soon", "pii=hide", "hold_until=later"])
def test_a_setting_that_is_none_changes_nothing(daemon, user, word):
    assert run(daemon, "settings", user, "inject=off", word, fails=True).stderr
    assert daemon.admin("GET", daemon.memory_path(user, "/settings")).json()["inject"] is True


# ---- taking along ----


def test_a_memory_is_taken_along_and_in(talk, user, tmp_path):
    file = tmp_path / "memory.json"
    file.write_text(run(talk, "export", user).stdout)
    assert json.loads(file.read_text())["format"] == "recalld-export-1"
    shown = run(talk, "import", file, "--user", f"{user}-2", "--dry-run").stdout
    assert "would be imported (recalld)" in shown and "4 turns" in shown and not talk.knows(f"{user}-2")
    assert "imported (recalld): 2 conversations, 4 turns" in run(talk, "import", file, "--user", f"{user}-2").stdout
    assert texts(talk, f"{user}-2") == texts(talk, user)
    assert "4 are known already" in run(talk, "import", file, "--user", f"{user}-2").stdout


def test_the_archive_of_another_program_is_taken_in(daemon, user, tmp_path):
    file = tmp_path / "chatgpt.zip"
    file.write_bytes(archive("conversations.json", chatgpt()))
    assert "(chatgpt)" in run(daemon, "import", file, "--user", user, "--dry-run").stdout
    done = json.loads(run(daemon, "import", file, "--user", user, "--format", "chatgpt", "--json").stdout)
    assert done["turns"] > 0 and len(texts(daemon, user)) > 0


@pytest.mark.parametrize("words", [["--format", "mem0"], ["--dry-run"], ["--user", "u", "--format", "word"], ["--user", "u"]])
def test_a_file_that_is_none_is_refused(daemon, tmp_path, words):
    file = tmp_path / "nonsense"
    file.write_text("nonsense")
    assert run(daemon, "import", file, *words, fails=True).stderr
    assert not daemon.knows("u")


def test_who_is_unknown_has_no_export(daemon):
    assert "nothing is stored" in run(daemon, "export", "nobody-at-all", fails=True).stderr


# ---- what goes together ----


@pytest.mark.parametrize("words, said", [
    (("forget", "--about", "parrot", "--keep-turns", "--plan", "0123456789abcdef"), "--keep-turns goes with --fact"),
    (("forget", "--turn", "1", "--keep-turns"), "--keep-turns goes with --fact"),
    (("forget", "--about", "x" * 70_000, "--session", "y" * 70_000), "name one part"),
    (("facts", "--tenant", "x" * 70_000), "an argument is too long"),
])
def test_what_would_do_something_else_is_refused(talk, user, words, said):
    assert said in run(talk, words[0], user, *words[1:], fails=True).stderr
    assert len(texts(talk, user)) == 2


def test_the_log_is_verified_whole_or_shown_in_part(daemon, user):
    assert "takes no selection" in run(daemon, "audit", "--verify", "--user", user, fails=True).stderr
