"""A raw HTTP client for what an HTTP library would tidy up, and the comparison of request bytes."""

import json
import re
import socket


class RawReply:
    def __init__(self, head, body, whole):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = [tuple(p.strip() for p in l.split(":", 1)) for l in lines[1:] if l]
        self.body = body
        self.whole = whole  # the framing's end was seen

    def field(self, name):
        values = [v for n, v in self.fields if n.lower() == name.lower()]
        return values[0] if values else None


class RawClient:
    """One connection. Reads a reply to its end, or until a mark is seen."""

    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seen = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, target, body=b"", fields=(), version="HTTP/1.1"):
        lines = [f"{method} {target} {version}", f"Host: 127.0.0.1:{self.socket.getpeername()[1]}"]
        lines += [f"{name}: {value}" for name, value in fields]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)

    def post_chat(self, body, user=None, fields=(), target="/v1/chat/completions"):
        ours = [("Content-Type", "application/json"), ("Authorization", "Bearer test-key")]
        if user is not None:
            ours.append(("X-User-Id", user))
        self.send("POST", target, body, ours + list(fields))

    def _more(self):
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        self.seen += got
        return bool(got)

    def read_until(self, mark):
        """Everything received so far, once it holds the mark; fails when the connection ends before."""
        while mark not in self.seen:
            assert self._more(), f"the reply ended without {mark!r}: {self.seen[-400:]!r}"
        return self.seen

    def read_content_until(self, mark):
        """Until the mark stands in what has come of a chunked reply's body, in one chunk or in several."""
        while mark not in dechunked_so_far(self.seen):
            assert self._more(), f"the reply ended without {mark!r}: {self.seen[-400:]!r}"

    def read_head(self):
        """A reply that has no body."""
        while b"\r\n\r\n" not in self.seen:
            if not self._more():
                raise ConnectionError(f"no reply head: {self.seen!r}")
        head, self.seen = self.seen.split(b"\r\n\r\n", 1)
        return RawReply(head, b"", True)

    def read_reply(self):
        reply = self.read_head()
        length = reply.field("Content-Length")
        if "chunked" in (reply.field("Transfer-Encoding") or ""):
            reply.body, reply.whole = self._read_chunks()
        elif length is not None:
            while len(self.seen) < int(length) and self._more():
                pass
            reply.body, self.seen = self.seen[: int(length)], self.seen[int(length) :]
            reply.whole = len(reply.body) == int(length)
        elif reply.status not in (204, 304):
            while self._more():
                pass
            reply.body, self.seen = self.seen, b""
        return reply

    def _read_chunks(self):
        body = b""
        while True:
            while b"\r\n" not in self.seen:
                if not self._more():
                    return body, False
            line, self.seen = self.seen.split(b"\r\n", 1)
            size = int(line.split(b";")[0], 16)
            while len(self.seen) < size + 2:
                if not self._more():
                    return body + self.seen[:size], False
            body, self.seen = body + self.seen[:size], self.seen[size + 2 :]
            if size == 0:
                return body, True


def dechunked_so_far(seen):
    """What has come of a chunked reply's body."""
    pieces, at = [], seen.find(b"\r\n\r\n") + 4
    while at >= 4 and (end := seen.find(b"\r\n", at)) >= 0:
        size = int(seen[at:end], 16)
        pieces.append(seen[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(pieces)


def common_prefix(a, b):
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def messages_bytes(body):
    """The bytes of a chat request's messages, from the first bracket to before the last: with more
    messages it would go on from here. Empty when it has none."""
    begin = re.search(rb'"messages"\s*:\s*(?=\[)', body)
    if begin is None:
        return b""
    text = body[begin.end() :].decode("utf-8", "surrogateescape")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return b""
    return text[:end].encode("utf-8", "surrogateescape")[:-1]


def prefix_stability(requests):
    """For consecutive upstream requests of one conversation: how much of the former one's messages
    the next one begins with, 1.0 being all of it."""
    arrays = [messages_bytes(request.body) for request in requests]
    return [common_prefix(before, after) / len(before) for before, after in zip(arrays, arrays[1:])]


def insertions(client, upstream, most=4):
    """The bytes that were inserted into the client's body to make the upstream's, as a list of
    (offset in the client's body, bytes), or None when it takes more than `most` insertions or anything
    was changed or taken out."""

    def search(i, j, left):
        same = common_prefix(client[i:], upstream[j:])
        i, j = i + same, j + same
        if i == len(client):
            return [] if j == len(upstream) else [(i, upstream[j:])] if left else None
        if not left:
            return None
        # Where two neighbours are alike the insertion may be said to begin earlier: step back as well.
        for back in range(0, min(same, 64) + 1):
            a, b = i - back, j - back
            anchor = client[a : a + 24]
            at = upstream.find(anchor, b + 1)
            while at >= 0:
                rest = search(a, at, left - 1)
                if rest is not None:
                    return [(a, upstream[b:at]), *rest]
                at = upstream.find(anchor, at + 1)
        return None

    return search(0, 0, most)
