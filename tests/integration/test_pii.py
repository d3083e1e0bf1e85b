"""[pii]: what identifies a person is masked before it is stored, or given to no model, by class."""

import signal

import pytest

from harness.chat import Chat
from harness.daemon import write_config
from harness.memory_model import fact

SAID = "Write to alex.meier@example.com or call +49 30 1234567, and bring figs."


def stored(daemon, user):
    """Each byte that memory has of a user."""
    return str(daemon.memory(user)) + str(daemon.messages(user))


def test_without_it_all_is_kept(make_daemon, user):
    daemon = make_daemon()
    Chat(daemon, user).say(SAID)
    daemon.settle(user)
    assert "alex.meier@example.com" in stored(daemon, user) and "1234567" in stored(daemon, user)


@pytest.mark.parametrize("action", ["mask", "drop"])
def test_a_masked_class_is_stored_nowhere_and_others_are(make_daemon, memory_model, upstream, user, action):
    daemon = make_daemon({"pii": {"email": action}})
    memory_model.answers["Write to"] = []
    Chat(daemon, user).say(SAID)
    daemon.settle(user)
    assert b"alex.meier@example.com" in upstream.last.body, "the provider gets what the user wrote"
    assert "alex.meier" not in stored(daemon, user) and "1234567" in stored(daemon, user)
    assert "[redacted: email]" in stored(daemon, user)
    for request in memory_model.requests:
        assert b"alex.meier" not in request.body


def test_imports_are_masked_too(make_daemon, user):
    daemon = make_daemon({"pii": {"phone": "mask"}})
    daemon.import_messages(user, [{"role": "user", "content": SAID}, {"role": "assistant", "content": "+49 30 7654321"}], learn=False)
    assert "234567" not in stored(daemon, user) and "765432" not in stored(daemon, user)
    assert stored(daemon, user).count("[redacted: phone]") >= 2


def test_a_summary_is_masked(make_daemon, memory_model, user):
    daemon = make_daemon({"pii": {"iban": "mask"}, "memory": {"summarize_after": 2, "mode": "summary"}})
    memory_model.summary = "The account is DE89 3704 0044 0532 0130 00."
    talk = Chat(daemon, user)
    for i in range(3):
        talk.say(f"Note {i}.")
    daemon.settle(user)
    assert "DE89" not in stored(daemon, user) and "[redacted: iban]" in str(daemon.memory(user)["summary"])


def test_no_inject_stores_and_gives_nothing(make_daemon, memory_model, upstream, user):
    daemon = make_daemon({"pii": {"email": "no_inject"}})
    memory_model.answers[SAID] = [
        fact("email", "alex.meier@example.com", "Write to alex.meier@example.com"),
        fact("brings", "figs", "bring figs"),
    ]
    Chat(daemon, user, session="past").say(SAID)
    daemon.settle(user)
    assert "alex.meier@example.com" in daemon.values(user)
    Chat(daemon, user, session="now").say("What do you know about me, my email and figs?")
    assert b"alex.meier" not in upstream.last.body
    assert b"figs" in upstream.last.body and b"1234567" in upstream.last.body


@pytest.mark.parametrize("what", ["email", "health"])
def test_no_inject_also_holds_for_what_was_given_before(make_daemon, memory_model, upstream, user, what):
    """The context and the recalled turns of an open conversation are made anew, once."""
    daemon = make_daemon()
    said, datum = {"email": (SAID, "alex.meier@example.com"), "health": ("I like figs. I have asthma.", "asthma")}[what]
    memory_model.answers[said] = [fact("datum", datum, datum, pii="health" if what == "health" else None), fact("brings", "figs", "figs")]
    Chat(daemon, user, session="past").say(said)
    daemon.settle(user)
    open_chat = Chat(daemon, user, session="open")
    open_chat.say("What do you know about me, my datum and figs?")
    assert datum.encode() in upstream.last.body
    daemon.config["pii"] = {what: "no_inject"}
    write_config(daemon.config_file, daemon.config)
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("configuration reloaded")
    open_chat.say("And what else?")
    assert datum.encode() not in upstream.last.body and b"figs" in upstream.last.body
    before = upstream.last.body.split(b"And what else?")[0]
    open_chat.say("Thanks.")
    assert upstream.last.body.startswith(before), "it stands again"


def test_turns_are_listed_by_class(daemon, memory_model, user):
    memory_model.answers[FIGS] = [fact("condition", "asthma", "I have asthma", pii="health"), fact("likes", "figs", "I like figs")]
    Chat(daemon, user).say(SAID)
    Chat(daemon, user).say(FIGS)
    Chat(daemon, user).say("The weather is fine.")
    daemon.settle(user)
    path = daemon.memory_path(user, "/memory")

    def told(query):
        memory = daemon.admin("GET", f"{path}?pii={query}").json()
        return [(m["content"], m["pii_classes"]) for m in memory["messages"] if m["role"] == "user"], [f["value"] for f in memory["facts"]]

    assert told("email") == ([(SAID, ["email", "phone"])], [])
    assert told("health") == ([(FIGS, ["health"])], ["asthma"])
    assert told("iban") == ([], [])
    assert told("true") == ([(SAID, ["email", "phone"]), (FIGS, ["health"])], ["asthma"])
    assert told("false") == ([("The weather is fine.", [])], ["figs"])
    assert "pii_classes" not in daemon.memory(user)["messages"][0]
    for wrong in ("mail", "", "2"):
        assert daemon.admin("GET", f"{path}?pii={wrong}").status_code == 400


def test_the_memory_model_names_what_no_rule_tells(make_daemon, memory_model, user):
    daemon = make_daemon({"pii": {"health": "drop", "religion": "mask"}})
    text = "I have asthma, I go to the mosque, and I like figs."
    memory_model.answers[text] = [
        fact("condition", "asthma", "I have asthma", pii="health"),
        fact("goes_to", "the mosque", "I go to the mosque", pii="religion"),
        fact("likes", "figs", "I like figs", pii=False),
    ]
    Chat(daemon, user).say(text)
    daemon.settle(user)
    assert sorted(daemon.values(user)) == ["[redacted: pii]", "figs"]
    assert any(b"sex_life" in request.body for request in memory_model.requests)


FIGS = "I like figs. I have asthma. The harbour is near."


@pytest.mark.parametrize("action", ["mask", "drop"])
def test_what_the_memory_model_names_goes_from_the_turn_too(make_daemon, memory_model, upstream, user, action):
    daemon = make_daemon({"pii": {"health": action}})
    memory_model.answers[FIGS] = [
        fact("condition", "asthma", "I have asthma", pii="health"),
        fact("likes", "figs", "I like figs"),
    ]
    Chat(daemon, user, session="past").say(FIGS)
    daemon.settle(user)
    assert "asthma" not in stored(daemon, user) and "I like figs. [redacted: health] The harbour" in stored(daemon, user)
    Chat(daemon, user, session="now", mode="vector").say("Where was the harbour, and which asthma?")
    assert b"harbour is near" in upstream.last.body and b"I have asthma" not in upstream.last.body


@pytest.mark.parametrize("mode", ["buffer", "entity", "vector", "hybrid"])
def test_what_the_memory_model_names_is_stored_and_given_to_nobody(make_daemon, memory_model, upstream, user, mode):
    daemon = make_daemon({"pii": {"health": "no_inject"}})
    memory_model.answers[FIGS] = [
        fact("condition", "asthma", "I have asthma", pii="health"),
        fact("likes", "figs", "I like figs"),
    ]
    Chat(daemon, user, session="past").say(FIGS)
    daemon.settle(user)
    (known,) = [f for f in daemon.admin("GET", daemon.memory_path(user, "/facts?pii=health")).json()["facts"]]
    assert known["value"] == "asthma" and known["pii_classes"] == ["health"]
    Chat(daemon, user, session="now", mode=mode).say("What of my condition, figs and the harbour?")
    assert b"asthma" not in upstream.last.body
    assert b"figs" in upstream.last.body.split(b"What of my condition")[0]


def test_a_users_section_overrides_and_a_reload_holds_from_then_on(make_daemon, user):
    daemon = make_daemon({"pii": {"email": "mask"}, f"pii user={user}": {"email": "keep"}})
    Chat(daemon, user).say(SAID)
    Chat(daemon, user + "-2").say(SAID)
    daemon.settle(user)
    assert "alex.meier" in stored(daemon, user) and "alex.meier" not in stored(daemon, user + "-2")
    del daemon.config[f"pii user={user}"]
    write_config(daemon.config_file, daemon.config)
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("configuration reloaded")
    Chat(daemon, user, session="later").say("Now write to eva@example.com.")
    daemon.settle(user)
    assert "eva@" not in stored(daemon, user) and "alex.meier" in stored(daemon, user)


def test_a_fact_tells_the_classes_that_rules_find(daemon, memory_model, user):
    said = "Write to alex.meier@example.com, I like lamps."
    memory_model.answers[said] = [fact("mail", "alex.meier@example.com", "Write to alex.meier@example.com"),
                                  fact("likes", "lamps", "I like lamps")]
    Chat(daemon, user).say(said)
    daemon.settle(user)
    path = daemon.memory_path(user, "/facts")
    told = {f["key"]: (f["pii"], f["pii_classes"]) for f in daemon.admin("GET", path).json()["facts"]}
    assert told == {"mail": (True, ["email"]), "likes": (False, [])}
    for query, keys in (("pii=email", ["mail"]), ("pii=true", ["mail"]), ("pii=false", ["likes"]), ("pii=iban", [])):
        assert [f["key"] for f in daemon.admin("GET", f"{path}?{query}").json()["facts"]] == keys, query
    made = daemon.admin("POST", path, json={"key": "account", "value": "DE89 3704 0044 0532 0130 00"}).json()
    assert made["pii"] is True and made["pii_classes"] == ["iban"]
