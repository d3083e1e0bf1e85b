"""Chains: requests that go on from what the provider keeps. It keeps items and riders, but no instructions;
what the model sees has the block and each rider exactly once."""

import itertools

import pytest

from conftest import KNOWN_TURN, KNOWN_VALUE, make_known
from harness.memory_model import fact
from harness.responses import Keeper, events, function_call, message, reasoning
from harness.talk import Talk
from harness.upstream import sse_reply

streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
BLOCK = "<user_memory>"
LED = [{"role": "developer", "content": "Be brief."}]


class Tools(Keeper):
    """Its model calls a tool for each user turn that asks for one."""

    def __init__(self):
        super().__init__(self.act)
        self.calls = itertools.count(1)

    def act(self, seen, body):
        brought = body["input"] if isinstance(body["input"], list) else [{"content": body["input"]}]
        if "weather" in str(brought[-1].get("content", "")):
            return [reasoning(), function_call(f"call_{next(self.calls)}")]
        return [message(f"Understood, this is answer {next(self.numbers)}.")]


@pytest.fixture
def keeper(upstream):
    upstream.answer = Tools()
    return upstream.answer


def results(talk):
    return [{"type": "function_call_output", "call_id": talk.items[-1]["call_id"], "output": "It rains."}]


def once(seen):
    """The block is there once, and no line of memory's twice."""
    assert seen.count(BLOCK) == 1, seen
    assert seen.count("</user_memory>") == 1


def own(daemon, user, known=()):
    return [m for m in daemon.messages(user) if m[1] not in (KNOWN_TURN, "Teal it is.", *known)]


@streamed
@pytest.mark.parametrize("leads", ["instructions", "items"])
def test_the_model_sees_the_block_once_in_every_request(daemon, keeper, memory_model, mode_user, leads, stream):
    user = make_known(daemon, memory_model, mode_user("entity"))
    always = {"instructions": "Be brief."} if leads == "instructions" else {}
    talk = Talk(daemon, user, chained=True, stream=stream, **always)
    first = [{"role": "user", "content": "Hello"}]
    answers = [talk.say(first if always else LED + first)]
    answers += [talk.say(f"And part {number}?") for number in range(4)]
    for seen in keeper.seen:
        once(seen)
        assert KNOWN_VALUE in seen
    assert {answer.status for answer in answers} == {"injected"}
    assert len({answer.headers["X-Memory-Tokens"] for answer in answers}) == 1
    places = [{place for place in ("block", "kept") if given(daemon, answer, place)} for answer in answers]
    assert places == [{"block"}] + [{"block" if always else "kept"}] * 4


RAINS = "My violin stands in the cellar of the Kronen mill."


def tell(daemon, user, *told):
    messages = []
    for day, said in enumerate(told, 1):
        common = {"session": f"past-{day}", "created_at": f"2026-01-{day:02d}T10:00:00Z"}
        messages += [{"role": "user", "content": said} | common, {"role": "assistant", "content": "I see."} | common]
    daemon.import_messages(user, messages, learn=False)


def given(daemon, answer, place):
    """The texts of the items that the answer's receipt lists in that place."""
    items = daemon.receipt(answer.headers["X-Memory-Receipt"])["items"]
    return [item["text"] for item in items if item["place"] == place]


def test_a_rider_is_kept_and_not_sent_again(daemon, keeper, upstream, user):
    user = "vector-" + user
    tell(daemon, user, RAINS)
    talk = Talk(daemon, user, chained=True, mode="vector", instructions="Be brief.")
    talk.say("Where does my violin stand?")
    answers = [talk.say("And why?"), talk.say("Where does my violin stand, again?")]
    assert [seen.count("Kronen") for seen in keeper.seen] == [1, 1, 1]
    for answer in answers:
        assert RAINS in str(given(daemon, answer, "kept")) and RAINS not in str(given(daemon, answer, "replayed"))
    assert "Kronen" not in upstream.last.body.decode()


def test_a_client_that_resends_all_gets_its_riders_again(daemon, keeper, user):
    tell(daemon, user, RAINS)
    talk = Talk(daemon, user, mode="vector")
    talk.say("Where does my violin stand?")
    answer = talk.say("And why?")
    assert [seen.count("Kronen") for seen in keeper.seen] == [1, 1]
    assert RAINS in str(given(daemon, answer, "replayed")) and given(daemon, answer, "kept") == []


@streamed
def test_the_words_of_a_chained_tool_loop_are_learned(daemon, keeper, upstream, memory_model, user, stream):
    user = make_known(daemon, memory_model, user)
    talk = Talk(daemon, user, chained=True, stream=stream, instructions="Be brief.")
    talk.say("Hello")
    for number in range(3):
        talk.say(f"How is the weather at home, part {number}?")
        answer = talk.say(results(talk))
        assert answer.status == "injected"
    asked = [upstream.requests[i].json["instructions"] for i in range(len(upstream.requests))]
    assert len(set(asked)) == 1, "a loop gets the same block"
    said = own(daemon, user)
    assert [m[1] for m in said if m[0] == "user"] == ["Hello"] + [f"How is the weather at home, part {n}?" for n in range(3)]
    assert [m[0] for m in said] == ["user", "assistant"] * 4
    assert len({m["session"] for m in daemon.memory(user)["messages"] if m["content"] not in (KNOWN_TURN, "Teal it is.")}) == 1


def test_a_restart_in_the_midst_of_a_chain_changes_nothing(make_daemon, keeper, memory_model, user):
    daemon = make_daemon()
    make_known(daemon, memory_model, user)
    talk = Talk(daemon, user, chained=True, instructions="Be brief.")
    talk.say("How is the weather?")
    daemon.kill_and_restart()
    talk.say(results(talk))
    daemon.kill_and_restart()
    talk.say("And now?")
    assert [m[1] for m in own(daemon, user) if m[0] == "user"] == ["How is the weather?", "And now?"]
    for seen in keeper.seen:
        once(seen)


def said_on_two_ways(daemon, user, talk):
    """What is kept of the user's turns after two that follow the same answer."""
    talk.say("I am building a boat.")
    fork = talk.previous
    talk.say("It is made of oak.")
    talk.previous = fork
    talk.say("It is made of steel.")
    return [m[1] for m in daemon.messages(user) if m[0] == "user"]


def test_an_older_id_is_gone_on_from_where_it_stands(daemon, keeper, user):
    said = said_on_two_ways(daemon, user, Talk(daemon, user, chained=True))
    assert said == ["I am building a boat.", "It is made of oak.", "It is made of steel."]


def test_an_older_id_within_a_session_takes_back_what_came_after(daemon, keeper, user):
    said = said_on_two_ways(daemon, user, Talk(daemon, user, session="s", chained=True))
    assert said == ["I am building a boat.", "It is made of steel."]


def test_the_same_turn_from_the_same_id_is_asked_again(daemon, keeper, user):
    talk = Talk(daemon, user, chained=True)
    talk.say("I am building a boat.")
    first = talk.previous
    talk.say("What is it called?")
    talk.previous = first
    talk.say("What is it called?")
    said = [m[1] for m in daemon.messages(user) if m[0] == "user"]
    assert said == ["I am building a boat.", "What is it called?"]


def test_an_id_that_nobody_knows_begins_in_the_midst(daemon, upstream, memory_model, user):
    user = make_known(daemon, memory_model, user)
    upstream.answer = keeper = Tools()
    keeper.kept["resp_elsewhere"] = [{"role": "user", "content": "Before."}]
    talk = Talk(daemon, user, chained=True)
    talk.previous = "resp_elsewhere"
    assert talk.say("And now?").status == "injected"
    assert len(upstream.last.json["input"]) == 1
    talk.say("And then?")
    assert [m[1] for m in own(daemon, user) if m[0] == "user"] == ["And now?", "And then?"]


def test_a_users_ids_mean_nothing_to_another(daemon, keeper, user):
    talk = Talk(daemon, user, chained=True)
    talk.say("How is the weather in Oslo?")
    other = Talk(daemon, user + "-other", chained=True)
    other.previous = talk.previous
    other.say(results(talk))
    assert not daemon.knows(user + "-other") or "Oslo" not in str(daemon.memory(user + "-other"))


@pytest.mark.parametrize("named", [str, dict], ids=["its id", "an object"])
def test_a_conversation_at_the_provider_is_a_session(daemon, keeper, memory_model, user, named):
    user = make_known(daemon, memory_model, user)
    conversation = "conv_1" if named is str else {"id": "conv_1"}
    talk = Talk(daemon, user, newest_only=True, conversation=conversation, instructions="Be brief.")
    talk.say("Hello")
    talk.say("How is the weather?")
    talk.say(results(talk))
    said = own(daemon, user)
    assert [m[1] for m in said if m[0] == "user"] == ["Hello", "How is the weather?"]
    assert {m["session"] for m in daemon.memory(user)["messages"]} == {"past", "conv:conv_1"}
    for seen in keeper.seen:
        once(seen)


def test_what_was_corrected_stands_in_a_new_block(daemon, keeper, memory_model, mode_user):
    user = make_known(daemon, memory_model, mode_user("entity"))
    correction = "I live in Porto now."
    memory_model.answers[correction] = [fact("home_city", "Porto", correction)]
    talk = Talk(daemon, user, chained=True, instructions="Be brief.")
    talk.say("Hello")
    talk.say(correction)
    daemon.settle(user)
    talk.say("And now?")
    assert "Porto" in keeper.seen[-1].split("And now?")[0].split("</user_memory>")[0]
    once(keeper.seen[-1])


def learn(daemon, memory_model, user, said, value, key="violin_place"):
    memory_model.answers[said] = [fact(key, value, said)]
    Talk(daemon, user, session=f"beside-{value}").say(said)
    daemon.settle(user)


@pytest.mark.parametrize("leads", ["instructions", "items"])
def test_what_a_kept_rider_says_is_corrected_in_every_later_block(daemon, keeper, memory_model, mode_user, leads):
    user = make_known(daemon, memory_model, mode_user("entity"))
    talk = Talk(daemon, user, chained=True, **({"instructions": "Be brief."} if leads == "instructions" else {}))
    talk.say(([] if leads == "instructions" else LED) + [{"role": "user", "content": "Hello"}])
    learn(daemon, memory_model, user, "My violin is at the Kronen mill.", "Kronen mill")
    talk.say("What is the violin_place?")
    assert "Kronen" in keeper.seen[-1] and "No longer so" not in keeper.seen[-1]
    learn(daemon, memory_model, user, "My violin is at the Linden house.", "Linden house")
    answers = [talk.say("And now?"), talk.say("Thanks.")]
    for seen in keeper.seen[-2:]:
        assert seen.count("No longer so: ") == 1
        assert "Kronen" in seen.split("No longer so: ")[1].splitlines()[0]
        assert "Linden house" in seen
    assert len({answer.headers["X-Memory-Tokens"] for answer in answers}) == 1, "the block stands again"
    assert all("violin_place: Kronen mill" in given(daemon, answer, "kept") for answer in answers)
    learn(daemon, memory_model, user, "I play the cello in Porto.", "Porto", "home_city")
    talk.say("And then?")
    assert keeper.seen[-1].count("Kronen") >= 2, "the rider is still there, and so is what corrects it"


def test_what_a_kept_rider_says_is_not_repeated_once_it_is_forgotten(daemon, keeper, memory_model, mode_user):
    user = make_known(daemon, memory_model, mode_user("entity"))
    talk = Talk(daemon, user, chained=True, instructions="Be brief.")
    talk.say("Hello")
    learn(daemon, memory_model, user, "My violin is at the Kronen mill.", "Kronen mill")
    talk.say("What is the violin_place?")
    assert keeper.seen[-1].count("Kronen") == 1
    forget = "Please forget that my violin is at the Kronen mill."
    memory_model.answers[forget] = [fact("violin_place", "Kronen mill", forget, forget=True)]
    Talk(daemon, user, session="beside").say(forget)
    daemon.settle(user)
    talk.say("And now?")
    assert "No longer so: violin_place" in keeper.seen[-1].splitlines()
    assert keeper.seen[-1].count("Kronen") == 1


def test_a_forgotten_user_leaves_no_link(daemon, keeper, user):
    talk = Talk(daemon, user, chained=True)
    talk.say("How is the weather in Oslo?")
    daemon.forget(user)
    talk.say(results(talk))
    assert not daemon.knows(user) or "Oslo" not in str(daemon.memory(user))


# ---- replies that are fetched later ----


def fetch(daemon, user, id, query=""):
    return daemon.request("GET", f"/v1/responses/{id}{query}", headers={"X-User-Id": user})


@pytest.mark.parametrize("polls", [0, 1, 5])
@pytest.mark.parametrize("query", ["", "?stream=true&starting_after=3"], ids=["whole", "streamed"])
def test_a_background_reply_is_learned_once_when_it_is_fetched(daemon, keeper, upstream, user, polls, query):
    talk = Talk(daemon, user, background=True)
    answer = talk.say("What is deep?")
    assert answer.status == "empty" and daemon.messages(user) == []
    for _ in range(polls):
        reply = fetch(daemon, user, talk.previous, query)
        assert reply.status_code == 200 and not [n for n in reply.headers if n.startswith("x-memory-")]
    said = [("user", "What is deep?"), ("assistant", "Understood, this is answer 1.")]
    assert daemon.messages(user) == (said if polls else [])
    talk = Talk(daemon, user, chained=True)
    talk.previous = "resp_1"
    talk.say("And what is high?")
    assert [m[0] for m in daemon.messages(user)] == ["user", "assistant"] * (2 if polls else 1)


@pytest.mark.parametrize("polls", [0, 1, 2])
def test_a_background_stream_that_broke_off_is_learned_when_it_is_resumed(daemon, keeper, upstream, user, polls):
    def broken_off(request):
        keeper(request)
        return sse_reply(events(keeper.background["resp_1"]), break_after=6)

    upstream.script(broken_off)
    began = Talk(daemon, user, background=True, stream=True).send("What is deep?")
    assert b"output_text.delta" in began.content and b"upstream_broken" in began.content
    for _ in range(polls):
        assert fetch(daemon, user, "resp_1", "?stream=true&starting_after=3").status_code == 200
    said = [("user", "What is deep?"), ("assistant", "Understood, this is answer 1.")]
    assert daemon.messages(user) == (said if polls else [])
    assert all(m["complete"] for m in daemon.memory(user)["messages"])


def test_a_fetched_answer_in_a_format_is_not_kept(daemon, keeper, upstream, user):
    talk = Talk(daemon, user, background=True, text={"format": {"type": "json_object"}})
    talk.say("What is deep?")
    fetch(daemon, user, talk.previous)
    assert daemon.messages(user) == [("user", "What is deep?")]


@pytest.mark.parametrize("session", [None, "s"], ids=["no session", "session"])
def test_what_follows_a_fetched_reply_takes_nothing_back(daemon, keeper, user, session):
    talk = Talk(daemon, user, session, newest_only=True, conversation="conv_1", instructions="Be brief.")
    asked = ["What is deep?", "And what is high?", "And what is wide?", "And what is long?", "And what is thin?"]
    for said in asked[:2]:
        talk.say(said, background=True)
        fetch(daemon, user, talk.previous)
    talk.say(asked[2])
    assert [m[1] for m in daemon.messages(user) if m[0] == "user"] == asked[:3]
    # Two that were begun at once, of which the first is fetched when the conversation has gone on.
    talk.say(asked[3], background=True)
    late = talk.previous
    talk.say("Never mind.")
    talk.say(asked[4])
    fetch(daemon, user, late)
    talk.say("Thank you.")
    said = [m[1] for m in daemon.messages(user) if m[0] == "user"]
    assert sorted(said) == sorted([*asked, "Never mind.", "Thank you."])


def test_a_background_reply_that_is_not_there_yet_or_failed_teaches_nothing(daemon, keeper, upstream, user):
    talk = Talk(daemon, user, background=True)
    talk.say("What is deep?")
    whole = keeper.background[talk.previous]
    for state in ({"status": "in_progress", "output": []}, {"status": "failed", "output": [], "error": {"code": "x"}}):
        keeper.background[talk.previous] = whole | state
        assert fetch(daemon, user, talk.previous).json()["status"] == state["status"]
    assert fetch(daemon, user + "-other", talk.previous).status_code == 200
    assert daemon.messages(user) == [] and not daemon.knows(user + "-other")
    keeper.background[talk.previous] = whole
    fetch(daemon, user, talk.previous)
    assert len(daemon.messages(user)) == 2


@pytest.mark.parametrize("chained", [True, False], ids=["chained", "resent"])
def test_memory_stays_out_of_what_is_kept_if_it_is_to(make_daemon, keeper, upstream, memory_model, user, chained):
    daemon = make_daemon({"memory": {"stored_riders": "off"}})
    make_known(daemon, memory_model, user)
    talk = Talk(daemon, user, chained=chained)
    talk.say(LED + [{"role": "user", "content": "Where do I live?"}])
    talk.say("And where exactly do I live?")
    for request, seen in zip(upstream.requests, keeper.seen):
        assert KNOWN_VALUE in request.json["instructions"] and KNOWN_VALUE not in str(request.json["input"])
        once(seen)
    Talk(daemon, user, store=False).say("Where do I live?")
    assert BLOCK in upstream.last.body.decode()
