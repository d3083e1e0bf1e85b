"""opencode itself, only its base URL and headers changed."""

import pytest

from conftest import KNOWN_VALUE, make_known
from harness.clients import OpenCode
from test_frameworks import ASKED, LAST, check_prefix, conversations, remembering, shown

RUN = 'Use the tool bash with {"command":"echo hi","description":"Says hi"}, please.'


def test_opencode_tells_our_errors(provider_daemon, user, tmp_path):
    refused = OpenCode(provider_daemon.base_url, tmp_path, "openai", {"X-User-Id": user, "X-Memory-Mode": "sideways"}).run("Hi!")
    assert refused.returncode != 0 and "X-Memory-Mode must be" in refused.stderr


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_opencode_remembers(provider_daemon, provider, memory_model, user, tmp_path, api):
    """A tool loop, for whose session it also asks for a title, and a question in that session."""
    known = make_known(provider_daemon, memory_model, user)
    provider.say = remembering(provider)
    before = conversations(provider_daemon, known)
    client = OpenCode(provider_daemon.base_url, tmp_path, api, {"X-User-Id": known, "X-Memory-Mode": "hybrid"})
    answers = [client.say(RUN), client.say(ASKED, "--continue")]
    chats = [r for r in provider.of_dialect() if r.json.get("tools")]
    titles = [r for r in provider.of_dialect() if r not in chats]
    assert len(chats) == 3 and answers[-1] == LAST
    assert titles and all(KNOWN_VALUE not in shown(provider, r) for r in titles), "a title got memory"
    assert all(KNOWN_VALUE in shown(provider, r) for r in chats)
    assert provider_daemon.messages(known)[2:] == [("user", RUN), ("assistant", answers[0]), ("user", ASKED), ("assistant", LAST)]
    assert conversations(provider_daemon, known) == before + 1
    check_prefix(chats)
