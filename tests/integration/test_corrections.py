"""What a person corrects is wrong everywhere: in the summary, in what conversations were given, in turns."""

import pytest

from conftest import KNOWN_TURN, KNOWN_VALUE
from harness.chat import Chat
from harness.clock import until
from harness.memory_model import fact
from test_admin_recallctl import recallctl
from test_rights import facts_path, of_key, patch, prompt


def summarized(make_daemon, memory_model, user):
    """A user whose summary tells where they live."""
    daemon = make_daemon({"memory": {"mode": "hybrid", "summarize_after": "4"}})
    memory_model.answers[KNOWN_TURN] = [fact("home_city", KNOWN_VALUE, "I live in Lisbon")]
    memory_model.summary = "The user lives in Lisbon and likes lamps."
    talk = Chat(daemon, user, session="past")
    for turn in (KNOWN_TURN, "Lamp 1 is lit.", "Lamp 2 is lit.", "Lamp 3 is lit."):
        talk.say(turn)
    daemon.settle(user)
    assert KNOWN_VALUE in daemon.memory(user)["summary"]["text"]
    return daemon


def test_a_summary_that_says_a_corrected_value_is_written_anew(make_daemon, memory_model, upstream, user):
    daemon = summarized(make_daemon, memory_model, user)
    open_talk = Chat(daemon, user, session="open")
    open_talk.say("Good morning, where do I live?")
    assert "lives in Lisbon" in prompt(upstream)
    daemon.settle(user)
    memory_model.summary = "The user lives in Porto and likes lamps."
    before = len(memory_model.summary_calls())
    (city,) = of_key(daemon, user, "home_city")
    patch(daemon, user, city["id"], value="Porto")
    daemon.settle(user)
    until(lambda: "Porto" in str(daemon.memory(user)["summary"]), "a new summary")
    call = memory_model.summary_calls()[before]
    assert "home_city of user: Porto, not Lisbon" in call.prompt and "lives in Lisbon" not in call.prompt
    open_talk.say("And where do I live now?")
    assert "lives in Lisbon" not in prompt(upstream)


def test_a_summary_that_says_a_retracted_value_is_written_anew(make_daemon, memory_model, upstream, user):
    daemon = summarized(make_daemon, memory_model, user)
    memory_model.summary = "The user likes lamps."
    before = len(memory_model.summary_calls())
    (city,) = of_key(daemon, user, "home_city")
    patch(daemon, user, city["id"], state="retracted")
    daemon.settle(user)
    until(lambda: KNOWN_VALUE not in str(daemon.memory(user)["summary"]), "no word of it")
    assert "home_city of user: not Lisbon" in memory_model.summary_calls()[before].prompt


def test_a_summary_that_says_nothing_of_it_stays(make_daemon, memory_model, user):
    daemon = summarized(make_daemon, memory_model, user)
    made = daemon.admin("POST", facts_path(daemon, user), json={"key": "pet", "value": "cat"}).json()
    summary = daemon.memory(user)["summary"]
    patch(daemon, user, made["id"], value="dog")
    daemon.settle(user)
    assert daemon.memory(user)["summary"] == summary


def test_a_turn_that_says_a_corrected_value_is_given_with_a_mark(daemon, upstream, known_user):
    talk = Chat(daemon, known_user, session="open", mode="vector")
    talk.say("Which colour is my favourite?")
    assert KNOWN_TURN in prompt(upstream), "as it was said"
    (city,) = of_key(daemon, known_user, "home_city")
    patch(daemon, known_user, city["id"], value="Porto")
    for say in (talk.say, Chat(daemon, known_user, session="other", mode="vector").say):
        say("Which colour is my favourite?")
        given = prompt(upstream)
        assert '[until ' in given and "I live in Lisbon" in given
        assert given.count("I live in Lisbon") == given.count("[until ") * 2, "never without its mark"


def test_an_old_value_is_marked_in_each_of_its_forms(daemon, upstream, memory_model, user):
    said = "I have an allergy to peanuts."
    memory_model.answers[said] = [fact("allergy", "peanuts", said.rstrip("."))]
    for session, turn in (("a", said), ("b", "With my allergy I can't eat any peanut.")):
        Chat(daemon, user, session=session).say(turn)
        daemon.settle(user)
    patch(daemon, user, of_key(daemon, user, "allergy")[0]["id"], value="hazelnuts")
    for mode in ("buffer", "hybrid", "vector"):
        Chat(daemon, user, session=f"new-{mode}", newest_only=True, mode=mode).say("What is my allergy?")
        lines = [line for message in upstream.last.json["messages"] for line in message["content"].split("\n") if "peanut" in line]
        assert len(lines) >= 2 and all("until " in line for line in lines), lines


def test_what_a_second_correction_puts_right_is_not_marked(daemon, upstream, known_user):
    for value in ("Porto", KNOWN_VALUE):
        patch(daemon, known_user, of_key(daemon, known_user, "home_city")[0]["id"], value=value)
    for mode in ("buffer", "hybrid", "vector"):
        Chat(daemon, known_user, session=f"new-{mode}", newest_only=True, mode=mode).say("Where do I live?")
        given = "\n".join(message["content"] for message in upstream.last.json["messages"])
        assert KNOWN_TURN in given and "until " not in given


def correct(daemon, user, memory_model, way):
    (city,) = of_key(daemon, user, "home_city")
    if way == "api":
        patch(daemon, user, city["id"], value="Porto")
    elif way == "recallctl":
        assert recallctl(daemon, "correct", user, city["id"], "Porto").returncode == 0
    else:
        said = "That is wrong, I live in Porto."
        memory_model.answers[said] = [fact("home_city", "Porto", "I live in Porto")]
        Chat(daemon, user, session="correction", mode="entity").say(said)
        daemon.settle(user)
    assert [f["value"] for f in of_key(daemon, user, "home_city")] == ["Porto"]


@pytest.mark.parametrize("mode", ["buffer", "summary", "hybrid", "vector"])
@pytest.mark.parametrize("way", ["api", "recallctl", "chat"])
def test_a_turn_with_an_old_value_is_marked_wherever_it_stands(daemon, upstream, memory_model, known_user, mode, way):
    """In the block, as a turn of its own, and in what is put before a turn; in other words and in answers, too."""
    daemon.import_messages(known_user, [
        {"role": "user", "content": "Since I live in Lisbon, what shall I see?", "session": "later", "created_at": "2026-01-06T10:00:00Z"},
        {"role": "assistant", "content": "You live in Lisbon: see Belem.", "session": "later", "created_at": "2026-01-06T10:00:01Z"},
    ], learn=False)
    correct(daemon, known_user, memory_model, way)
    for session in ("later", "new"):
        Chat(daemon, known_user, session=session, newest_only=True, mode=mode).say("What did I say about where I live, and of Belem?")
        given = "\n".join(message["content"] for message in upstream.last.json["messages"])
        for words in ("I live in Lisbon", "You live in Lisbon"):
            for line in given.split("\n"):
                assert words not in line or "[until " in line or "[in part until " in line, line
        assert "[until " in given
