"""[retention]: what is past its time is gone, from every answer and from what is given, and nothing else is."""

import re
import signal
import subprocess
import time

import pytest

from harness.chat import Chat
from harness.clock import until
from harness.daemon import clean_environment, program, rfc3339, write_config
from harness.memory_model import fact

LONG_AGO = 3600  # seconds
MINUTE = {"retention": {"messages": "1m"}}


def turns(text, ago, session="past", answer="Noted."):
    at = rfc3339(time.time() - ago)
    return [
        {"role": "user", "content": text, "created_at": at, "session": session},
        {"role": "assistant", "content": answer, "created_at": at, "session": session},
    ]


def texts(daemon, user):
    return [text for role, text in daemon.messages(user) if role == "user"]


def logged(daemon):
    """How many exchanges each line about them has."""
    return [int(n) for n in re.findall(r"retention: (\d+) exchanges deleted", daemon.stderr)]


def set_retention(daemon, **keys):
    daemon.config["retention"] = keys
    write_config(daemon.config_file, daemon.config)
    daemon.signal(signal.SIGHUP)


def teach(daemon, memory_model, user, text, ago, *entries):
    memory_model.answers[text] = list(entries)
    daemon.import_messages(user, turns(text, ago))
    daemon.settle(user)


def test_without_it_nothing_is_deleted_by_age(make_daemon, user):
    daemon = make_daemon()
    daemon.import_messages(user, turns("I moved to Lisbon.", 20 * 365 * 86400))
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("configuration reloaded")
    time.sleep(1)  # a scan would follow the reload at once
    assert texts(daemon, user) == ["I moved to Lisbon."]


def test_old_turns_are_gone_and_what_was_learned_of_them_stays(make_daemon, memory_model, upstream, user):
    daemon = make_daemon()
    teach(daemon, memory_model, user, "I moved to Lisbon.", LONG_AGO, fact("home_city", "Lisbon", "I moved to Lisbon"))
    set_retention(daemon, **MINUTE["retention"])  # not before it is learned from
    Chat(daemon, user, session="now").say("Bergen is rainy.")
    until(lambda: texts(daemon, user) == ["Bergen is rainy."], "the old turn is still there")
    assert daemon.values(user) == ["Lisbon"]
    (known,) = daemon.memory(user)["facts"]
    assert known["source"]["quote"] == "I moved to Lisbon"
    Chat(daemon, user, session="then").say("Where do I live, and how is Bergen?")
    assert b"Lisbon" in upstream.last.body and b"rainy" in upstream.last.body
    assert b"I moved" not in upstream.last.body
    assert daemon.metric('recalld_expired_total{kind="exchanges"}') == 1
    daemon.wait_log("retention: 1 exchanges deleted, 0 facts deleted or redacted")


def test_what_has_expired_is_not_taken_out_of_a_history(make_daemon, upstream, user):
    """Neither a summary nor recall could stand in for it."""
    daemon = make_daemon(MINUTE | {"memory": {"history": "trim", "history_tokens": "800"}})
    pilots = [f"The pilot of day {n} was Name{n}. " + "A calm sea. " * 30 + "Over." for n in range(12)]
    past = sum((turns(text, LONG_AGO if n < 8 else 0, answer=f"Noted, day {n}.") for n, text in enumerate(pilots)), [])
    daemon.import_messages(user, past, learn=False)
    chat = Chat(daemon, user, session="past")
    chat.messages = [{"role": turn["role"], "content": turn["content"]} for turn in past]
    until(lambda: texts(daemon, user) == pilots[8:], "the old turns are still there")
    chat.say("Who was the pilot of day 3?")
    assert [m["content"] for m in upstream.last.messages[-25:-1]] == [m["content"] for m in chat.messages[:24]]


def test_what_was_not_learned_from_goes_as_well(make_daemon, user):
    daemon = make_daemon(MINUTE | {"memory": {"mode": "buffer"}})
    daemon.import_messages(user, turns("I moved to Lisbon.", LONG_AGO))
    Chat(daemon, user).say("Bergen is rainy.")
    until(lambda: texts(daemon, user) == ["Bergen is rainy."], "the old turn is still there")
    memory = daemon.memory(user)
    assert memory["pending"] + memory["deferred"] == 1


def test_a_conversation_goes_on_when_its_beginning_is_gone(make_daemon, upstream, user):
    daemon = make_daemon(MINUTE)
    daemon.import_messages(user, turns("I moved to Lisbon.", LONG_AGO, session="chat", answer="To Lisbon, then."), learn=False)
    talk = Chat(daemon, user, session="chat")
    talk.messages = [
        {"role": "user", "content": "I moved to Lisbon."},
        {"role": "assistant", "content": "To Lisbon, then."},
    ]
    talk.say("Bergen is rainy.")
    until(lambda: texts(daemon, user) == ["Bergen is rainy."], "the old turn is still there")
    talk.say("Oslo is cold.")
    assert texts(daemon, user) == ["Bergen is rainy.", "Oslo is cold."]
    assert {m["session"] for m in daemon.memory(user)["messages"]} == {"chat"}


def test_receipts_that_quote_what_is_gone_are_gone_and_others_stay(make_daemon, user):
    daemon = make_daemon({"memory": {"mode": "vector"}})
    daemon.import_messages(user, turns("The ferry to Bergen leaves at noon.", LONG_AGO), learn=False)
    quoting = Chat(daemon, user).say("When does the ferry to Bergen leave?").headers["X-Memory-Receipt"]
    other = Chat(daemon, user).say("Is it cold?").headers["X-Memory-Receipt"]
    assert "at noon" in str(daemon.receipt(quoting)["items"])
    assert "at noon" not in str(daemon.receipt(other))
    set_retention(daemon, messages="1m")
    until(lambda: daemon.metric('recalld_expired_total{kind="exchanges"}') == 1, "the old turn is still there")
    assert daemon.admin("GET", f"/v1/receipts/{quoting}").status_code == 404
    assert daemon.receipt(other)["id"] == other


def test_a_user_of_whom_nothing_is_left_is_unknown(make_daemon, user):
    daemon = make_daemon(MINUTE)
    other = f"{user}-too"
    daemon.import_messages(user, turns("I moved to Lisbon.", LONG_AGO), learn=False)
    daemon.import_messages(other, turns("I moved to Bergen.", 0), learn=False)
    until(lambda: not daemon.knows(user), "the user is still known")
    assert texts(daemon, other) == ["I moved to Bergen."]
    Chat(daemon, user).say("I am back.")
    assert texts(daemon, user) == ["I am back."]


def test_a_summary_of_old_turns_alone_goes_with_them_whenever_it_was_written(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"summarize_after": 4}})
    memory_model.summary = "They moved to Lisbon."
    for place in ("Lisbon", "Bergen", "Oslo"):
        daemon.import_messages(user, turns(f"I moved to {place}.", LONG_AGO))
    until(lambda: daemon.memory(user)["summary"], "nothing was summarized")
    daemon.settle(user)
    set_retention(daemon, messages="30m")
    until(lambda: not daemon.knows(user), "the summary is still there")


def test_old_facts_are_gone_and_their_turns_stay(make_daemon, memory_model, user):
    daemon = make_daemon({"retention": {"facts": "1m"}})
    teach(daemon, memory_model, user, "I moved to Lisbon.", LONG_AGO, fact("home_city", "Lisbon", "I moved to Lisbon"))
    teach(daemon, memory_model, user, "I like figs.", 0, fact("likes", "figs", "I like figs"))
    until(lambda: daemon.values(user) == ["figs"], "the old fact is still there")
    assert texts(daemon, user) == ["I moved to Lisbon.", "I like figs."]


@pytest.mark.parametrize(("pii", "left"), [("keep", ["555 0199", "figs"]), ("redact", ["[redacted: pii]", "figs"]), ("drop", ["figs"])])
def test_facts_that_identify_a_person(make_daemon, memory_model, user, pii, left):
    daemon = make_daemon({"retention": {"pii": pii}})
    text = "Call me on 555 0199, and bring figs."
    memory_model.answers[text] = [
        fact("phone", "555 0199", "Call me on 555 0199", pii=True),
        fact("likes", "figs", "bring figs"),
    ]
    Chat(daemon, user).say(text)
    daemon.settle(user)
    assert sorted(daemon.values(user)) == sorted(left)
    assert ("555" in str(daemon.memory(user)["facts"])) == (pii == "keep")


def test_a_new_setting_holds_for_what_is_there_already(make_daemon, memory_model, user):
    daemon = make_daemon()
    teach(daemon, memory_model, user, "Call 555 0199.", LONG_AGO, fact("phone", "555 0199", "Call 555 0199", pii=True))
    assert daemon.values(user) == ["555 0199"]
    set_retention(daemon, pii="drop")
    until(lambda: daemon.values(user) == [], "the fact is still there")
    set_retention(daemon, messages="1h")
    until(lambda: not daemon.knows(user), "the turn is still there")


def test_a_long_memory_goes_in_parts_and_chats_go_on(make_daemon, user):
    daemon = make_daemon()
    old = [turn for i in range(1000) for turn in turns(f"Ferry {i} to Bergen leaves at noon.", LONG_AGO, session=f"s{i % 90}")]
    daemon.import_messages(user, old, learn=False)
    talk = Chat(daemon, user, session="now")
    talk.say("Bergen is rainy.")
    set_retention(daemon, messages="1m")
    said = ["Bergen is rainy."]
    while daemon.metric('recalld_expired_total{kind="exchanges"}') < 1000 and len(said) < 500:
        if len(said) < 5:
            daemon.signal(signal.SIGHUP)  # it begins anew, in the midst
        said.append(f"And now, {len(said)}?")
        assert talk.say(said[-1]).status in ("injected", "empty")
    until(lambda: texts(daemon, user) == said, "the old turns are still there")
    assert daemon.metric("recalld_store_turns") == 2 * len(said)
    until(lambda: sum(logged(daemon)) == 1000, "the log does not tell of all that went")


def test_check_tells_what_is_in_force(make_daemon):
    def told():
        command = [program("proxy/recallctl"), "-c", str(daemon.config_file), "check"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment()).stdout

    daemon = make_daemon({"retention": {"messages": "90d", "pii": "redact"}})
    assert "  keeps       messages 90d, facts for ever, pii: redact\n" in told()
    set_retention(daemon, messages="36h", facts="1500ms")
    until(lambda: "  keeps       messages 36h, facts 1500ms, pii: keep\n" in told(), "the old setting is shown")


def test_it_is_looked_after_when_the_daemon_starts(make_daemon, user):
    daemon = make_daemon()
    daemon.import_messages(user, turns("I moved to Lisbon.", 40 * 86400), learn=False)
    daemon.config["retention"] = {"messages": "30d"}
    daemon.restart()
    until(lambda: not daemon.knows(user), "the turn is still there")


# ---- what one user may take ----


def over_limit(daemon):
    return daemon.metric('recalld_expired_total{kind="over_limit"}')


def import_turns(daemon, user, count, first=0):
    turns = [
        {"role": role, "content": f"{role} {i} " + "tide " * 400, "session": f"s{i // 10}", "created_at": f"2026-01-01T00:{i:02}:0{n}Z"}
        for i in range(first, first + count)
        for n, role in enumerate(("user", "assistant"))
    ]
    assert daemon.admin("POST", daemon.memory_path(user, "/messages"), json={"messages": turns, "learn": False}).status_code == 202


def kept(daemon, user):
    return [int(turn["content"].split()[1]) for turn in daemon.memory(user)["messages"] if turn["role"] == "user"]


def test_beyond_user_limit_a_users_oldest_turns_give_way(make_daemon, user):
    big, small, apart = user, user + "-small", user + "-apart"
    daemon = make_daemon({"memory": {"mode": "buffer", "user_limit": "128K"}, f"memory user={apart}": {"user_limit": "1M"}})
    import_turns(daemon, small, 10)
    import_turns(daemon, apart, 40)
    for first in range(0, 40, 10):  # each waits until there is room
        import_turns(daemon, big, 10, first)
    until(lambda: len(kept(daemon, big)) < 15, "no turn gave way")
    left = kept(daemon, big)
    assert left == list(range(40 - len(left), 40)) and len(left) >= 10, "the oldest went, and no more than need be"
    assert len(kept(daemon, small)) == 10 and len(kept(daemon, apart)) == 40
    gone = over_limit(daemon)
    import_turns(daemon, big, 1, 40)  # it stays within
    daemon.restart()
    assert len(kept(daemon, small)) == 10 and kept(daemon, big)[-1] == 40
    assert gone == 40 - len(left)
    assert Chat(daemon, big).say("What did I say?").status in ("injected", "empty")


def test_a_section_shortens_the_time_of_its_users_and_nobody_elses(make_daemon, user):
    daemon = make_daemon({"retention": {"messages": "2h"}, f"retention user={user}": {"messages": "1m"}})
    daemon.import_messages(user + "-2", turns("I moved to Bergen.", LONG_AGO), learn=False)
    daemon.import_messages(user, turns("I moved to Lisbon.", LONG_AGO), learn=False)
    until(lambda: not daemon.knows(user), "the user's turn is still there")
    assert texts(daemon, user + "-2") == ["I moved to Bergen."]


def test_facts_of_one_kind_have_a_time_of_their_own(make_daemon, memory_model, user):
    daemon = make_daemon({"retention": {"facts.person": "1m"}})
    teach(
        daemon, memory_model, user, "I moved to Lisbon, and Maria lives in Ulm.", LONG_AGO,
        fact("home_city", "Lisbon", "I moved to Lisbon"), fact("city", "Ulm", "Maria lives in Ulm", entity="Maria", kind="person"),
    )
    until(lambda: daemon.values(user) == ["Lisbon"], "the fact about Maria is still there")


def test_notes_have_a_time_of_their_own(make_daemon, user):
    daemon = make_daemon({"retention": {"notes": "1m"}})
    memories = [
        {"memory": "Rows at dawn", "created_at": rfc3339(LONG_AGO)},
        {"memory": "Sails at dusk", "created_at": rfc3339(time.time())},
    ]
    assert daemon.admin("POST", f"/v1/users/{user}/import?format=mem0", json={"results": memories}).status_code == 200
    until(lambda: daemon.values(user) == ["Sails at dusk"], "the old note is still there")


def test_a_users_own_wish_shortens_what_is_kept(make_daemon, user):
    daemon = make_daemon()
    daemon.import_messages(user, turns("I moved to Lisbon.", LONG_AGO), learn=False)
    daemon.import_messages(user + "-2", turns("I moved to Bergen.", LONG_AGO), learn=False)
    daemon.admin("PUT", f"/v1/users/{user}/settings", json={"retention": {"messages": "10m"}})
    daemon.signal(signal.SIGHUP)
    until(lambda: not daemon.knows(user), "the turn is still there")
    assert texts(daemon, user + "-2") == ["I moved to Bergen."]


def test_nothing_of_a_user_under_a_legal_hold_goes(make_daemon, user):
    daemon = make_daemon()
    for name in (user, user + "-2"):
        daemon.import_messages(name, turns("I moved to Lisbon.", LONG_AGO), learn=False)
    hold = {"hold_until": rfc3339(time.time() + 3600)}
    daemon.admin("PUT", f"/v1/users/{user}/settings", json=hold)
    set_retention(daemon, messages="1m")
    until(lambda: not daemon.knows(user + "-2"), "the turn is still there")
    assert texts(daemon, user) == ["I moved to Lisbon."]
    refused = daemon.admin("DELETE", f"/v1/users/{user}")
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "legal_hold"
    assert daemon.admin("DELETE", f"/v1/users/{user}?force=2").status_code == 400
    assert texts(daemon, user) == ["I moved to Lisbon."]
    assert daemon.admin("DELETE", f"/v1/users/{user}?force=1").status_code == 200
    assert not daemon.knows(user)


def test_what_is_hidden_is_erased_in_its_time(make_daemon, memory_model, user):
    """A fact that a wish to forget meant without naming it, with its turn and what repeats it; nothing else goes."""
    daemon = make_daemon({"memory": {"mode": "entity"}})
    said, wish = "My canary is called Zwingli.", "Please forget what I told you about my pet."
    memory_model.answers |= {said: [fact("canary", "Zwingli", said)], wish: [fact("canary", "Zwingli", wish, forget=True)]}
    again, other = "Zwingli, the canary, sang today.", "I read of Zwingli of Zurich."
    for turn in (said, again, other, wish):
        Chat(daemon, user, session=turn[:8]).say(turn)
        daemon.settle(user)
    hidden = daemon.memory_path(user, "/facts") + "?state=hidden"
    assert len(daemon.admin("GET", hidden).json()["facts"]) == 1
    assert texts(daemon, user) == [said, again, other]
    set_retention(daemon, hidden="1s")
    until(lambda: daemon.admin("GET", hidden).json()["facts"] == [], "it is erased")
    assert texts(daemon, user) == [other]
    daemon.import_messages(user, turns(said, LONG_AGO), learn=False)
    assert texts(daemon, user) == [other], "and does not come back"
