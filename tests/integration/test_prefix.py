"""Within a conversation each upstream request begins with the bytes of the one before, so that the
provider's prompt cache keeps hitting, whatever is learned meanwhile."""

import json
import time

import pytest

from conftest import KNOWN_VALUE, RECALLING, make_known
from harness.chat import Chat
from harness.daemon import fast_clock, stalled_calls
from harness.memory_model import fact
from harness.wire import insertions, prefix_stability

TURNS = [
    "Which city would suit a painter who loves Lisbon?",
    "I have two cats, Momo and Kiki.",
    "Which colour should I paint the kitchen, given my favourite colour?",
    "I work as a radiologist in a small clinic.",
    "What did I say about where I live?",
    "My sister Ana visits next week.",
    "She likes teal as well.",
    "I bought a red bicycle yesterday.",
    "Which of my things is red?",
    "Thank you, that is all for Lisbon today.",
]
LEARNED = {
    TURNS[1]: [fact("cat", "Momo", "Momo", op="add"), fact("cat", "Kiki", "Kiki", op="add")],
    TURNS[3]: [fact("profession", "radiologist", "I work as a radiologist")],
    TURNS[5]: [fact("relation", "sister", "My sister Ana", entity="Ana", kind="person")],
    TURNS[7]: [fact("bicycle", "red bicycle", "I bought a red bicycle")],
}
SYSTEM = "You are a careful assistant. Today is Saturday, 21 November 2026."


def check_prefixes(requests):
    for number, same in enumerate(prefix_stability(requests), 2):
        assert same >= 0.99, f"request {number} shares {same:.1%} of the one before:\n{requests[number - 1].body}"


def prepare(make_daemon, memory_model, user, **memory):
    daemon = make_daemon({"memory": {"summarize_after": "6"} | memory})
    make_known(daemon, memory_model, user)
    memory_model.answers |= LEARNED
    return daemon


@pytest.mark.parametrize("session", [None, "s-1"], ids=["by its turns", "by its session"])
@pytest.mark.parametrize("role", ["system", "user"])
@pytest.mark.parametrize("mode", ["buffer", "summary", "entity", "hybrid"])
def test_each_request_begins_with_the_one_before(make_daemon, upstream, memory_model, user, mode, role, session):
    daemon = prepare(make_daemon, memory_model, user, mode=mode, role=role)
    talk = Chat(daemon, user, session=session, system=SYSTEM, stream=True)
    for turn in TURNS:
        talk.say(turn)
        if mode in ("summary", "entity", "hybrid"):
            daemon.settle(user)
    requests = upstream.chats()
    assert len(requests) == len(TURNS)
    check_prefixes(requests)
    assert KNOWN_VALUE.encode() in requests[0].body.replace(TURNS[0].encode(), b"")


# Ten topics of the past: what was said, what is asked, and a word that only the answer has. A question
# shares no word with another topic.
TOPICS = [
    ("Grandfather's violin has a crack near its scroll.", "Where is grandfather's violin broken?", "scroll"),
    ("Our tent leaked, so Fjallheim sells us another.", "What tent do we buy after it leaked?", "Fjallheim"),
    ("Doctor Weber prescribed loratadine against hay fever.", "Which medicine against hay fever?", "loratadine"),
    ("Mortgage rate: 3.17 percent until 2031.", "How high is the mortgage rate?", "3.17 percent"),
    ("Sourdough rises best with rye from Kronen mill.", "Whose rye makes sourdough rise?", "Kronen"),
    ("Backups run nightly, restic puts them on Gandalf.", "Which machine keeps nightly backups?", "Gandalf"),
    ("Chess tournament: Caro-Kann lost me one rook.", "Which opening did badly in chess?", "Caro-Kann"),
    ("Tomatoes died of blight, only Philovita survived.", "Did any tomatoes survive blight?", "Philovita"),
    ("Marathon shoes: Brooks gave blisters, Saucony none.", "Which marathon shoes are good?", "Saucony"),
    ("Thesis title agreed upon: Wadden tides.", "What will the title be for that thesis?", "Wadden"),
]


def import_topics(daemon, memory_model, user):
    """Each topic in a session of its own, and after them so much that the summary, which tells of none,
    has taken them over."""
    memory_model.summary = "Small talk, and some things of the past."
    talk = [(topic, said) for topic, (said, _, _) in enumerate(TOPICS)]
    talk += [(len(TOPICS), f"Nothing new on day {day}, quiet again.") for day in range(12)]
    messages = []
    for day, (session, said) in enumerate(talk, 1):
        common = {"session": f"past-{session}", "created_at": f"2026-01-{day:02d}T10:00:00Z"}
        messages.append({"role": "user", "content": said} | common)
        messages.append({"role": "assistant", "content": "I see."} | common)
    daemon.import_messages(user, messages)
    daemon.settle(user)


def ask_topics(make_daemon, upstream, memory_model, user, mode):
    daemon = make_daemon({"memory": {"mode": mode, "summarize_after": "6"}})
    import_topics(daemon, memory_model, user)
    talk = Chat(daemon, user, system=SYSTEM)
    for _, question, _ in TOPICS:
        talk.say(question)
        daemon.settle(user)
    requests = upstream.chats()
    assert len(requests) == len(TOPICS)
    return requests


@pytest.mark.parametrize("mode", ["buffer", "summary", "entity", "hybrid", "vector", "auto"])
def test_ten_questions_that_recall_something_else_share_a_prefix(make_daemon, upstream, memory_model, user, mode):
    requests = ask_topics(make_daemon, upstream, memory_model, user, mode)
    check_prefixes(requests)
    cached = [upstream.usage(request)["prompt_tokens_details"]["cached_tokens"] for request in requests]
    assert cached == sorted(cached) and cached[-1] > 0.8 * upstream.usage(requests[-1])["prompt_tokens"]


@pytest.mark.parametrize("mode", RECALLING)
def test_a_turn_is_recalled_once_and_for_its_question(make_daemon, upstream, memory_model, user, mode):
    requests = ask_topics(make_daemon, upstream, memory_model, user, mode)
    for number, (_, question, mark) in enumerate(TOPICS):
        times = [request.body.count(mark.encode()) for request in requests]
        assert times == [0] * number + [1] * (len(TOPICS) - number), f"{mark} is in the requests {times} times"
        newest = requests[number].messages[-1]["content"]
        assert mark in newest and newest.endswith(question), "before the newest turn's own text"


def inserted_text(talk, upstream, turn):
    sent = talk.body(turn)
    talk.say(turn)
    return insertions(sent, upstream.last.body)


def test_a_clock_in_the_system_prompt_changes_nothing_of_ours(make_daemon, upstream, memory_model, user):
    daemon = prepare(make_daemon, memory_model, user, mode="entity")
    talk = Chat(daemon, user)
    blocks = set()
    for minute, turn in enumerate(TURNS):
        talk.system = f"It is now 10:{minute:02d}."
        inserted = inserted_text(talk, upstream, turn)
        blocks.add(inserted[0][1])
        daemon.settle(user)
    assert len(blocks) == 1
    assert KNOWN_VALUE.encode() in blocks.pop()


def test_memory_keeps_within_its_budgets(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "buffer", "context_tokens": "150", "conversation_tokens": "150"}})
    talk = Chat(daemon, user, session="s", newest_only=True)
    tokens = [int(talk.say(f"Statement {i}: " + "many plain words " * 8).headers["X-Memory-Tokens"]) for i in range(12)]
    assert max(tokens) <= 150 and tokens[-1] > 50
    roles = [m["role"] for m in upstream.last.messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"], "whole pairs, or none of them"
    assert b"Statement 10:" in upstream.last.body, "the newest are the last to be left out"


def test_the_tool_rounds_of_a_turn_share_its_prefix(make_daemon, upstream, memory_model, user):
    from harness.upstream import completion, json_reply, tool_call

    daemon = prepare(make_daemon, memory_model, user, mode="hybrid")
    messages = [{"role": "user", "content": TURNS[0]}]
    for round_number in range(3):
        call = tool_call(f"call_{round_number}", "look", {"n": round_number})
        calling = completion(None, finish_reason="tool_calls", tool_calls=[call])
        upstream.script(json_reply(calling if round_number < 2 else completion("Porto would.")))
        body = json.dumps({"model": "m", "messages": messages}).encode()
        assert daemon.post_chat(body, {"X-User-Id": user}).status_code == 200
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": "Nothing."})
    requests = upstream.chats()
    check_prefixes(requests)
    assert KNOWN_VALUE.encode() in requests[-1].body.replace(TURNS[0].encode(), b"")


def test_a_restart_keeps_the_frozen_block(make_daemon, upstream, memory_model, user):
    daemon = prepare(make_daemon, memory_model, user, mode="hybrid")
    talk = Chat(daemon, user, system=SYSTEM)
    for number, turn in enumerate(TURNS[:6]):
        talk.say(turn)
        daemon.settle(user)
        if number in (1, 3):
            daemon.kill_and_restart()
    check_prefixes(upstream.chats())


def test_after_an_hour_without_a_turn_the_block_is_made_anew(make_daemon, upstream, memory_model, user, tmp_path):
    daemon = make_daemon(
        {
            "memory": {"mode": "entity"},
            "upstream": {"base_url": upstream.base_url, "connect_timeout": "1h", "idle_timeout": "5h", "first_byte_timeout": "5h"},
            "model": {"base_url": memory_model.base_url, "timeout": "1h"},
        },
        environment=fast_clock(tmp_path, 600),
    )
    make_known(daemon, memory_model, user)
    memory_model.answers |= LEARNED
    talk = Chat(daemon, user)
    talk.say(TURNS[3])
    daemon.settle(user)
    talk.say("Within the hour.")
    assert b"profession: radiologist" not in upstream.last.body
    time.sleep(6.5)  # an hour and five minutes by the daemon's clock, which is all that makes the block anew
    talk.say("More than an hour later.")
    assert b"profession: radiologist" in upstream.last.body


def test_a_correction_makes_the_block_anew(make_daemon, upstream, memory_model, user):
    daemon = prepare(make_daemon, memory_model, user, mode="entity")
    talk = Chat(daemon, user)
    talk.say("What do you know about me?")
    assert b"Lisbon" in upstream.last.body
    move = "I have moved, my home is in Porto now."
    memory_model.answers[move] = [fact("home_city", "Porto", "my home is in Porto now")]
    talk.say(move)
    daemon.settle(user)
    talk.say("Where is the next beach?")
    assert b"Lisbon" not in upstream.last.body


def test_the_demo_model_reports_what_its_cache_knew(demo_daemon, user):
    """As OpenAI does: nothing below 1024 tokens, then in steps of 128."""
    talk = Chat(demo_daemon, user, session="s")
    usages = []
    for number in range(8):
        talk.say(f"Part {number} of my report: " + f"chapter {number} is about the weather on the island. " * 16)
        usages.append(json.loads(talk.daemon.post_chat(talk.body("Thank you."), talk.headers).content)["usage"])
    cached = [usage["prompt_tokens_details"]["cached_tokens"] for usage in usages]
    assert cached == sorted(cached) and cached[0] == 0 and all(tokens % 128 == 0 for tokens in cached)
    assert all(c > 0.8 * u["prompt_tokens"] for c, u in zip(cached[-3:], usages[-3:]))


def test_a_request_right_behind_a_relaxed_reply_finds_what_was_given_before_it(make_daemon, upstream, memory_model, user, tmp_path):
    """An agent's next request is there before the exchange is on disk."""
    daemon = make_daemon({"memory": {"durability": "relaxed"}}, environment=stalled_calls(tmp_path, disk=0.05))
    make_known(daemon, memory_model, user)
    (tmp_path / "stalled").touch()
    talk = Chat(daemon, user)
    for turn in TURNS[:6]:
        talk.say(turn)
    (tmp_path / "stalled").unlink()
    check_prefixes(upstream.chats())
    daemon.settle(user)
    said = [text for role, text in daemon.messages(user) if role == "user"]
    assert [said.count(turn) for turn in TURNS[:6]] == [1] * 6


def test_forgetting_in_one_conversation_leaves_the_others_as_they_were(make_daemon, upstream, memory_model, user):
    """What another conversation was given stays, byte for byte, unless it holds what is forgotten."""
    daemon = prepare(make_daemon, memory_model, user, mode="entity")
    said, wish = "My aunt's tortoise is Zwingli.", "Forget that my aunt's tortoise is Zwingli."
    memory_model.answers |= {said: [fact("tortoise", "Zwingli", said)],
                             wish: [fact("tortoise", "Zwingli", wish, forget=True)]}
    home = Chat(daemon, user, session="home")
    home.say(said)
    daemon.settle(user)
    other, holder = Chat(daemon, user, session="other"), Chat(daemon, user, session="holder")
    stays = other.say("Which quarter of Lisbon would suit a painter?").headers["X-Memory-Receipt"]
    goes = holder.say("What is the tortoise called?").headers["X-Memory-Receipt"]
    daemon.settle(user)
    kept = daemon.receipt(stays)
    assert "Zwingli" in json.dumps(daemon.receipt(goes)) and KNOWN_VALUE in json.dumps(kept["items"])
    home.say(wish)
    daemon.settle(user)
    assert "Zwingli" not in daemon.values(user)
    other.say("And which one by the river?")
    holder.say("Is it an old one?")
    requests = upstream.chats()
    check_prefixes([requests[1], requests[4]])
    assert KNOWN_VALUE.encode() in requests[1].body.replace(b"quarter of Lisbon", b"")
    assert b"Zwingli" not in requests[5].body
    assert daemon.admin("GET", f"/v1/receipts/{goes}").status_code == 404
    # what was left out is said of, without its words
    still = daemon.receipt(stays)
    assert still["items"] == kept["items"] and "Zwingli" not in json.dumps(still)
    assert [item["id"] for item in still["dropped"]] == [item["id"] for item in kept["dropped"]]
