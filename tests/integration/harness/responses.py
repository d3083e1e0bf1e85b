"""OpenAI's Responses API on the provider's side: replies item by item, their events, and what the provider
keeps of chains, conversations and background responses. A Keeper is an Upstream's `answer`."""

import itertools
import json
import math

from .provider import item_events, named_event
from .upstream import error_reply, event, json_reply, sse_reply

BYTES_PER_TOKEN = 4


def message(text, phase=None, number=1):
    item = {
        "id": f"msg_{number}",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }
    return item | ({"phase": phase} if phase else {})


def function_call(call_id, name="get_weather", arguments="{}"):
    return {
        "id": "fc_" + call_id,
        "type": "function_call",
        "status": "completed",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def reasoning(number=1):
    summary = [{"type": "summary_text", "text": "Let me think."}]
    return {"id": f"rs_{number}", "type": "reasoning", "summary": summary, "encrypted_content": "gAAAA"}


def response(output, id="resp_1", status="completed", usage=None, **more):
    usage = usage or {"input_tokens": 36, "output_tokens": 5, "total_tokens": 41}
    usage = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}} | usage
    return {
        "id": id,
        "object": "response",
        "created_at": 1760000000,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": "test-model",
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage if status == "completed" else None,
        "user": None,
    } | more


def events(whole, line=True):
    """The events in which a response comes, in their order; `line`: each with its name."""
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    told = [{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}]
    told += [value for index, item in enumerate(whole["output"]) for value in item_events(index, item)]
    told.append({"type": f"response.{whole['status']}", "response": whole})
    return [(named_event if line else event)(value | {"sequence_number": n}) for n, value in enumerate(told)]


def texts(value):
    """All that the model reads in an item."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [text for name in ("content", "text", "output", "refusal") for text in texts(value.get(name) or [])]


class Keeper:
    """Keeps the items of each response and conversation as OpenAI does: what the request brought and what
    the model made, but no `instructions`. `seen[n]` is all that the model saw of the n-th request.
    `output(seen, request)` gives the items of a reply."""

    def __init__(self, output=None):
        self.output = output or (lambda seen, body: [message(f"Understood, this is answer {next(self.numbers)}.")])
        self.numbers = itertools.count(1)
        self.ids = itertools.count(1)
        self.kept = {}  # a response's items, with those before it
        self.conversations = {}
        self.background = {}
        self.seen = []

    def __call__(self, request):
        path = request.target.split("?")[0]
        if request.method == "GET" and "/responses/" in path:
            return self.fetch(request, path.rsplit("/", 1)[1])
        if not path.endswith("/responses") or request.method != "POST":
            return json_reply({"object": "ok"})
        return self.create(json.loads(request.body))

    def before(self, body):
        conversation = body.get("conversation")
        if conversation:
            id = conversation if isinstance(conversation, str) else conversation["id"]
            return self.conversations.setdefault(id, [])
        return self.kept.get(body.get("previous_response_id"), [])

    def create(self, body):
        previous = body.get("previous_response_id")
        if previous and previous not in self.kept:
            return error_reply(400, f"Previous response with id '{previous}' not found.", "previous_response_id",
                               "previous_response_not_found")
        brought = body.get("input") or []
        if isinstance(brought, str):
            brought = [{"role": "user", "content": brought}]
        items = self.before(body) + brought
        seen = "\n".join(([body["instructions"]] if body.get("instructions") else []) + texts(items))
        self.seen.append(seen)
        output = self.output(seen, body)
        id = f"resp_{next(self.ids)}"
        if body.get("store") is not False:
            self.keep(id, body, items + output, brought + output)
        usage = {"input_tokens": math.ceil(len(seen.encode()) / BYTES_PER_TOKEN), "output_tokens": 5}
        usage["total_tokens"] = usage["input_tokens"] + 5
        whole = response(output, id, usage=usage, instructions=body.get("instructions"), model=body.get("model", "m"),
                         previous_response_id=previous)
        if body.get("background"):
            self.background[id] = whole
            return json_reply(whole | {"status": "queued", "output": [], "usage": None, "background": True})
        return sse_reply(events(whole)) if body.get("stream") else json_reply(whole)

    def keep(self, id, body, items, new):
        self.kept[id] = items
        conversation = body.get("conversation")
        if conversation:
            name = conversation if isinstance(conversation, str) else conversation["id"]
            self.conversations[name] = self.conversations.get(name, []) + new

    def fetch(self, request, id):
        whole = self.background.get(id)
        if whole is None:
            return error_reply(404, f"Response with id '{id}' not found.")
        if "stream=true" in request.target:
            return sse_reply(events(whole)[4:])
        return json_reply(whole)
