"""A real browser on a hostile page. The page's name leads to a server of the test's, whichever port
the page asks for: that server gives out the page and takes its report, and passes everything else on
to that port of this machine, as a name server does that has changed its answer (DNS rebinding)."""

import contextlib
import http.client
import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROGRAM = shutil.which("chromium")
NAME = "page.example"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --disable-dev-shm-usage"
)


class HostilePage:
    """Serves `script`, whose function attack() returns a promise of what to report."""

    def __init__(self, script):
        self.page = f"<!doctype html><body><script>{script}\n" + (
            "attack().catch(String).then(found => fetch('/report', {method: 'POST', body: JSON.stringify(found)}))"
            "</script>"
        )
        self.reported = threading.Event()
        self.report = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            do_POST = do_DELETE = do_OPTIONS = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if request.path == "/page":
            self.send(request, 200, [("Content-Type", "text/html")], self.page.encode())
        elif request.path == "/report":
            self.send(request, 204, [], b"")
            self.report = json.loads(body)
            self.reported.set()
        else:
            self.pass_on(request, body)

    def send(self, request, status, fields, body):
        request.send_response(status)
        for name, value in fields:
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def pass_on(self, request, body):
        port = int(request.headers["Host"].rpartition(":")[2])
        if port == self.port:
            self.send(request, 404, [], b"")  # the page's icon
            return
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        kept = [(n, v) for n, v in reply.getheaders() if n.lower() not in ("content-length", "connection", "date")]
        self.send(request, reply.status, kept, reply.read())
        connection.close()

    def open_in_chromium(self, folder, port=None, timeout=60):
        """Opens the page as one of http://page.example:PORT and waits for its report."""
        command = [
            PROGRAM,
            *FLAGS.split(),
            f"--user-data-dir={folder}",
            f"--host-resolver-rules=MAP {NAME} 127.0.0.1:{self.port}",
            f"http://{NAME}:{port or self.port}/page",
        ]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            assert self.reported.wait(timeout), "the page did not report"
        finally:
            browser.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                browser.communicate(timeout=60)
            if browser.poll() is None:
                browser.kill()
                browser.communicate()
        return self.report

    def close(self):
        self.server.shutdown()
        self.server.server_close()
