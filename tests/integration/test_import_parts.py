"""recallctl import of a file that is larger than a request may be: part by part, exact, and run again when cut off."""

import http.server
import io
import json
import threading
import zipfile

import pytest

from test_admin_recallctl import recallctl

MB = 1 << 20


def conversation(number, size, answers=1):
    """One of ChatGPT's: a question, and an answer of about `size` bytes."""
    nodes = [{"id": "root", "parent": None, "children": [], "message": None}]
    for i in range(answers):
        for role, text in (("user", f"Question {number}-{i} about quokkas?"), ("assistant", f"Answer {number}-{i}. " + "quokka " * (size // 7))):
            nodes.append({"id": f"n{len(nodes)}", "parent": nodes[-1]["id"], "children": [], "message": {
                "author": {"role": role}, "create_time": 1767607200 + number, "content": {"content_type": "text", "parts": [text]}}})
    return {"title": "T", "create_time": 1767607200, "conversation_id": f"c-{number}", "current_node": nodes[-1]["id"],
            "mapping": {one["id"]: one for one in nodes}}


def large(count=24, size=500_000):
    return json.dumps([conversation(number, size) for number in range(count)])


def texts(daemon, user):
    return sorted(turn["content"] for turn in daemon.memory(user)["messages"])


@pytest.fixture
def file(tmp_path):
    def write(content, name="export.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)
    return write


def test_a_large_export_is_taken_in_by_parts_and_once(daemon, user, file):
    path = file(large())
    done = recallctl(daemon, "import", path, "--user", user, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["dry_run"] and shown["conversations"] == 24 and shown["turns"] == 48 and shown["model_calls"]["facts"] == 24
    assert shown["first"] == "2026-01-05T10:00:00Z" and shown["last"] == "2026-01-05T10:00:23Z"
    assert not daemon.knows(user)
    done = recallctl(daemon, "import", path, "--user", user)
    assert done.returncode == 0 and "imported (chatgpt): 24 conversations, 48 turns" in done.stdout, done.stderr
    imports = [e for e in daemon.admin("GET", f"/v1/audit?user={user}&action=import").json()["entries"]]
    assert len(imports) > 1, "it went in parts"
    once = texts(daemon, user)
    assert len(once) == 48 and len(set(once)) == 48
    done = recallctl(daemon, "import", path, "--user", user, "--json")
    again = json.loads(done.stdout)
    assert again["known"] == 48 and again["turns"] == again["conversations"] == 0
    assert texts(daemon, user) == once


@pytest.mark.parametrize("form", ["object", "lines", "bom", "zip", "stdin"])
def test_a_large_file_may_have_any_form(daemon, user, file, form):
    whole = large(count=20)
    name, content, stdin = "export.json", whole, None
    if form == "object":
        content = json.dumps({"note": "a \\\"]}[{ note", "more": [1, {"x": []}], "conversations": json.loads(whole), "end": None})
    elif form == "lines":
        content = "\n".join(json.dumps(one) for one in json.loads(whole)) + "\n"
    elif form == "bom":
        content = b"\xef\xbb\xbf \n" + whole.encode()
    elif form == "zip":
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
            out.writestr("images/1.png", b"x" * 9 * MB)
            out.writestr("conversations-000.json", json.dumps(json.loads(whole)[:7]))
            out.writestr("conversations-001.json", json.dumps(json.loads(whole)[7:]), compress_type=zipfile.ZIP_DEFLATED, compresslevel=0)
        name, content = "export.zip", archive.getvalue()
    elif form == "stdin":
        stdin = whole
    path = "-" if stdin else file(content, name)
    done = recallctl(daemon, "import", path, "--user", user, "--json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["turns"] == 40
    assert len(set(texts(daemon, user))) == 40


def test_memories_go_by_parts_too(daemon, user, file):
    memories = [{"id": str(i), "memory": f"Likes tea number {i}", "created_at": "2026-01-05T10:00:00Z", "metadata": {"x": "y" * 4000}} for i in range(2500)]
    done = recallctl(daemon, "import", file(json.dumps({"results": memories})), "--user", user, "--format", "mem0", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["facts"] == 2500, done.stderr


def test_parts_shrink_to_what_the_daemon_takes(make_daemon, user, file):
    daemon = make_daemon({"listen": {"max_body": "2M"}})
    done = recallctl(daemon, "import", file(large(count=20)), "--user", user, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["turns"] == 40
    done = recallctl(daemon, "import", file(large(count=4, size=3 * MB)), "--user", user + "-2")
    assert done.returncode != 0 and "max_body" in done.stderr


@pytest.mark.parametrize("spoil", [lambda s: s[:-1], lambda s: s[:-300], lambda s: s[:len(s) // 2], lambda s: s[1:], lambda s: s[:-1] + "x"])
def test_a_broken_file_says_so(daemon, user, file, spoil):
    done = recallctl(daemon, "import", file(spoil(large(count=20))), "--user", user)
    assert done.returncode != 0 and done.stderr.startswith("recallctl: "), done.stderr
    assert done.stdout == "" and not daemon.knows(user)


def test_a_damaged_archive_says_so(daemon, user, file):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        out.writestr("conversations.json", large(count=20))
    bad = bytearray(archive.getvalue())
    bad[5 * MB] ^= 1
    done = recallctl(daemon, "import", file(bytes(bad)), "--user", user)
    assert done.returncode != 0 and "damaged" in done.stderr and not daemon.knows(user)


def test_a_file_packed_in_an_unknown_way_says_so(daemon, user, file):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        out.writestr("conversations-000.json", large(count=20))
        out.writestr("conversations-001.json", large(count=1), compress_type=zipfile.ZIP_BZIP2)
    done = recallctl(daemon, "import", file(archive.getvalue()), "--user", user)
    assert done.returncode != 0 and "unknown way" in done.stderr and done.stdout == "", done.stderr


def test_what_claude_remembers_is_counted_as_left_out(daemon, user, file):
    messages = [{"uuid": "m", "sender": "human", "text": "quokka " * 70_000, "created_at": "2026-01-05T10:00:00Z"}]
    talks = [{"uuid": f"c-{i}", "name": "T", "created_at": "2026-01-05T10:00:00Z", "chat_messages": messages} for i in range(20)]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        out.writestr("conversations.json", json.dumps(talks))
        out.writestr("memories.json", json.dumps([{"conversations_memory": "Plays the oboe."}]))
    done = recallctl(daemon, "import", file(archive.getvalue()), "--user", user, "--dry-run", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["left_out"] == 1, done.stderr


@pytest.mark.parametrize("cut", ["signature", "tail"])
def test_an_archive_whose_list_ends_early_says_so(daemon, user, file, cut):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        for i in range(2):
            out.writestr(f"conversations-00{i}.json", json.dumps([conversation(n, 500_000) for n in range(i * 10, i * 10 + 10)]))
    bad = bytearray(archive.getvalue())
    second = bad.rindex(b"PK\1\2")
    if cut == "signature":
        bad[second] ^= 1
    else:
        del bad[second:bad.rindex(b"PK\5\6") - 10]
    done = recallctl(daemon, "import", file(bytes(bad)), "--user", user)
    assert done.returncode != 0 and "damaged" in done.stderr and done.stdout == "", done.stderr


class Relay(http.server.BaseHTTPRequestHandler):
    """Passes requests on to a daemon, and kills it instead of passing the last one on."""
    daemon, left = None, 1

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.left == 0:
            self.daemon.kill()
            return
        type(self).left -= 1
        reply = self.daemon.admin("POST", self.path, content=body, headers={"Content-Type": "application/json"})
        self.send_response(reply.status_code)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("parts", [1, 2])
def test_an_import_that_was_cut_off_is_completed_by_running_it_again(make_daemon, user, file, parts):
    daemon = make_daemon()
    before = [{"role": "user", "content": "I row.", "session": "before"}, {"role": "assistant", "content": "Fine.", "session": "before"}]
    assert daemon.admin("POST", f"/v1/users/{user}/messages", json={"messages": before, "learn": False}).status_code == 202
    path = file(large(count=60, size=400_000))
    relay = type("OneRelay", (Relay,), {"daemon": daemon, "left": parts})
    with http.server.HTTPServer(("127.0.0.1", 0), relay) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = recallctl(daemon, "--admin", f"127.0.0.1:{server.server_port}", "import", path, "--user", user)
        server.shutdown()
    assert done.returncode != 0 and "run it again" in done.stderr, done.stderr
    daemon.start()
    questions = [t for t in taken(daemon, user) if t["role"] == "user"]
    assert 1 < len(questions) < 61, "it was cut off between its parts"
    done = recallctl(daemon, "import", path, "--user", user)
    assert done.returncode == 0, done.stderr
    turns = taken(daemon, user)
    assert len(turns) == 122 and len({turn["content"] for turn in turns}) == 122
    by_id = {turn["id"]: turn for turn in turns}
    for turn in turns:
        if turn["role"] == "user" and turn["content"] != "I row.":
            assert by_id[turn["answer"]]["content"].split()[1].rstrip(".") == turn["content"].split()[1]


def taken(daemon, user):
    document = daemon.admin("GET", f"/v1/users/{user}/export").json()
    return [turn for conversation in document["conversations"] for turn in conversation["turns"]]
