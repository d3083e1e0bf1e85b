"""A plain client of the Messages API: keeps its own history, sends it whole, streamed or not."""

import json

from .chat import Answer
from .sse import events_of


def text_of(reply):
    """The text of a reply, streamed or not."""
    if "event-stream" not in reply.headers.get("content-type", ""):
        return "".join(b["text"] for b in reply.json()["content"] if b["type"] == "text")
    deltas = [e["delta"] for e in events_of(reply.content) if e["type"] == "content_block_delta"]
    return "".join(d["text"] for d in deltas if d["type"] == "text_delta")


class Messages:
    """One conversation of one user."""

    path = "/v1/messages"

    def __init__(self, daemon, user=None, session=None, stream=False, system=None, headers=None, mode=None):
        self.daemon = daemon
        self.stream = stream
        self.system = system
        self.messages = []
        self.headers = {"x-api-key": "sk-ant-test", "anthropic-version": "2023-06-01"}
        named = {"X-User-Id": user, "X-Session-Id": session, "X-Memory-Mode": mode}
        self.headers |= {name: value for name, value in named.items() if value is not None}
        self.headers |= headers or {}

    def value(self, content, **more):
        value = {"model": "claude-test", "max_tokens": 64, "messages": [*self.messages, {"role": "user", "content": content}]}
        if self.system is not None:
            value["system"] = self.system
        if self.stream:
            value["stream"] = True
        return value | more

    def body(self, content, **more):
        return json.dumps(self.value(content, **more), ensure_ascii=False).encode()

    def post(self, body, headers=None):
        """These bytes; the reply as it came."""
        return self.daemon.post_chat(body, self.headers | (headers or {}), path=self.path)

    def send(self, content, headers=None, **more):
        """The reply as it came, whatever its status; the history is left alone."""
        return self.post(self.body(content, **more), headers)

    def say(self, content, headers=None, **more):
        reply = self.send(content, headers, **more)
        assert reply.status_code == 200, f"{reply.status_code} {reply.text}"
        text = text_of(reply)
        self.messages.append({"role": "user", "content": content})
        self.messages.append({"role": "assistant", "content": text})
        return Answer(text, reply.headers, reply.content)
