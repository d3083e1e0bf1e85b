"""What is measured of recalld and its peers. Each function is one group of figures: it starts who it
needs, runs them in turn in every round, and hands each value to the results."""

import time
from concurrent.futures import ThreadPoolExecutor

import peers
from load import check, load, measured

FLOOR = [peers.HAProxy, peers.Nginx]
SLOW = [peers.Portkey, peers.LiteLLM]
USERS = 1000


class Bench:
    """One run: how long and how often, and what it started."""

    def __init__(self, results, rounds, seconds, quick, with_slow_peers):
        self.results, self.rounds, self.seconds, self.quick = results, rounds, seconds, quick
        self.slow = SLOW if with_slow_peers else []
        self.started = []

    def keep(self, process):
        self.started.append(process)
        return process

    def start(self, kind, upstream, model, **options):
        if issubclass(kind, peers.Recalld):
            return self.keep(kind(upstream, model, **options))
        return self.keep(kind(upstream, **options))

    def start_all(self, kinds, upstream, model, **options):
        """Without the slow ones that do not start; the table says so."""
        started = []
        for kind in kinds:
            try:
                started.append(self.start(kind, upstream, model, **options))
            except RuntimeError as fault:
                if not kind.slow:
                    raise
                self.results.note(f"{kind.name} is left out where it did not start: {fault}")
        return started

    def stop_all(self):
        while self.started:
            self.started.pop().stop()

    def each_round(self, running):
        """Every peer in every round, in an order that turns, so that none is always first."""
        for number in range(self.rounds):
            turn = number % len(running)
            for peer in running[turn:] + running[:turn]:
                yield number, peer


def remember(peer, users, exchanges=6):
    """Gives each user something to remember: exchanges of conversations of three, learned from."""
    if not isinstance(peer, peers.Recalld):
        load(peer, 1, users=users, limit=200, connections=8)
        return
    load(peer, 1, users=users, limit=users * exchanges, connections=min(64, users))
    if not peer.settle():
        raise RuntimeError("recalld did not finish learning")
    peer.change_settings()


def plain(bench):
    """CPU per plain exchange of 1 KB, for as many a second as come, and for 400 a second."""
    kinds = FLOOR + [peers.Recalld, peers.RecalldWithoutLearning, peers.RecalldOff] + bench.slow
    upstream, model = bench.keep(peers.PlainUpstream()), bench.keep(peers.StubUpstream())
    running = bench.start_all(kinds, upstream, model)
    users = 300 if bench.quick else USERS
    for peer in running:
        remember(peer, users * bench.rounds)
    for number, peer in bench.each_round(running):
        options = {"users": users, "first": users * number, "seconds": bench.seconds}
        result = measured(peer, 100 + number, connections=32, **options)
        note_plain(bench, peer, result)
        rate = 20 if peer.slow else 400
        result = measured(peer, 300 + number, connections=32, rate=rate, **options)
        note_slow_plain(bench, peer, result)
    plain_of_old_users(bench, upstream, model)
    bench.results.wants("CPU per exchange, 1 KB, 32 connections", 2.0, 1.3, "haproxy")
    bench.results.wants("CPU per exchange, 1 KB, 400 a second", 2.0, 1.3, "haproxy")
    bench.results.note(
        "Requests of 1 KB: a system message, up to two turns of history and a new one, as sent with "
        f"their head {result['bytes_sent'] / result['exchanges']:,.0f} bytes at the mean. Each round has "
        f"{users:,} users of its own, with six exchanges each before it."
    )
    bench.results.note("Portkey and LiteLLM are given 20 a second where it says 400.")


def plain_of_old_users(bench, upstream, model):
    """As often as there are rounds, of users whose memory fills the budget."""
    peer = bench.start(peers.Recalld, upstream, model)
    users = 160
    remember(peer, users, exchanges=100)
    for number in range(bench.rounds):
        result = measured(peer, 500 + number, users=users, connections=32, limit=10 * users)
        used = result["cpu"] / result["exchanges"] * 1e6
        bench.results.add("CPU per exchange, 1 KB, users of 100 exchanges", "us", peer.name, used)


def note_plain(bench, peer, result):
    add, exchanges = bench.results.add, result["exchanges"]
    add("CPU per exchange, 1 KB, 32 connections", "us", peer.name, result["cpu"] / exchanges * 1e6)
    add("exchanges, 32 connections", "1/s", peer.name, exchanges / result["seconds"])
    if "learned" in result:
        add("CPU per exchange, 1 KB, until the last reply", "us", peer.name, result["cpu_run"] / exchanges * 1e6)
        add("learned before the last reply", "of all", peer.name, result["learned"])
        add("disk writes per exchange", "KB", peer.name, result["written"] / exchanges / 1e3)
        add("exchanges per commit", "", peer.name, exchanges / result["commits"])


def note_slow_plain(bench, peer, result):
    add, exchanges = bench.results.add, result["exchanges"]
    add("CPU per exchange, 1 KB, 400 a second", "us", peer.name, result["cpu"] / exchanges * 1e6)
    if "learned" in result:
        add("disk writes per exchange, 400 a second", "KB", peer.name, result["written"] / exchanges / 1e3)


def large(bench):
    """CPU per plain exchange that carries a long history, or an image."""
    # nginx would answer before it has read such a body, and HAProxy then closes the connection.
    upstream = bench.keep(peers.StubUpstream(answer=peers.ANSWER))
    model = bench.keep(peers.StubUpstream())
    running = bench.start_all(FLOOR + [peers.Recalld], upstream, model)
    # A conversation grows by 0.4 KB an exchange: so few of each, and as many of every peer.
    sizes = {
        "10 KB of history": {"history": 9000, "users": 200, "connections": 8, "limit": 1600},
        "300 KB of history": {"history": 300000, "users": 16, "connections": 4, "limit": 128},
        "10 MB image": {"image": 10 * 1024 * 1024, "users": 4, "connections": 2, "limit": 20},
    }
    for peer in running:
        remember(peer, 200)
    for number, peer in bench.each_round(running):
        for at, (name, options) in enumerate(sizes.items()):
            seed = 1000 * (at + 1) + number
            if "history" in options:  # the conversation's first request is not one of many
                load(peer, seed, exchanges=1 << 30, **options | {"limit": options["users"]})
                options = options | {"done": 1}
                peer.settle()
            result = measured(peer, seed, exchanges=1 << 30, **options)
            used = result["cpu"] / result["exchanges"] * 1e6
            bench.results.add(f"CPU per exchange, {name}", "us", peer.name, used)


def streams(bench):
    """CPU per streamed event: events of 170 bytes, 10 ms apart, each in a packet of its own."""
    upstream = bench.keep(peers.StubUpstream(events=200, gap=10))
    model = bench.keep(peers.StubUpstream())
    running = bench.start_all(FLOOR + [peers.Recalld] + bench.slow, upstream, model)
    for peer in running:
        remember_streaming(peer)
    for number, peer in bench.each_round(running):
        options = {"users": 300, "connections": peer.streams, "limit": peer.streams, "stream": True}
        result = measured(peer, 100 + number, **options)
        used = result["cpu"] / result["events"] * 1e6
        bench.results.add("CPU per streamed event, with its exchange", "us", peer.name, used)
        if peer.slow:
            continue  # they do not pass X-Stub on
        short = measured(peer, 200 + number, fields="X-Stub: events=2\r\n", **options)
        more, events = result["cpu"] - short["cpu"], result["events"] - short["events"]
        bench.results.add("CPU per streamed event", "us", peer.name, more / events * 1e6)
    bench.results.wants("CPU per streamed event", 1.5, 1.0, "haproxy")
    bench.results.wants("CPU per streamed event, with its exchange", 1.5, 1.0, "haproxy")
    bench.results.note(
        "A streamed event: what a stream of 200 takes more than one of 4, by event; with its exchange: "
        "all of the stream of 200, memory included, by event."
    )
    bench.results.note(
        "Streams: 200 at once, Portkey 20, LiteLLM 5. HAProxy runs with `option http-no-delay`; without "
        "it, it holds events back and sends many in one packet."
    )


def remember_streaming(peer):
    """As remember(), from streams; one request for those that remember nothing."""
    limit = 600 if peer.memory else peer.streams
    load(peer, 1, users=300, limit=limit, connections=min(300, limit), stream=True)
    peer.settle()


def latency(bench):
    """Latency that is added over one connection, and the time to the first token."""
    kinds = [peers.Direct] + FLOOR + [peers.Recalld] + bench.slow
    model = bench.keep(peers.StubUpstream())
    plain_upstream = bench.keep(peers.PlainUpstream())
    stream_upstream = bench.keep(peers.StubUpstream(events=2, gap=1))
    running = bench.start_all(kinds, plain_upstream, model)
    for peer in running:
        remember(peer, 100 * bench.rounds)
    add_latencies(bench, running, stream=False)
    for peer in running:
        peer.stop()
        bench.started.remove(peer)
    streaming = bench.start_all(kinds, stream_upstream, model)
    for peer in streaming:
        users = 100 * bench.rounds
        load(peer, 1, users=users, limit=6 * users if peer.memory else 100, connections=8, stream=True)
        peer.settle()
    add_latencies(bench, streaming, stream=True)
    bench.results.wants("added latency p50, first byte", 2.0, 1.0, "haproxy")
    bench.results.wants("added latency p50, last byte", 2.0, 1.0, "haproxy")
    bench.results.wants("added time to first token p50", 500, 150)
    bench.results.note(
        "Latency is what is above that without a proxy in the same round, percentile by percentile. A "
        "reply's last byte leaves recalld after its exchange is on disk."
    )


def add_latencies(bench, running, stream):
    limit = 100 if bench.quick else 400
    found = {}
    for number, peer in bench.each_round(running):
        options = {"users": 100, "first": 100 * number, "connections": 1}
        result = load(peer, 100 + number, limit=limit, stream=stream, **options)
        check(peer, result)
        peer.settle()
        found[number, peer.name] = result
    for number, name in found:
        if name != "direct":
            base = found[number, "direct"]
            add_latency(bench.results, name, found[number, name], base, stream)


def add_latency(results, name, result, base, stream):
    def add(figure, key):
        results.add(figure, "us", name, result[key] - base[key])

    if stream:
        add("added time to first token p50", "first_p50_us")
        add("added time to first token p99", "first_p99_us")
    else:
        add("added latency p50, first byte", "first_p50_us")
        add("added latency p99, first byte", "first_p99_us")
        add("added latency p50, last byte", "latency_p50_us")
        add("added latency p99, last byte", "latency_p99_us")


def memory(bench):
    """Anonymous resident memory: idle, after load, and per open stream."""
    upstream = bench.keep(peers.StubUpstream(events=2, gap=3000))
    plain_upstream = bench.keep(peers.PlainUpstream())
    model = bench.keep(peers.StubUpstream())
    for number in range(2 if bench.quick else 3):
        for kind in FLOOR + [peers.Recalld] + bench.slow:
            add_memory(bench, kind, plain_upstream, upstream, model)
    bench.results.wants("RssAnon idle", 12, 6)
    bench.results.wants("RssAnon per open stream", 64, 24)
    bench.results.note(
        "RssAnon is the sum of all a peer's processes; recalld's store is mapped from its file and not "
        "in it. After load: 6 s later, when what is free was given back."
    )


def add_memory(bench, kind, plain_upstream, upstream, model):
    results = bench.results
    peer = bench.start(kind, plain_upstream, model)
    time.sleep(0.3)
    results.add("RssAnon idle", "MB", peer.name, peer.process.rss_anon() / 1e6)
    results.add("start to ready", "ms", peer.name, peer.ready_after * 1e3)
    check(peer, load(peer, 1, users=300, seconds=bench.seconds, connections=32), share=0)
    peer.settle()
    time.sleep(6)
    results.add("RssAnon after load", "MB", peer.name, peer.process.rss_anon() / 1e6)
    peer.stop()
    bench.started.remove(peer)
    peer = bench.start(kind, upstream, model)
    count = 200 if peer.slow else 1000
    load(peer, 2, users=count, limit=20, connections=20, stream=True)
    peer.settle()
    before = peer.process.rss_anon()
    options = {"users": count, "limit": count, "connections": count, "stream": True}
    with ThreadPoolExecutor(1) as runner:
        running = runner.submit(load, peer, 3, **options)
        time.sleep(2.5)  # of the 6 that a stream lasts
        grown = peer.process.rss_anon() - before
        check(peer, running.result(), share=0)
    results.add("RssAnon per open stream", "KB", peer.name, grown / count / 1e3)
    peer.stop()
    bench.started.remove(peer)


def throughput(bench):
    """Exchanges a second of a peer on one core, load and upstream on the other; and of all on both."""
    for cores, workers, others in (("1", 1, "0"), ("0,1", 2, None)):
        upstream = bench.keep(peers.PlainUpstream(cores=others))
        model = bench.keep(peers.StubUpstream(cores=others))
        kinds = FLOOR + [peers.Recalld] + bench.slow
        running = bench.start_all(kinds, upstream, model, workers=workers, cores=cores)
        users = 300 if bench.quick else USERS
        for peer in running:
            remember(peer, users * bench.rounds)
        options = {"users": users, "connections": 256, "seconds": bench.seconds, "cores": others}
        on = "1 core" if workers == 1 else "2 cores"
        for number, peer in bench.each_round(running):
            result = measured(peer, 100 + number, first=users * number, **options)
            rate = result["exchanges"] / result["seconds"]
            bench.results.add(f"exchanges, 256 connections, {on}", "1/s", peer.name, rate)
            if "learned" in result:
                add_learned(bench, peer, on, result)
        bench.stop_all()
        for peer in ("portkey", "litellm"):
            bench.results.wants(f"exchanges, 256 connections, {on}", 15, 40, peer, under=False)
    bench.results.note(
        "1 core: the peer has one to itself, load, upstream and memory model the other. 2 cores: all "
        "share both. Each peer has as many workers, though Portkey's is always one process. What is not "
        "learned before the last reply is learned after it."
    )


def add_learned(bench, peer, on, result):
    name = f"learned before the last reply, 256 connections, {on}"
    bench.results.add(name, "of all", peer.name, result["learned"])


def learner(bench):
    """How fast the learner catches up when its model, which answered nothing, answers at once."""
    upstream = bench.keep(peers.PlainUpstream())
    for number in range(bench.rounds):
        model = bench.keep(peers.StubUpstream())
        peer = bench.start(peers.Recalld, upstream, model)
        model.pause()
        limit = 500 if bench.quick else 2000
        check(peer, load(peer, number, users=200, limit=limit, connections=64), share=0)
        before, used, begun = peer.metrics(), peer.process.cpu(), time.monotonic()
        model.go_on()
        peer.settle()
        passed, used = time.monotonic() - begun, peer.process.cpu() - used
        kind = 'recalld_learned_total{kind="facts"}'
        learned = peer.metrics()[kind] - before[kind]
        if learned < 0.9 * limit:
            raise RuntimeError(f"only {learned:.0f} of {limit} were left to the learner")
        bench.results.add("learner", "exchanges/s", peer.name, learned / passed)
        bench.results.add("learner, CPU per exchange", "us", peer.name, used / learned * 1e6)
        for process in (peer, model):
            process.stop()
            bench.started.remove(process)


GROUPS = {
    "plain": plain,
    "large": large,
    "streams": streams,
    "latency": latency,
    "memory": memory,
    "throughput": throughput,
    "learner": learner,
}
