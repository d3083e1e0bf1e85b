"""A mock provider of all four APIs: Chat Completions, Responses, Messages and Ollama. It keeps the bytes of
every request, as Upstream does, and what a provider keeps of a chain; it answers plain or streamed, and calls
a tool when it is asked to. tests/clients/record.py drives real clients at it."""

import json
import re
from dataclasses import dataclass, field

from .upstream import Upstream, chunk, completion, error_reply, event, json_reply, sse_reply, text_events, tool_call_events

PATHS = {  # behind the path's prefix, if it has one
    "/chat/completions": "chat",
    "/responses": "responses",
    "/messages": "messages",
    "/api/chat": "ollama",
}


def dialect_of(request):
    """Which API a request speaks; None: none of them."""
    path = request.target.split("?")[0]
    if request.method != "POST":
        return None
    return next((name for end, name in PATHS.items() if path.endswith(end)), None)


@dataclass
class Call:
    """A tool call of the model."""

    id: str
    name: str
    arguments: dict = field(default_factory=dict)


@dataclass
class Said:
    """What the model says, in no API's shape."""

    text: str = ""
    calls: list = field(default_factory=list)
    thinking: str = ""
    stop: str = ""  # the stop reason in the words of Messages; empty: as it follows from the rest

    @property
    def stop_reason(self):
        return self.stop or ("tool_use" if self.calls else "end_turn")


@dataclass
class Usage:
    """Tokens of the prompt, of which some were read from the provider's cache and some written to it."""

    fresh: int = 25
    read: int = 0
    written: int = 0
    output: int = 8

    @property
    def input(self):
        return self.fresh + self.read + self.written


def words_of(text, size=6):
    return [text[i : i + size] for i in range(0, len(text), size)]


def halves(text):
    return [half for half in (text[: len(text) // 2], text[len(text) // 2 :]) if half]


def named_event(value, end=b"\n\n"):
    """An event that has its type as its name."""
    return b"event: " + value["type"].encode() + b"\n" + event(value, end)


# ---- Messages ----


def messages_usage(usage):
    return {
        "input_tokens": usage.fresh,
        "cache_creation_input_tokens": usage.written,
        "cache_read_input_tokens": usage.read,
        "output_tokens": usage.output,
    }


def messages_blocks(said, number):
    blocks = []
    if said.thinking:
        blocks.append({"type": "thinking", "thinking": said.thinking, "signature": f"EqRsig{number:04}"})
    if said.text:
        blocks.append({"type": "text", "text": said.text})
    for call in said.calls:
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments})
    return blocks


def message(said, number=1, model="claude-test", usage=None):
    return {
        "id": f"msg_{number:04}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": messages_blocks(said, number),
        "stop_reason": said.stop_reason,
        "stop_sequence": None,
        "usage": messages_usage(usage or Usage()),
    }


def block_events(index, block):
    """An empty block, what fills it, and its end."""
    if block["type"] == "text":
        empty = block | {"text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in words_of(block["text"])]
    elif block["type"] == "thinking":
        empty = block | {"thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": word} for word in words_of(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    else:
        empty = block | {"input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves(json.dumps(block["input"]))]
    begin = {"type": "content_block_start", "index": index, "content_block": empty}
    filling = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [begin, *filling, {"type": "content_block_stop", "index": index}]


def message_events(said, number=1, model="claude-test", usage=None, end=b"\n\n"):
    whole = message(said, number, model, usage)
    begun = whole | {"content": [], "stop_reason": None, "usage": whole["usage"] | {"output_tokens": 1}}
    stopped = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events = [{"type": "message_start", "message": begun}]
    for index, block in enumerate(whole["content"]):
        events += block_events(index, block)
        if index == 0:
            events.append({"type": "ping"})
    events.append({"type": "message_delta", "delta": stopped, "usage": {"output_tokens": whole["usage"]["output_tokens"]}})
    events.append({"type": "message_stop"})
    return [named_event(value, end) for value in events]


def messages_error(status, kind, text, **options):
    value = {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_0001"}
    return json_reply(value, status=status, reason="Refused", **options)


# ---- Responses ----


def response_items(said, number):
    items = []
    if said.thinking:
        summary = [{"type": "summary_text", "text": said.thinking}]
        items.append({"id": f"rs_{number:04}", "type": "reasoning", "summary": summary, "encrypted_content": f"gAAAAAenc{number:04}"})
    if said.text:
        part = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
        phase = "commentary" if said.calls else "final_answer"
        items.append(
            {"id": f"msg_{number:04}", "type": "message", "status": "completed", "role": "assistant", "phase": phase, "content": [part]}
        )
    for i, call in enumerate(said.calls):
        items.append(
            {
                "id": f"fc_{number:04}{i}",
                "type": "function_call",
                "status": "completed",
                "call_id": call.id,
                "name": call.name,
                "arguments": json.dumps(call.arguments),
            }
        )
    return items


def response_usage(usage):
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.read},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input + usage.output,
    }


def response(said, asked=None, number=1, usage=None, status="completed"):
    """A response object, which echoes what was asked."""
    asked = asked or {}
    return {
        "id": f"resp_{number:04}",
        "object": "response",
        "created_at": 1760000000,
        "status": status,
        "background": bool(asked.get("background")),
        "error": None,
        "incomplete_details": None,
        "instructions": asked.get("instructions"),
        "model": asked.get("model", "test-model"),
        "output": response_items(said, number),
        "parallel_tool_calls": True,
        "previous_response_id": asked.get("previous_response_id"),
        "store": asked.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": asked.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": response_usage(usage or Usage()),
        "metadata": {},
    }


def item_events(index, item):
    """An item as it begins, what fills it, and the whole of it."""
    at = {"output_index": index, "item_id": item["id"]}
    begun = item | {"status": "in_progress"}
    filling = []
    if item["type"] == "message":
        begun |= {"content": []}
        part = item["content"][0]
        at |= {"content_index": 0}
        filling.append({"type": "response.content_part.added", **at, "part": part | {"text": ""}})
        for word in words_of(part["text"]):
            filling.append({"type": "response.output_text.delta", **at, "delta": word, "logprobs": [], "obfuscation": "x"})
        filling.append({"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []})
        filling.append({"type": "response.content_part.done", **at, "part": part})
    elif item["type"] == "function_call":
        begun |= {"arguments": ""}
        for half in halves(item["arguments"]):
            filling.append({"type": "response.function_call_arguments.delta", **at, "delta": half})
        filling.append({"type": "response.function_call_arguments.done", **at, "name": item["name"], "arguments": item["arguments"]})
    elif item["type"] == "reasoning":
        begun = item | {"summary": []}
        part = item["summary"][0]
        at |= {"summary_index": 0}
        filling.append({"type": "response.reasoning_summary_part.added", **at, "part": part | {"text": ""}})
        filling.append({"type": "response.reasoning_summary_text.delta", **at, "delta": part["text"]})
        filling.append({"type": "response.reasoning_summary_text.done", **at, "text": part["text"]})
        filling.append({"type": "response.reasoning_summary_part.done", **at, "part": part})
    added = {"type": "response.output_item.added", "output_index": index, "item": begun}
    return [added, *filling, {"type": "response.output_item.done", "output_index": index, "item": item}]


def response_events(said, asked=None, number=1, usage=None, status="completed", end=b"\n\n"):
    whole = response(said, asked, number, usage, status)
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    events = [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]
    for index, item in enumerate(whole["output"]):
        events += item_events(index, item)
    events.append({"type": f"response.{status}", "response": whole})
    return [named_event(value | {"sequence_number": i}, end) for i, value in enumerate(events)]


# ---- Ollama ----


def ollama_object(message_of_it, done, usage=None, stop="stop"):
    value = {"model": "test-model", "created_at": "2026-11-22T10:00:00Z", "message": message_of_it, "done": done}
    if done:
        usage = usage or Usage()
        value |= {"done_reason": stop, "total_duration": 1, "prompt_eval_count": usage.input, "eval_count": usage.output}
    return value


def ollama_message(said):
    value = {"role": "assistant", "content": said.text}
    if said.thinking:
        value["thinking"] = said.thinking
    if said.calls:
        value["tool_calls"] = [{"function": {"name": c.name, "arguments": c.arguments}} for c in said.calls]
    return value


def ollama_lines(said, usage=None):
    lines = [ollama_object({"role": "assistant", "content": word}, False) for word in words_of(said.text)]
    if said.calls:
        lines.append(ollama_object(ollama_message(Said(calls=said.calls)), False))
    lines.append(ollama_object({"role": "assistant", "content": ""}, True, usage))
    return [json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines]


# ---- Chat Completions ----


def chat_calls(said):
    return [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": json.dumps(c.arguments)}} for c in said.calls
    ]


def chat_usage(usage):
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.read},
    }


def chat_events(said, usage):
    if said.calls:
        return tool_call_events(chat_calls(said))
    return text_events(said.text, include_usage=True, usage=chat_usage(usage))


# ---- one reply in any of them ----


def render(said, dialect, asked=None, number=1, usage=None, **options):
    """The reply with which an API says it, streamed if that was asked for."""
    asked = asked or {}
    usage = usage or Usage()
    stream = asked.get("stream", dialect == "ollama")
    model = asked.get("model", "test-model")
    if dialect == "messages":
        if stream:
            return sse_reply(message_events(said, number, model, usage), **options)
        return json_reply(message(said, number, model, usage), **options)
    if dialect == "responses":
        if stream:
            return sse_reply(response_events(said, asked, number, usage), **options)
        return json_reply(response(said, asked, number, usage), **options)
    if dialect == "ollama":
        if stream:
            reply = sse_reply(ollama_lines(said, usage), **options)
            reply.fields[0] = ("Content-Type", "application/x-ndjson")
            return reply
        return json_reply(ollama_object(ollama_message(said), True, usage), **options)
    if stream:
        return sse_reply(chat_events(said, usage), **options)
    more = {"tool_calls": chat_calls(said)} if said.calls else {}
    finish = "tool_calls" if said.calls else "stop"
    return json_reply(completion(said.text or None, model, finish, chat_usage(usage), **more), **options)


# ---- what was asked ----


def texts_of(content):
    """The texts of a message's content, whatever API it is of."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [p["text"] for p in parts if isinstance(p, dict) and isinstance(p.get("text"), str)]


def elements(asked):
    """The messages or input items of a request."""
    listed = asked.get("messages", asked.get("input"))
    if isinstance(listed, str):
        return [{"role": "user", "content": listed}]
    return listed if isinstance(listed, list) else []


def is_tool_result(element):
    if element.get("role") == "tool" or str(element.get("type", "")).endswith("_output"):
        return True
    content = element.get("content")
    parts = content if isinstance(content, list) else []
    return any(isinstance(p, dict) and p.get("type") == "tool_result" for p in parts)


def body_of(request):
    """A request's JSON object; None: it is none."""
    try:
        asked = json.loads(request.body)
    except ValueError:
        return None
    return asked if isinstance(asked, dict) and isinstance(elements(asked), list) else None


def newest(asked):
    """The last element of the client's that is no system text; {}: there is none."""
    sides = [e for e in elements(asked) if e.get("role") not in ("system", "developer")]
    return sides[-1] if sides else {}


def tool_names(asked):
    return [t.get("name") or t.get("function", {}).get("name") or t.get("type") for t in asked.get("tools") or []]


CALL_WORDS = re.compile(r"Use the tool (\w+) with (\{.*\})", re.DOTALL)


def asked_call(asked, number):
    """The call that the newest turn asks for in so many words: Use the tool NAME with {"argument": ..}."""
    element = newest(asked)
    if is_tool_result(element):
        return None
    found = CALL_WORDS.search("\n".join(texts_of(element.get("content"))))
    if not found or found[1] not in tool_names(asked):
        return None
    arguments, _ = json.JSONDecoder().raw_decode(found[2])
    return Call(f"toolu_{number:04}", found[1], arguments)


class Provider(Upstream):
    """Its model calls the tool that the newest turn asks for, and else says `text` and the reply's number; a test
    or a script may have its own `say(asked, number)`, which gives a Said. `kept` has the elements that the model
    has seen up to each reply, by the reply's id, for the chains that the provider keeps, and those of each
    conversation at the provider, by its id."""

    def __init__(self, text="Understood, this is answer"):
        self.text = text
        self.say = self.usual_words
        self.kept = {}
        self.seen = {}  # by the request's number
        super().__init__()

    def reset(self):
        super().reset()
        self.say = self.usual_words
        self.kept.clear()
        self.seen.clear()

    def of_dialect(self, *dialects):
        """The requests that spoke one of them; none given: any."""
        with self._changed:
            requests = list(self.requests)
        return [r for r in requests if (dialect_of(r) in dialects if dialects else dialect_of(r))]

    def last_of(self, back):
        """The request that came so many from the end; 1 is the last."""
        return self.of_dialect()[-back]

    def usual_words(self, asked, number):
        call = asked_call(asked, number)
        if call is not None:
            return Said("I will look.", [call], "Let me think.")
        return Said(f"{self.text} {number}.")

    def default_answer(self, request):
        dialect = dialect_of(request)
        if dialect is None:
            return self._other_answer(request)
        asked = body_of(request)
        if asked is None:
            return error_reply(400, "We could not parse the JSON body of your request.")
        earlier = self.before(asked)
        if earlier is None:
            return self._unknown_chain(dialect)
        said = self.say(asked, request.number)
        self.seen[request.number] = [*earlier, *elements(asked)]
        self._keep(dialect, request, asked, said)
        return render(said, dialect, asked, request.number)

    @staticmethod
    def _previous(asked):
        thread = asked.get("thread") or {}
        return asked.get("previous_response_id") or thread.get("previous_message_id")

    @staticmethod
    def _conversation(asked):
        conversation = asked.get("conversation")
        return conversation.get("id") if isinstance(conversation, dict) else conversation

    def before(self, asked):
        """What the chain or conversation that the request goes on from has; None: nobody knows it."""
        previous = self._previous(asked) or self._conversation(asked)
        return [] if previous is None else self.kept.get(previous)

    @staticmethod
    def _unknown_chain(dialect):
        if dialect == "messages":
            return messages_error(404, "not_found_error", "no such message")
        return error_reply(400, "Previous response not found.", "previous_response_id", "previous_response_not_found")

    def _keep(self, dialect, request, asked, said):
        number = request.number
        conversation = self._conversation(asked)
        if dialect == "responses" and (conversation or asked.get("store") is not False):
            items = self.seen[number] + response_items(said, number)
            self.kept[conversation or f"resp_{number:04}"] = items
        elif dialect == "messages" and "thread" in asked:
            answer = {"role": "assistant", "content": messages_blocks(said, number)}
            self.kept[f"msg_{number:04}"] = [*self.seen[number], answer]

    def _other_answer(self, request):
        path = request.target.split("?")[0]
        if request.field("Upgrade"):
            return error_reply(426, "HTTP only")
        if path.endswith("/count_tokens"):
            return json_reply({"input_tokens": len(request.body) // 4})
        if path.endswith("/conversations"):
            conversation = f"conv_{request.number:04}"
            self.kept[conversation] = []
            return json_reply({"id": conversation, "object": "conversation", "created_at": 1760000000, "metadata": {}})
        if path.endswith("/models"):
            return json_reply({"object": "list", "data": []})
        return json_reply({})
