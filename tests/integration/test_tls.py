"""TLS on the listener."""

import contextlib
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import httpx
import openai
import pytest
from conftest import SANITIZED

from harness.chat import stream_text
from harness.clock import until
from harness.daemon import clean_environment, program, stalled_calls, write_config
from harness.upstream import Reply, chunk, event, sse_reply, text_events

FAILED_HANDSHAKES = 'recalld_errors_total{kind="tls"}'
HELLO = json.dumps({"model": "test-model", "messages": [{"role": "user", "content": "Hello."}]}).encode()
STREAM = json.loads(HELLO) | {"stream": True}
JSON = {"Content-Type": "application/json"}


def make_pair(folder, name, key="ec"):
    kind = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}[key]
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-newkey", *kind]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"],
        check=True, capture_output=True, timeout=60,
    )
    return folder / f"{name}.pem", folder / f"{name}.key"


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    return {"one": make_pair(folder, "one"), "two": make_pair(folder, "two", "rsa"), "three": make_pair(folder, "three")}


def put(daemon, pair):
    """As renewing tools do: each file is replaced by a rename."""
    for source, target in zip(pair, (daemon.certificate, daemon.key)):
        shutil.copy(source, f"{target}.new")
        (target.parent / f"{target.name}.new").rename(target)


@pytest.fixture
def make_tls(make_daemon, pairs, tmp_path):
    def make(start=True, **listen):
        daemon = make_daemon({"listen": listen}, start=False)
        daemon.certificate, daemon.key = tmp_path / "c.pem", tmp_path / "k.pem"
        put(daemon, pairs["one"])
        daemon.config["listen"] |= {"tls_certificate": str(daemon.certificate), "tls_key": str(daemon.key)}
        return daemon.start() if start else daemon

    return make


@pytest.fixture
def tls(make_tls):
    return make_tls()


def trusting(*pairs):
    context = ssl.create_default_context()
    for certificate, _ in pairs:
        context.load_verify_locations(certificate)
    return context


@pytest.fixture
def trust(pairs):
    return trusting(*pairs.values())


def client_of(daemon, context):
    return httpx.Client(verify=context, trust_env=False, base_url=f"https://127.0.0.1:{daemon.port}", timeout=60)


def say_hello(daemon, context, user=None):
    with client_of(daemon, context) as client:
        headers = JSON | ({"X-User-Id": user} if user else {})
        return client.post("/v1/chat/completions", content=HELLO, headers=headers)


def connect(daemon, context):
    plain = socket.create_connection(("127.0.0.1", daemon.port), 20)
    try:
        return context.wrap_socket(plain, server_hostname="127.0.0.1")
    except BaseException:
        plain.close()
        raise


def common_name(daemon, context):
    with connect(daemon, context) as secured:
        return dict(pair[0] for pair in secured.getpeercert()["subject"])["commonName"]


def wait_name(daemon, context, name, timeout=60):
    until(
        lambda: common_name(daemon, context) == name,
        lambda: f"the certificate is not {name}'s:\n{daemon.stderr}",
        timeout,
    )


def closed_after(connection, timeout=60):
    """What still comes until the server closes, and how long that takes."""
    began, got = time.monotonic(), bytearray()
    connection.settimeout(timeout)
    try:
        while piece := connection.recv(65536):
            got += piece
    except ConnectionResetError:
        pass
    return got, time.monotonic() - began


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_chats_go_over_tls_and_are_remembered(tls, trust, user, version):
    trust.minimum_version = trust.maximum_version = version
    with client_of(tls, trust) as client:
        for _ in range(5):  # one connection
            reply = client.post("/v1/chat/completions", content=HELLO, headers=JSON | {"X-User-Id": user})
            assert reply.status_code == 200
    assert tls.knows(user)
    tls.wait_log(f"clients use https://127.0.0.1:{tls.port}/v1")


def test_a_stream_comes_through_an_sdk_over_tls_event_by_event(tls, trust, user, upstream):
    gate = threading.Event()
    upstream.script(sse_reply(text_events("One two three."), gates={2: gate}))
    client = openai.OpenAI(
        base_url=f"https://127.0.0.1:{tls.port}/v1", api_key="k",
        http_client=httpx.Client(verify=trust, trust_env=False, timeout=60), default_headers={"X-User-Id": user},
    )
    text = ""
    with client:
        for chunk in client.chat.completions.create(model="m", messages=STREAM["messages"], stream=True):
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
            if text == "One tw":
                gate.set()  # only what has come already opens it
    assert text == "One two three."


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(tls, trust, version):
    trust.set_ciphers("ALL:@SECLEVEL=0")
    trust.minimum_version = trust.maximum_version = version
    with pytest.raises(ssl.SSLError, match="(?i)alert protocol version"):
        connect(tls, trust)


def test_ciphers_without_authentication_or_forward_secrecy_are_refused(tls, trust):
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers("ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256")
    with pytest.raises(ssl.SSLError, match="(?i)handshake failure"):
        connect(tls, trust)


def test_http_1_1_is_agreed_on(tls, trust):
    trust.set_alpn_protocols(["h2", "http/1.1"])
    with connect(tls, trust) as secured:
        assert secured.selected_alpn_protocol() == "http/1.1"
    trust.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="(?i)no application protocol"):
        connect(tls, trust)


@pytest.mark.parametrize("size", [15_000, 16_384, 70_000, 3_000_000])
def test_bodies_of_any_size_come_whole_both_ways(tls, trust, upstream, size):
    body = json.dumps(json.loads(HELLO) | {"padding": "x" * size}).encode()
    answer = json.dumps({"padding": "y" * size}).encode()
    upstream.script(*[Reply(pieces=[answer])] * 2)
    with client_of(tls, trust) as client:
        for _ in range(2):
            assert client.post("/v1/other", content=body, headers=JSON).content == answer
            assert upstream.last.body == body


def test_requests_in_one_record_are_answered_in_order(tls, trust):
    head = f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Pad: {'p' * 5000}\r\n"
    with connect(tls, trust) as secured:
        secured.sendall((head + "\r\n").encode() * 2 + (head + "Connection: close\r\n\r\n").encode())
        assert closed_after(secured)[0].count(b"HTTP/1.1 ") == 3


def test_what_is_left_of_a_record_is_read_once_there_is_room(tls, trust, upstream):
    """64 KB are read ahead while a reply is under way; here they end within the last record."""
    gate = threading.Event()
    upstream.script(Reply(pieces=[b"1", b"2"], gates={1: gate}), Reply(pieces=[b"next"]))
    head = b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    size = 4 * 16384 + 100 - len(head % 10000)
    with connect(tls, trust) as secured:
        secured.sendall(b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        upstream.wait(1)
        whole = head % size + b"b" * size
        secured.sendall(whole[:100])
        secured.sendall(whole[100:])
        time.sleep(0.3)  # until it has read ahead as much as it may, which nothing tells
        gate.set()
        assert closed_after(secured)[0].endswith(b"next")
    assert upstream.last.body == b"b" * size


ALERT = 21


def last_record(tls, trust, request):
    """The type of the last record that answers it. TLS 1.2 shows an alert as one, and with a Connection: close or
    HTTP/1.0 the only one is close_notify. Read off the wire: not every Python tells a missing one."""
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = trust.wrap_bio(received, sent, server_hostname="127.0.0.1")
    wire = b""
    with socket.create_connection(("127.0.0.1", tls.port), timeout=60) as plain:
        for step in (secured.do_handshake, lambda: secured.write(request)):
            while True:
                try:
                    step()
                    break
                except ssl.SSLWantReadError:
                    plain.sendall(sent.read())
                    received.write(plain.recv(65536))
            plain.sendall(sent.read())
        with contextlib.suppress(ConnectionResetError):
            while piece := plain.recv(65536):
                wire += piece
    kinds = []
    while wire:
        kinds.append(wire[0])
        wire = wire[5 + int.from_bytes(wire[3:5], "big") :]
    return kinds[-1]


def test_its_end_is_said(tls, trust):
    assert last_record(tls, trust, b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") == ALERT


def test_a_reply_that_is_cut_off_is_not_said_to_have_ended(tls, trust, upstream):
    upstream.script(Reply(pieces=[b"cut ", b"off"], framing="chunked", break_after=1))
    assert last_record(tls, trust, b"GET /v1/x HTTP/1.0\r\nHost: localhost\r\n\r\n") != ALERT


def test_an_end_that_finds_no_room_is_said_once_there_is(make_tls, trust, upstream, tmp_path):
    upstream.script(Reply(pieces=[b"1"], gates={0: (gate := threading.Event())}))
    tls = make_tls(start=False)
    tls.environment |= stalled_calls(tmp_path)
    tls.start()
    with connect(tls, trust) as secured:
        secured.suppress_ragged_eofs = False
        (tmp_path / "stalled").touch()
        secured.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = secured.recv(65536)
        assert got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"\r\n\r\n")
        gate.set()
        assert secured.recv(65536) == b"1"  # in a record of its own, a byte shorter than the end's
        secured.settimeout(0.5)
        with pytest.raises(TimeoutError):  # and no end without close_notify
            secured.recv(65536)
        (tmp_path / "stalled").unlink()
        secured.settimeout(60)
        assert secured.recv(65536) == b""


def test_a_client_that_reads_a_long_chain_slowly_gets_it_whole(tls, trust, pairs, tmp_path):
    """Longer than what lies unsent in a socket (64 KB), so that the handshake has to wait."""
    names = ",".join(f"DNS:host-{i}.example" for i in range(600))
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=long", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-addext", f"subjectAltName={names}", "-keyout", tmp_path / "long.key",
         "-out", tmp_path / "long.pem"],
        check=True, capture_output=True, timeout=60,
    )
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pairs["one"][0].read_bytes() + (tmp_path / "long.pem").read_bytes() * 8)
    put(tls, (chain, pairs["one"][1]))
    tls.signal(signal.SIGHUP)
    tls.wait_log("configuration reloaded")
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(60)
        plain.connect(("127.0.0.1", tls.port))
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = trust.wrap_bio(received, sent, server_hostname="127.0.0.1")
        shaken = False
        while not shaken:
            try:
                secured.do_handshake()
                shaken = True
            except ssl.SSLWantReadError:
                if hello := sent.read():
                    plain.sendall(hello)
                    time.sleep(0.3)  # until it has sent what finds room
                received.write(plain.recv(4096))
        secured.write(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        plain.sendall(sent.read())
        while piece := plain.recv(65536):
            received.write(piece)
        assert secured.read(65536).startswith(b"HTTP/1.1 200 ")


def test_plain_http_is_told_to_come_by_https(tls):
    reply = httpx.post(f"http://127.0.0.1:{tls.port}/v1/chat/completions", content=HELLO, trust_env=False, timeout=60)
    assert reply.status_code == 400 and "https://" in reply.json()["error"]["message"]
    assert tls.metric(FAILED_HANDSHAKES) == 1


@pytest.mark.parametrize("garbage", [b"\x00" * 500, b"\x16\x03\x01\x40\x00" + b"\xff" * 20000, b"SSH-2.0-x\r\n"])
def test_garbage_is_no_handshake(tls, trust, garbage):
    with socket.create_connection(("127.0.0.1", tls.port)) as raw:
        raw.sendall(garbage)
        raw.shutdown(socket.SHUT_WR)
        assert closed_after(raw)[1] < 9
    assert say_hello(tls, trust).status_code == 200
    assert tls.metric(FAILED_HANDSHAKES) == 1


def test_who_stalls_in_the_handshake_is_closed_and_holds_nobody_up(tls, trust):
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", tls.port)) as silent, socket.create_connection(
        ("127.0.0.1", tls.port)
    ) as halting:
        halting.sendall(b"\x16\x03\x01")
        assert say_hello(tls, trust).status_code == 200
        closed_after(silent)
        assert time.monotonic() - begun > 8
        closed_after(halting)
    assert tls.metric(FAILED_HANDSHAKES) == 2


def test_a_client_that_leaves_frees_the_upstream(tls, trust, upstream):
    upstream.script(sse_reply([event(chunk({"content": "x" * 2000}))] * 2000, delay=0.02))
    with client_of(tls, trust) as client, client.stream("POST", "/v1/chat/completions", json=STREAM) as reply:
        next(reply.iter_raw())
    upstream.wait_left(1)


def resident(daemon):
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])


@pytest.mark.bounded
def test_a_slow_reader_slows_the_upstream_down(tls, trust, upstream):
    """What it does not read is kept in its socket and in bounded buffers, and comes whole in the end."""
    text = b"0123456789" * 3_000_000
    say_hello(tls, trust)
    upstream.script(Reply(pieces=[text]))
    with connect(tls, trust) as secured:
        before = resident(tls)
        secured.sendall(b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        time.sleep(1)  # in which it would read all of it
        grown = resident(tls) - before
        got, _ = closed_after(secured)
    assert got.split(b"\r\n\r\n", 1)[1] == text
    assert grown < 3000 or SANITIZED, "kilobytes"


@pytest.mark.parametrize("how", ["SIGHUP", "file"])
def test_a_new_certificate_is_taken_over_with_a_stream_open(tls, trust, pairs, upstream, how):
    gate = threading.Event()
    upstream.script(sse_reply(text_events("One two three."), gates={2: gate}))
    assert common_name(tls, trust) == "one"
    with client_of(tls, trust) as client, client.stream("POST", "/v1/chat/completions", json=STREAM) as reply:
        lines = reply.iter_raw()
        seen = next(lines)
        put(tls, pairs["two"])
        if how == "SIGHUP":
            tls.signal(signal.SIGHUP)
        wait_name(tls, trust, "two")
        gate.set()
        assert stream_text(seen + b"".join(lines)) == "One two three."


def looks(daemon):
    """How often the main thread has woken, which it does each second to look at its files."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M)[1])


def test_other_paths_of_certificate_and_key_are_read_once(tls, trust, pairs):
    certificate, key = pairs["two"]
    tls.config["listen"] |= {"tls_certificate": str(certificate), "tls_key": str(key)}
    write_config(tls.config_file, tls.config)
    tls.signal(signal.SIGHUP)
    wait_name(tls, trust, "two")
    before = looks(tls)
    until(lambda: looks(tls) >= before + 4, "it does not look at its files")
    assert tls.metric("recalld_config_reloads_total") == 1


def test_a_bad_pair_at_reload_keeps_the_old_one_and_says_so(tls, trust, pairs):
    shutil.copy(pairs["two"][1], tls.key)
    tls.signal(signal.SIGHUP)
    tls.wait_log("tls_key does not belong to tls_certificate")
    tls.wait_log("the old one stays in force")
    assert common_name(tls, trust) == "one"
    put(tls, pairs["two"])
    wait_name(tls, trust, "two")


def test_a_key_that_comes_after_its_certificate_is_noticed(tls, trust, pairs):
    assert common_name(tls, trust) == "one"
    shutil.copy(pairs["two"][0], tls.certificate)
    tls.wait_log("tls_key does not belong to tls_certificate")
    assert common_name(tls, trust) == "one"
    shutil.copy(pairs["two"][1], tls.key)
    wait_name(tls, trust, "two")


def test_a_key_of_the_same_kind_is_told_from_a_bad_one(tls, pairs):
    shutil.copy(pairs["three"][1], tls.key)
    tls.signal(signal.SIGHUP)
    tls.wait_log("tls_key does not belong to tls_certificate")


def test_a_bad_pair_is_a_fault_that_names_file_and_line(make_tls, pairs, tmp_path):
    daemon = make_tls(start=False)
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "pkey", "-in", pairs["one"][1], "-aes256", "-passout", "pass:x", "-out", locked],
        check=True, timeout=60,
    )
    (tmp_path / "junk").write_text("no PEM")
    wrong = [
        (pairs["one"][0], pairs["two"][1], "key"), (pairs["one"][0], tmp_path / "junk", "key"),
        (pairs["one"][0], locked, "key"), (tmp_path / "junk", pairs["one"][1], "certificate"),
        (tmp_path / "none", pairs["one"][1], "certificate"), (pairs["one"][0], "", "certificate"),
        ("", pairs["one"][1], "key"), (tmp_path, pairs["one"][1], "certificate"),
    ]  # fmt: skip
    for certificate, key, at in wrong:
        lines = ["[listen]", f"tls_certificate = {certificate}", f"tls_key = {key}", ""]
        daemon.config_file.write_text("\n".join(lines))
        for arguments in (["-t"], []):
            done = subprocess.run(
                [program("proxy/recalld"), "-c", str(daemon.config_file), *arguments],
                capture_output=True, text=True, timeout=60, env=clean_environment(), stdin=subprocess.DEVNULL,
            )
            line = {"certificate": 2, "key": 3}[at]
            assert done.returncode == 1 and f"{daemon.config_file}:{line}: [listen] tls_{at} " in done.stderr
            assert len(done.stderr.splitlines()) == 1, done.stderr


def test_an_expired_certificate_is_warned_of(make_tls, pairs, tmp_path):
    daemon = make_tls(start=False)
    certificate, key = pairs["one"]
    expired = tmp_path / "expired.pem"
    subprocess.run(
        ["openssl", "x509", "-in", certificate, "-signkey", key, "-days", "-1", "-out", expired],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    put(daemon, (expired, key))
    daemon.start()
    warning = "[listen] tls_certificate expired at "
    daemon.wait_log(warning)
    command = [program("proxy/recalld"), "-t", "-c", str(daemon.config_file)]
    for pair, count in ((None, 1), (pairs["one"], 0)):
        if pair is not None:
            put(daemon, pair)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean_environment())
        assert (done.returncode, done.stderr.count(warning)) == (0, count)


def test_idle_connections_are_closed_when_draining(tls, trust):
    with connect(tls, trust) as idle, socket.create_connection(("127.0.0.1", tls.port)) as silent:
        tls.signal(signal.SIGTERM)
        assert closed_after(idle)[1] < 9 and closed_after(silent)[1] < 9
        assert tls.wait_end() == 0
    tls.process = None


def test_one_connection_too_many_is_told_so_over_tls(make_tls, trust):
    daemon = make_tls(max_connections="1")
    with connect(daemon, trust):
        assert say_hello(daemon, trust).status_code == 503
        with socket.create_connection(("127.0.0.1", daemon.port)) as silent:
            assert closed_after(silent)[1] < 9


def test_recallctl_does_not_need_the_key(tls):
    tls.key.unlink()
    done = subprocess.run(
        [program("proxy/recallctl"), "-c", str(tls.config_file), "check"], capture_output=True, timeout=60,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stderr
