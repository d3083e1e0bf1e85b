"""Ollama's /api/chat from both sides: a client without an SDK, as Open WebUI is, and the server's lines."""

import json

from .chat import Answer
from .provider import Said, dialect_of, ollama_lines, render
from .upstream import error_reply, sse_reply


def lines_of(body):
    """The JSON of each line."""
    return [json.loads(line) for line in body.splitlines() if line]


def lines_reply(pieces, **options):
    """A streamed reply of these pieces."""
    reply = sse_reply(pieces, **options)
    reply.fields[0] = ("Content-Type", "application/x-ndjson")
    return reply


def saying(say):
    """An Upstream's `answer` that says a Said, or a text, of what was asked, in the API that it was asked in."""

    def answer(request):
        dialect = dialect_of(request)
        if dialect is None:
            return error_reply(404)
        said = say(request.json)
        return render(Said(said) if isinstance(said, str) else said, dialect, request.json)

    return answer


def lines_that_say(text):
    return ollama_lines(Said(text))


class Ollama:
    """One conversation of one user. It streams without asking for it."""

    path = "/api/chat"

    def __init__(self, daemon, user=None, session=None, newest_only=False, stream=True, system=None, headers=None,
                 mode=None, **fields):
        self.daemon = daemon
        self.newest_only = newest_only
        self.fields = fields | ({} if stream else {"stream": False})
        self.messages = [] if system is None else [{"role": "system", "content": system}]
        named = {"X-User-Id": user, "X-Session-Id": session, "X-Memory-Mode": mode}
        self.headers = {name: value for name, value in named.items() if value is not None} | (headers or {})

    def body(self, messages, **more):
        brings = messages if self.newest_only else [*self.messages, *messages]
        return json.dumps({"model": "llama3.2", "messages": brings} | self.fields | more, ensure_ascii=False).encode()

    def send(self, said, headers=None, **more):
        """The reply as it came, whatever its status; the history is left alone."""
        messages = [{"role": "user", "content": said}] if isinstance(said, str) else said
        return self.daemon.post_chat(self.body(messages, **more), self.headers | (headers or {}), self.path)

    def say(self, said, headers=None, **more):
        """A user's words, or messages."""
        reply = self.send(said, headers, **more)
        assert reply.status_code == 200, f"{reply.status_code} {reply.text}"
        parts = [line["message"] for line in lines_of(reply.content)]
        answer = {"role": "assistant", "content": "".join(part["content"] for part in parts)}
        calls = [call for part in parts for call in part.get("tool_calls", [])]
        self.messages += [{"role": "user", "content": said}] if isinstance(said, str) else said
        self.messages.append(answer | ({"tool_calls": calls} if calls else {}))
        return Answer(answer["content"], reply.headers, reply.content)
