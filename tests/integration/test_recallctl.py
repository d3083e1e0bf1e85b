"""recallctl's tables, against a scripted admin address: what people see of a receipt, at any width and
whatever the texts hold. Widths are those of the terminal's columns, where an ideograph takes two."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import unicodedata

import pytest

from harness.daemon import ROOT, clean_environment, free_port, program
from harness.upstream import error_reply, json_reply

RECEIPT = {
    "id": "00c0ffee00c0ffee",
    "user": "alex",
    "mode": "auto",
    "branch": {"mode": "hybrid", "because": "the user has 3 conversations"},
    "status": "injected",
    "tokens": 412,
    "budget": 1500,
    "items": [
        {"kind": "summary", "id": "1", "text": "Alex builds a RAG system.", "score": None, "source": None, "tokens": 40, "place": "block"},
        {"kind": "fact", "id": "2", "text": "vector_store: ChromaDB", "score": 3, "source": "71", "tokens": 9, "place": "block"},
        {"kind": "turn", "id": "3", "text": "I'm using ChromaDB\nfor the vector store.", "score": 4.21, "source": "71", "tokens": 31, "place": "recalled"},
        {"kind": "turn", "id": "4", "text": "我住在杭州，" * 40, "score": 2.5, "source": "72", "tokens": 300, "place": "replayed"},
        {"kind": "turn", "id": "5", "text": "👩‍👩‍👧‍👦🇩🇪❤️ " * 40, "score": 0.016, "source": "18446744073709551615", "tokens": 32, "place": "turns"},
    ],
    "dropped": [{"kind": "fact", "id": "6", "text": "likes: tea", "score": 0.5, "source": "73", "tokens": 6, "place": None, "because": "no room"},
                {"kind": "fact", "id": "7", "text": "cat: Minka", "score": None, "source": "74", "tokens": 5, "place": None, "because": "unrelated"},
                {"kind": "fact", "id": "8", "text": "of an earlier recalld", "score": None, "source": "75", "tokens": 5, "place": None}],
    "history": {"messages_removed": 12, "tokens_removed": 8123},
    "bytes_in": 312,
    "bytes_out": 2144,
    "elapsed_us": 812,
    "ranked": 1203,
}
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x08\x7f\u009b31m\u202eevil\u2066\r\n\tend\x00"
ORDERS_LEFT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def arguments_for(upstream, *arguments):
    return [program("proxy/recallctl"), "--admin", f"127.0.0.1:{upstream.port}", *arguments]


def recallctl(upstream, *arguments, **environment):
    return subprocess.run(
        arguments_for(upstream, *arguments), capture_output=True, timeout=60, env=clean_environment(**environment)
    )


def on_terminal(upstream, columns, *arguments, **environment):
    """What is written to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {n: v for n, v in clean_environment(**{"TERM": "dumb"} | environment).items() if n != "COLUMNS"}
    process = subprocess.Popen(arguments_for(upstream, *arguments), stdin=theirs, stdout=theirs, env=environment)
    os.close(theirs)
    written = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        written += more
    os.close(ours)
    assert process.wait(60) == 0
    return written.decode().replace("\r\n", "\n")


def width(line):
    """The most columns that a terminal gives to it."""
    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line if not unicodedata.combining(c))
    return wide - sum(c in "\u200d\ufe0f" for c in line)


@pytest.fixture
def receipt(upstream):
    """Answers with RECEIPT, changed by what it is called with."""

    def answer(**changes):
        upstream.answer = lambda request: json_reply(RECEIPT | changes)

    answer()
    return answer


def test_a_receipt_is_explained(receipt, upstream):
    done = recallctl(upstream, "explain", "00c0ffee00c0ffee")
    assert done.returncode == 0 and not done.stderr
    assert (upstream.last.method, upstream.last.target) == ("GET", "/v1/receipts/00c0ffee00c0ffee")
    said = done.stdout.decode()
    head, given, dropped = said.split("\n\n")
    for word in ("00c0ffee00c0ffee", "alex", "auto", "hybrid", "3 conversations", "injected", "412 of 1500"):
        assert word in head
    assert max(map(width, head.splitlines())) < 80
    for word in ("12 messages", "8123 tokens", "312 bytes in", "2144 bytes out", "0.812 ms", "1203 turns"):
        assert word in head
    rows = given.splitlines()[2:]
    assert [row.split()[0] for row in rows] == [item["kind"] for item in RECEIPT["items"]]
    assert rows[2].split(maxsplit=5) == ["turn", "4.210", "31", "71", "recalled", "I'm using ChromaDB for the vector store."]
    assert rows[0].split()[1:5] == ["-", "40", "-", "block"]
    assert RECEIPT["items"][3]["text"] in rows[3], "without a terminal nothing is cut"
    assert dropped.splitlines()[0] == "Left out" and dropped.splitlines()[1].split() == ["kind", "score", "tokens", "source", "why", "text"]
    left_out = [re.split("  +", row.strip()) for row in dropped.splitlines()[2:]]
    assert left_out[0] == ["fact", "0.500", "6", "73", "no room", "likes: tea"]
    assert left_out[1] == ["fact", "-", "5", "74", "unrelated", "cat: Minka"]
    assert left_out[2] == ["fact", "-", "5", "75", "-", "of an earlier recalld"]
    assert "likes: tea" not in given


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_a_table_keeps_within_the_terminal(receipt, upstream, columns):
    lines = on_terminal(upstream, columns, "explain", "1").splitlines()
    rows = lines[lines.index("Given") + 2 :]
    assert all(width(row) <= max(columns, 78) for row in rows), "20 columns are left to the text"
    assert sum(row.endswith("…") for row in rows) >= 2
    texts = {row.index("block") for row in rows[:2]}
    assert len(texts) == 1, "columns stand below each other"


def test_a_cut_spares_what_a_reader_takes_for_one_character(receipt, upstream):
    family = "👩‍👩‍👧‍👦"
    for columns in range(78, 104):
        shown = on_terminal(upstream, columns, "explain", "1")
        rest = shown.replace(family, "").replace("🇩🇪", "").replace("❤️", "")
        assert not re.search("[\u200d\ufe0f👩👧👦❤\U0001f1e6-\U0001f1ff]", rest)


def test_no_text_drives_the_terminal(receipt, upstream):
    item = {name: HOSTILE for name in ("kind", "id", "text", "score", "source", "place")}
    receipt(id=HOSTILE, mode=HOSTILE, user=HOSTILE, status=HOSTILE, branch={"mode": HOSTILE, "because": HOSTILE}, items=[item], dropped=[item])
    for said in (on_terminal(upstream, 80, "explain", "1"), recallctl(upstream, "explain", "1").stdout.decode()):
        assert "evil? end" in said and not ORDERS_LEFT.search(said)


def test_marks_heaped_upon_marks_are_bounded(receipt, upstream):
    receipt(items=[RECEIPT["items"][1] | {"text": "a" + "\u0301" * 100000 + "b"}])
    assert len(recallctl(upstream, "explain", "1").stdout) < 2000


@pytest.mark.parametrize("left", [(), ("items",), ("id", "mode"), ("tokens", "ranked", "dropped")], ids=repr)
def test_a_receipt_may_lack_members(upstream, left):
    upstream.answer = lambda request: json_reply({name: RECEIPT[name] for name in left})
    done = recallctl(upstream, "explain", "1")
    assert done.returncode == 0 and "None" not in done.stdout.decode() and "(null)" not in done.stdout.decode()


@pytest.mark.parametrize("value", [7, "x", [], {}, None, 1e300, True, ["a", {}]], ids=repr)
def test_members_of_other_types_do_no_harm(upstream, value):
    for receipt in ({name: value for name in RECEIPT}, {"items": [value], "dropped": [{"score": value, "text": value}]}):
        upstream.answer = lambda request, receipt=receipt: json_reply(receipt)
        assert recallctl(upstream, "explain", "1").returncode == 0


def test_json_is_printed_as_it_is(receipt, upstream):
    assert json.loads(recallctl(upstream, "--json", "explain", "1").stdout) == RECEIPT
    upstream.answer = lambda request: json_reply({"receipt": RECEIPT, "body": "{}"})
    assert json.loads(recallctl(upstream, "preview", "alex", "Who?", "--json").stdout) == {"receipt": RECEIPT, "body": "{}"}
    upstream.answer = lambda request: json_reply({"confidence": 0.9})
    assert b'"confidence": 0.9\n' in recallctl(upstream, "show", "alex", "--json").stdout


def test_a_receipt_that_is_not_there(upstream):
    upstream.answer = lambda request: error_reply(404, "Nothing is stored under that name.")
    done = recallctl(upstream, "explain", "../../v1/users/alex")
    assert done.returncode == 1 and b"no such receipt" in done.stderr and b"[retention]" in done.stderr and not done.stdout
    assert upstream.last.target == "/v1/receipts/..%2F..%2Fv1%2Fusers%2Falex"


BODY = '{"model":"m","messages":[{"role":"user","content":"Grüße \x7f\u009b"}]}'


def preview_reply(request):
    without_id = {name: value for name, value in RECEIPT.items() if name != "id"}
    return json_reply({"receipt": without_id, "body": BODY})


def test_a_preview_asks_what_it_was_told(upstream):
    upstream.answer = preview_reply
    question = 'What "store" did I say, 世界?'
    options = ["--mode", "vector", "--session", "s 1", "--model", "gpt-4o", "--tenant", "t/1"]
    done = recallctl(upstream, "preview", "al ex/é", question, *options)
    assert done.returncode == 0 and "ChromaDB" in done.stdout.decode() and "Grüße" not in done.stdout.decode()
    assert (upstream.last.method, upstream.last.target) == ("POST", "/v1/users/al%20ex%2F%C3%A9/preview?tenant=t%2F1")
    assert upstream.last.json == {"question": question, "mode": "vector", "session": "s 1", "model": "gpt-4o"}
    assert recallctl(upstream, "preview", "alex", "Who?").returncode == 0
    assert upstream.last.json == {"question": "Who?"}


def test_the_body_is_printed_byte_for_byte_but_not_to_a_terminal(upstream):
    upstream.answer = preview_reply
    assert recallctl(upstream, "preview", "alex", "Who?", "--body").stdout.decode().endswith("\nBody\n" + BODY + "\n")
    shown = on_terminal(upstream, 80, "preview", "alex", "Who?", "--body")
    assert "Grüße ??" in shown and not ORDERS_LEFT.search(shown)


def test_faults_of_a_preview_are_told(upstream):
    said = {404: "Nothing is stored under that name.", 401: "The admin token is missing or wrong.", 400: "no such mode", 500: "evil?"}
    for status, message in said.items():
        upstream.answer = lambda request, s=status, m=message: error_reply(s, m.replace("evil?", HOSTILE))
        done = recallctl(upstream, "preview", "nobody", "Who?")
        assert (b"Give it with --token." in done.stderr) == (status == 401)
        assert done.returncode == 1 and not done.stdout
        assert str(status).encode() in done.stderr and message.encode() in done.stderr
        assert not ORDERS_LEFT.search(done.stderr.decode())


def test_a_reply_that_is_no_receipt_is_told(upstream):
    for value in (b"<html>", b"", b"[]", b'{"receipt":[]}'):
        upstream.answer = lambda request, v=value: json_reply(v)
        done = recallctl(upstream, "preview", "alex", "Who?")
        assert done.returncode == 1 and b"recalld; is --admin right?" in done.stderr
    upstream.answer = lambda request: json_reply(b"<html>")
    assert recallctl(upstream, "explain", "1").returncode == 1


def test_with_json_every_failure_is_json(upstream, tmp_path):
    upstream.answer = lambda request: error_reply(401, f"wrong {HOSTILE}")
    (bad := tmp_path / "bad.conf").write_text("[log]\nlevel = loud\n")
    (turns := tmp_path / "turns").write_text("[]")
    failures = {
        ("check",): (401, "wrong"),
        ("show", "alex"): (401, "wrong"),
        ("forget", "alex"): (401, "wrong"),
        ("unpark",): (401, "wrong"),
        ("explain", "1"): (401, "wrong"),
        ("preview", "alex", "Who?"): (401, "wrong"),
        ("import", str(turns)): (None, "each object needs"),
        ("import", str(tmp_path / "none")): (None, "cannot read"),
        ("rebuild", "--store", str(turns)): (None, "or not a directory"),
        ("-c", str(bad), "check"): (None, f"{bad}:2: "),
        ("--admin", f"127.0.0.1:{free_port()}", "check"): (None, "cannot be reached"),
        ("remember",): (None, "unknown command remember"),
        ("show",): (None, "show takes USER"),
        ("check", "--store", "x"): (None, "check does not take --store"),
        ("check", "--nonsense"): (None, "unknown option"),
        (): (None, "no command given"),
    }
    for words, (status, message) in failures.items():
        done = subprocess.run([*arguments_for(upstream), "--json", *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, env=clean_environment())
        error = json.loads(done.stdout)["error"]
        assert done.returncode == 1 and done.stderr and error["status"] == status and message in error["message"], words


@pytest.mark.parametrize("trouble", ["upstream", "learning", "embedding"])
def test_check_fails_while_a_server_does(upstream, trouble):
    status = {"ready": True, "version": "1", f"{trouble}_trouble": "it refused (status 401)"}
    for words in (["check"], ["check", "--json"]):
        upstream.script(json_reply(status), json_reply(status | {f"{trouble}_trouble": ""}))
        assert [recallctl(upstream, *words).returncode for _ in range(2)] == [1, 0]


def test_another_server_is_not_taken_for_recalld(upstream, tmp_path):
    file = tmp_path / "turns"
    file.write_text('{"user":"alex","messages":[{"role":"user","content":"Hi"}]}')
    commands = (["check"], ["show", "alex"], ["unpark"], ["forget", "alex"], ["import", str(file)])
    for status, body in ((200, b'{"object":"list","data":[]}'), (404, b"<html>"), (404, b"")):
        upstream.answer = lambda request, s=status, b=body: json_reply(b, status=s)
        for command in commands:
            done = recallctl(upstream, *command)
            assert done.returncode == 1 and not done.stdout, (command, body)
            assert b"recalld; is --admin right?" in done.stderr, (command, body)


def test_an_answer_without_json_is_no_success(upstream):
    changes = (["forget", "alex", "--fact", "1"], ["correct", "alex", "1", "Ulm"], ["pin", "alex", "1"], ["settings", "alex"])
    for command in (["check"], ["show", "alex"], ["users"], ["audit"], ["dedupe"], *changes):
        for body in (b"<html>", b""):
            upstream.answer = lambda request, b=body: json_reply(b)
            for form in ([], ["--json"]):
                done = recallctl(upstream, *command, *form)
                assert done.returncode == 1 and b"recalld; is --admin right?" in done.stderr, (command, body)
                assert done.stdout == b"" if not form else "error" in json.loads(done.stdout), (command, body)


def test_what_could_not_be_written_is_a_failure(receipt, upstream):
    for words in (["explain", "1"], ["explain", "1", "--json"], ["--help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(arguments_for(upstream, *words), stdout=full, stderr=subprocess.PIPE, timeout=60,
                                  env=clean_environment())  # fmt: skip
        assert done.returncode == 1 and b"cannot write output: No space left on device" in done.stderr, words
        closed = ["sh", "-c", 'exec "$0" "$@" >&-', *arguments_for(upstream, *words)]
        done = subprocess.run(closed, stderr=subprocess.PIPE, timeout=60, env=clean_environment())
        assert done.returncode == 1 and b"cannot write output: Bad file descriptor" in done.stderr, words


def test_a_reader_who_has_seen_enough_hears_of_no_fault(receipt, upstream):
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(arguments_for(upstream, "explain", "1"), stdout=theirs, stderr=subprocess.PIPE, timeout=60,
                          env=clean_environment())  # fmt: skip
    os.close(theirs)
    assert done.returncode == 1 and not done.stderr


def test_the_address_may_be_written_as_a_url(receipt, upstream):
    for address in (f"http://127.0.0.1:{upstream.port}/", f"127.0.0.1:{upstream.port}/"):
        assert recallctl(upstream, "--admin", address, "explain", "1").returncode == 0
        assert upstream.requests[-1].target == "/v1/receipts/1"


def test_nobody_listens():
    class Nobody:
        port = free_port()

    for command in (["explain", "1"], ["preview", "alex", "Who?"]):
        done = recallctl(Nobody, *command)
        assert done.returncode == 1 and b"cannot be reached" in done.stderr


def completions(upstream):
    """Each command's own options; under "" those of every command."""
    every, *lines = recallctl(upstream, "--complete").stdout.decode().splitlines()
    return {"": every.split()} | {name: own for name, *own in map(str.split, lines)}


def test_the_usage_names_every_command(upstream):
    usage = recallctl(upstream, "--help").stdout.decode()
    commands = completions(upstream)
    for name, own in commands.items():
        for word in [f"  {name} "] if name else own:
            assert word in usage
    assert {"check", "show", "explain", "preview", "import", "forget", "unpark", "export", "rebuild"} <= commands.keys()
    assert max(map(width, usage.splitlines())) <= 80


def test_each_command_has_help_of_its_own(upstream):
    commands = completions(upstream)
    for name, own in commands.items():
        if not name:
            continue
        said = [recallctl(upstream, *words) for words in ((name, "--help"), ("--help", name), (name, "-h", "too", "many"))]
        help = said[0].stdout.decode()
        assert all(done.returncode == 0 and not done.stderr and done.stdout == said[0].stdout for done in said), name
        assert help.startswith(f"Usage: recallctl {name}") and max(map(width, help.splitlines())) <= 80
        assert re.search(rf"^Example:\n  recallctl {name}\b", help, re.M)
        assert re.search(r"^Exit status:\n  0  \S.*\n  1  \S", help, re.M)
        assert set(re.findall(r"^  (--[\w-]+)", help, re.M)) == set(own), "told are just the options that it takes"
    assert not upstream.requests


def complete(*words):
    """What bash offers for the last of the words."""
    script = ROOT / "conf/completion/recallctl"
    line = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _recallctl; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", line, script, program("proxy/recallctl"), *words], capture_output=True, text=True,
                          env=clean_environment())  # fmt: skip
    assert not done.stderr
    return done.stdout.split()


def test_bash_completes_what_there_is(upstream):
    commands = completions(upstream)
    assert set(complete("")) == commands.keys() - {""}
    assert set(complete("re")) == {name for name in commands if name.startswith("re")}
    assert set(complete("--admin", "x", "--")) == set(commands[""]) - {"-c"}
    assert set(complete("preview", "-")) == set(commands[""]) | set(commands["preview"])
    assert complete("show", "alex", "--b") == [] and complete("preview", "--b") == ["--body"]
    assert "vector" in complete("preview", "alex", "--mode", "")
    assert complete("--token", "") == []


def test_a_quiet_check_says_whether_it_takes_traffic(upstream):
    for status, result in ((200, 0), (503, 1)):
        upstream.answer = lambda request, s=status: json_reply(b"ready", status=s)
        done = recallctl(upstream, "check", "--quiet")
        assert (done.returncode, done.stdout) == (result, b"")
        assert upstream.last.target == "/readyz"
        assert (b"not ready (status 503)" in done.stderr) == (result == 1)

    class Nobody:
        port = free_port()

    assert recallctl(Nobody, "check", "--quiet").returncode == 1


def test_what_is_wrong_with_a_command_is_told(upstream):
    said = {
        ("explain",): "explain takes RECEIPT;",
        ("preview", "alex"): "preview takes USER QUESTION;",
        ("check", "now"): "check takes no argument;",
        ("show", "alex", "--body"): "show does not take --body;",
        ("check", "--mode", "vector"): "check does not take --mode;",
        ("check", "--store", "here"): "check does not take --store; see recallctl check --help",
        ("remember", "--help"): "unknown command remember;",
        ("remember", "alex"): "unknown command remember;",
        ("explain", "1", "--bad"): "unrecognized option '--bad'",
        (): "preview  USER QUESTION",
    }
    for words, message in said.items():
        done = recallctl(upstream, *words)
        assert done.returncode == 1 and not done.stdout and message in done.stderr.decode(), words
        assert not upstream.requests


def test_an_export_of_no_store_tells_where_to_look(upstream, tmp_path):
    done = recallctl(upstream, "export", "--store", str(tmp_path))
    assert done.returncode == 1 and not done.stdout
    assert f"cannot read the store in {tmp_path}: No such file or directory; name its directory with --store" in done.stderr.decode()


@pytest.mark.parametrize("count, words", [(0, "0 users, 0 turns, 0 facts;"), (1, "1 user, 1 turn, 1 fact;"), (2, "2 users, 2 turns, 2 facts;")])
def test_what_is_counted_is_named_as_people_do(upstream, count, words):
    counted = dict.fromkeys(["users", "turns", "facts", "jobs", "parked"], count)
    upstream.script(json_reply(counted | {"ready": True, "version": "1", "bytes_used": 1, "bytes_mapped": 2}))
    told = recallctl(upstream, "check").stdout.decode()
    assert words in told and f"{count} job{'s' * (count != 1)}, {count} parked" in told


def shown_memory(count, **message):
    fact = {"entity": "user", "key": "home", "value": "Lisbon", "confidence": 0.9, "observed_at": "2026-01-05T10:00:00Z", "source": {"quote": "Lisbon"}}
    message = {"role": "assistant", "content": "我住在杭州，" * 40, "created_at": "2026-01-05T10:00:00Z", "session": "s", "complete": True} | message
    return json_reply({"user": "alex", "pending": count, "summary": None, "facts": [fact] * count, "messages": [message] * count})


@pytest.mark.parametrize("count, words", [(1, "1 fact, 1 message, 1 exchange waiting"), (2, "2 facts, 2 messages, 2 exchanges waiting")])
def test_what_is_shown_is_counted_as_people_do(upstream, count, words):
    upstream.script(shown_memory(count))
    assert words in recallctl(upstream, "show", "alex").stdout.decode()


@pytest.mark.parametrize("columns", [70, 80, 200])
@pytest.mark.parametrize("complete", [True, False])
def test_messages_keep_within_the_terminal(upstream, columns, complete):
    upstream.script(shown_memory(1, complete=complete))
    line = on_terminal(upstream, columns, "show", "alex").splitlines()[-1]
    assert columns - 2 <= width(line) <= columns and "…" in line and line.endswith("(broke off)") != complete


# ---- colours ----

STYLE = re.compile(r"\x1b\[\d+m")


def shown_hostile():
    fact = {"entity": HOSTILE, "key": HOSTILE, "value": HOSTILE, "confidence": 0.9, "observed_at": HOSTILE, "pii": True, "source": {"quote": HOSTILE}}
    message = {"role": HOSTILE, "content": HOSTILE, "created_at": HOSTILE, "complete": False}
    summary = {"text": HOSTILE, "updated_at": HOSTILE}
    return json_reply({"user": HOSTILE, "pending": 1, "summary": summary, "facts": [fact], "messages": [message]})


def test_what_is_shown_has_colours_where_they_are_wanted(upstream):
    upstream.answer = lambda request: shown_memory(2)
    wanted = {
        on_terminal(upstream, 80, "show", "alex", TERM="xterm"): True,
        on_terminal(upstream, 80, "show", "alex", TERM="xterm", NO_COLOR=""): True,
        on_terminal(upstream, 80, "show", "alex", TERM="dumb"): False,
        on_terminal(upstream, 80, "show", "alex", TERM="xterm", NO_COLOR="1"): False,
        on_terminal(upstream, 80, "show", "alex", "--color=never", TERM="xterm"): False,
        on_terminal(upstream, 80, "show", "alex", "--color", "always", TERM="xterm", NO_COLOR="1"): True,
        recallctl(upstream, "show", "alex", TERM="xterm").stdout.decode(): False,
        recallctl(upstream, "show", "alex", "--color=always").stdout.decode(): True,
    }
    for said, has in wanted.items():
        assert bool(STYLE.search(said)) == has, said
    assert len({STYLE.sub("", said) for said in wanted}) == 2, "but for its colours it is the same, on a terminal and off it"


def test_a_colour_that_is_no_word_of_ours_is_told(upstream):
    done = recallctl(upstream, "show", "alex", "--color=blue")
    assert done.returncode == 1 and b"--color must be auto, always or never" in done.stderr and not upstream.requests


def test_no_memory_drives_the_terminal(upstream):
    upstream.answer = lambda request: shown_hostile()
    for said in (on_terminal(upstream, 80, "show", "alex", TERM="xterm"), recallctl(upstream, "show", "alex", "--color=always").stdout.decode()):
        assert "evil? end" in said and not ORDERS_LEFT.search(STYLE.sub("", said))


# ---- top ----

FAMILIES = "memory first_byte exchange commit".split()


def metrics(exchanges, started=1_700_000_000, cause="store"):
    """After so many exchanges, each injected with 100 tokens; one in four took 2 s, the others 10 ms."""
    slow = exchanges // 4
    lines = [f"process_start_time_seconds {started}", "recalld_exchanges_open 3", "recalld_connections 17", "recalld_learner_queue 5",
             "recalld_learner_calls 2", "recalld_store_jobs_parked 1", f'recalld_learned_total{{kind="facts"}} {exchanges}',
             f"recalld_injected_tokens_total {exchanges * 100}", f'recalld_requests_total{{memory="injected"}} {exchanges}',
             'recalld_requests_total{memory="empty"} 0', f'recalld_bypassed_total{{cause="{cause}"}} {exchanges // 2}']  # fmt: skip
    for name in FAMILIES:
        family = f"recalld_{name}_seconds"
        lines += [f'{family}_bucket{{le="0.01"}} {exchanges - slow}', f'{family}_bucket{{le="2.5"}} {exchanges}', f'{family}_bucket{{le="+Inf"}} {exchanges}', f"{family}_count {exchanges}"]
    return ("# HELP x y.\n" + "\n".join(lines) + "\n").encode()


def watched(upstream, counts, **status):
    """A daemon that has served so many exchanges each time that it is asked."""
    counts = iter(counts)
    last = [0]

    def answer(request):
        if request.target == "/v1/status":
            return json_reply({"ready": True, "version": "1.2"} | status)
        last[0] = next(counts, last[0])
        return json_reply(metrics(last[0]))

    upstream.answer = answer


def test_top_draws_one_frame_of_all_since_the_start(upstream):
    watched(upstream, [40])
    for words in (["top"], ["top", "--once"]):
        done = recallctl(upstream, *words)
        said = done.stdout.decode()
        assert done.returncode == 0 and not done.stderr
        assert "recalld 1.2 ready · since the start" in said and "3 open, 17 connections" in said
        assert "100 in each request that got memory" in said and "memory      injected 40\n" in said
        assert "bypassed    store 20\n" in said and "5 waiting, 2 calls open" in said and "1 parked" in said
        assert re.search(r"^slowest <=  memory 2.5 s, first byte 2.5 s, ", said, re.M)
        assert re.search(r"^half are <= memory 10 ms, ", said, re.M)
        assert max(map(width, said.splitlines())) <= 80
    assert not STYLE.search(said) and STYLE.search(recallctl(upstream, "top", "--once", "--color=always").stdout.decode())


def test_top_says_what_it_cannot_do(upstream):
    assert b"programs read GET /metrics" in recallctl(upstream, "top", "--json").stderr
    for answer, message in ((error_reply(401, "wrong"), b"401: wrong Give it with --token"), (json_reply({"object": "list"}), b"is --admin right?")):
        upstream.answer = lambda request, a=answer: a
        done = recallctl(upstream, "top")
        assert done.returncode == 1 and not done.stdout and message in done.stderr


def test_no_metric_drives_the_terminal(upstream):
    def answer(request):
        return json_reply({"ready": True, "version": HOSTILE}) if request.target == "/v1/status" else json_reply(metrics(9, cause="\x1b]0;owned\x07"))

    upstream.answer = answer
    said = recallctl(upstream, "top").stdout.decode()
    assert "owned" in said and not ORDERS_LEFT.search(said)


class Watching:
    """recallctl top on a terminal of its own."""

    def __init__(self, upstream):
        self.terminal, self.theirs = pty.openpty()
        self.resize(80)
        self.before = termios.tcgetattr(self.theirs)
        environment = {n: v for n, v in clean_environment(TERM="xterm").items() if n != "COLUMNS"}
        self.process = subprocess.Popen(arguments_for(upstream, "top"), stdin=self.theirs, stdout=self.theirs, env=environment, start_new_session=True, preexec_fn=own_terminal)
        self.written = ""

    def resize(self, columns):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read_until(self, words):
        """Everything up to the words; what was read before is forgotten."""
        while words not in self.written:
            assert select.select([self.terminal], [], [], 30)[0], self.written
            self.written += os.read(self.terminal, 65536).decode()
        before, self.written = self.written.split(words, 1)
        return before + words

    def end(self):
        self.read_until("\x1b[?25h\x1b[?1049l")
        code = self.process.wait(60)
        assert termios.tcgetattr(self.theirs) == self.before, "the terminal is as it was"
        os.close(self.terminal)
        os.close(self.theirs)
        return code


def own_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_top_draws_each_second_until_it_is_told_to_quit(upstream):
    watched(upstream, [40, 40, 44, 46])
    watching = Watching(upstream)
    watching.read_until("\x1b[?1049h")
    watching.read_until("injected 4\r\n")
    watching.read_until("injected 6\r\n")
    assert "1049" not in watching.written
    watching.resize(60)
    watching.read_until("\x1b[H\x1b[2J")
    os.write(watching.terminal, b"xq")
    assert watching.end() == 0


@pytest.mark.parametrize("how", ["ctrl-c", "SIGTERM"])
def test_top_gives_the_terminal_back(upstream, how):
    watched(upstream, [40])
    watching = Watching(upstream)
    watching.read_until("half are")
    if how == "ctrl-c":
        os.write(watching.terminal, b"\x03")
    else:
        watching.process.terminate()
    assert watching.end() == 0


def test_top_goes_on_while_recalld_is_restarted(upstream):
    watched(upstream, [40])
    watching = Watching(upstream)
    watching.read_until("half are")
    upstream.answer = lambda request: error_reply(503, "draining")
    watching.read_until("does not answer; trying again")

    def restarted(request):
        return json_reply({"ready": True, "version": "1.3"}) if request.target == "/v1/status" else json_reply(metrics(8, started=1_700_009_999))

    upstream.answer = restarted
    watching.read_until("recalld 1.3")
    watching.read_until("since the start")
    os.write(watching.terminal, b"q")
    assert watching.end() == 0
