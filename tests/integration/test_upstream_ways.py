"""The ways to an upstream: TLS, checked against [upstream] ca_file, and a configured proxy."""

import contextlib
import http.server
import json
import socket
import ssl
import subprocess
import threading

import pytest

from harness.chat import Chat
from harness.upstream import completion


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(completion("Here you are.")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def make_certificate(folder, name, names="DNS:localhost,IP:127.0.0.1"):
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", f"subjectAltName={names}", "-out", certificate, "-keyout", key]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@contextlib.contextmanager
def serving(pair=None):
    """Without a pair: no TLS, whatever the URL says."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def tls_upstream(tmp_path):
    pair = make_certificate(tmp_path, "upstream")
    with serving(pair) as base_url:
        yield base_url, pair[0]


def cause_of(daemon):
    """Why its only exchange failed, from the log."""
    daemon.stop()
    (line,) = (line for line in daemon.stderr_lines if "end=upstream_unreachable" in line)
    return line.partition(" cause=")[2]


def test_an_upstream_with_a_trusted_certificate_answers(make_daemon, tls_upstream, user):
    base_url, certificate = tls_upstream
    daemon = make_daemon({"upstream": {"base_url": base_url, "ca_file": str(certificate)}})
    assert Chat(daemon, user).say("Hello.").text == "Here you are."


def test_an_upstream_with_another_certificate_is_502(make_daemon, tls_upstream, tmp_path, user):
    base_url, _ = tls_upstream
    other, _ = make_certificate(tmp_path, "other")
    daemon = make_daemon({"upstream": {"base_url": base_url, "ca_file": str(other)}})
    reply = Chat(daemon, user).send("Hello.")
    assert reply.status_code == 502
    assert reply.json()["error"]["code"] == "upstream_unreachable"
    assert "self-signed certificate; name the authority that signed it in [upstream] ca_file" in cause_of(daemon)


def test_a_trusted_certificate_of_another_name_is_no_matter_of_authorities(make_daemon, tmp_path, user):
    pair = make_certificate(tmp_path, "upstream", "DNS:elsewhere.invalid")
    with serving(pair) as base_url:
        daemon = make_daemon({"upstream": {"base_url": base_url, "ca_file": str(pair[0])}})
        assert Chat(daemon, user).send("Hello.").status_code == 502
    cause = cause_of(daemon)
    assert "SSL: no alternative certificate subject name matches" in cause and "ca_file" not in cause


def test_https_to_an_upstream_without_tls_says_so(make_daemon, user):
    with serving() as base_url:
        daemon = make_daemon({"upstream": {"base_url": base_url}})
        assert Chat(daemon, user).send("Hello.").status_code == 502
    assert "the server does not speak TLS: should its base URL begin with http://?" in cause_of(daemon)


class AnswerOnIpv6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def test_an_upstream_may_be_on_a_link(make_daemon, user):
    """Its address then has a zone, which is nobody's business but the kernel's."""
    try:
        server = AnswerOnIpv6(("::1", 0), Answer)
    except OSError:
        pytest.skip("there is no IPv6 here")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    daemon = make_daemon({"upstream": {"base_url": f"http://[::1%25lo]:{server.server_port}/v1"}})
    assert [Chat(daemon, user).say("Hello.").text for _ in range(2)] == ["Here you are."] * 2
    server.shutdown()
    server.server_close()


def test_a_configured_proxy_is_asked_for_the_upstream(make_daemon, upstream, user):
    """The scripted upstream plays the proxy: it is asked in absolute form, whatever the upstream's name."""
    proxy = upstream.base_url.removesuffix("/v1")
    sections = {"upstream": {"base_url": "http://upstream.invalid/v1", "proxy": proxy}}
    daemon = make_daemon(sections | {"memory": {"learn": "off"}})  # whose calls would come this way too, later
    assert Chat(daemon, user).send("Hello.").status_code == 200
    assert [r.target for r in upstream.requests] == ["http://upstream.invalid/v1/chat/completions"]
