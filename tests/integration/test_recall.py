"""Recall: among everything that a user ever said, what bears on the newest question; its receipt, its
preview, its budget, and what the modes do with it."""

import json

import pytest

from harness.chat import Chat
from harness.memory_model import fact
from harness.upstream import completion, json_reply, tool_call
from test_admin_recallctl import recallctl

# One session a topic; the second turn of each answers a question about it.
TOPICS = {
    "boat": ("I bought a small sailing boat called Petrel.", "A fine name for a boat."),
    "bread": ("My sourdough starter is named Herbert and needs rye flour.", "Herbert sounds lively."),
    "piano": ("I practise a Chopin nocturne on the piano every evening.", "Which nocturne is it?"),
    "garden": ("The tomatoes in my garden were eaten by snails in June.", "Try copper tape against snails."),
    "car": ("My car is an old Volvo 240 with a broken heater.", "The heater core may be clogged."),
    "dentist": ("Doctor Okafor pulled my wisdom tooth on Tuesday.", "Rest well after the extraction."),
    "novel": ("I am writing a novel about a lighthouse keeper in Galway.", "What happens to the keeper?"),
    "trip": ("We will take the night train to Vienna for our anniversary.", "Vienna is lovely in autumn."),
}
QUESTIONS = {
    "boat": "What is the name of my sailing boat?",
    "bread": "Which flour does my sourdough starter need?",
    "piano": "What do I practise on the piano?",
    "garden": "What ate the tomatoes in my garden?",
    "car": "What is broken in my car?",
    "dentist": "Who pulled my wisdom tooth?",
    "novel": "Where does the lighthouse keeper of my novel live?",
    "trip": "Where does the night train take us?",
}


def past_messages():
    messages = []
    for day, (topic, (said, answered)) in enumerate(TOPICS.items(), 1):
        for second, (role, text) in enumerate((("user", said), ("assistant", answered))):
            created_at = f"2026-03-{day:02}T09:00:{second:02}Z"
            messages.append({"role": role, "content": text, "created_at": created_at, "session": topic})
    return messages


@pytest.fixture
def remembered(daemon, user):
    """A user with a past of many topics, of which nothing was learned."""
    daemon.import_messages(user, past_messages(), learn=False)
    return user


def newest_text(request):
    return request.messages[-1]["content"]


def items(receipt, **wanted):
    return [i for i in receipt["items"] if all(i[k] == v for k, v in wanted.items())]


@pytest.mark.parametrize("topic", TOPICS)
def test_what_bears_on_the_question_rides_before_it_with_its_date_and_speaker(daemon, upstream, remembered, topic):
    day = list(TOPICS).index(topic) + 1
    reply = Chat(daemon, remembered, mode="vector").say(QUESTIONS[topic])
    text = newest_text(upstream.last)
    assert reply.status == "injected"
    assert text.endswith(QUESTIONS[topic])
    assert TOPICS[topic][0] in text
    assert f"2026-03-{day:02}" in text and "user:" in text
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    recalled = items(receipt, place="recalled", kind="turn")
    best = max(recalled, key=lambda i: i["score"])
    assert TOPICS[topic][0] in best["text"], recalled
    assert all(i["score"] > 0 and i["source"] and i["tokens"] > 0 for i in recalled)
    assert receipt["ranked"] == 2 * len(TOPICS)


def test_hybrid_recalls_what_its_block_leaves_out(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "hybrid", "summarize_after": "4"}})
    memory_model.summary = "The user talked of a sailing boat and of many things."
    daemon.import_messages(user, past_messages())
    daemon.settle(user)
    reply = Chat(daemon, user).say(QUESTIONS["boat"])
    assert TOPICS["boat"][0] in newest_text(upstream.last)
    block = upstream.last.messages[0]["content"]
    assert "many things" in block and TOPICS["boat"][0] not in block
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert items(receipt, kind="summary", place="block") and items(receipt, kind="turn", place="recalled")


def test_recalled_turns_stand_in_the_order_of_time(daemon, upstream, remembered):
    Chat(daemon, remembered, mode="vector").say("Tell me of my boat, my piano and my novel.")
    text = newest_text(upstream.last)
    places = [text.index(TOPICS[t][0]) for t in ("boat", "piano", "novel")]
    assert places == sorted(places)


@pytest.mark.parametrize("greeting", ["Hi!", "Thanks, go on.", "Hallo, wie geht's?"])
def test_a_greeting_recalls_nothing(daemon, upstream, remembered, greeting):
    reply = Chat(daemon, remembered, mode="vector").say(greeting)
    assert reply.status == "empty"
    assert newest_text(upstream.last) == greeting


def test_another_user_recalls_nothing_of_it(daemon, upstream, remembered, user):
    Chat(daemon, user + "-other", mode="vector").say(QUESTIONS["boat"])
    assert newest_text(upstream.last) == QUESTIONS["boat"]


def test_a_content_of_parts_gets_the_recalled_text_inside_the_users_own_part(daemon, upstream, remembered):
    reminder = {"type": "text", "text": "<system-reminder>\nBe brief.</system-reminder>"}
    parts = [reminder, {"type": "text", "text": QUESTIONS["boat"], "cache_control": {"type": "ephemeral"}}]
    Chat(daemon, remembered, mode="vector").say(parts)
    first, second = upstream.last.messages[-1]["content"]
    assert first == reminder and second["cache_control"] == parts[1]["cache_control"]
    assert TOPICS["boat"][0] in second["text"] and second["text"].endswith("\n\n" + QUESTIONS["boat"])


def test_a_turn_sent_in_a_part_and_then_as_a_string_keeps_what_it_was_given(daemon, upstream, remembered):
    """Claude Code sends its newest turn in parts, and as a string in the next request."""
    question = QUESTIONS["boat"]
    chat = Chat(daemon, remembered, mode="vector")
    chat.say([{"type": "text", "text": question}])
    given = upstream.last.messages[0]["content"][0]["text"]
    chat.messages[0]["content"] = question
    chat.say("Thanks.")
    assert given != question and upstream.last.messages[0]["content"] == given


def test_turns_that_the_request_carries_are_not_recalled(daemon, upstream, user):
    chat = Chat(daemon, user, mode="vector")
    chat.say("My parrot is called Archimedes.")
    chat.say("What is my parrot called?")
    assert newest_text(upstream.last) == "What is my parrot called?"


def test_a_question_asked_before_does_not_outrank_what_answers_it(daemon, upstream, user):
    told, question = "I'm using ChromaDB for the vector store.", "Can you remind me what vector store I said I was using?"
    answer = "You told me that you're using ChromaDB for the vector store."
    upstream.script(json_reply(completion("Noted: using, ChromaDB, vector, store.")))
    Chat(daemon, user, mode="vector").say(told)
    for _ in range(4):
        upstream.script(json_reply(completion(answer)))
        Chat(daemon, user, mode="vector").say(question)
        assert told in newest_text(upstream.last)


def test_a_client_that_sends_only_its_newest_message_is_given_the_turns_of_its_own_session(daemon, upstream, user):
    chat = Chat(daemon, user, session="s", newest_only=True, mode="vector")
    chat.say("My parrot is called Archimedes.")
    for _ in range(2):
        chat.say("What is my parrot called?")
        assert "Archimedes" in newest_text(upstream.last)


# ---- replays ----


def test_recalled_text_is_given_again_byte_for_byte_and_no_turn_twice(daemon, upstream, remembered):
    chat = Chat(daemon, remembered, mode="vector")
    for topic in list(TOPICS)[:5]:
        chat.say(QUESTIONS[topic])
    requests = [r.messages for r in upstream.requests]
    for before, after in zip(requests, requests[1:]):
        assert after[: len(before)] == before
    last = json.dumps(requests[-1], ensure_ascii=False)
    for topic in list(TOPICS)[:5]:
        assert last.count(TOPICS[topic][0]) == 1
    receipt = daemon.receipt(chat.say("Thanks.").headers["X-Memory-Receipt"])
    assert len(items(receipt, place="replayed")) >= 5 and not items(receipt, place="recalled")


def test_a_turn_asked_again_is_given_the_same(daemon, upstream, remembered):
    chat = Chat(daemon, remembered, session="again", mode="vector")
    chat.say(QUESTIONS["car"])
    chat.messages.clear()
    chat.say(QUESTIONS["car"])
    first, second = upstream.requests
    assert "Volvo" in newest_text(first)
    assert first.body == second.body


def test_a_tool_loop_keeps_what_its_user_turn_was_given(daemon, upstream, remembered):
    from harness.upstream import tool_call

    chat = Chat(daemon, remembered, mode="vector")
    call = tool_call("call-1", "look", "{}")
    upstream.script(json_reply(completion(None, tool_calls=[call], finish_reason="tool_calls")))
    chat.send(QUESTIONS["car"])
    body = {
        "model": "test-model",
        "messages": [
            {"role": "user", "content": QUESTIONS["car"]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call-1", "content": "fine"},
        ],
    }
    daemon.post_chat(json.dumps(body).encode(), chat.headers)
    first, second = (r.messages[0] for r in upstream.requests)
    assert "Volvo" in first["content"]
    assert first == second


def test_what_the_user_asks_to_forget_is_not_replayed(daemon, upstream, memory_model, remembered):
    chat = Chat(daemon, remembered, mode="hybrid")
    chat.say(QUESTIONS["dentist"])
    memory_model.answers["Please forget Doctor Okafor."] = [
        fact("dentist", "Doctor Okafor", "forget Doctor Okafor", forget=True)
    ]
    chat.say("Please forget Doctor Okafor.")
    daemon.settle(remembered)
    chat.say("Thanks.")
    sent = json.dumps(upstream.last.messages[:-1])
    assert "wisdom tooth on Tuesday" not in sent
    Chat(daemon, remembered, mode="vector").say(QUESTIONS["dentist"])
    assert "Okafor" not in newest_text(upstream.last)


# ---- dry run, preview, receipt ----


@pytest.mark.parametrize("mode", ["buffer", "entity", "vector", "hybrid", "auto"])
def test_a_dry_run_a_preview_and_the_request_agree_to_the_byte(daemon, upstream, remembered, mode):
    question = QUESTIONS["novel"]
    body = json.dumps(
        {"model": "test-model", "messages": [{"role": "user", "content": question}]},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    headers = {"X-User-Id": remembered, "X-Memory-Mode": mode}
    dry = daemon.post_chat(body, headers | {"X-Memory-Dry-Run": "1"}).content
    asked = {"question": question, "mode": mode, "model": "test-model"}
    preview = daemon.admin("POST", daemon.memory_path(remembered, "/preview"), json=asked).json()
    assert not upstream.requests
    reply = daemon.post_chat(body, headers)
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert dry == upstream.last.body == preview["body"].encode()
    for member in ("items", "dropped", "tokens", "mode", "bytes_in", "bytes_out"):
        assert preview["receipt"][member] == receipt[member]


def test_a_preview_of_an_unknown_user_is_404(daemon, user):
    reply = daemon.admin("POST", daemon.memory_path(user, "/preview"), json={"question": "Who am I?"})
    assert reply.status_code == 404


@pytest.mark.parametrize("body", [b"", b"[]", b'{"question":""}', b'{"question":7}', b'{"question":"Who?","mode":{}}', b"{"])
def test_a_preview_without_a_question_or_of_another_form_is_400(daemon, remembered, body):
    reply = daemon.admin("POST", daemon.memory_path(remembered, "/preview"), content=body)
    assert reply.status_code == 400


def test_a_receipt_says_what_the_budget_dropped(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"context_tokens": "60"}})
    daemon.import_messages(user, past_messages(), learn=False)
    reply = Chat(daemon, user, mode="vector").say("Tell me of my boat, my piano, my car and my novel.")
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert receipt["dropped"] and receipt["budget"] == 60
    assert all(item["place"] is None for item in receipt["dropped"])
    assert int(reply.headers["X-Memory-Tokens"]) <= 60
    assert {item["because"] for item in receipt["dropped"]} == {"no room"}
    explained = recallctl(daemon, "explain", receipt["id"]).stdout
    assert "Left out" in explained and "no room" in explained and "unrelated" not in explained


def test_what_does_not_bear_on_the_question_is_left_out_as_unrelated(make_daemon, user):
    daemon = make_daemon()
    for key, value in (("favourite_colour", "green"), ("cat", "Minka"), ("car", "Saab")):
        daemon.admin("POST", daemon.memory_path(user, "/facts"), json={"key": key, "value": value})
    reply = Chat(daemon, user).say("Write a haiku about snow.")
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert {item["because"] for item in receipt["dropped"]} == {"unrelated"}, receipt["dropped"]
    for shown in (recallctl(daemon, "explain", receipt["id"]), recallctl(daemon, "preview", user, "Write a haiku about snow.")):
        assert "unrelated" in shown.stdout and "room" not in shown.stdout, shown.stdout


# ---- budgets ----


@pytest.mark.parametrize("mode", ["vector", "hybrid"])
def test_all_memory_of_a_conversation_stays_within_its_budget(make_daemon, upstream, user, mode):
    daemon = make_daemon({"memory": {"context_tokens": "150", "conversation_tokens": "300"}})
    daemon.import_messages(user, past_messages(), learn=False)
    chat = Chat(daemon, user, mode=mode)
    for round in range(3):
        for question in QUESTIONS.values():
            reply = chat.say(f"{question} ({round})")
            given = len(upstream.last.body) - len(chat.body("")) - len(question)
            assert int(reply.headers["X-Memory-Tokens"]) <= 300
            assert given <= 300 * 4.4 + 400


def test_the_estimate_follows_what_the_upstream_counts(make_daemon, upstream, user):
    """An upstream that counts twice as many tokens halves what is put in."""
    daemon = make_daemon({"memory": {"context_tokens": "100"}})
    daemon.import_messages(user, past_messages(), learn=False)

    def answer(request):
        texts = sum(len(m["content"].encode()) for m in request.messages)
        value = completion("Noted.")
        value["usage"] = {"prompt_tokens": texts // 2, "completion_tokens": 1, "total_tokens": texts // 2 + 1}
        return json_reply(value)

    upstream.answer = answer
    everything = "Tell me of my boat, bread, piano, garden, car, dentist, novel and trip."
    Chat(daemon, user, mode="vector").say(everything)
    before = len(newest_text(upstream.last)) - len(everything)
    Chat(daemon, user, mode="off").say("word " * 400)
    Chat(daemon, user, mode="vector").say("word " * 400)
    Chat(daemon, user, mode="vector").say(everything)
    after = len(newest_text(upstream.last)) - len(everything)
    assert before > 300
    assert after / 2 <= 100 * 1.1 and after > 60


# ---- facts ----


def test_a_superseded_value_is_given_only_when_the_past_is_asked_about(daemon, upstream, memory_model, user):
    memory_model.answers |= {
        "I live in Lisbon.": [fact("home_city", "Lisbon", "I live in Lisbon")],
        "I moved, I live in Porto now.": [fact("home_city", "Porto", "I live in Porto now")],
    }
    for text in ("I live in Lisbon.", "I moved, I live in Porto now."):
        Chat(daemon, user, mode="hybrid").say(text)
        daemon.settle(user)
    receipts = []
    for question in ("Which city is my home_city?", "Which city was my home_city before?"):
        reply = Chat(daemon, user, mode="entity").say(question)
        receipts.append(daemon.receipt(reply.headers["X-Memory-Receipt"]))
    now, before = ([i["text"] for i in items(r, kind="fact")] for r in receipts)
    assert any("Porto" in t for t in now) and not any("Lisbon" in t for t in now)
    assert any("Lisbon" in t for t in before) and any("Porto" in t for t in before)


# ---- auto ----


def branch(daemon, reply):
    return daemon.receipt(reply.headers["X-Memory-Receipt"])["branch"]["mode"]


def test_auto_buffers_a_short_conversation_and_summarizes_a_longer_one(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"mode": "auto", "auto_buffer_turns": "6"}})
    chat = Chat(daemon, user, session="only", newest_only=True)
    branches = [branch(daemon, chat.say(f"Turn number {n}.")) for n in range(5)]
    assert branches == ["buffer", "buffer", "buffer", "summary", "summary"]


def test_auto_is_hybrid_for_a_user_of_several_sessions(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"mode": "auto"}})
    assert branch(daemon, Chat(daemon, user, session="one").say("Hello, I am Ida.")) == "buffer"
    reply = Chat(daemon, user, session="two").say("Hello again.")
    assert reply.headers["X-Memory-Mode"] == "auto"
    assert branch(daemon, reply) == "hybrid"


def test_auto_prefers_the_buffered_turns_where_exact_wording_is_asked_for(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"mode": "auto", "auto_buffer_turns": "2"}})
    chat = Chat(daemon, user, session="only", newest_only=True)
    chat.say("The oath is: by salt and cedar I keep the gate.")
    reply = chat.say("Quote the oath word for word, verbatim.")
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert receipt["branch"]["mode"] == "buffer" and "wording" in receipt["branch"]["because"]
    assert "by salt and cedar I keep the gate" in json.dumps(upstream.last.messages[:-1])


def test_auto_keeps_the_prefix_when_its_choice_would_change(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "auto", "auto_buffer_turns": "4", "summarize_after": "2"}})
    memory_model.summary = "The user has a parrot."
    chat = Chat(daemon, user)
    for text in ("My parrot is called Archimedes.", "He is green.", "He is old.", "Quote me verbatim.", "Thanks."):
        reply = chat.say(text)
        daemon.settle(user)
    requests = [r.messages for r in upstream.requests]
    for before, after in zip(requests, requests[1:]):
        assert after[: len(before)] == before
    assert branch(daemon, reply) == "summary"


# ---- edits ----


def test_an_edited_turn_takes_back_what_was_learned_from_it(daemon, upstream, memory_model, user):
    memory_model.answers |= {
        "I live in Lisbon.": [fact("home_city", "Lisbon", "I live in Lisbon")],
        "I live in Oslo, sorry.": [fact("home_city", "Oslo", "I live in Oslo")],
    }
    chat = Chat(daemon, user, session="edited")
    chat.say("Hello there, I have a question.")
    kept = list(chat.messages)
    chat.say("I live in Lisbon.")
    daemon.settle(user)
    assert daemon.values(user) == ["Lisbon"]
    chat.messages = kept
    chat.say("I live in Oslo, sorry.")
    daemon.settle(user)
    assert daemon.values(user) == ["Oslo"]
    said = [text for role, text in daemon.messages(user) if role == "user"]
    assert said == ["Hello there, I have a question.", "I live in Oslo, sorry."]
    Chat(daemon, user, mode="vector").say("Where do I live?")
    assert "Lisbon" not in newest_text(upstream.last)


CALLING = json_reply(
    completion(None, finish_reason="tool_calls", tool_calls=[tool_call("call_7", "lookup", {"q": "x"})])
)
CALLED = {"role": "assistant", "content": None, "tool_calls": [tool_call("call_7", "lookup", {"q": "x"})]}


@pytest.mark.parametrize("history", ["pass", "trim"])
def test_the_tool_steps_of_an_edited_turn_keep_what_it_was_given(make_daemon, upstream, memory_model, user, history):
    settings = {"history": history, "history_tokens": "400", "summarize_after": "4"}
    daemon = make_daemon({"memory": settings})
    chat = Chat(daemon, user, session="edited", mode="hybrid")
    for n in range(12):
        chat.say(f"Entry {n} of my log: the pilot of day {n} was Captain Name{n}. A calm sea all day long.")
        daemon.settle(user)
    chat.messages = chat.messages[:16]
    upstream.script(CALLING)
    edited = {"role": "user", "content": "Entry 8, corrected: the pilot was Captain Smith."}
    chat.send(edited["content"])
    first = upstream.last.messages
    chat.messages += [edited, CALLED, {"role": "tool", "tool_call_id": "call_7", "content": "A result."}]
    reply = daemon.post_chat(json.dumps({"model": "test-model", "messages": chat.messages}).encode(), chat.headers)
    assert upstream.last.messages[: len(first)] == first, "the tool step goes on the request before it"
    chat.messages.append({"role": "assistant", "content": Chat.read(reply).text})
    step = upstream.last.messages
    chat.say("And who was the pilot of day 3?")
    if history == "pass":  # a trimmed history may be cut anew with the next turn
        assert upstream.last.messages[: len(step)] == step, "so does the next turn"


def test_a_turn_wrapped_in_documents_is_no_edit(daemon, upstream, memory_model, user):
    chat = Chat(daemon, user, session="wrapped")
    chat.say("I keep bees on the roof.")
    chat.say("And two goats.")
    chat.messages[0]["content"] = "<context>\nBees are insects.\n</context>\n\nI keep bees on the roof."
    chat.messages[1]["content"] = chat.messages[1]["content"][:3]
    chat.say("What do I keep?")
    said = [text for role, text in daemon.messages(user) if role == "user"]
    assert said == ["I keep bees on the roof.", "And two goats.", "What do I keep?"]


# ---- history = trim ----


def long_history(chat, turns, words):
    for n in range(turns):
        chat.say(f"Entry {n} of my log: the harbour pilot of day {n} was Captain Name{n}. " + "calm sea " * words)


def test_trim_takes_the_oldest_turns_out_and_memory_stands_in(make_daemon, upstream, memory_model, user):
    settings = {"history": "trim", "history_tokens": "1500", "summarize_after": "4"}
    # What is put in must not make up for what is taken out.
    daemon = make_daemon({"memory": settings | {"context_tokens": "300"}})
    chat = Chat(daemon, user, session="log", mode="hybrid", system="You keep a log.")
    for part in range(6):
        long_history(chat, 8, 40)
        daemon.settle(user)
    reply = chat.say("Who was the harbour pilot of day 3?")
    sent = upstream.last.messages
    whole = len(json.dumps(chat.messages))
    assert len(upstream.last.body) < whole / 2
    assert sent[0]["role"] == "system" and sent[1]["role"] == "user"
    assert sent[1]["content"].find("Entry 0 ") < 0
    assert b"Captain Name3" in upstream.last.body, "before the newest turn, or before one that asked for it earlier"
    assert sent[-2]["content"] == chat.messages[-3]["content"]
    receipt = daemon.receipt(reply.headers["X-Memory-Receipt"])
    assert receipt["history"]["messages_removed"] == len(chat.messages) - 2 - (len(sent) - 2)
    assert receipt["history"]["tokens_removed"] > 1000
    assert daemon.metric("recalld_trimmed_tokens_total") > 1000


@pytest.mark.parametrize("mode", ["buffer", "entity", "vector", "summary"])
def test_in_every_mode_a_summary_stands_in_for_what_was_taken_out(make_daemon, upstream, memory_model, user, mode):
    daemon = make_daemon({"memory": {"mode": mode, "history": "trim", "history_tokens": "900", "summarize_after": "4"}})
    memory_model.summary = "The log of a harbour."
    chat = Chat(daemon, user, session="log")
    for n in range(16):
        chat.say(f"Entry {n}. " + "calm sea " * 40)
        daemon.settle(user)
    chat.say("Go on.")
    sent = upstream.last.messages
    assert len(sent) < 20
    assert sent[0]["role"] == "system" and "The log of a harbour." in sent[0]["content"]


def test_the_cut_of_a_trimmed_history_stands_between_its_steps(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"history": "trim", "history_tokens": "1500", "summarize_after": "4"}})
    chat = Chat(daemon, user, session="log", mode="hybrid")
    cuts = []
    for n in range(40):
        chat.say(f"Entry {n} of my log: nothing but wind. " + "calm sea " * 40)
        daemon.settle(user)
        cuts.append(len(chat.messages) - 1 - len(upstream.last.messages))
    moves = sum(before != after for before, after in zip(cuts, cuts[1:]))
    assert cuts[-1] > 40 and moves <= 12, cuts


def test_a_history_that_a_client_brings_along_is_remembered_and_then_taken_out(
    make_daemon, upstream, memory_model, user
):
    daemon = make_daemon({"memory": {"history": "trim", "history_tokens": "900", "summarize_after": "4"}})
    chat = Chat(daemon, user, mode="hybrid")
    for n in range(20):
        chat.messages.append({"role": "user", "content": f"The pilot of day {n} was Name{n}. " + "calm sea " * 40})
        chat.messages.append({"role": "assistant", "content": f"Noted, day {n}."})
    chat.say("Go on.")
    daemon.settle(user)
    assert len(daemon.messages(user)) == 42 and not memory_model.fact_calls("Name3")
    chat.say("Who was the pilot of day 3?")
    assert len(upstream.last.messages) < 20
    assert "Name3" in newest_text(upstream.last)
    daemon.settle(user)
    assert len(daemon.messages(user)) == 44


def test_a_history_that_memory_does_not_hold_is_never_taken_out(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"history": "trim", "history_tokens": "500"}})
    chat = Chat(daemon, user, mode="hybrid")
    for n in range(20):
        chat.messages.append({"role": "user", "content": f"Unknown turn {n}. " + "calm sea " * 40})
        chat.messages.append({"role": "assistant", "content": f"Answer {n}."})
    chat.say("Go on.")
    assert [m["content"] for m in upstream.last.messages[:40]] == [m["content"] for m in chat.messages[:40]]


PLANTED = {
    "Aldo": "4711", "Britt": "2093", "Carl": "8850", "Dora": "1264", "Egon": "7338", "Fina": "5902",
    "Gero": "3416", "Hedda": "6075", "Ivar": "9187", "Jette": "2658", "Knut": "7741", "Lena": "1530",
}  # fmt: skip


@pytest.mark.parametrize("mode", ["hybrid", "auto", "buffer", "entity"])
def test_each_question_of_a_trimmed_conversation_finds_what_was_taken_out(make_daemon, upstream, user, mode):
    settings = {"mode": mode, "history": "trim", "history_tokens": "2000", "summarize_after": "400"}
    daemon = make_daemon({"memory": settings})
    chat = Chat(daemon, user, session="log")
    for person, code in PLANTED.items():
        turns = [f"The locker of {person} has the code {code}."]
        turns += [f"Hour {n} on watch with {person}: a calm sea and a light wind." for n in range(9)]
        for n, turn in enumerate(turns):
            chat.messages.append({"role": "user", "content": turn})
            chat.messages.append({"role": "assistant", "content": f"Noted, line {n} about {person}."})
    other = Chat(daemon, user, session="other")
    other.say("The locker of Zora has the code 9999.")
    chat.say("Go on.")
    missed, longest = [], 0
    for person, code in PLANTED.items():
        reply = chat.say(f"Which code has the locker of {person}?")
        assert daemon.receipt(reply.headers["X-Memory-Receipt"])["ranked"] > 0
        longest = max(longest, len(upstream.last.body))
        if code.encode() not in upstream.last.body:
            missed.append(person)
    assert missed == []
    assert longest < 2000 * 8, "the limit, at eight bytes a token with all JSON around it"
    if mode in ("buffer", "entity"):
        chat.say("Which code has the locker of Zora?")
        assert b"code 9999" not in upstream.last.body, "of other conversations such a mode recalls nothing"
