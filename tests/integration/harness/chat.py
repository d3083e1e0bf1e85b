"""A plain chat client, as a program without an SDK would be: keeps its own history, sends it whole
or only its newest message, streamed or not."""

import json
from dataclasses import dataclass

import httpx


def stream_text(body):
    """The text of choice 0 of a streamed reply's bytes."""
    text = ""
    for line in body.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line.startswith("data:") or line[5:].strip() in ("", "[DONE]"):
            continue
        value = json.loads(line[5:])
        for choice in value.get("choices", []):
            if choice.get("index") == 0:
                text += choice.get("delta", {}).get("content") or ""
    return text


@dataclass
class Answer:
    text: str
    headers: httpx.Headers
    body: bytes

    @property
    def status(self):
        return self.headers.get("X-Memory-Status")


class Chat:
    """One conversation of one user."""

    def __init__(
        self, daemon, user=None, session=None, newest_only=False, stream=False, system=None, headers=None, mode=None
    ):
        self.daemon = daemon
        self.newest_only = newest_only
        self.stream = stream
        self.system = system
        self.messages = []
        self.headers = {"Authorization": "Bearer test-key"}
        if user is not None:
            self.headers["X-User-Id"] = user
        if session is not None:
            self.headers["X-Session-Id"] = session
        if mode is not None:
            self.headers["X-Memory-Mode"] = mode
        self.headers |= headers or {}

    def body(self, text, **more):
        newest = {"role": "user", "content": text}
        sent = [newest] if self.newest_only else [*self.messages, newest]
        if self.system is not None:
            sent = [{"role": "system", "content": self.system}, *sent]
        value = {"model": "test-model", "messages": sent} | more
        if self.stream:
            value["stream"] = True
        return json.dumps(value, ensure_ascii=False).encode()

    def send(self, text, headers=None, **more):
        """The reply as it came, whatever its status; the history is left alone."""
        return self.daemon.post_chat(self.body(text, **more), self.headers | (headers or {}))

    def say(self, text, headers=None, **more):
        reply = self.send(text, headers, **more)
        assert reply.status_code == 200, f"{reply.status_code} {reply.text}"
        answer = self.read(reply)
        self.messages.append({"role": "user", "content": text})
        self.messages.append({"role": "assistant", "content": answer.text})
        return answer

    @staticmethod
    def read(reply):
        if "event-stream" in reply.headers.get("content-type", ""):
            text = stream_text(reply.content)
        else:
            text = reply.json()["choices"][0]["message"]["content"] or ""
        return Answer(text, reply.headers, reply.content)
