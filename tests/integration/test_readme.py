"""What README.md, the man pages and conf/ tell a newcomer to do, done as it stands there, and conf/quickstart."""

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml

from conftest import in_front_of
from harness.clock import until
from harness.daemon import ROOT, Daemon, clean_environment, program

README = (ROOT / "README.md").read_text()
RECALLD = (ROOT / "conf/man/recalld.8").read_text()
RECALLCTL = (ROOT / "conf/man/recallctl.1").read_text()
BASE_URL = "http://127.0.0.1:8080"  # README's
NODE = ROOT / "build" / "node"
STATEMENT = "My name is Alex and I live in Lisbon."
QUESTION = "What do you know about me?"


def snippets(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.S | re.M)


def snippet(language, word):
    found = [text for text in snippets(language) if word in text]
    assert len(found) == 1, f"README has one {language} snippet with {word}"
    return found[0]


@pytest.fixture
def own(demo_model, tmp_path):
    """A daemon that knows only what is said to it here."""
    daemon = Daemon(tmp_path / "recalld", in_front_of(demo_model)).start()
    yield daemon
    daemon.stop()


@pytest.fixture
def knowing(own):
    """One that has been told something by README's user."""
    body = {"model": "demo", "messages": [{"role": "user", "content": STATEMENT}]}
    assert own.request("POST", "/v1/chat/completions", json=body, headers={"X-User-Id": "alex"}).status_code == 200
    own.settle("alex")
    return own


def here(text, daemon):
    assert BASE_URL in text
    return text.replace(BASE_URL, daemon.origin)


def run(command, cwd=None, **environment):
    environment = clean_environment(**environment)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_format_of_the_store_is_told():
    header = (ROOT / "storage/lmdb/engine.h").read_text()
    told = re.search(r"this\s+one: format (\d+)", RECALLD)
    assert told[1] == re.search(r"STORE_FORMAT = (\d+),", header)[1]


# ---- clients ----


def python_object(text, name, daemon, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    names = {}
    exec(here(text, daemon), names)
    return names[name]


def test_the_python_client(knowing, monkeypatch):
    client = python_object(snippet("python", "from openai"), "client", knowing, monkeypatch)
    with client:
        reply = client.chat.completions.create(model="demo", messages=[{"role": "user", "content": QUESTION}])
    assert "Lisbon" in reply.choices[0].message.content


def test_langchain(knowing, monkeypatch):
    model = python_object(snippet("python", "langchain"), "model", knowing, monkeypatch)
    assert "Lisbon" in model.invoke(QUESTION).content


def test_the_node_client(knowing):
    script = NODE / "readme.mjs"
    ask = """
const reply = await client.chat.completions.create({
  model: "demo", messages: [{ role: "user", content: process.argv[2] }] });
console.log(reply.choices[0].message.content);
"""
    script.write_text(here(snippet("js", "openai"), knowing) + ask)
    assert "Lisbon" in run(["node", str(script), QUESTION], NODE, OPENAI_API_KEY="test-key")


def test_curl(knowing):
    command = here(snippet("sh", "curl"), knowing)
    assert QUESTION in command and "Lisbon" in run(["bash", "-c", command], OPENAI_API_KEY="test-key")


def filled(headers, **values):
    """As the application sends them: each placeholder has its value, or none."""
    assert all(re.fullmatch(r"\{\{\w+\}\}", value) for value in headers.values())
    return {name: values.get(value.strip("{}"), "") for name, value in headers.items()}


def asked_as(daemon, headers):
    reply = daemon.request("POST", "/v1/chat/completions", headers=headers,
                           json={"model": "demo", "messages": [{"role": "user", "content": QUESTION}]})
    return reply.headers["X-Memory-Status"]


def test_open_webui_s_headers(knowing):
    headers = json.loads(snippet("json", "{{TASK}}"))
    assert asked_as(knowing, filled(headers, USER_ID="alex", CHAT_ID="c1")) == "injected"
    assert asked_as(knowing, filled(headers, USER_ID="alex", CHAT_ID="c1", TASK="title_generation")) == "side"


def test_librechat_s_headers(knowing):
    endpoint = yaml.safe_load(snippet("yaml", "LIBRECHAT"))["endpoints"]["custom"][0]
    assert endpoint["baseURL"].endswith(":8080/v1")
    values = {"LIBRECHAT_USER_ID": "alex", "LIBRECHAT_BODY_CONVERSATIONID": "c1"}
    assert asked_as(knowing, filled(endpoint["headers"], **values)) == "injected"


def test_the_readme_is_a_page_and_its_links_lead_somewhere():
    assert len(README.splitlines()) <= 240
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
    sections = re.findall(r"^\.S[hs] (.*)$", RECALLD, re.M)
    named = re.findall(r"`recalld\(8\)`,\s+\"([^\"]+)\"", README) + re.findall(r"\"([^\"]+)\" in `recalld\(8\)`", README)
    assert "Installation" in named and "Identity and trust" in named
    assert {name.lower() for name in named} <= {section.lower() for section in sections}


def test_what_to_do_when_nothing_is_remembered(knowing):
    """Each status of recalld(8) has its line, and what the line names as its cause gives it."""
    told = re.search(r"\.It Ql X-Memory-Status\n(.*?)\.It", RECALLD, re.S)[1]
    statuses = set(re.findall(r"^\.Ql (\w+)", told, re.M))
    assert statuses == set(re.findall(r"^\| `(\w+)`", README, re.M)) - set("off buffer summary entity vector hybrid auto".split()) | {"off"}
    body = {"model": "demo", "messages": [{"role": "user", "content": QUESTION}]}
    alex = {"X-User-Id": "alex"}
    for status, path, headers in [
        ("anonymous", "/v1", {}),
        ("none", "/v1/v1", alex),
        ("off", "/v1", alex | {"X-Memory-Mode": "off"}),
        ("side", "/v1", alex | {"X-Memory-Task": "title_generation"}),
        ("empty", "/v1", {"X-User-Id": "a-stranger"}),
        ("injected", "/v1", alex),
    ]:
        reply = knowing.request("POST", path + "/chat/completions", json=body, headers=headers)
        assert reply.headers["X-Memory-Status"] == status, path


def test_a_client_without_headers(knowing):
    path = re.search(rf"`{BASE_URL}(/u/alex/v1)`", README)[1]
    body = {"model": "demo", "messages": [{"role": "user", "content": QUESTION}]}
    reply = knowing.request("POST", path + "/chat/completions", json=body)
    assert "Lisbon" in reply.json()["choices"][0]["message"]["content"]


# ---- the operator ----


def literal(page, after):
    """The next literal text of a man page, as a reader sees it."""
    text = page[page.index(after) :]
    text = re.search(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", text, re.S | re.M)[1]
    return text.replace("\\(dq", '"').replace("\\-", "-")


def test_the_commands_of_recallctl(knowing, tmp_path):
    """Each as it stands in recallctl(1), in its order; what FILE holds stands there, too."""
    lines = literal(RECALLCTL, ".Sh EXAMPLES").splitlines()  # those with < and > are in test_rebuild.py
    assert [line.split()[1] for line in lines] == ["show", "explain", "preview", "import", "forget", "check", "unpark"]
    (tmp_path / "FILE").write_text(literal(RECALLCTL, ".Sh IMPORT"))
    body = {"model": "demo", "messages": [{"role": "user", "content": QUESTION}]}
    reply = knowing.request("POST", "/u/alex/v1/chat/completions", json=body)
    told = {}
    for line in lines:
        words = shlex.split(line.replace("RECEIPT", reply.headers["X-Memory-Receipt"]))[1:]
        command = [program("proxy/recallctl"), "--admin", f"127.0.0.1:{knowing.admin_port}", *words]
        told[words[0]] = run(command, tmp_path)
    assert all("Lisbon" in told[name] for name in ("show", "explain", "preview"))
    assert told["preview"].startswith("Preview · user alex")
    assert "forgotten" in told["forget"] and "2 messages" in told["import"] and "ready" in told["check"]
    assert not knowing.knows("alex")


def test_the_commands_of_the_readme(knowing, tmp_path):
    """Each as it stands there, in a shell; a configuration stands for the installed one's."""
    lines = re.findall(r"^    (recallctl \w+.*?)\s+#", README, re.M)
    assert [line.split()[1] for line in lines] == ["show", "export", "settings", "forget", "audit", "check", "export"]
    assert all(re.search(rf"^\.It Ic {line.split()[1]}\b", RECALLCTL, re.M) for line in lines)
    places = {"RECALLD_LISTEN_ADMIN": knowing.config["listen"]["admin"], "RECALLD_STORAGE_PATH": knowing.config["storage"]["path"]}
    path = f"{Path(program('proxy/recallctl')).parent}:{os.environ['PATH']}"
    told = {line.split()[1]: run(["bash", "-ec", line], tmp_path, PATH=path, **places) for line in lines}
    assert "Lisbon" in told["show"] and "forgotten: alex" in told["forget"] and "ready" in told["check"]
    assert json.loads((tmp_path / "alex.json").read_text())["user"] == "alex" and "whole" in told["audit"]
    assert (tmp_path / "FILE").read_text().endswith("}\n") and "Lisbon" not in (tmp_path / "FILE").read_text()


def test_what_works_says_whether_it_was_tried():
    rows = re.findall(r"^\| ([\w .]+) \| `https?://.*?` \| (.*?) \|", README, re.M)
    assert len(rows) == 9
    assert all(tried == "no; from documents" or tried.startswith("its ") for _, tried in rows)


def test_the_signature_that_the_example_configuration_makes(own):
    recipe = re.search(r"^# +(printf .*openssl.*)$", (ROOT / "conf/recalld.conf").read_text(), re.M)[1]
    signature = run(["bash", "-c", recipe], USER_ID="alex", SECRET="s3").strip()
    own.stop()
    own.config["identity"] = {"secret": "s3"}
    own.start()
    body = b'{"model":"demo","messages":[{"role":"user","content":"Hello"}]}'
    assert own.post_chat(body, {"X-User-Id": "alex", "X-User-Signature": signature}).status_code == 200
    assert own.post_chat(body, {"X-User-Id": "alex"}).status_code == 401


STARTS = snippet("sh", "RECALLD_STORAGE_PATH").splitlines()


@pytest.mark.parametrize("start", STARTS[1:], ids=lambda start: start.partition("# ")[2])
def test_without_a_file_only_the_store_needs_a_place(tmp_path, own, start):
    """README's lines for those who are not root, on other addresses."""
    place = tmp_path / "home"
    place.mkdir()
    own.stop()
    address = {f"RECALLD_LISTEN_{n}": own.config["listen"][n.lower()] for n in ("ADDRESS", "ADMIN")}
    command = f"{STARTS[0]}\n" + start.replace("build/proxy/recalld", f"exec {program('proxy/recalld')}")
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(["bash", "-c", command], env=clean_environment(HOME=str(place), **address), stderr=log)
    try:
        until(lambda: process.poll() is not None or list(place.glob("*/data.mdb")), "there is no store")
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(60) == 0
    log.seek(0)
    base_url = re.search(r"BASE_URL=(\S+)", start)
    assert f"upstream {base_url[1] if base_url else 'https://api.openai.com/v1'}" in log.read()


def test_what_is_installed(tmp_path):
    folder = program("proxy/recalld").removesuffix("/proxy/recalld")
    run(["meson", "install", "-C", folder, "--no-rebuild", "--destdir", str(tmp_path)])
    installed = [next(tmp_path.rglob(f"bin/{name}")) for name in ("recalld", "recallctl")]
    for path in installed:
        assert path.name in run([str(path), "--version"])
    for name in ("man8/recalld.8", "man1/recallctl.1", "man5/recalld.conf.5", "man7/recalld-api.7", "recalld/openapi.yaml"):
        assert len(list(tmp_path.rglob(f"share/**/{name}"))) == 1, name


# ---- conf/quickstart ----

QUICKSTART = str(ROOT / "conf" / "quickstart")
# What stands before an answer, and what the answer holds; None: it knows nothing.
ANSWERS = {
    "new session after kill -9": "ChromaDB",
    "told of Qdrant since": "Qdrant",
    "over the Responses API": "Qdrant",
    "asked by another user": None,
    "recallctl forget alex": None,
    "Dana's chat, 190 days ago": "valve",
}


def check_answers(screen):
    """The answers are alike in their length and end, the last may take two lines."""
    later = screen[screen.index("Later:") :]
    for label, value in ANSWERS.items():
        told = re.search(rf"^  {re.escape(label)} +(.*(?:\n {{20,}}.*)?)$", later, re.M)
        assert told, f"{label} in {later}"
        assert value in told[1] if value else "Chroma" not in told[1] and "Qdrant" not in told[1], label
    sides = [line.split(" | ") for line in screen.splitlines() if " | " in line]
    said = [i for i, (left, _) in enumerate(sides) if left.startswith("  -> ")][0]
    without, with_it = ("\n".join(column) for column in zip(*sides[said:]))
    assert "Chroma" not in without and "ChromaDB" in with_it


def check_size(screen):
    """A line is kept for the packages that are installed."""
    lines = screen.splitlines()
    assert len(lines) <= 29 and max(map(len, lines)) <= 80


def test_the_quickstart_shows_the_main_job():
    screen = run([QUICKSTART])
    check_answers(screen)
    check_size(screen)
    assert screen.count("NO REAL ONE") == 1 and "\x1b" not in screen
    assert "CLIENT SENT" in screen and "UPSTREAM RECEIVED" in screen
    assert re.search(r"^ .*\| \+ - vector_store: ChromaDB$", screen, re.M), "what was put in is marked"
    assert re.search(r"^  Can you remind me .*\| ", screen, re.M)
    assert re.search(r"\| Can you remind me ", screen), "own words are not marked"
    added = re.search(r"recalld added (\d+) tokens in ([\d.]+) ms", screen)
    assert int(added[1]) > 50 and float(added[2]) > 0


def on_screen(command, columns):
    """What a terminal of so many columns is sent, and has not been overwritten."""
    shell = f"stty cols {columns} rows 40; exec {command}"
    shown = subprocess.run(["script", "-qec", shell, "/dev/null"], stdout=subprocess.PIPE, timeout=60, check=True,
                           env=clean_environment(TERM="xterm-256color")).stdout.decode()  # fmt: skip
    return re.sub(r"[^\n]*\r|\x1b\[K", "", shown.replace("\r\n", "\n"))


def test_the_quickstart_s_screen_fits_a_terminal():
    coloured = on_screen(QUICKSTART, 80)
    screen = re.sub(r"\x1b\[\d*m", "", coloured)
    check_answers(screen)
    check_size(screen)
    assert coloured != screen and "\x1b" not in screen
    assert re.search(r"\x1b\[32m\+ - vector_store: ChromaDB\x1b\[0m", coloured)


def test_the_quickstart_asks_the_model_that_the_environment_names(demo_model):
    for key in ({}, {"OPENAI_API_KEY": ""}):
        screen = run([QUICKSTART], OPENAI_BASE_URL=demo_model.base_url, **key)
        check_answers(screen)
        assert f"demo-model at {demo_model.base_url}" in screen.replace("\n", " ") and "NO REAL ONE" not in screen


def test_a_kept_quickstart_is_talked_to_here_and_by_a_client():
    process = subprocess.Popen([QUICKSTART, "--keep"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=clean_environment())  # fmt: skip

    def told(last):
        for line in process.stdout:
            if re.search(last, line):
                return line

    def ask(line, answer):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return told(answer)

    base_url = re.search(r"http://\S+/v1", told("Base URL for your client"))[0]
    ask("I live in Graz.", "Noted")
    ask("/restart", "session 2")
    assert ask("Where do I live?", r"Graz") == "You told me that you live in Graz.\n"
    body = {"model": "demo", "messages": [{"role": "user", "content": "Where do I live?"}]}
    with httpx.Client(trust_env=False, timeout=60) as client:
        reply = client.post(base_url + "/chat/completions", json=body, headers={"X-User-Id": "you"})
    assert "Graz" in reply.json()["choices"][0]["message"]["content"]
    ask("/why", r"^  fact .*Graz")
    ask("/show", "lives_in = Graz")
    ask("/nothing", "Base URL for your client")
    ask("/forget", "forgotten: you")
    assert ask("Where do I live?", "know") == "I don't know: you have not told me.\n"
    process.communicate("/quit\n", timeout=60)
    assert process.returncode == 0


def test_a_kept_quickstart_goes_on_after_what_is_forgotten_and_what_fails():
    """README's own wish deletes the receipt that the figures stand in, as it quotes what goes."""
    wish = re.search(r'"(forget that I) \.\.\."', README)[1].capitalize() + " like sailing."
    lines = ["/why", "I like sailing.", "What do I like?", wish, "/why", "What do I like?", "I work in Oslo", "Where do I work?"]
    done = subprocess.run([QUICKSTART, "--keep"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=300,
                          env=clean_environment())  # fmt: skip
    told = done.stdout[done.stdout.index("erases this memory\n") :].splitlines()[1:]
    assert done.returncode == 0 and done.stderr == ""
    assert told[0] == "  nothing has been answered yet" and told[3] == "You told me that you like sailing."
    assert told[5].startswith("Noted: Forget") and re.fullmatch(r"  \(injected, \d+ tokens.*\)", told[6])
    assert told[-6] == "I don't know: you have not told me." and told[-2] == "You told me that you work in Oslo"


def test_the_quickstart_builds_only_what_it_shows(tmp_path):
    """Into a folder of its own, without building: what ninja would do."""
    targets = re.search(r"^\tninja -C \"\$build\" (.+)$", Path(QUICKSTART).read_text(), re.M)[1].split()
    run(["meson", "setup", str(tmp_path / "build")], ROOT)
    steps = {name: len(run(["ninja", "-n", "-C", str(tmp_path / "build"), *names]).splitlines())
             for name, names in {"shown": targets, "all": []}.items()}
    assert steps["shown"] < 0.65 * steps["all"]


def test_the_quickstart_tells_what_it_takes():
    done = subprocess.run([QUICKSTART, "--kep"], capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 2 and not done.stdout and "conf/quickstart --keep " in done.stderr


def test_the_quickstart_says_when_the_model_does_not_answer():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"
        environment = clean_environment(OPENAI_BASE_URL=base_url)
        done = subprocess.run([QUICKSTART], capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 1 and base_url in done.stderr and "connect" in done.stderr


def take(port):
    """The port itself; another test's quickstart may have it for a while."""

    def bound():
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", port))

    return until(bound, f"port {port} is not free")


def test_the_quickstart_finds_free_ports():
    with take(18080), take(18083):
        screen = run([QUICKSTART])
    check_answers(screen)
    assert not re.search(r"127\.0\.0\.1:1808[0-3]/", screen)


def left_behind(folder):
    """Processes that name the folder, and what is in it."""
    processes = []
    for arguments in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder) in arguments.read_text(errors="replace"):
                processes.append(arguments)
        except OSError:
            pass  # it has ended
    return processes, list(folder.iterdir())


def hear_signals():
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start_quickstart(folder):
    """As from a terminal: tests that run in the background have SIGINT ignored, those under nohup SIGHUP,
    and that is inherited."""
    return subprocess.Popen(
        [QUICKSTART],
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(TMPDIR=str(folder)),
        start_new_session=True,
        preexec_fn=hear_signals,
    )


def test_a_quickstart_whose_reader_leaves_leaves_nothing_behind(tmp_path):
    process = start_quickstart(tmp_path)
    for line in process.stdout:
        if "Alex chats" in line:
            break
    process.stdout.close()  # as head does it
    process.wait()
    assert left_behind(tmp_path) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_quickstart_leaves_nothing_behind(tmp_path, number):
    process = start_quickstart(tmp_path)
    for line in process.stdout:
        if "Alex chats" in line:
            break
    assert left_behind(tmp_path)[0], "recalld is running"
    while process.poll() is None:  # as a terminal does it, and who sees that it goes on
        os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=0.5)
    assert process.returncode == 128 + number
    assert left_behind(tmp_path) == ([], [])
