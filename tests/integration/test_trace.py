"""[trace]: the spans of an exchange, the traceparent that the upstream gets, and that no collector, however
bad, reaches a chat."""

import socket

import pytest
from conftest import wired
from harness.chat import Chat
from harness.clock import until
from harness.collector import Collector
from harness.daemon import Daemon, free_port
from harness.upstream import error_reply, json_reply

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
INTERNAL, SERVER, CLIENT = 1, 2, 3


def traceparent(flags="01", trace=TRACE):
    return f"00-{trace}-{PARENT}-{flags}"


@pytest.fixture(scope="module")
def shared_collector():
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture(scope="module")
def shared_traced(shared_upstream, shared_memory_model, shared_collector, tmp_path_factory):
    trace = {"trace": {"endpoint": shared_collector.origin, "service": "front", "sample": "0"}}
    daemon = Daemon(tmp_path_factory.mktemp("traced"), wired(shared_upstream, shared_memory_model, trace)).start()
    yield daemon
    daemon.stop()


@pytest.fixture
def collector(shared_collector):
    shared_collector.reset()
    return shared_collector


@pytest.fixture
def traced(shared_traced, upstream, memory_model, collector):
    yield shared_traced
    shared_traced.check_alive()


def test_the_spans_of_a_chat(traced, upstream, collector, user):
    """One trace: the client's span, ours below it, and below that what memory and the upstream took."""
    chat = Chat(traced, user, session=f"{user}-session", stream=True, headers={"traceparent": traceparent()})
    answer = chat.say("The password of the harbour is Wintergreen.")
    spans = collector.wait_trace(TRACE)
    assert set(spans) == {"POST /v1/chat/completions", "search_memory", "chat test-model", "create_memory"}
    whole, call = spans["POST /v1/chat/completions"], spans["chat test-model"]
    assert (whole.kind, whole.parent, whole.is_remote, whole.is_error) == (SERVER, PARENT, True, False)
    assert whole.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/v1/chat/completions",
        "recalld.end": "done",
        "recalld.memory.status": answer.status,
        "recalld.memory.mode": answer.headers["X-Memory-Mode"],
        "recalld.memory.tokens": int(answer.headers["X-Memory-Tokens"]),
        "recalld.receipt.id": answer.headers["X-Memory-Receipt"],
    }
    assert (call.kind, call.parent, call.is_remote, call.is_error) == (CLIENT, whole.id, False, False)
    first_chunk = call.attributes.pop("gen_ai.response.time_to_first_chunk")
    assert 0 < first_chunk <= (call.ended - call.begun) / 1e9
    assert call.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": upstream.port,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "test-model",
        "gen_ai.request.stream": True,
    }
    assert whole.resource.keys() == {"service.name", "service.version", "service.instance.id", "host.name"}
    assert whole.resource["service.name"] == "front"
    for name in ("search_memory", "create_memory"):
        assert (spans[name].kind, spans[name].parent) == (INTERNAL, whole.id)
        assert whole.begun <= spans[name].begun and spans[name].ended <= whole.ended
    assert spans["search_memory"].ended <= call.begun and call.begun <= spans["create_memory"].begun
    assert upstream.last.field("traceparent") == f"00-{TRACE}-{call.id}-01"
    traced.wait_log(f"trace={TRACE}")
    for request in collector.requests:
        for private in (user, "session", "Wintergreen", "harbour", answer.text, "test-key"):
            assert private.encode() not in request.body


def test_what_the_provider_counted_is_told(traced, collector, user):
    trace = "1" * 32
    Chat(traced, user, headers={"traceparent": traceparent(trace=trace)}).say("Hello")
    call = collector.wait_trace(trace)["chat test-model"]
    assert call.attributes["gen_ai.usage.input_tokens"] > 0
    assert call.attributes["gen_ai.usage.cache_read.input_tokens"] >= 0


def test_a_request_without_memory_tells_no_path(traced, upstream, collector):
    """It may hold anybody's id."""
    trace = "2" * 32
    fields = {"traceparent": traceparent(trace=trace)}
    traced.request("GET", "/accounts/alexandra/files?name=secret", headers=fields)
    spans = collector.wait_trace(trace)
    assert set(spans) == {"GET"}
    kinds = sorted(s.kind for s in collector.spans() if s.trace == trace)
    assert kinds == [SERVER, CLIENT]
    for request in collector.requests:
        assert b"alexandra" not in request.body and b"secret" not in request.body


def test_a_trace_that_the_client_does_not_sample_passes_untouched(traced, upstream, collector, user):
    fields = {"traceparent": traceparent("00"), "tracestate": "vendor=opaque"}
    Chat(traced, user, headers=fields).say("Hello")
    assert upstream.last.field("traceparent") == traceparent("00")
    assert upstream.last.field("tracestate") == "vendor=opaque"
    Chat(traced, user).say("Hello again")  # sample = 0
    assert upstream.last.field("traceparent") is None
    Chat(traced, user, headers={"traceparent": traceparent(trace="3" * 32)}).say("The last")
    collector.wait_trace("3" * 32)  # what was told before it would be here
    assert {s.trace for s in collector.spans()} == {"3" * 32}


def test_a_tracestate_is_passed(traced, upstream, user):
    fields = {"traceparent": traceparent(), "tracestate": "vendor=opaque"}
    Chat(traced, user, headers=fields).say("Hello")
    assert upstream.last.field("tracestate") == "vendor=opaque"
    assert upstream.last.field("traceparent") not in (None, traceparent())


def test_a_refused_injection_is_two_calls(traced, upstream, collector, user):
    chat = Chat(traced, user, mode="buffer")
    chat.say("I keep bees")
    trace = "4" * 32
    upstream.script(error_reply(400))
    again = Chat(traced, user, mode="buffer", headers={"traceparent": traceparent(trace=trace)})
    assert again.say("What do I keep?").status == "bypassed"
    collector.wait_trace(trace)
    calls = [s for s in collector.spans() if s.trace == trace and s.kind == CLIENT]
    assert [(s.is_error, s.attributes["http.response.status_code"]) for s in calls] == [(True, 400), (False, 200)]
    assert calls[0].attributes["error.type"] == "400"
    sent = [r.field("traceparent") for r in upstream.chats()[-2:]]
    assert sent == [f"00-{trace}-{s.id}-01" for s in calls]


def test_an_upstream_that_cannot_be_reached_is_an_error(make_daemon, collector):
    dead = {"base_url": f"http://127.0.0.1:{free_port()}/v1"}
    daemon = make_daemon({"trace": {"endpoint": collector.origin}, "upstream": dead})
    assert daemon.post_chat(b'{"messages":[{"role":"user","content":"hi"}]}').status_code == 502
    daemon.stop()
    whole, call = collector.spans()
    assert (whole.name, call.name) == ("POST /v1/chat/completions", "chat")
    assert whole.is_error and call.is_error and whole.parent == ""
    assert whole.attributes["error.type"] == call.attributes["error.type"] == "upstream_unreachable"


def test_a_share_of_the_exchanges_begins_a_trace(make_daemon, upstream, collector, user):
    daemon = make_daemon({"trace": {"endpoint": collector.origin + "/v1/traces"}})  # sample = 1
    fields = {"traceparent": "nonsense", "tracestate": "of=nothing"}
    Chat(daemon, user, headers=fields).say("Hello")
    version, trace, parent, flags = upstream.last.field("traceparent").split("-")
    assert (version, flags, upstream.last.field("tracestate")) == ("00", "01", None)
    daemon.stop()  # flushes
    spans = {s.name: s for s in collector.spans()}
    assert spans["chat test-model"].trace == trace and spans["chat test-model"].id == parent
    assert spans["POST /v1/chat/completions"].parent == ""


def test_without_an_endpoint_nothing_changes(daemon, upstream, user):
    fields = {"traceparent": traceparent(), "tracestate": "vendor=opaque"}
    Chat(daemon, user, headers=fields).say("Hello")
    assert upstream.last.field("traceparent") == traceparent()
    assert upstream.last.field("tracestate") == "vendor=opaque"


def test_a_reload_begins_and_ends_tracing(make_daemon, upstream, collector, user):
    daemon = make_daemon()
    reloads = daemon.metric("recalld_config_reloads_total")
    text = daemon.config_file.read_text()

    def reload(configuration):
        nonlocal reloads
        daemon.config_file.write_text(configuration)
        until(lambda: daemon.metric("recalld_config_reloads_total") != reloads, "it was not read")
        reloads += 1

    reload(text + f"\n[trace]\nendpoint = {collector.origin}\n")
    Chat(daemon, user).say("Hello")
    collector.wait_spans(lambda spans: len(spans) == 4)
    reload(text)
    Chat(daemon, user).say("Hello")
    assert upstream.last.field("traceparent") is None


def test_a_collector_that_is_busy_is_asked_again(traced, collector, user):
    trace = "5" * 32
    sent = traced.metric('recalld_trace_spans_total{outcome="sent"}')
    lost = traced.metric('recalld_trace_spans_total{outcome="failed"}')
    collector.script(error_reply(503))
    Chat(traced, user, headers={"traceparent": traceparent(trace=trace)}).say("Hello")
    first, second = collector.wait(2)
    assert first.body == second.body
    until(lambda: traced.metric('recalld_trace_spans_total{outcome="sent"}') == sent + 4, "they were not sent")
    assert traced.metric('recalld_trace_spans_total{outcome="failed"}') == lost


@pytest.mark.parametrize("answer", [error_reply(400), json_reply({"partialSuccess": {"rejectedSpans": "4"}})])
def test_spans_that_the_collector_refuses_are_counted(traced, collector, user, answer):
    lost = traced.metric('recalld_trace_spans_total{outcome="failed"}')
    collector.script(answer)
    Chat(traced, user, headers={"traceparent": traceparent()}).say("Hello")
    until(lambda: traced.metric('recalld_trace_spans_total{outcome="failed"}') == lost + 4, "they are not counted")
    assert len(collector.requests) == 1


def test_a_collector_that_is_silent_or_not_there_holds_up_nothing(make_daemon, user):
    """Neither a chat nor the end of the daemon, which waits two seconds for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (silent.getsockname()[1], free_port()):
            daemon = make_daemon({"trace": {"endpoint": f"http://127.0.0.1:{port}"}})
            for _ in range(3):
                assert Chat(daemon, user).say("Hello").status != "bypassed"
            daemon.stop()  # its patience with a daemon is 20 s, and it demands the status 0
