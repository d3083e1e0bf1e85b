"""A scripted upstream: an HTTP/1.1 server on a raw loopback socket that records the exact bytes of
every request and answers as it is told, torn, delayed or broken off where a test wants it."""

import itertools
import json
import math
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property

from .wire import common_prefix, messages_bytes

MAX_HEAD = 256 * 1024
CACHED_REQUESTS = 64
BYTES_PER_TOKEN = 4


@dataclass
class Request:
    number: int
    connection: int
    head: bytes  # request line and fields with their line ends, the empty line included
    body: bytes  # as framed, chunked framing taken off
    method: str
    target: str
    fields: list  # (name, value) in their order, as sent
    at: float

    def field(self, name):
        """The value of a header field, or None; a field sent twice is an error of the test."""
        values = [v for n, v in self.fields if n.lower() == name.lower()]
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def messages(self):
        return self.json["messages"]

    @cached_property
    def prompt(self):
        """What a prompt cache sees: the bytes of the messages."""
        return messages_bytes(self.body)


@dataclass
class Reply:
    status: int = 200
    reason: str = "OK"
    fields: list = field(default_factory=list)
    pieces: list = field(default_factory=list)  # sent one by one, each its own packet
    framing: str = "length"  # length | chunked | close | raw: only the fields given
    delay: float = 0.0  # between pieces
    first_byte_delay: float = 0.0
    break_after: int = -1  # close after so many pieces, without the framing's end; 0: before the head
    reset: bool = False  # break with a TCP reset
    keep_alive: bool = True
    gates: dict = field(default_factory=dict)  # index of a piece -> Event that must be set before it is sent

    @property
    def body(self):
        return b"".join(self.pieces)


def json_reply(value, status=200, **options):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    fields = [("Content-Type", "application/json")] + options.pop("fields", [])
    return Reply(status=status, fields=fields, pieces=[body], **options)


def error_reply(status, message="refused", param=None, code=None, **options):
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return json_reply({"error": error}, status=status, reason="Refused", **options)


USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def completion(text, model="test-model", finish_reason="stop", usage=USAGE, **message):
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "finish_reason": finish_reason,
                "logprobs": None,
            }
        ],
        "usage": usage,
    }


def chunk(delta, finish_reason=None, index=0, **extra):
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": "test-model",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}],
    }
    value.update(extra)
    return value


def event(value, end=b"\n\n"):
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + end


DONE = b"data: [DONE]\n\n"


def text_events(text, include_usage=False, done=True, usage=USAGE):
    """The events of a streamed reply, a word or so to each."""
    words = [text[i : i + 6] for i in range(0, len(text), 6)] or [""]
    events = [event(chunk({"role": "assistant", "content": ""}))]
    events += [event(chunk({"content": word})) for word in words]
    events.append(event(chunk({}, "stop")))
    if include_usage:
        events.append(event(chunk({}, usage=usage) | {"choices": []}))
    if done:
        events.append(DONE)
    return events


def sse_reply(events, framing="chunked", **options):
    fields = [("Content-Type", "text/event-stream")] + options.pop("fields", [])
    return Reply(fields=fields, pieces=list(events), framing=framing, **options)


def torn(body, positions):
    """The body cut at the given positions."""
    marks = [0, *sorted(positions), len(body)]
    return [body[a:b] for a, b in zip(marks, marks[1:]) if b > a]


def tool_call(call_id, name, arguments):
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments)},
    }


def tool_call_events(calls):
    """A streamed assistant message that calls tools: ids first, arguments in halves."""
    events = [event(chunk({"role": "assistant", "content": None}))]
    for i, call in enumerate(calls):
        whole = call["function"]["arguments"]
        half = len(whole) // 2
        first = {"index": i, "id": call["id"], "type": "function"}
        first["function"] = {"name": call["function"]["name"], "arguments": ""}
        events.append(event(chunk({"tool_calls": [first]})))
        for part in (whole[:half], whole[half:]):
            delta = {"tool_calls": [{"index": i, "function": {"arguments": part}}]}
            events.append(event(chunk(delta)))
    events.append(event(chunk({}, "tool_calls")))
    return events + [DONE]


class Upstream:
    """Serves in threads of its own until close(). Replies come from script() in order, then from
    `answer(request)`, by default a completion whose text no other reply has, with the usage that a
    tokenizer of `bytes_per_token` and a prompt cache would report."""

    def __init__(self, answer=None):
        self.answer = answer or self.default_answer
        self.bytes_per_token = BYTES_PER_TOKEN
        self.requests = []
        self.faults = []
        self.left = 0
        self._changed = threading.Condition()
        self._scripted = []
        self._counter = itertools.count(1)
        self._connections = itertools.count(1)
        self._open = set()
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self):
        return self.origin + "/v1"

    def script(self, *replies):
        """The next requests get these replies; each is a Reply or a function of the request."""
        with self._changed:
            self._scripted.extend(replies)

    def reset(self):
        with self._changed:
            self._scripted.clear()
            self.requests.clear()
            self.faults.clear()
            self.left = 0
            self.answer = self.default_answer
            self.bytes_per_token = BYTES_PER_TOKEN

    def chats(self):
        with self._changed:
            return [r for r in self.requests if r.target.endswith("/chat/completions")]

    @property
    def last(self):
        with self._changed:
            assert self.requests, "the upstream was not asked"
            return self.requests[-1]

    def wait(self, count, timeout=60):
        """Until `count` requests have come."""
        with self._changed:
            come = self._changed.wait_for(lambda: len(self.requests) >= count, timeout)
            assert come, f"{len(self.requests)} requests came, not {count}"
            return list(self.requests)

    def wait_left(self, count, timeout=60):
        """Until `count` connections have been closed on a reply that was not whole."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.left >= count, timeout), "nobody left"

    def cached_bytes(self, request):
        """How many bytes of its messages one of the 64 chat requests before it begins with."""
        before = [r for r in self.chats() if r.number < request.number][-CACHED_REQUESTS:]
        return max((common_prefix(r.prompt, request.prompt) for r in before), default=0)

    def usage(self, request, text=""):
        """What a reply with this text costs. Unlike OpenAI's cache this one counts every token."""
        prompt = math.ceil(len(request.prompt) / self.bytes_per_token)
        completed = math.ceil(len(text.encode()) / self.bytes_per_token)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completed,
            "total_tokens": prompt + completed,
            "prompt_tokens_details": {"cached_tokens": int(self.cached_bytes(request) / self.bytes_per_token)},
        }

    def default_answer(self, request):
        try:
            asked = json.loads(request.body)
        except ValueError:
            return json_reply({"object": "ok"})
        if not isinstance(asked, dict) or "messages" not in asked:
            return json_reply({"object": "ok"})
        text = f"Understood, this is answer {request.number} of port {self.port}."
        usage = self.usage(request, text)
        if asked.get("stream"):
            include_usage = (asked.get("stream_options") or {}).get("include_usage", False)
            return sse_reply(text_events(text, include_usage, usage=usage))
        return json_reply(completion(text, usage=usage))

    def close(self):
        self._closing = True
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._changed:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._thread.join(5)

    def _accept(self):
        while not self._closing:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(120)
            with self._changed:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        number = next(self._connections)
        reader = connection.makefile("rb")
        try:
            while not self._closing:
                request = self._read(reader, number)
                if request is None or not self._reply(connection, request):
                    return
        except OSError:
            with self._changed:
                self.left += 1  # whoever asked has gone
                self._changed.notify_all()
        except ValueError as fault:
            self.faults.append(repr(fault))
        finally:
            with self._changed:
                self._open.discard(connection)
            reader.close()
            connection.close()

    def _read(self, reader, connection):
        head = b""
        while True:
            line = reader.readline(MAX_HEAD)
            if not line:
                return None
            head += line
            if line in (b"\r\n", b"\n"):
                break
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        fields = [tuple(p.strip() for p in l.split(":", 1)) for l in lines[1:] if l]
        values = {name.lower(): value for name, value in fields}
        if "chunked" in values.get("transfer-encoding", ""):
            body = self._read_chunks(reader)
        else:
            body = reader.read(int(values.get("content-length", "0")))
        with self._changed:
            request = Request(
                next(self._counter), connection, head, body, method, target, fields, time.time()
            )
            self.requests.append(request)
            self._changed.notify_all()
        return request

    @staticmethod
    def _read_chunks(reader):
        body = b""
        while True:
            size = int(reader.readline().split(b";")[0], 16)
            if size == 0:
                while reader.readline() not in (b"\r\n", b"\n", b""):
                    pass
                return body
            body += reader.read(size)
            reader.readline()

    def _reply(self, connection, request):
        with self._changed:
            scripted = self._scripted.pop(0) if self._scripted else self.answer
        reply = scripted(request) if callable(scripted) else scripted
        if reply.first_byte_delay:
            time.sleep(reply.first_byte_delay)  # as slowly as the script says
        if reply.break_after == 0:
            return self._break(connection, reply)
        connection.sendall(self._head(reply))
        if request.method == "HEAD":
            return reply.keep_alive
        for i, piece in enumerate(reply.pieces):
            if i in reply.gates and not reply.gates[i].wait(60):
                return False
            if i and reply.delay:
                time.sleep(reply.delay)  # as above
            if reply.framing == "chunked":
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            connection.sendall(piece)
            if i + 1 == reply.break_after:
                return self._break(connection, reply)
        if reply.framing == "chunked":
            connection.sendall(b"0\r\n\r\n")
        return reply.keep_alive and reply.framing != "close"

    @staticmethod
    def _head(reply):
        lines = [f"HTTP/1.1 {reply.status} {reply.reason}"]
        lines += [f"{name}: {value}" for name, value in reply.fields]
        if reply.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif reply.framing == "length" and reply.status not in (204, 304):
            lines.append(f"Content-Length: {len(reply.body)}")
        if not reply.keep_alive or reply.framing == "close":
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @staticmethod
    def _break(connection, reply):
        if reply.reset:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return False
