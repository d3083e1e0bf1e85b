"""What a user may send costs the daemon's CPU what its size says: one user's huge message holds up nobody
else's for long. Measured by the CPU time of the process, which a busy machine does not change."""

import json

import pytest

SIZE = 4 << 20
# AddressSanitizer looks at all that a search may read before it begins: what is linear becomes quadratic.
pytestmark = pytest.mark.costs
# Seconds; plain words take some 10 ms, what is all angle brackets 50 ms.
MOST_PER_MEGABYTE = 0.12


def turns(text, count=1):
    """A conversation whose user turns are such texts."""
    share = SIZE // count
    messages = []
    for i in range(count):
        messages += [{"role": "user", "content": f"{i} " + text * (share // len(text.encode()))}]
        messages += [{"role": "assistant", "content": f"This is answer {i}. " + "It is a long one. " * 20}]
    return messages[:-1]


def in_parts(text):
    words = [{"type": "text", "text": text} for _ in range(SIZE // (len(text.encode()) + 30))]
    return [{"role": "user", "content": words}]


def in_a_row(text):
    return [{"role": "user", "content": text} for _ in range(SIZE // (len(text.encode()) + 40))][:9999]


BODIES = {
    "ascii": lambda: turns("What the cat did to the harbour. "),
    "one word": lambda: turns("a"),
    "latin": lambda: turns("Où est né l'été où l'on était? "),
    "chinese": lambda: turns("我家的猫喜欢在港口吃鱼。"),
    "arabic": lambda: turns("قطتي تحب السمك في الميناء. "),
    "emoji": lambda: turns("😀👩‍👩‍👧"),
    "quotes": lambda: turns('"'),
    "lines": lambda: turns("\n"),
    "white space": lambda: turns(" \t"),
    "wide spaces": lambda: turns("\u3000"),
    "angles": lambda: turns("<"),
    "closings": lambda: turns("</context>"),
    "openings": lambda: turns("<context>"),
    "documents": lambda: turns("<source>a</source><document>"),
    "query": lambda: turns("<user_query>"),
    "thinking": lambda: turns("<think>"),
    "thoughts": lambda: turns("a<think>b</think>"),
    "quoted lines": lambda: turns("> a\n"),
    "fences": lambda: turns("```\n"),
    "digits": lambda: turns("4111 1111 1111 1111 "),
    "one number": lambda: turns("4"),
    "keys": lambda: turns("password = sk-abcdefghijklmnopqrstuvwx "),
    "dates": lambda: turns("on 3 May 2024 at noon, "),
    "sources": lambda: turns("### Task: <chat_history> "),
    "many turns": lambda: turns("What the cat did to the harbour. ", 2000),
    "large turns": lambda: turns("What the cat did to the harbour. ", 12),
    "a run of messages": lambda: in_a_row("What the cat did to the harbour. " * 40),
    "parts": lambda: in_parts("What the cat did to the harbour. "),
    "large parts": lambda: in_parts("What the cat did to the harbour. " * 10000),
}


@pytest.fixture
def expert(daemon, user):
    """Who has many long answers stored."""
    pairs = []
    for i in range(60):
        pairs.append({"role": "user", "content": f"What of the harbour's quay number {i}?"})
        pairs.append({"role": "assistant", "content": f"Of quay {i} this is known. " + f"It has {i} stones. " * 60})
    daemon.import_messages(user, pairs, learn=False)
    return user


def cost(daemon, user, messages, escaped, headers):
    """Seconds of CPU for each megabyte."""
    body = json.dumps({"model": "m", "messages": messages}, ensure_ascii=escaped).encode()
    used = daemon.cpu_seconds()
    assert daemon.post_chat(body, {"X-User-Id": user, **headers}).status_code == 200
    return (daemon.cpu_seconds() - used) / len(body) * (1 << 20)


KINDS = [(kind, False) for kind in BODIES] + [(kind, True) for kind in ("latin", "chinese", "emoji", "lines", "parts")]


@pytest.mark.parametrize("kind, escaped", KINDS, ids=[kind + ", escaped" * escaped for kind, escaped in KINDS])
def test_a_large_message_costs_what_its_size_says(daemon, expert, kind, escaped):
    messages = BODIES[kind]()
    newest = messages[-1]["content"]
    edited = newest[:-20] + [newest[0]] * 21 if isinstance(newest, list) else f"So: {newest} {'And now? ' * 15}"
    session = {"X-Session-Id": "harbour"}
    for named, sent, headers in [
        ("first", messages, {}),
        ("in a session", messages, session),
        ("asked again", messages, session),
        ("edited", [*messages[:-1], {"role": "user", "content": edited}], session),
    ]:
        assert cost(daemon, expert, sent, escaped, headers) < MOST_PER_MEGABYTE, named


LARGEST = 63 << 20
MOST_OF_PLAIN = 6
LARGE = {"angles": "<", "thinking": "<think>", "escapes": "\\n", "combining marks": "a\u0301"}


def cost_of_the_largest(daemon, user, body, kind):
    body = body % (kind * (LARGEST // len(kind)))
    used = daemon.cpu_seconds()
    assert daemon.post_chat(body, {"X-User-Id": user}).status_code == 200
    return daemon.cpu_seconds() - used


NEWEST = b'{"model": "m", "messages": [{"role": "user", "content": "%s"}]}'
ANSWER = b'{"model": "m", "messages": [{"role": "user", "content": "Tell me."}, ' \
    b'{"role": "assistant", "content": "%s"}, {"role": "user", "content": "And then?"}]}'


@pytest.mark.parametrize("kind", LARGE)
@pytest.mark.parametrize("body", [NEWEST, ANSWER], ids=["newest", "answer"])
def test_the_largest_text_costs_little(daemon, user, body, kind):
    """Past what is read of a text, only the bytes of the request cost anything."""
    plain = cost_of_the_largest(daemon, user, body, b"a")
    costs = cost_of_the_largest(daemon, user, body, LARGE[kind].encode())
    assert costs < MOST_OF_PLAIN * plain
