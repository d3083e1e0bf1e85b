"""What is learned, from what, how often, and what the memory model may do wrong meanwhile."""

import json
import time

import pytest

from harness.chat import Chat
from harness.clock import until
from harness.memory_model import fact
from harness.upstream import completion, error_reply, json_reply

OTHER = [
    {"role": "user", "content": "Unrelated."},
    {"role": "assistant", "content": "Yes."},
]


def teach(daemon, memory_model, user, turn, entries, **options):
    memory_model.answers[turn] = entries
    Chat(daemon, user, **options).say(turn)
    daemon.settle(user)


def facts_of(daemon, user):
    return {(f["entity"], f["key"], f["value"]) for f in daemon.memory(user)["facts"]}


# ---- grounding ----

def test_a_fact_has_its_source(daemon, memory_model, user):
    begun = time.time()
    turn = "My dog is called Waldo, by the way."
    teach(daemon, memory_model, user, turn, [fact("dog_name", "Waldo", "My dog is called Waldo")])
    (learned,) = daemon.memory(user)["facts"]
    assert (learned["entity"], learned["key"], learned["value"]) == ("user", "dog_name", "Waldo")
    assert learned["source"]["quote"] == "My dog is called Waldo" and learned["source"]["exchange"]
    assert learned["id"] and learned["confidence"] == pytest.approx(0.95) and learned["pii"] is False
    assert abs(time.mktime(time.strptime(learned["observed_at"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone - begun) < 30


@pytest.mark.parametrize(
    "entry",
    [
        fact("city", "Paris", "I live in Paris"),
        fact("city", "Paris"),
        fact("city", "Paris", ""),
        fact("city", "Paris", "Which city is the best"),
        fact("city", "Wels", "a river near Wels", confidence=0.7),
        fact("city", "Wels", "a river near Wels", confidence=0.1),
        fact("city", "Wels", "a river near Wels", confidence="low"),
        {"key": "city"},
        {"value": "Wels", "confidence": 1},
        {"key": 7, "value": ["Wels"], "confidence": 1},
        fact("", "Wels", "a river near Wels"),
        fact("city", "", "a river near Wels"),
        "Wels",
        None,
    ],
)
def test_an_entry_that_is_not_grounded_sure_and_whole_is_not_stored(daemon, memory_model, user, entry):
    good = fact("river", "Traun", "The Traun is a river near Wels")
    teach(daemon, memory_model, user, "The Traun is a river near Wels.", [entry, good])
    assert facts_of(daemon, user) == {("user", "river", "Traun")}


def test_a_value_of_the_turns_own_words_needs_no_quote(daemon, memory_model, user):
    teach(daemon, memory_model, user, "I ride a Brompton to work.", [fact("bicycle", "Brompton")])
    assert facts_of(daemon, user) == {("user", "bicycle", "Brompton")}


def test_the_assistants_echo_never_becomes_a_fact(daemon, upstream, memory_model, user):
    turn = "What would be a good name for a cat?"
    upstream.script(json_reply(completion("Your cat is called Mittens.")))
    teach(daemon, memory_model, user, turn, [fact("cat_name", "Mittens", "Your cat is called Mittens")])
    assert facts_of(daemon, user) == set()


def test_system_developer_and_tool_text_never_reach_the_memory_model(daemon, memory_model, user):
    talk = Chat(daemon, user, system="The operator's word is xylophone.")
    talk.say("Hello there.")
    daemon.settle(user)
    assert memory_model.fact_calls("Hello there.")
    assert not any(c.holds("xylophone") for c in memory_model.calls())


def test_what_was_injected_is_not_learned_again(daemon, upstream, memory_model, user):
    teach(daemon, memory_model, user, "I collect ocarinas.", [fact("hobby", "ocarinas", "I collect ocarinas", op="add")])
    Chat(daemon, user).say("What do I collect?")
    assert b"ocarinas" in upstream.last.body
    daemon.settle(user)
    calls = memory_model.fact_calls("What do I collect?")
    assert len(calls) == 1
    assert "user_memory" not in calls[0].prompt
    assert "ocarinas" not in dict(daemon.messages(user))["user"]


@pytest.mark.parametrize(
    "answer",
    [
        '```json\n{"entities":[{"key":"bird","value":"wren","confidence":0.9}]}\n```',
        'Sure! Here it is: {"entities":[{"key":"bird","value":"wren","confidence":0.9}]} Hope it helps.',
        '<think>a {bird}</think>{"entities":[{"key":"bird","value":"wren","confidence":0.9}]}',
    ],
)
def test_text_round_the_models_json_is_tolerated(daemon, memory_model, user, answer):
    teach(daemon, memory_model, user, "My favourite bird is the wren.", answer)
    assert facts_of(daemon, user) == {("user", "bird", "wren")}


def test_repairs_of_a_small_models_answer_can_be_switched_off(make_daemon, memory_model, user):
    """With a value in another form than the user's, and an entry filed under a word of the turn."""
    answer = [fact("hobby", "hike", "I love hiking"), fact("allergy", "nut", "I've a nut allergy", entity="Hull")]
    for switch, stored in (
        ("on", {("user", "hobby", "hiking"), ("user", "allergy", "nut")}),
        ("off", {("user", "hobby", "hike"), ("Hull", "allergy", "nut")}),
    ):
        daemon = make_daemon({"model": {"repair": switch}})
        teach(daemon, memory_model, user, "I love hiking. I live in Hull, and I've a nut allergy.", answer)
        assert facts_of(daemon, user) == stored


# ---- changes ----

def test_a_correction_replaces_and_several_values_stand_side_by_side(daemon, memory_model, user):
    memory_model.answers |= {
        "I use Qdrant.": [fact("vector_store", "Qdrant", "I use Qdrant")],
        "Sorry, I use Milvus.": [fact("vector_store", "Milvus", "I use Milvus")],
        "I speak Czech.": [fact("language", "Czech", "I speak Czech", op="add")],
        "I speak Greek too.": [fact("language", "Greek", "I speak Greek too", op="add")],
    }
    talk = Chat(daemon, user)
    for turn in list(memory_model.answers):
        talk.say(turn)
    daemon.settle(user)
    assert facts_of(daemon, user) == {
        ("user", "vector_store", "Milvus"),
        ("user", "language", "Czech"),
        ("user", "language", "Greek"),
    }


def test_a_negation_ends_a_fact_and_a_removal_of_one_leaves_the_others(daemon, memory_model, user):
    memory_model.answers |= {
        "I play golf and chess.": [fact("hobby", "golf", "golf", op="add"), fact("hobby", "chess", "chess", op="add")],
        "I gave up golf.": [fact("hobby", "golf", "I gave up golf", op="remove")],
    }
    talk = Chat(daemon, user)
    for turn in list(memory_model.answers):
        talk.say(turn)
    daemon.settle(user)
    assert facts_of(daemon, user) == {("user", "hobby", "chess")}


def test_other_people_are_entities_of_their_own(daemon, memory_model, user):
    turn = "My brother Jan lives in Ghent."
    entries = [
        fact("relation", "brother", "My brother Jan", entity="Jan", kind="person"),
        fact("city", "Ghent", "Jan lives in Ghent", entity="Jan", kind="person"),
    ]
    teach(daemon, memory_model, user, turn, entries)
    assert facts_of(daemon, user) == {("Jan", "relation", "brother"), ("Jan", "city", "Ghent")}


def test_a_late_older_observation_never_overrides(daemon, memory_model, user):
    teach(daemon, memory_model, user, "I live in Turin.", [fact("city", "Turin", "I live in Turin")])
    old = "I live in Genoa."
    memory_model.answers[old] = [fact("city", "Genoa", old[:-1])]
    daemon.import_messages(
        user,
        [
            {"role": "user", "content": old, "created_at": "2020-05-01T08:00:00Z", "session": "old"},
            {"role": "assistant", "content": "Nice.", "created_at": "2020-05-01T08:00:01Z", "session": "old"},
        ],
    )
    daemon.settle(user)
    assert memory_model.fact_calls(old)
    assert facts_of(daemon, user) == {("user", "city", "Turin")}


def test_a_fact_past_its_date_is_current_no_more(daemon, upstream, memory_model, user):
    turn = "I am in Malta until yesterday, and I own a kayak."
    entries = [
        fact("whereabouts", "Malta", "I am in Malta", valid_until="2021-01-01"),
        fact("boat", "kayak", "I own a kayak", valid_until="2999-01-01"),
    ]
    teach(daemon, memory_model, user, turn, entries)
    assert facts_of(daemon, user) == {("user", "boat", "kayak")}
    Chat(daemon, user, mode="entity").say("What of mine can float?")
    assert b"kayak" in upstream.last.body and b"Malta" not in upstream.last.body


def test_the_user_may_ask_to_forget(daemon, upstream, memory_model, user):
    memory_model.answers |= {
        "My PIN hint is walrus.": [fact("pin_hint", "walrus", "My PIN hint is walrus")],
        "I have a garden.": [fact("has", "garden", "I have a garden", op="add")],
        "Please forget my PIN hint.": [fact("pin_hint", "walrus", "forget my PIN hint", forget=True)],
    }
    talk = Chat(daemon, user, session="s")
    for turn in list(memory_model.answers):
        talk.say(turn)
        daemon.settle(user)
    assert facts_of(daemon, user) == {("user", "has", "garden")}
    assert "walrus" not in str(daemon.memory(user))
    for mode in ("buffer", "summary", "entity", "hybrid"):
        Chat(daemon, user, session=f"new-{mode}", mode=mode).say("What do you know of me?")
        assert b"walrus" not in upstream.last.body, mode


def test_secrets_are_masked_in_what_is_kept_and_what_the_memory_model_sees(daemon, upstream, memory_model, user):
    key = "sk-proj-" + "aB3" * 14
    card = "4111 1111 1111 1111"
    turn = f"My key is {key} and my card is {card}; I like plums."
    teach(daemon, memory_model, user, turn, [fact("key", key, f"My key is {key}"), fact("fruit", "plums", "I like plums")])
    assert key.encode() in upstream.chats()[0].body, "the chat itself goes on as it came"
    assert key not in str(daemon.memory(user)) and card not in str(daemon.memory(user))
    assert not any(key in c.prompt or card in c.prompt for c in memory_model.calls())
    assert "plums" in str(daemon.memory(user))


def test_secrets_are_kept_where_configured(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"secrets": "keep"}})
    key = "sk-proj-" + "aB3" * 14
    Chat(daemon, user).say(f"My key is {key}.")
    assert key in str(daemon.memory(user))

# ---- once, in order ----

def test_a_turn_is_learned_once_though_history_is_resent(daemon, memory_model, user):
    talk = Chat(daemon, user)
    turns = [f"This is statement number {i}." for i in range(5)]
    for turn in turns:
        talk.say(turn)
    daemon.settle(user)
    new = "=== New user turn"
    for turn in turns:
        asked = [c for c in memory_model.fact_calls(turn) if turn in c.asked.split(new)[-1]]
        assert len(asked) == 1, turn
    assert [c for r, c in daemon.messages(user) if r == "user"] == turns


def test_one_users_exchanges_are_learned_in_their_order(daemon, memory_model, user):
    turns = [f"My lucky number is {i}." for i in range(10, 22)]
    memory_model.answers |= {t: [fact("lucky_number", t.split()[-1][:-1], t)] for t in turns}
    memory_model.fail(turns[0], error_reply(500), error_reply(429))
    talk = Chat(daemon, user, session="s", newest_only=True)
    for turn in turns:
        talk.say(turn)
    daemon.settle(user)
    learned = [t for c in memory_model.fact_calls() for t in turns if c.asked.endswith(t)]
    assert list(dict.fromkeys(learned)) == turns
    assert facts_of(daemon, user) == {("user", "lucky_number", "21")}


def test_the_memory_model_is_asked_as_promised(daemon, memory_model, user):
    turn = "I knit scarves."
    teach(daemon, memory_model, user, turn, [])
    (call,) = memory_model.fact_calls(turn)
    assert call.body["model"] == "memory-model"
    assert call.body["temperature"] == 0
    assert call.body["response_format"] == {"type": "json_object"}
    assert not call.body.get("stream")
    assert call.authorization == "Bearer model-key"
    roles = [m["role"] for m in call.body["messages"]]
    assert roles[0] == "system" and roles[1:] == ["user", "assistant"] * (len(roles) // 2 - 1) + ["user"]
    assert time.strftime("%Y-%m-%d", time.gmtime()) in call.asked


def test_a_server_that_enforces_a_schema_is_given_one(make_daemon, memory_model, user):
    """Ollama says what it is in its replies; the first question is put to a server that nobody knows."""
    daemon = make_daemon()
    plain = memory_model.answer
    memory_model.answer = lambda request: json_reply(json.loads(plain(request).pieces[0]) | {"system_fingerprint": "fp_ollama"})
    for number in range(3):
        turn = f"I own kite number {number}."
        teach(daemon, memory_model, user, turn, [fact("kite", f"number {number}", f"I own kite number {number}")])
    first, *later = [call.body["response_format"] for call in memory_model.fact_calls("I own kite number")]
    assert first == {"type": "json_object"} and len(later) == 2
    for response_format in later:
        schema = response_format["json_schema"]
        entry = schema["schema"]["properties"]["entities"]["items"]
        assert response_format["type"] == "json_schema" and schema["strict"] is False
        assert next(iter(entry["properties"])) == "quote" and "forget" not in entry["properties"]
    assert facts_of(daemon, user) == {("user", "kite", "number 2")}


@pytest.mark.parametrize("mode", ["entity", "hybrid"])
def test_a_wish_in_other_words_hides_what_the_model_names_exactly(make_daemon, upstream, memory_model, user, mode):
    """Reversibly: no model is given it, and a person restores it or erases it."""
    daemon = make_daemon({"memory": {"mode": mode}})
    said, wish = "My canary is called Zwingli.", "Please forget what I told you about my pet."
    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    teach(daemon, memory_model, user, "I play the oboe.", [fact("instrument", "oboe", "I play the oboe")])
    teach(daemon, memory_model, user, wish, [fact("canary", "Zwingli", wish, forget=True)])
    assert daemon.values(user) == ["oboe"]
    facts = daemon.memory_path(user, "/facts")
    (hidden,) = daemon.admin("GET", f"{facts}?state=hidden").json()["facts"]
    assert (hidden["value"], hidden["state"]) == ("Zwingli", "hidden")
    exported = daemon.admin("GET", daemon.memory_path(user, "/export")).json()
    assert {(f["value"], f["state"]) for f in exported["facts"]} == {("Zwingli", "hidden"), ("oboe", "current")}
    Chat(daemon, user, session="new").say("What is my canary called, and what did I say of it?")
    assert b"Zwingli" not in upstream.last.body
    teach(daemon, memory_model, user, "I own a drone.", [fact("vehicle", "drone", "I own a drone")])
    (call,) = [call for call in memory_model.fact_calls() if call.asked.endswith("I own a drone.")]
    assert "Zwingli" not in call.prompt
    assert daemon.admin("POST", f"{facts}/{hidden['id']}/restore").status_code == 200
    assert "Zwingli" in daemon.values(user)
    Chat(daemon, user, session="newer").say("What is my canary called?")
    assert b"Zwingli" in upstream.last.body
    assert [m for m in daemon.messages(user) if m == ("user", said)], "its turn stands"


def test_a_hidden_fact_that_a_person_retracts_is_wrong_from_then_on(daemon, upstream, memory_model, user):
    """It stays hidden all the same: a retracted one's turns would be given again, with a mark."""
    said, wish = "My canary is called Zwingli.", "Please forget what I told you about my pet."
    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    teach(daemon, memory_model, user, wish, [fact("canary", "Zwingli", wish, forget=True)])
    facts = daemon.memory_path(user, "/facts")
    (hidden,) = daemon.admin("GET", f"{facts}?state=hidden").json()["facts"]
    patched = daemon.admin("PATCH", f"{facts}/{hidden['id']}", json={"state": "retracted"})
    assert (patched.status_code, patched.json()["state"]) == (200, "hidden")
    Chat(daemon, user, session="new").say("What is my canary called?")
    assert b"Zwingli" not in upstream.last.body
    again = "The canary, my Zwingli, sings."
    teach(daemon, memory_model, user, again, [fact("canary", "Zwingli", "The canary, my Zwingli, sings")])
    assert daemon.values(user) == [], "a wrong value is not learned again"
    assert daemon.admin("POST", f"{facts}/{hidden['id']}/restore").status_code == 200
    assert daemon.values(user) == ["Zwingli"]


def test_the_next_reply_says_once_how_much_was_forgotten(daemon, memory_model, user):
    said, wish = "My canary is called Zwingli.", "Forget that my canary is called Zwingli."
    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    teach(daemon, memory_model, user, wish, [fact("canary", "Zwingli", wish, forget=True)])
    assert "X-Memory-Forgot" not in Chat(daemon, user + "-2").say("Good morning!").headers, "another user's"
    assert int(Chat(daemon, user).say("Good morning!").headers["X-Memory-Forgot"]) >= 1
    assert "X-Memory-Forgot" not in Chat(daemon, user).say("Good evening!").headers
    daemon.settle(user)


def test_a_stray_word_of_the_model_hides_nothing(daemon, memory_model, user):
    said = "My canary is called Zwingli."
    teach(daemon, memory_model, user, said, [fact("canary", "Zwingli", said)])
    for turn, entry in (("Thanks, see you tomorrow.", fact("canary", "Zwingli", forget=True)),
                        ("Please forget what I told you about my pet.", fact("canary", "Luther", forget=True)),
                        ("Please forget what I told you about my pet, please.", fact("bird", "Zwingli", forget=True))):
        teach(daemon, memory_model, user, turn, [entry])
        assert daemon.values(user) == ["Zwingli"], turn
    assert daemon.admin("GET", daemon.memory_path(user, "/facts") + "?state=hidden").json()["facts"] == []


def test_what_to_forget_is_a_question_of_its_own(daemon, memory_model, user):
    teach(daemon, memory_model, user, "I own a kite.", [fact("toy", "kite", "I own a kite")])
    (call,) = memory_model.fact_calls("I own a kite.")
    assert "forget" not in call.prompt.lower()
    turn = "Please forget my kite. I own a drone."
    memory_model.requests.clear()
    drone = fact("vehicle", "drone", "I own a drone")
    teach(daemon, memory_model, user, turn, [fact("toy", "kite", "forget my kite", forget=True), drone])
    first, second = memory_model.fact_calls(turn)
    assert "forget" in first.prompt.lower().replace(turn.lower(), "")
    assert "forget" not in second.prompt.lower().replace(turn.lower(), "")
    assert facts_of(daemon, user) == {("user", "vehicle", "drone")}
    turn = "Forget my drone."
    memory_model.requests.clear()
    teach(daemon, memory_model, user, turn, [fact("vehicle", "drone", "Forget my drone", forget=True)])
    assert len(memory_model.fact_calls(turn)) == 1, "nothing else is said"
    assert facts_of(daemon, user) == set()


def test_a_summary_is_written_folded_and_bounded(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "summary", "summarize_after": "6", "summary_words": "40"}})
    memory_model.summary = "The user talks of numbered lamps. " + "More about lamps. " * 60
    talk = Chat(daemon, user, session="s", newest_only=True)
    for i in range(6):
        talk.say(f"Lamp number {i} is lit.")
        daemon.settle(user)
    until(lambda: daemon.memory(user)["summary"], "there is no summary")
    summary = daemon.memory(user)["summary"]
    assert summary["text"].startswith("The user talks of numbered lamps.")
    assert len(summary["text"].split()) <= 40 and summary["updated_at"].endswith("Z")
    first = memory_model.summary_calls("Lamp number 0 is lit.")[0]
    assert "response_format" not in first.body
    talk.say("Which lamps are lit?")
    assert b"The user talks of numbered lamps." in upstream.last.body
    assert b"Lamp number 5 is lit." in upstream.last.body


def test_a_summary_that_was_cut_off_is_not_stored(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "summary", "summarize_after": "4"}})
    original = memory_model.answer
    cut = [2]

    def cut_first(request):
        if cut[0]:
            cut[0] -= 1
            return json_reply(completion("Half of a", finish_reason="length"))
        return original(request)

    memory_model.answer = cut_first
    memory_model.summary = "A whole summary."
    talk = Chat(daemon, user, session="s", newest_only=True)
    for i in range(4):
        talk.say(f"Statement {i}.")
    until(lambda: daemon.memory(user)["summary"], "there is no whole summary")
    assert daemon.memory(user)["summary"]["text"] == "A whole summary."
    assert not cut[0]


def test_what_buffer_journalled_is_learned_when_the_mode_changes(make_daemon, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "buffer"}})
    turn = "I breed axolotls."
    memory_model.answers[turn] = [fact("breeds", "axolotls", "I breed axolotls")]
    Chat(daemon, user).say(turn)
    time.sleep(0.3)  # the learner would ask at once
    assert not any(c.holds(turn) for c in memory_model.calls())
    daemon.config["memory"]["mode"] = "entity"
    daemon.restart()
    until(lambda: facts_of(daemon, user), "nothing was learned")
    assert facts_of(daemon, user) == {("user", "breeds", "axolotls")}
