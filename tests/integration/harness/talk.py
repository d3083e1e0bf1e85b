"""A client of the Responses API, as a program without an SDK would be: it keeps the items itself and
sends them all, or only what is new with the id that it goes on from."""

import json

from .chat import Answer


def events_of(body):
    """The JSON of a stream's events."""
    lines = body.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [json.loads(line[5:]) for line in lines if line.startswith("data:") and line[5:].strip() != "[DONE]"]


def whole_response(reply):
    if "event-stream" not in reply.headers.get("content-type", ""):
        return reply.json()
    return events_of(reply.content)[-1]["response"]


def text_of(response):
    parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part.get("text", "") for part in parts)


class Talk:
    """`newest_only`: a session header stands for what was said before. `chained`: the id of the response
    does."""

    def __init__(self, daemon, user=None, session=None, newest_only=False, chained=False, stream=False, headers=None,
                 mode=None, **fields):
        self.daemon = daemon
        self.newest_only = newest_only
        self.chained = chained
        self.fields = fields | ({"stream": True} if stream else {})
        self.items = []
        self.previous = None
        self.headers = {"Authorization": "Bearer test-key"}
        named = {"X-User-Id": user, "X-Session-Id": session, "X-Memory-Mode": mode}
        self.headers |= {name: value for name, value in named.items() if value is not None}
        self.headers |= headers or {}

    def body(self, items, **more):
        brings = items if self.newest_only or self.chained else [*self.items, *items]
        chain = {"previous_response_id": self.previous} if self.chained and self.previous else {}
        value = {"model": "test-model", "input": brings} | chain | self.fields | more
        return json.dumps(value, ensure_ascii=False).encode()

    def send(self, said, headers=None, **more):
        """The reply as it came, whatever its status; what is kept is left alone."""
        items = [{"role": "user", "content": said}] if isinstance(said, str) else said
        return self.daemon.post_chat(self.body(items, **more), self.headers | (headers or {}), "/v1/responses")

    def say(self, said, headers=None, **more):
        """A user's words, or items."""
        reply = self.send(said, headers, **more)
        assert reply.status_code == 200, f"{reply.status_code} {reply.text}"
        response = whole_response(reply)
        self.items += [{"role": "user", "content": said}] if isinstance(said, str) else said
        self.items += response["output"]
        self.previous = response["id"]
        return Answer(text_of(response), reply.headers, reply.content)
