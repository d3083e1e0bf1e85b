"""The contract's promises on budgets and on history = trim."""

import json
import random

import pytest
from conftest import in_front_of

from harness.chat import Chat
from harness.upstream import completion, json_reply, tool_call
from harness.wire import messages_bytes, prefix_stability
from test_contract_recall import MODES, WORDS, import_similar, receipt_of, sent_text

# ---- budgets ----

def given_bytes(chat_body, request):
    return len(messages_bytes(request.body)) - len(messages_bytes(chat_body))


@pytest.mark.parametrize("bytes_per_token", [3, 4, 5])
@pytest.mark.parametrize("mode", ["vector", "hybrid"])
def test_budgets_hold_in_the_upstreams_own_count(make_daemon, upstream, user, mode, bytes_per_token):
    limits = {"context_tokens": "400", "conversation_tokens": "1200"}
    daemon = make_daemon({"memory": {"mode": mode} | limits})
    import_similar(daemon, user)
    upstream.bytes_per_token = bytes_per_token
    for n in range(4):
        Chat(daemon, user, mode="off").say("A chat without memory. " + "The meadow is wide in winter. " * 30)
        Chat(daemon, user).say("Hello there. " + "The letter came by the orchard. " * 30)
    chat = Chat(daemon, user, session="new", system="You are a harbour clerk.")
    sizes = []
    for n in range(12):
        body = chat.body(f"What did the harbour say of the {WORDS[n]}?")
        reply = chat.say(f"What did the harbour say of the {WORDS[n]}?")
        sizes.append(given_bytes(body, upstream.last) / bytes_per_token)
        assert int(reply.headers["X-Memory-Tokens"]) <= 1200
    fresh = [later - before for before, later in zip([0, *sizes], sizes)]
    assert max(sizes) <= 1.1 * 1200, sizes
    assert max(fresh) <= 1.1 * 400, fresh
    assert max(fresh) >= 0.6 * 400, "what may be given is given"

# ---- history = trim ----

LOG = "the wind came from the west over a calm sea while mended nets lay under a pale sky before the tide".split()


def long_entry(number, words=330):
    choice = random.Random(number)
    text = " ".join(choice.choices(LOG, k=words))
    return f"Report {number}. The keeper of lighthouse number {number} is called Keeper{number}son. {text}."


def cut_of(chat, request):
    """How many of the client's messages were taken out."""
    return len(chat.messages) - 1 - len([m for m in request.messages if m["role"] != "system"])


def test_a_trimmed_60000_token_history(demo_model, tmp_path, make_daemon, user):
    daemon = make_daemon(in_front_of(demo_model) | {"memory": {"mode": "hybrid", "history": "trim"}})
    chat = Chat(daemon, user, session="log", system="You keep the log.")
    prompts, cached, removed, saved = [], [], [], []
    for number in range(68):
        answer = chat.say(long_entry(number, 660))
        usage = json.loads(answer.body)["usage"]
        prompts.append(usage["prompt_tokens"])
        cached.append(usage["prompt_tokens_details"]["cached_tokens"])
        history = receipt_of(daemon, answer).get("history", {"messages_removed": 0, "tokens_removed": 0})
        removed.append(history["messages_removed"])
        saved.append(history["tokens_removed"])
        daemon.settle(user)
    answer = chat.say("What is the keeper of lighthouse number 4 called?")
    usage = json.loads(answer.body)["usage"]
    whole = len(json.dumps(chat.messages)) / 4
    assert whole > 55000 and usage["prompt_tokens"] < whole * 0.3, (whole, usage)
    assert "Keeper4son" in answer.text
    assert max(prompts) <= 17000, "history_tokens, and what the newest turn is given"
    assert sum(prompts[-15:]) / 15 < whole / 4, "in a quarter"
    assert removed == sorted(removed), "the cut goes on only"
    moves = [n for n in range(1, len(removed)) if removed[n] != removed[n - 1]]
    assert len(moves) <= 15, moves
    for n in range(1, len(prompts)):
        if n not in moves and prompts[n] > 2000:
            assert cached[n] >= 0.98 * prompts[n - 1] - 128, (n, cached[n], prompts[n - 1])
    assert saved[-1] > 40000
    assert daemon.metric("recalld_trimmed_tokens_total") >= sum(saved)


@pytest.mark.parametrize("bytes_per_token", [3, 4, 5])
def test_the_cut_stands_whatever_the_upstream_counts(make_daemon, upstream, user, bytes_per_token):
    """Turns of code, prose and Chinese count differently from the estimate, so that what is known of
    the model changes a little with each reply: the cut must not follow that to and fro."""
    daemon = make_daemon({"memory": {"mode": "hybrid", "history": "trim", "history_tokens": "3000", "context_tokens": "300", "summarize_after": "6"}})
    upstream.bytes_per_token = bytes_per_token
    kinds = ["calm sea and wind ", "x = {a[0]: 17};\n", "今天的海很平静。", "WARUM? 12.345,67 € - "]
    chat = Chat(daemon, user, session="mixed")
    cuts = []
    for n in range(60):
        kind = kinds[n % 4] if n % 10 else kinds[n // 10 % 4]
        chat.say(f"Entry {n}: " + kind * (12 + 7 * (n % 5)))
        daemon.settle(user)
        cuts.append(cut_of(chat, upstream.last))
    moves = [n for n in range(1, 60) if cuts[n] != cuts[n - 1]]
    assert cuts == sorted(cuts), cuts
    assert cuts[-1] > 40 and len(moves) <= 14, cuts
    for n, same in enumerate(prefix_stability(upstream.chats()), 1):
        assert same >= 0.99 or n in moves, (n, same, cuts)


def test_tool_groups_stay_whole_and_the_newest_turns_stay(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"mode": "hybrid", "history": "trim", "history_tokens": "1500", "summarize_after": "4"}})
    messages = []
    headers = {"X-User-Id": user, "X-Session-Id": "tools"}

    def send():
        reply = daemon.post_chat(json.dumps({"model": "m", "messages": messages}).encode(), headers)
        assert reply.status_code == 200
        messages.append(reply.json()["choices"][0]["message"])

    cuts = set()
    for n in range(24):
        messages.append({"role": "user", "content": f"Look up barrel {n}. " + "calm sea " * 20})
        if n % 2:
            calls = [tool_call(f"call-{n}-{k}", "look", {"barrel": n, "k": k}) for k in range(2)]
            upstream.script(json_reply(completion(None, finish_reason="tool_calls", tool_calls=calls)))
            send()
            before = upstream.last.body
            messages.extend({"role": "tool", "tool_call_id": c["id"], "content": "full " * 30} for c in calls)
            send()
            assert prefix_stability(upstream.chats()[-2:])[0] >= 0.99, before
        else:
            send()
        sent = [m for m in upstream.last.messages if m["role"] != "system"]
        own = messages[:-1]
        assert sent[0]["role"] == "user"
        cuts.add(len(own) - len(sent))
        called = [c["id"] for m in sent for c in m.get("tool_calls") or []]
        answered = [m["tool_call_id"] for m in sent if m["role"] == "tool"]
        assert called == answered
        assert sent[-1]["content"].endswith(own[-1]["content"])
        daemon.settle(user)
    assert len(cuts) > 2


def test_system_messages_between_the_turns_stay_and_stop_no_cut(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"mode": "hybrid", "history": "trim", "history_tokens": "1500", "summarize_after": "4"}})
    messages = []
    for n in range(16):
        messages += [{"role": "user", "content": f"Barrel {n}. " + "calm sea " * 40}, {"role": "system", "content": f"Note {n}."}]
        body = json.dumps({"model": "m", "messages": messages}).encode()
        reply = daemon.post_chat(body, {"X-User-Id": user, "X-Session-Id": "notes"})
        messages.append(reply.json()["choices"][0]["message"])
        daemon.settle(user)
    sent = upstream.last.messages
    assert [m["content"] for m in sent if m["content"].startswith("Note ")] == [f"Note {n}." for n in range(16)]
    assert sum(m["role"] == "user" for m in sent) < 10


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("question", ["And now?", "Say word for word what I asked first."])
def test_what_is_taken_out_always_leaves_its_summary(make_daemon, upstream, memory_model, user, mode, question):
    """Whatever mode the request asks for: no turn goes without the summary in its place."""
    daemon = make_daemon(
        {"memory": {"mode": "hybrid", "history": "trim", "history_tokens": "1200", "summarize_after": "4"}}
    )
    memory_model.summary = "SUMMARY-OF-IT: the user keeps a log."
    chat = Chat(daemon, user, session="log")
    for n in range(16):
        chat.say(f"Entry {n}: nothing new. " + "calm sea " * 40)
        daemon.settle(user)
    assert cut_of(chat, upstream.last) > 0
    chat.say(question, headers={"X-Memory-Mode": mode})
    if cut_of(chat, upstream.last) > 0:
        assert "SUMMARY-OF-IT" in sent_text(upstream.last)


def test_trim_takes_nothing_from_a_mode_that_is_off_or_another_users_history(make_daemon, upstream, user):
    daemon = make_daemon({"memory": {"mode": "hybrid", "history": "trim", "history_tokens": "1000", "summarize_after": "4"}})
    chat = Chat(daemon, user, session="log")
    for n in range(14):
        chat.say(f"Entry {n}: nothing new. " + "calm sea " * 40)
        daemon.settle(user)
    assert cut_of(chat, upstream.last) > 0
    for headers in ({"X-Memory-Mode": "off"}, {"X-User-Id": user + "-other"}):
        body = chat.body("And now?")
        daemon.post_chat(body, chat.headers | headers)
        assert upstream.last.body == body
