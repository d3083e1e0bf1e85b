"""SDKs and frameworks with their history at the provider: it keeps items and their riders, but no instructions."""

import pytest

from conftest import KNOWN_VALUE, make_known
from harness import frameworks
from harness.provider import elements
from test_frameworks import conversations, in_node, shown, talk_over

CLIENTS = {
    "openai-python": frameworks.openai_sdk_chained,
    "openai-node": in_node("openai_talk.mjs", chained=True),
    "openai-agents": frameworks.agents_chained,
    "openai-agents' conversation": frameworks.agents_conversation,
    "langchain": frameworks.langchain_openai_chained,
}

clients = pytest.mark.parametrize("talk", CLIENTS.values(), ids=CLIENTS.keys())
streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def known(provider_daemon, memory_model, user):
    return make_known(provider_daemon, memory_model, user)


@streamed
@clients
def test_the_model_sees_memory_once_in_each_request_of_a_chain(provider_daemon, provider, known, talk, stream):
    before = conversations(provider_daemon, known)
    requests = talk_over(provider_daemon, provider, talk, known, stream)
    assert conversations(provider_daemon, known) == before + 1
    for request in requests:
        seen = shown(provider, request)
        assert seen.count("Data about the user, remembered") == 1 and seen.count(f"home_city: {KNOWN_VALUE}") == 1, seen
    assert len(elements(requests[-1].json)) == 1, "the provider has what was said before"
