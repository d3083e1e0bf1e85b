"""Takes other people's texts out of a recorded body: each long string becomes text of our own of the same length in
the same bytes, so that offsets and sizes stay. What a request is known by is kept."""

import json
import re

STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
LONG = 32

FILLING = (
    "This stands where the client has words of its own, and is as long. A garden needs water in the morning, "
    "and the beans want a pole to climb. Plant the tomatoes a foot apart, and tie them up before they lean. "
)

# Opening words and elements that recalld or its tests go by.
KEPT_BEGINNINGS = (
    "This session is being continued from a previous conversation",
    "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.",
    "You are a title generator.",
    "Generate a title for this conversation:\n",
    "# AGENTS.md instructions for",
)
ELEMENTS = (
    "system-reminder",
    "local-command-caveat",
    "local-command-stdout",
    "command-name",
    "command-message",
    "command-args",
    "environment_context",
    "user_instructions",
    "skills_instructions",
    "permissions instructions",
    "turn_aborted",
    "skill",
    "session",
)
TAG = re.compile(r"(</?(?:" + "|".join(ELEMENTS) + r")(?: [^>]*)?>)")


def filling(size):
    """So many bytes of ours."""
    return (FILLING * (size // len(FILLING) + 1))[:size]


def inside_of(text):
    """A string's inside as JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def own_piece(text):
    """What stands between two tags, with the white space round it."""
    core = text.strip()
    size = len(inside_of(core).encode())
    if size < LONG or is_token(core):
        return inside_of(text)
    at = text.index(core)
    return inside_of(text[:at]) + filling(size) + inside_of(text[at + len(core) :])


def own(token, keep):
    """A JSON string with its quotes, in our words; the same number of bytes."""
    text = json.loads(token)
    if len(token) - 2 < LONG or text.startswith(tuple(keep)) or is_token(text):
        return token
    if inside_of(text).encode() != token[1:-1]:
        return b'"' + filling(len(token) - 2).encode() + b'"'  # escaped otherwise than we would
    beginning = next((words for words in KEPT_BEGINNINGS if text.startswith(words)), "")
    pieces = TAG.split(text[len(beginning) :])
    inside = "".join(piece if TAG.fullmatch(piece) else own_piece(piece) for piece in pieces)
    return ('"' + inside_of(beginning) + inside + '"').encode()


def is_token(text):
    """An id, a date, a name: no prose."""
    return " " not in text


def replaced(body, keep):
    """The body with every long string of others in our words; what begins with words of `keep` stays."""
    result = STRING.sub(lambda found: own(found[0], keep), body)
    assert len(result) == len(body)
    json.loads(result)
    return result
