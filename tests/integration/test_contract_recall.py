"""What CONTRACT.md and the issue "Recall" promise of recall, tried from outside with cases of their
own: through the OpenAI SDK, in several languages, over restarts, edits and forks, and in long
conversations."""

import json
import random
import subprocess
import threading

import openai
import pytest

from harness.chat import Chat
from harness.daemon import clean_environment, program
from harness.embeddings import EmbeddingServer, ScriptedEmbeddings
from harness.memory_model import fact
from harness.upstream import json_reply
from harness.wire import insertions, prefix_stability

PAST = [
    ("kayak", "My kayak is a green Klepper folding boat from 1962.", "What a find."),
    ("allergy", "Penicillin gives me a rash, the allergist Ivanova says.", "Keep that in your file."),
    ("bees", "We moved the beehives behind the chapel of Altenau.", "They will like the linden."),
    ("thesis", "The defence of my thesis is on the ninth floor of Hus 4.", "Good luck up there."),
    ("opera", "Tosca in Verona was rained off after the first act.", "What a pity."),
    ("router", "The router in the attic has the hostname wendelstein.", "Noted."),
    ("cake", "Aunt Milena's poppy cake needs a pinch of cardamom.", "Delicious."),
    ("fence", "Neighbour Quist paid for half of the cedar fence.", "Generous."),
    ("cat", "The vet chipped our cat Schrapnell in April.", "Poor cat."),
    ("choir", "I sing second tenor in the choir of Saint Olaf.", "Lovely."),
]


ASKED = {
    "kayak": ("Which make is my folding kayak?", "Klepper"),
    "allergy": ("Which medicine gives me a rash?", "Penicillin"),
    "bees": ("Where did we put the beehives?", "Altenau"),
    "thesis": ("On which floor is the thesis defence?", "Hus 4"),
    "opera": ("Why did we see only one act of the opera in Verona?", "rained off"),
    "router": ("What hostname has the attic router?", "wendelstein"),
    "cake": ("Which spice does the poppy cake need?", "cardamom"),
    "fence": ("Which neighbour paid for the fence?", "Quist"),
    "cat": ("Which cat did the vet chip?", "Schrapnell"),
    "choir": ("What do I sing in the choir?", "second tenor"),
}


MODES = ["buffer", "summary", "entity", "vector", "hybrid", "auto"]


def stored(day, role, text, session, second=0):
    return {"role": role, "content": text, "session": session, "created_at": f"2026-02-{day:02}T09:00:{second:02}Z"}


def past():
    pairs = enumerate(PAST, 1)
    return [
        m
        for day, (session, said, answer) in pairs
        for m in (stored(day, "user", said, session), stored(day, "assistant", answer, session, 5))
    ]


@pytest.fixture
def remembered(daemon, user):
    daemon.import_messages(user, past(), learn=False)
    return user


def sdk(daemon, user, **headers):
    names = {"X-User-Id": user} | {name.replace("_", "-"): value for name, value in headers.items()}
    return openai.OpenAI(api_key="test-key", base_url=daemon.base_url, default_headers=names, max_retries=0)


def ask(client, messages, stream=False):
    """The answer's text."""
    if not stream:
        return client.chat.completions.create(model="test-model", messages=messages).choices[0].message.content
    chunks = client.chat.completions.create(model="test-model", messages=messages, stream=True)
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def newest(request):
    content = request.messages[-1]["content"]
    return content if isinstance(content, str) else "".join(p.get("text", "") for p in content)


def receipt_of(daemon, reply):
    return daemon.receipt(reply.headers["X-Memory-Receipt"])


def sent_text(request):
    return json.dumps(request.messages, ensure_ascii=False)

# ---- through the SDK ----

@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("client", ["history", "history and session", "newest only", "newest only without session"])
def test_ten_questions_through_the_sdk_each_find_their_turn(daemon, upstream, remembered, client, stream):
    session = {"X_Session_Id": "s-1"} if client in ("history and session", "newest only") else {}
    resends = client.startswith("history")
    messages = []
    with sdk(daemon, remembered, X_Memory_Mode="vector", **session) as talk:
        for question, mark in ASKED.values():
            messages = messages if resends else []
            messages.append({"role": "user", "content": question})
            text = ask(talk, messages, stream)
            messages.append({"role": "assistant", "content": text})
            assert mark in newest(upstream.last), question
            assert newest(upstream.last).endswith(question)
    if resends:
        for question, mark in ASKED.values():
            assert sent_text(upstream.last).count(mark) == 1
        assert min(prefix_stability(upstream.chats())) == 1


def test_a_question_with_a_picture_is_given_text_in_its_part_and_it_comes_again(daemon, upstream, remembered):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBORw0KGgo" * 400}}
    question, mark = ASKED["bees"]
    parts = [picture, {"type": "text", "text": question}]
    messages = [{"role": "user", "content": parts}]
    with sdk(daemon, remembered, X_Memory_Mode="vector") as talk:
        messages.append({"role": "assistant", "content": ask(talk, messages)})
        messages.append({"role": "user", "content": "And thanks."})
        ask(talk, messages)
    first, second = (r.messages[0]["content"] for r in upstream.chats())
    assert first[0] == picture and len(first) == 2
    assert mark in first[1]["text"] and first[1]["text"].endswith("\n\n" + question)
    assert first == second


def test_only_bytes_are_inserted(daemon, upstream, remembered):
    """Odd spelling of the client's JSON is kept."""
    body = (
        '{"messages" : [\t{"content":"Hi \\u00e4 \\/ there","role":"user"},{"role":"assistant","content":"Hello","x":1.0e0},\n'
        ' {"role":"user","content":"%s","name":"kim"} ], "model":"m" ,"seed":00}' % ASKED["cake"][0]
    ).replace(":00}", ":0}")
    daemon.post_chat(body.encode(), {"X-User-Id": remembered, "X-Memory-Mode": "vector"})
    inserted = insertions(body.encode(), upstream.last.body)
    assert inserted is not None and len(inserted) == 1
    assert b"cardamom" in inserted[0][1]

# ---- replays ----

@pytest.mark.parametrize("session", [None, "s-9"])
def test_replays_survive_a_kill_and_a_restart(make_daemon, upstream, user, session):
    daemon = make_daemon({"memory": {"mode": "vector"}})
    daemon.import_messages(user, past(), learn=False)
    chat = Chat(daemon, user, session=session, stream=True, system="Be brief.")
    for number, (question, _) in enumerate(ASKED.values()):
        chat.say(question)
        if number in (2, 5):
            daemon.kill_and_restart()
        if number == 7:
            daemon.restart()
    assert min(prefix_stability(upstream.chats())) == 1
    assert all(sent_text(upstream.last).count(mark) == 1 for _, mark in ASKED.values())


def test_no_turn_is_recalled_twice_when_the_same_is_asked_again(daemon, upstream, remembered):
    chat = Chat(daemon, remembered, mode="vector")
    for number in range(6):
        chat.say(f"{ASKED['cat'][0]} ({number})")
    assert sent_text(upstream.last).count("Schrapnell") == 1


WORDS = "harbour lantern copper meadow winter violin granite letter orchard compass thunder velvet".split()


def import_similar(daemon, user, count=500):
    """So many turns that each bear a bit on a question about the harbour."""
    choice = random.Random(11)
    messages = []
    for n in range(count // 2):
        said = f"Note {n}: the harbour office wrote about " + " ".join(choice.choices(WORDS, k=choice.randint(12, 60)))
        at = f"2026-0{1 + n // 60}-{1 + n % 28:02}T0{n % 10}:00:00Z"
        messages.append({"role": "user", "content": said + ".", "session": f"n{n // 10}", "created_at": at})
        answer = f"The harbour note {n} is kept, with its {choice.choice(WORDS)}."
        messages.append({"role": "assistant", "content": answer, "session": f"n{n // 10}", "created_at": at})
    for start in range(0, len(messages), 100):
        daemon.import_messages(user, messages[start : start + 100], learn=False)


@pytest.mark.parametrize("bytes_per_token", [3, 4, 5])
@pytest.mark.parametrize("mode", MODES)
def test_the_prefix_stands_over_ten_turns_when_500_turns_match(make_daemon, upstream, user, mode, bytes_per_token):
    daemon = make_daemon({"memory": {"mode": mode}})
    import_similar(daemon, user)
    upstream.bytes_per_token = bytes_per_token
    chat = Chat(daemon, user, system="You are a harbour clerk.")
    tokens = []
    for n in range(10):
        tokens.append(int(chat.say(f"What did the harbour say of the {WORDS[n]} and the {WORDS[-n - 1]}?").headers["X-Memory-Tokens"]))
    stability = prefix_stability(upstream.chats())
    assert min(stability) >= 0.99, (stability, tokens)
    assert max(tokens) <= 6000
    if mode in ("vector", "hybrid", "auto"):
        recalled = [receipt for receipt in tokens if receipt > 0]
        assert len(recalled) == 10 and tokens[-1] > tokens[0]

# ---- auto ----

WORDING = {
    "english": "What was it, verbatim?",
    "english quote": "Quote my oath for me.",
    "english exactly": "What exactly did I say?",
    "english hyphens": "Give me that word-for-word, please.",
    "german": "Was habe ich wörtlich gesagt?",
    "german 2": "Zitiere bitte meinen Eid.",
    "german 3": "Sag mir das Wort für Wort.",
    "french": "Qu'ai-je dit mot pour mot ?",
    "spanish": "¿Qué dije, palabra por palabra?",
    "italian": "Che cosa ho detto parola per parola?",
    "russian": "Что я сказал, слово в слово?",
    "chinese": "请逐字告诉我我的誓言。",
    "japanese": "私の誓いを一字一句教えてください。",
    "arabic": "ماذا قلت حرفيا؟",
    "korean": "내가 한 말을 그대로 말해 줘.",
    "thai": "ขอคำสาบานแบบคำต่อคำ",
    "capitals": "WORD FOR WORD!",
}


NO_WORDING = ["I bought an unquoted book exact-o.", "The quota is full.", "Mot und Wort.", "今天天气怎么样?"]


@pytest.mark.parametrize("language", WORDING)
def test_exact_wording_is_recognised(make_daemon, upstream, user, language):
    daemon = make_daemon({"memory": {"mode": "auto", "auto_buffer_turns": "2"}})
    chat = Chat(daemon, user, session="only", newest_only=True)
    chat.say("The oath is: by salt and cedar I keep the gate.")
    receipt = receipt_of(daemon, chat.say(WORDING[language]))
    assert receipt["branch"] == {"mode": "buffer", "because": "the request asks for exact wording"}
    assert upstream.last.messages[0]["content"] == "The oath is: by salt and cedar I keep the gate."


@pytest.mark.parametrize("question", NO_WORDING)
def test_what_only_looks_like_it_is_no_wish_for_exact_wording(make_daemon, user, question):
    daemon = make_daemon({"memory": {"mode": "auto", "auto_buffer_turns": "2"}})
    chat = Chat(daemon, user, session="only", newest_only=True)
    chat.say("The oath is: by salt and cedar I keep the gate.")
    assert receipt_of(daemon, chat.say(question))["branch"]["mode"] == "summary"


def test_auto_names_its_branch_and_keeps_what_stands(make_daemon, upstream, memory_model, user):
    """A conversation that grows past the threshold, and a second session beside it, change nothing in
    what was injected: only CONTRACT's reasons may."""
    daemon = make_daemon({"memory": {"mode": "auto", "summarize_after": "6"}})
    memory_model.answers["I live in Lisbon now."] = [fact("home", "Lisbon", "I live in Lisbon now")]
    chat = Chat(daemon, user, system="Be brief.")
    branches = []
    for n in range(16):
        if n == 13:
            Chat(daemon, user, session="other").say("I live in Lisbon now.")
            daemon.settle(user)
            upstream.requests.pop()
        reply = chat.say(f"Statement number {n} about nothing.")
        branches.append(receipt_of(daemon, reply)["branch"]["mode"])
        daemon.settle(user)
    assert branches == ["buffer"] * 10 + ["summary"] * 3 + ["hybrid"] * 3
    stability = prefix_stability(upstream.chats())
    assert min(stability) >= 0.99, stability
    chat.say("Where do I live now?")
    assert "Lisbon" in newest(upstream.last)

# ---- receipts ----

@pytest.mark.parametrize("status", ["injected", "empty", "bypassed"])
def test_requests_of_every_status_have_their_receipt(daemon, upstream, remembered, status):
    mode = "vector"
    question = "Hm." if status == "empty" else ASKED["fence"][0]
    if status == "bypassed":
        upstream.script(json_reply({"error": {"message": "no"}}, status=400))
    chat = Chat(daemon, remembered, mode=mode)
    body = chat.body(question)
    reply = chat.say(question)
    assert reply.status == status
    receipt = receipt_of(daemon, reply)
    assert receipt["status"] == status and receipt["user"] == remembered and receipt["mode"] == mode
    assert receipt["bytes_in"] == len(body)
    assert receipt["bytes_out"] == len(upstream.last.body)
    assert (receipt["items"] != []) == (status == "injected")
    assert receipt["elapsed_us"] >= 0 and "budget" in receipt


@pytest.mark.parametrize("status", ["off", "anonymous", "side"])
def test_what_memory_takes_no_part_in_leaves_no_receipt(daemon, upstream, remembered, status):
    """It would be all that is stored of a temporary chat."""
    headers = {"X-Memory-Task": "title"} if status == "side" else {}
    chat = Chat(daemon, None if status == "anonymous" else remembered, mode="off" if status == "off" else None)
    body = chat.body(ASKED["fence"][0])
    reply = chat.say(ASKED["fence"][0], headers=headers)
    assert reply.status == status and reply.headers["X-Memory-Tokens"] == "0"
    assert "X-Memory-Receipt" not in reply.headers
    assert upstream.last.body == body


def test_a_receipts_tokens_add_up(make_daemon, upstream, memory_model, user):
    daemon = make_daemon({"memory": {"mode": "hybrid", "summarize_after": "4"}})
    memory_model.answers[PAST[9][1]] = [fact("voice", "second tenor", "second tenor")]
    daemon.import_messages(user, past())
    daemon.settle(user)
    chat = Chat(daemon, user)
    for topic in ("kayak", "fence", "cat"):
        reply = chat.say(ASKED[topic][0])
        receipt = receipt_of(daemon, reply)
        total = sum(item["tokens"] for item in receipt["items"])
        assert receipt["tokens"] == int(reply.headers["X-Memory-Tokens"])
        assert total <= receipt["tokens"] * 1.05 and total >= receipt["tokens"] - 250, receipt
        for item in receipt["items"]:
            assert item["place"] in ("block", "turns", "recalled", "replayed")
            if item["kind"] == "turn":
                core = item["text"].split(": ", 1)[-1].strip()[:30]
                assert core in sent_text(upstream.last), item
    assert {i["place"] for i in receipt["items"]} >= {"block", "recalled", "replayed"}


def test_forgetting_a_user_takes_receipts_and_the_index(daemon, upstream, remembered):
    reply = Chat(daemon, remembered, mode="vector").say(ASKED["opera"][0])
    name = reply.headers["X-Memory-Receipt"]
    daemon.receipt(name)
    daemon.forget(remembered)
    assert daemon.admin("GET", f"/v1/receipts/{name}").status_code == 404
    reply = Chat(daemon, remembered, mode="vector").say(ASKED["opera"][0])
    assert reply.status == "empty" and "Verona" not in newest(upstream.last).replace(ASKED["opera"][0], "")


def test_a_forgotten_turn_is_neither_recalled_nor_told_by_receipts(daemon, upstream, memory_model, user):
    secret = "My safe has the code word rhubarb."
    memory_model.answers[secret] = [fact("safe", "rhubarb", "code word rhubarb")]
    wish = "Please forget the rhubarb."
    memory_model.answers[wish] = [fact("safe", "rhubarb", "forget the rhubarb", forget=True)]
    Chat(daemon, user, session="a").say(secret)
    daemon.settle(user)
    seen = Chat(daemon, user, session="b", mode="hybrid").say("Which code word has my safe?")
    assert "rhubarb" in sent_text(upstream.last)
    Chat(daemon, user, session="c").say(wish)
    daemon.settle(user)
    reply = daemon.admin("GET", f"/v1/receipts/{seen.headers['X-Memory-Receipt']}")
    assert reply.status_code == 404 or "rhubarb" not in reply.text
    for mode in ("vector", "hybrid", "entity", "auto"):
        Chat(daemon, user, session=f"d-{mode}", mode=mode).say("Which code word has my safe?")
        assert "rhubarb" not in sent_text(upstream.last), mode

# ---- dry run, preview, request ----

@pytest.mark.parametrize("mode", MODES)
def test_a_dry_run_within_a_conversation_is_the_request(make_daemon, upstream, user, mode):
    daemon = make_daemon({"memory": {"mode": mode, "history": "trim", "history_tokens": "600", "summarize_after": "4"}})
    daemon.import_messages(user, past(), learn=False)
    chat = Chat(daemon, user, session="dry", system="Be brief.")
    for question, _ in list(ASKED.values())[:8]:
        before = len(upstream.requests)
        dry = chat.send(question, headers={"X-Memory-Dry-Run": "1"})
        again = chat.send(question, headers={"X-Memory-Dry-Run": "1"})
        assert len(upstream.requests) == before
        chat.say(question)
        assert dry.content == again.content == upstream.last.body
        daemon.settle(user)


def test_recallctl_explains_and_previews(daemon, upstream, remembered):
    reply = Chat(daemon, remembered, mode="vector").say(ASKED["router"][0])

    def recallctl(*arguments):
        command = [program("proxy/recallctl"), "--admin", f"127.0.0.1:{daemon.admin_port}", *arguments]
        environment = clean_environment()
        environment.pop("COLUMNS", None)  # of pytest's terminal
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)

    explained = recallctl("explain", reply.headers["X-Memory-Receipt"])
    assert explained.returncode == 0 and "wendelstein" in explained.stdout, explained
    previewed = recallctl("preview", remembered, ASKED["cake"][0], "--mode", "vector")
    assert previewed.returncode == 0 and "cardamom" in previewed.stdout, previewed
    print(explained.stdout, previewed.stdout)

# ---- languages ----

LANGUAGES = {
    "german": [
        ("Die Vermieterin heißt Frau Schößmetterling.", "Wie heißt meine Vermieterin?", "Schößmetterling"),
        ("Wir haben die Häuser in Görlitz gestrichen.", "In welcher Stadt haben wir das Haus gestrichen?", "Görlitz"),
        ("Meine Zahnärztin zog nach Bielefeld.", "Wohin ist die Zahnärztin gezogen?", "Bielefeld"),
    ],
    "chinese": [
        ("我的猫叫小黑,今年三岁了。", "我的猫叫什么名字?", "小黑"),
        ("上个月我们搬到了成都的新房子。", "我们搬到哪里了?", "成都"),
        ("我对花生过敏。", "我对什么东西过敏?", "花生"),
    ],
    "japanese": [
        ("妹は札幌の病院で働いています。", "妹はどこで働いていますか?", "札幌"),
        ("先週、黒いギターを買いました。", "どんなギターを買いましたか?", "黒い"),
        ("エビのアレルギーがあります。", "何のアレルギーがありますか?", "エビ"),
    ],
    "arabic": [
        ("اسم قطتي مشمش وهي بيضاء.", "ما اسم قطتي؟", "مشمش"),
        ("انتقلنا إلى مدينة طنجة في الصيف.", "إلى أي مدينة انتقلنا؟", "طنجة"),
        ("أعمل مهندسا في مصنع الورق.", "في أي مصنع أعمل؟", "الورق"),
    ],
    "thai": [
        ("แมวของฉันชื่อข้าวเหนียว", "แมวของฉันชื่ออะไร", "ข้าวเหนียว"),
        ("เราย้ายไปอยู่เชียงใหม่เมื่อปีที่แล้ว", "เราย้ายไปอยู่ที่ไหน", "เชียงใหม่"),
        ("ฉันแพ้กุ้งมาก", "ฉันแพ้อะไร", "กุ้ง"),
    ],
    "emoji": [
        ("🦜 is called Coco.", "Who is 🦜?", "Coco"),
        ("🚗💨 costs 40 a month.", "How dear is 🚗💨?", "40"),
        ("🎻 was grandmother's.", "Whose was the 🎻?", "grandmother"),
    ],
}


BESIDE = ["The weather was dull.", "Es regnet wieder.", "今天下雨了。", "雨が降っています。", "الجو جميل اليوم.", "วันนี้ฝนตก", "😀😀 fine 🌧️"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_find_turns_of_their_language(daemon, upstream, user, language):
    said = [text for topics in LANGUAGES.values() for text, _, _ in topics] + BESIDE
    messages = [stored(1 + n, "user", text, f"s{n}") for n, text in enumerate(said)]
    daemon.import_messages(user, messages, learn=False)
    for text, question, mark in LANGUAGES[language]:
        reply = Chat(daemon, user, mode="vector").say(question)
        recalled = receipt_of(daemon, reply)["items"]
        assert recalled, question
        assert mark in max(recalled, key=lambda i: i["score"])["text"], (question, recalled)
        assert text in newest(upstream.last)

# ---- other users, tenants ----

def test_another_users_and_another_tenants_turns_take_no_part(make_daemon, upstream, user):
    daemon = make_daemon({"identity": {"tenant": "api-key"}, "memory": {"mode": "vector"}})
    for key in ("key-a", "key-b"):
        chat = Chat(daemon, user, session="s", headers={"Authorization": f"Bearer {key}"})
        chat.say(f"My parrot of {key} is called Name-{key}.")
    for key, other in (("key-a", "key-b"), ("key-b", "key-a")):
        chat = Chat(daemon, user, headers={"Authorization": f"Bearer {key}"})
        reply = chat.say("What is my parrot called?")
        assert f"Name-{key}" in newest(upstream.last) and f"Name-{other}" not in newest(upstream.last)

# ---- embeddings ----

PARAPHRASES = {
    "What musical group am I a member of?": "choir",
    "Which drug must doctors never give me?": "Penicillin",
    "What is the name of my pet?": "Schrapnell",
    "Tell me about my small vessel for paddling.": "kayak",
}


def test_a_real_embedding_model_finds_what_words_do_not(make_daemon, upstream, user):
    server = EmbeddingServer()
    try:
        section = {"base_url": server.base_url, "embedding": server.model, "embedding_timeout": "10s"}
        daemon = make_daemon({"model": section, "memory": {"mode": "vector", "context_tokens": "110"}})
        daemon.import_messages(user, past(), learn=False)
        found = 0
        for question, mark in PARAPHRASES.items():
            Chat(daemon, user).say(question)
            found += mark in newest(upstream.last).replace(question, "")
        assert found == len(PARAPHRASES)
    finally:
        server.stop()
    Chat(daemon, user).say(ASKED["fence"][0])
    assert "Quist" in newest(upstream.last)
    assert daemon.metric('recalld_questions_embedded_total{outcome="late"}') == 0, "one that is gone is not waited for"


def test_a_slow_embedding_server_costs_its_deadline_once(make_daemon, upstream, user):
    server, gate = ScriptedEmbeddings(), threading.Event()
    try:
        section = {"base_url": server.base_url, "embedding": server.model, "embedding_timeout": "200ms"}
        daemon = make_daemon({"listen": {"workers": "1"}, "model": section, "memory": {"mode": "vector"}})
        daemon.import_messages(user, past(), learn=False)
        server.embed = lambda request: json_reply({"data": []}, gates={0: gate})
        for question, mark in list(ASKED.values())[:6]:
            Chat(daemon, user).say(question)
            assert mark in newest(upstream.last)
        # No question waits for the answer itself, and the wait is given up after the third; by the clock a busy machine would be blamed on it.
        outcome = 'recalld_questions_embedded_total{outcome="%s"}'
        assert (daemon.metric(outcome % "late"), daemon.metric(outcome % "skipped")) == (3, 3)
    finally:
        gate.set()
        server.close()
