"""A chat upstream and memory model in one, quick enough to be killed against: it says what it is told
by the words of the newest turn, and keeps a count of what it gave away. A turn is known by its tag,
"t7-a3": the third of user a in run 7.

    Note t7-a3.                     "Noted t7-a3."; teaches one fact, with the number of the call in its key
    Note t7-a3, slowly.             the reply takes a tenth of a second
    Note t7-a3 and break off.       the reply ends in its middle
    Note t7-a3 with a tool.         calls a tool first
    Note t7-a3 at the second try.   the memory model fails once
    Note t7-a3. Forget t7-a1.       teaches that t7-a1 is to be forgotten
"""

import asyncio
import itertools
import json
import re
import socket
import threading
import time

from .upstream import completion, text_events, tool_call

TAG = re.compile(r"t\d+-[a-z]+\d+")
NEW_TURN = "=== New user turn"


def own_tags(text):
    """The tags that users noted, in the order of the text's lines."""
    return [tag for tag in re.findall(r"\bNote (t\d+-[a-z]+\d+)", text)]


def parts(value):
    return value if isinstance(value, str) else "".join(p.get("text", "") for p in value or [])


class SwiftServer:
    def __init__(self):
        self.whole = {}  # tags whose replies were sent to their last byte, and when
        self.learned = {}  # tag -> how often it was asked about
        self.failed = set()  # tags whose lesson failed once
        self._calls = itertools.count(1)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self._serve, sock=self._listener))
        self.loop.run_forever()
        self.loop.close()

    def run(self, coroutine, timeout=60):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def close(self):
        asyncio.run_coroutine_threadsafe(self._end_all(), self.loop)
        self._thread.join(5)
        self._listener.close()

    async def _end_all(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.loop.stop()

    async def _serve(self, reader, writer):
        # asyncio does so only where it made the listener.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(re.search(rb"(?i)content-length: *(\d+)", head)[1])
                body = json.loads(await reader.readexactly(size))
                if b"/embeddings " in head.split(b"\r\n", 1)[0]:
                    self._send_json(writer, self._embed(body))
                elif body["model"] == "memory-model":
                    self._send_json(writer, *self._learn(body))
                elif not await self._chat(writer, body):
                    return
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    @staticmethod
    def _send_json(writer, value, status=200):
        body = json.dumps(value).encode()
        writer.write(
            b"HTTP/1.1 %d Said\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
            + body
        )

    # ---- the chat model ----

    async def _chat(self, writer, body):
        """False: the connection is to be closed."""
        newest = body["messages"][-1]
        asked = next(m for m in reversed(body["messages"]) if m["role"] == "user")
        text = parts(asked["content"])
        text = text[text.rfind("\n") + 1 :]  # what was recalled stands before it
        tag = (own_tags(text) or [""])[-1]
        answer = f"Noted {tag}."
        if "slowly" in text and "stream" not in body:
            await asyncio.sleep(0.1)
        if "with a tool" in text and newest["role"] == "user":
            calls = [tool_call(f"call-{tag}", "look_up", {"what": tag})]
            self._send_json(writer, completion(None, finish_reason="tool_calls", tool_calls=calls))
        elif body.get("stream"):
            return await self._stream(writer, text, tag, answer)
        elif "break off" in text:
            writer.write(b"HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{")
            return False
        else:
            self.whole[tag] = time.monotonic()
            self._send_json(writer, completion(answer))
        return True

    async def _stream(self, writer, text, tag, answer):
        writer.write(b"HTTP/1.1 200 Said\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        events = text_events(answer)
        for i, event in enumerate(events):
            if i == len(events) // 2 and "break off" in text:
                await writer.drain()
                return False
            if i == len(events) - 2:
                self.whole[tag] = time.monotonic()
            if "slowly" in text:
                await asyncio.sleep(0.1 / len(events))
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
        writer.write(b"0\r\n\r\n")
        return True

    # ---- the memory model ----

    @staticmethod
    def _embed(body):
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        data = [
            {"index": i, "object": "embedding", "embedding": [len(t) % 7 - 3, len(t) % 5 - 2, 1]}
            for i, t in enumerate(texts)
        ]
        return {"object": "list", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}

    def _learn(self, body):
        prompt = parts(body["messages"][-1]["content"])
        if "response_format" not in body:
            return (completion(self._summary(prompt)),)
        texts = [NEW_TURN + text for text in prompt.split(NEW_TURN)[1:]]
        tags = [(own_tags(text) or [""])[0] for text in texts]
        for text, tag in zip(texts, tags):
            if "at the second try" in text and tag not in self.failed:
                self.failed.add(tag)
                return {"error": {"message": "busy"}}, 503
        entries = [entry for text, tag in zip(texts, tags) for entry in self._entries(text, tag)]
        return (completion(json.dumps({"entities": entries})),)

    def _entries(self, text, tag):
        self.learned[tag] = self.learned.get(tag, 0) + 1
        gone = re.search(rf"Forget ({TAG.pattern})", text)
        if gone:
            return [{"value": gone[1], "quote": gone[0], "confidence": 0.95, "forget": True}] if tag else []
        key = f"note_{next(self._calls)}"  # so that what is learned twice are two facts
        return [{"key": key, "value": tag, "quote": f"Note {tag}", "confidence": 0.95}] if tag else []

    @staticmethod
    def _summary(prompt):
        """All that was ever folded in, so that what is folded in twice stands in it twice."""
        before, new = prompt.split("New messages, oldest first:")
        tags = TAG.findall(before) + own_tags(new)
        return "Noted: " + ", ".join(tags)
