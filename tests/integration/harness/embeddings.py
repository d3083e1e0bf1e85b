"""Embeddings: the real model of tests/model, served in a process of its own, and a scripted server
whose vectors mean nothing but are the same for the same text."""

import hashlib
import json
import subprocess
import sys

from .daemon import ROOT
from .memory_model import MemoryModel
from .upstream import error_reply, json_reply


class EmbeddingServer:
    """all-MiniLM-L6-v2, until stop()."""

    model = "all-MiniLM-L6-v2"

    def __init__(self, *arguments):
        program = str(ROOT / "tests/model/embedding_server.py")
        self.process = subprocess.Popen(
            [sys.executable, program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.base_url = self.process.stdout.readline().decode().strip()
        assert self.base_url, "the embedding server ended at its start"

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def vector_of(text, size=8):
    digest = hashlib.sha256(text.encode()).digest()
    return [(byte - 127.5) / 128 for byte in digest[:size]]


class ScriptedEmbeddings(MemoryModel):
    """A memory model, from which nothing is learned, that has /embeddings too. Every text it has given
    a vector for is in `given`, in the order of the calls. It refuses calls with the status that
    `refuse_texts` gives, if any; `embed` answers them all, a Reply or a function of the request."""

    model = "scripted"

    def __init__(self):
        super().__init__()
        self.given = []
        self.refuse_texts = lambda texts: None
        self.embed = self.give

    def _answer(self, request):
        if not request.target.endswith("/embeddings"):
            return super()._answer(request)
        return self.embed(request) if callable(self.embed) else self.embed

    def give(self, request):
        texts = json.loads(request.body)["input"]
        status = self.refuse_texts(texts)
        if status:
            return error_reply(status, "not these texts")
        self.given += texts
        data = [{"object": "embedding", "index": i, "embedding": vector_of(t)} for i, t in enumerate(texts)]
        # The order of the entries is the server's affair.
        return json_reply({"object": "list", "data": data[::-1], "model": self.model, "usage": {}})

    def calls(self):
        """The texts of each call so far."""
        with self._changed:
            asked = [r for r in self.requests if r.target.endswith("/embeddings")]
        return [r.json["input"] for r in asked]
