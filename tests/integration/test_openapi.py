"""The admin API's description: conf/openapi.yaml and recalld-api(7) against the daemon and each other."""

import json
import os
import re
import subprocess
import sys

import jsonschema
import pytest

from harness.api import DOCUMENT, closed, examples, operations, resolve, routes
from harness.chat import Chat
from harness.daemon import clean_environment

CLOSED = closed()


def test_the_document_has_each_route_with_its_parameters():
    documented = {}
    for endpoint, (item, operation) in operations().items():
        parameters = [resolve(one) for one in item.get("parameters", []) + operation.get("parameters", [])]
        documented[endpoint] = {one["name"] for one in parameters if one["in"] == "query"}
        assert endpoint[1].count("{}") == sum(one["in"] == "path" for one in parameters), endpoint
    assert documented == {endpoint: query or set() for endpoint, query in routes().items()}


def test_each_operation_has_a_name_of_its_own():
    names = [operation["operationId"] for _, operation in operations().values()]
    assert len(set(names)) == len(names)


def test_the_page_has_each_route_with_an_example_of_it():
    shown = examples()
    assert shown.keys() == routes().keys()
    for (method, path), command in shown.items():
        assert command and command.startswith("curl "), (method, path)
        calls = re.search(r"-X (\w+)", command)
        assert (calls[1] if calls else "POST" if "--json" in command else "GET") == method, command
        address = re.search(r'"\$admin([^"?]*)', command)[1]
        assert re.fullmatch(path.replace("{}", "[^/]+"), address), command


# ---- the examples ----


@pytest.fixture
def alex(daemon, upstream):
    """The user of the page's examples, and the values of their variables."""
    path = daemon.memory_path
    daemon.admin("DELETE", path("alex", "?keep_restriction=0"))
    Chat(daemon, "alex", session="a-session").say("I live in Lisbon.")
    daemon.wait_known("alex")
    older = daemon.admin("POST", path("alex", "/facts"), json={"key": "home_city", "value": "Lisbon"}).json()
    fact = daemon.admin("PATCH", path("alex", f"/facts/{older['id']}"), json={"value": "Lisboa"}).json()
    turn = daemon.memory("alex")["messages"][0]
    receipt = daemon.admin("GET", path("alex", "/receipts")).json()["receipts"][0]
    return {
        "admin": f"http://127.0.0.1:{daemon.admin_port}",
        "fact": fact["id"],
        "older": older["id"],
        "turn": turn["id"],
        "conversation": turn["conversation"],
        "session": turn["session"],
        "receipt": receipt["id"],
    }


def check_answer(endpoint, status, body):
    """Against the document; returns what it is."""
    _, operation = operations(CLOSED)[endpoint]
    content = resolve(operation["responses"][str(status)], CLOSED)["content"]
    if "application/json" not in content:
        return body
    schema = {"components": CLOSED["components"], **content["application/json"]["schema"]}
    jsonschema.Draft202012Validator(schema).validate(json.loads(body))
    return json.loads(body)


@pytest.mark.parametrize("endpoint", examples(), ids=" ".join)
def test_the_page_s_example_runs(daemon, alex, tmp_path, endpoint):
    """As it stands there, with the answer that the document describes."""
    (tmp_path / ".curlrc").write_text('silent\nshow-error\nwrite-out = "%{stderr}%{http_code}"\n')
    (tmp_path / "alex.json").write_bytes(daemon.admin("GET", daemon.memory_path("alex", "/export")).content)
    before = (tmp_path / "alex.json").stat().st_mtime_ns
    environment = clean_environment(HOME=str(tmp_path), CURL_HOME=str(tmp_path), **alex)
    done = subprocess.run(["sh", "-eu", "-c", examples()[endpoint]], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr[:1] == "2", done.stderr + done.stdout
    written = (tmp_path / "alex.json").stat().st_mtime_ns != before
    check_answer(endpoint, done.stderr, (tmp_path / "alex.json").read_text() if written else done.stdout)


# ---- requests at random ----

CONFIG = """
[generation]
deterministic = true
database = "none"
allow-x00 = false

[phases]
stateful.enabled = false
# A body with TRACE is no HTTP (RFC 9110, 9.3.8).
coverage.unexpected-methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]

[parameters]
"path.user" = "alex"

[checks]
# A list of versions that is none matches no version.
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 409, 412, 415]
positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 412]

# A request of the right form may be refused for what it says: a tenant that is not confirmed, no session, a value
# that nobody can see, a number beyond 64 bits, "state" beside other members of a fact.
[[operations]]
include-tag = "deleting"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-operation-id-regex = "^(importUser|importMessages|addFact|changeFact)$"
checks.positive_data_acceptance.enabled = false

# A dry run reads no body.
[[operations]]
include-operation-id = "deleteTenant"
checks.negative_data_rejection.enabled = false
"""


def narrowed():
    """The document for schemathesis: with a token, times that have come, and bodies that it can write."""
    document = closed()
    document["security"] = [{"token": []}]
    when = document["components"]["schemas"]["When"]
    when["pattern"] = when["pattern"].replace("[12][0-9]{3}", "20[01][0-9]")
    taken = document["paths"]["/v1/users/{user}/import"]["post"]["requestBody"]["content"]
    del taken["application/x-ndjson"], taken["application/zip"]
    return document


def test_requests_at_random_are_answered_as_the_document_says(make_daemon, tmp_path):
    """Of the right form and of wrong ones, the same at each run: no 5xx, no status, head or member that the document
    does not have, nothing refused or taken that it says otherwise."""
    daemon = make_daemon({"listen": {"admin_token": "the-token"}})
    token = {"headers": {"Authorization": "Bearer the-token"}}
    turns = [{"role": role, "content": "I live in Lisbon.", "session": "a-session"} for role in ("user", "assistant")]
    for what, body in (("/messages", {"messages": turns, "learn": False}), ("/facts", {"key": "city", "value": "Lisbon"})):
        assert daemon.admin("POST", daemon.memory_path("alex", what), json=body, **token).is_success
    (tmp_path / "openapi.json").write_text(json.dumps(narrowed()))
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", "--url", f"http://127.0.0.1:{daemon.admin_port}",
         "--header", "Authorization: Bearer the-token", "--seed", "29", "--phases", "coverage,fuzzing", "--max-examples", "5",
         "--continue-on-failure", "--suppress-health-check", "all", "--request-timeout", "60", "--warnings", "off"],
        cwd=tmp_path, env=clean_environment(COLUMNS="100", NO_COLOR="1"), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr
    assert re.search(r"Tested: (\d+)", done.stdout)[1] == str(len(routes())), done.stdout
