#!/usr/bin/env python3
"""Drives real clients at the mock provider and keeps their requests as fixtures (see README.md)."""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(Path(__file__).resolve().parent)]

from harness import frameworks  # noqa: E402
from harness.clients import ClaudeCode, Codex  # noqa: E402
from harness.provider import Provider, dialect_of  # noqa: E402
from own_text import replaced  # noqa: E402
from test_frameworks import in_node  # noqa: E402

FIXTURES = ROOT / "tests" / "fixtures"
TOLD = "Hi! My name is Alex and I use ChromaDB."
ASKED = "Which vector store do I use?"
RUN = 'Use the tool Bash with {"command":"echo hi","description":"Says hi"}'
DELEGATE = (
    'Use the tool Agent with {"description":"Looks","prompt":"Say what I like. I am the agent.",'
    '"subagent_type":"general-purpose"}'
)
AGAIN = "And which port did I mean?"
KEPT = [  # what we said, and what a request is known by as a whole
    TOLD,
    ASKED,
    AGAIN,
    "Use the tool ",
    "Say what I like.",
    "Understood, this is answer",
    "x-anthropic-billing-header: ",
    "Continue from where you left off.",
    '{"device_id":',
]


def claude_code(provider, scratch):
    """(name, request) of a session: a turn, its continuation, a tool loop, a subagent, a compaction."""
    client = ClaudeCode(provider.origin, scratch)
    steps = {
        "first_turn": (TOLD,),
        "continued": (ASKED, "--continue"),
        "tool": (RUN, "--continue", "--allowedTools=Bash"),
        "agent": (DELEGATE, "--continue", "--allowedTools=Agent"),
        "compact": ("/compact", "--continue"),
        "after_compact": (AGAIN, "--continue"),
    }
    for name, (prompt, *options) in steps.items():
        before = len(provider.of_dialect())
        client.say(prompt, *options)
        sent = provider.of_dialect()[before:]
        if name == "tool":
            yield "tool_asked", sent[0]
            yield "tool_result", sent[1]
        elif name == "agent":
            yield from named_by_agent(sent)
        else:
            yield name, sent[-1]


def named_by_agent(sent):
    for request in sent:
        if request.field("x-claude-code-agent-id"):
            yield "subagent", request
    yield "agent_result", sent[-1]


def anthropic_python(provider, _):
    import anthropic  # pylint: disable=import-outside-toplevel

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"It rains in {city}."

    client = anthropic.Anthropic(api_key="sk-ant-test", base_url=provider.origin, max_retries=0)
    asked = 'Use the tool weather with {"city": "Oslo"}, please.'
    messages = [{"role": "user", "content": asked}]
    client.beta.messages.tool_runner(model="claude-test", max_tokens=64, tools=[weather], messages=messages).until_done()
    yield "thread_create", provider.last_of(2)
    yield "thread_continue", provider.last_of(1)


def codex(provider, scratch):
    """(name, request) of a session over HTTP: a turn, and a tool loop and a question in what is resumed."""
    client = Codex(provider.base_url, scratch)
    client.say(TOLD)
    yield "first_turn", provider.last_of(1)
    client.say('Use the tool exec_command with {"cmd":"echo hi"}, please.', "resume", "--last")
    yield "tool_asked", provider.last_of(2)
    yield "tool_result", provider.last_of(1)
    client.say(ASKED, "resume", "--last")
    yield "continued", provider.last_of(1)


WEATHER = 'Use the tool weather with {"city": "Oslo"}, please.'


def talk_of(talk):
    """A turn, a tool loop and a question of a framework; its last two requests of the loop, and the question's."""

    def drive(provider, _):
        talk(provider.base_url, {}, [TOLD, WEATHER, ASKED], False)
        for back, name in ((3, "tool_asked"), (2, "tool_result"), (1, "continued")):
            yield name, provider.last_of(back)

    return drive


CLIENTS = {
    "claude_code": ("messages", claude_code),
    "anthropic_python": ("messages", anthropic_python),
    "codex": ("responses", codex),
    "openai_agents": ("responses", talk_of(frameworks.agents)),
    "openai_agents_chained": ("responses", talk_of(frameworks.agents_chained)),
    "pydantic_ai": ("responses", talk_of(frameworks.pydantic_openai)),
    "ai_sdk": ("responses", talk_of(in_node("ai_sdk_talk.mjs", api="openai"))),
    "ai_sdk_anthropic": ("messages", talk_of(in_node("ai_sdk_talk.mjs", api="anthropic"))),
    "ollama_python": ("ollama", talk_of(frameworks.ollama_sdk)),
    "ollama_node": ("ollama", talk_of(in_node("ollama_talk.mjs"))),
}

# ---- what a fixture is ----

FIELDS = re.compile(
    rb"^(?:x-claude-code|anthropic-|x-app:|session|thread-id|x-codex|x-openai|x-session|content-type:)", re.IGNORECASE
)
PERSONAL = [  # as long as what they stand for
    (re.compile(rb'(?<=device_id\\":\\")[0-9a-f]{64}'), b"19d7" * 16),
    (re.compile(rb"(?<=/tmp/)[A-Za-z0-9_.]+"), lambda found: b"s" * len(found[0])),
    (re.compile(rb"(?<=-tmp-)[A-Za-z0-9_]+"), lambda found: b"s" * len(found[0])),
]


def short_of_tools(body):
    """Without all tools but two: their texts are most of a body."""
    asked = json.loads(body)
    tools = asked.get("tools")
    if not tools or len(tools) <= 2:
        return body
    end = len(json.dumps(tools, ensure_ascii=False, separators=(",", ":")))
    begin = body.decode().index('"tools":[') + len('"tools":')
    text = body.decode()
    assert json.loads(text[begin : begin + end]) == tools
    kept = json.dumps(tools[:2], ensure_ascii=False, separators=(",", ":"))
    return (text[:begin] + kept + text[begin + end :]).encode()


def own_body(body, with_tools):
    for pattern, stand_in in PERSONAL:
        body = pattern.sub(stand_in, body)
    return replaced(body if with_tools else short_of_tools(body), KEPT)


def own_head(request):
    lines = request.head.split(b"\r\n")
    kept = [line for line in lines[1:] if FIELDS.match(line)]
    return b"\n".join([lines[0], *kept]) + b"\n"


def write(folder, name, request, with_tools):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_bytes(own_body(request.body, with_tools))
    (folder / f"{name}.head").write_bytes(own_head(request))
    print(f"{folder.relative_to(ROOT)}/{name}: {len(request.body)} bytes, {dialect_of(request)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, help="keep the bytes as they came in this folder")
    parser.add_argument("clients", nargs="*", help="all by default")
    options = parser.parse_args()
    for name in options.clients or CLIENTS:
        dialect, drive = CLIENTS[name]
        provider = Provider()
        with tempfile.TemporaryDirectory() as scratch:
            for i, (case, request) in enumerate(drive(provider, Path(scratch))):
                write(FIXTURES / dialect / name, case, request, i == 0)
                if options.raw:
                    options.raw.mkdir(parents=True, exist_ok=True)
                    (options.raw / f"{name}-{case}.json").write_bytes(request.body)
        provider.close()


if __name__ == "__main__":
    main()
