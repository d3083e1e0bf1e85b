/* Chats that continue from what the provider keeps, over the Responses API. */
#include "chat_fixture.h"
#include "core/chat/parts.h"
#include "core/text/text.h"
#include "unit.h"

#define ASKED "{\"type\":\"message\",\"role\":\"user\",\"content\":\"Where is my boat?\"}"
#define CALLED "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"fine\"}"

static const char boat[] = "I moored the boat in Faro.";

static void begin(struct chat_fixture *f)
{
	chat_fixture_begin(f, MODE_BUFFER);
	f->view.link = (struct chain_link){.conversation = 1, .next_ordinal = 2};
	f->view.next_ordinal = 2;
	f->view.answers = 2;
}

static enum chat_verdict enter(struct chat_fixture *f, const char *before, const char *items)
{
	struct slice body =
		arena_printf(&f->arena, "{\"model\":\"m\",%s\"input\":[%s]}", before, items);
	chat_read(&f->chat, dialect_of(SLICE("POST"), SLICE("/v1/responses")), body, false,
		  &f->arena);
	return chat_enter(&f->chat, &f->asked, &f->settings, &f->arena);
}

static enum chat_next decide(struct chat_fixture *f, const char *before, const char *items)
{
	ck_assert_int_eq(enter(f, before, items), CHAT_LOAD);
	chat_load(&f->chat, CHAT_NOW, &f->load, &f->arena);
	return chat_decide(&f->chat, &f->view, CHAT_NOW, &f->arena);
}

static struct reply answered(void)
{
	return (struct reply){.id = SLICE("resp_2"), .text = SLICE("In Faro."), .finished = true};
}

START_TEST(the_store_is_asked_by_the_id_that_the_request_names)
{
	static char long_id[600];
	struct chat_fixture f;
	begin(&f);
	(void)decide(&f, "\"previous_response_id\":\"resp_1\",", ASKED);
	ck_assert(chat_chains(&f.chat));
	unit_assert_slice(f.load.previous, "resp_1");
	(void)decide(&f, "\"conversation\":\"conv_1\",", ASKED);
	ck_assert(chat_chains(&f.chat));
	unit_assert_slice(f.load.previous, "conv:conv_1");
	unit_assert_slice(f.chat.identity.session, "conv:conv_1");
	(void)decide(&f, "", ASKED);
	ck_assert(!chat_chains(&f.chat));
	ck_assert_uint_eq(f.load.previous.size, 0);
	f.asked.identity.session = SLICE("own");
	(void)decide(&f, "\"conversation\":{\"id\":\"conv_1\"},", ASKED);
	unit_assert_slice(f.chat.identity.session, "own");
	f.asked.identity.session = (struct slice){0};
	memset(long_id, 'c', sizeof(long_id) - 1);
	(void)decide(
		&f,
		arena_string(&f.arena, arena_printf(&f.arena, "\"conversation\":\"%s\",", long_id)),
		ASKED);
	ck_assert_uint_eq(f.load.previous.size, 0);
	ck_assert_uint_eq(f.chat.identity.session.size, 0);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(what_the_provider_keeps_is_told_from_what_it_does_not)
{
	static const uint64_t turns[] = {3, 5};
	static const uint64_t facts[] = {7};
	static const uint64_t others[] = {3, 4};
	static const struct {
		struct replay replay;
		bool kept;
	} cases[] = {
		{{.ordinal = 1, .turns = turns, .turn_count = 2}, true},
		{{.ordinal = 1, .turns = turns, .turn_count = 1}, true},
		{{.ordinal = 1, .turns = others, .turn_count = 2}, false},
		{{.ordinal = 1, .facts = facts, .fact_count = 1}, true},
		{{.ordinal = 1, .facts = others, .fact_count = 2}, false},
		{{.ordinal = 1}, false},
		{{.ordinal = 2, .turns = turns, .turn_count = 2}, false},
		{{.ordinal = 3, .turns = turns, .turn_count = 2}, false},
	};
	struct chat_fixture f;
	begin(&f);
	(void)decide(&f, "\"previous_response_id\":\"resp_1\",", ASKED);
	ck_assert(!chat_keeps(&f.chat, &cases[0].replay));
	ck_assert_uint_eq(chat_kept_tokens(&f.chat), 0);
	f.view.has_link = true;
	f.view.link.turns = turns;
	f.view.link.turn_count = 2;
	f.view.link.facts = facts;
	f.view.link.fact_count = 1;
	f.view.link.tokens = 40;
	(void)decide(&f, "\"previous_response_id\":\"resp_1\",", ASKED);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(chat_keeps(&f.chat, &cases[i].replay), cases[i].kept);
	ck_assert_uint_eq(chat_kept_tokens(&f.chat), 40);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(tool_results_go_on_with_the_turn_that_waits)
{
	static const struct {
		const char *items;
		bool has_link, is_pending, has_text, goes_on;
	} cases[] = {
		{CALLED, true, true, true, true},
		{CALLED, false, true, true, false},
		{CALLED, true, false, true, false},
		{CALLED, true, true, false, false},
		{CALLED "," ASKED, true, true, true, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct replay own = {.ordinal = 2, .user_hash = 77};
		struct chat_fixture f;
		begin(&f);
		f.view.has_link = cases[i].has_link;
		f.view.link.is_pending = cases[i].is_pending;
		f.view.link.user_text = cases[i].has_text ? slice_of(boat) : (struct slice){0};
		f.view.link.user_hash = 77;
		(void)decide(&f, "\"previous_response_id\":\"resp_1\",", cases[i].items);
		ck_assert_int_eq(f.chat.decided.goes_on, cases[i].goes_on);
		if (cases[i].goes_on) {
			unit_assert_slice(f.chat.read.own_text, boat);
			ck_assert(!chat_keeps(&f.chat, &own));
		}
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(memory_stays_out_of_what_is_kept_if_it_is_to)
{
	struct chat_fixture f;
	begin(&f);
	f.settings.placement = PLACE_USER;
	(void)decide(&f, "", ASKED);
	ck_assert(chat_may_replay(&f.chat));
	ck_assert_int_eq(f.chat.settings.placement, PLACE_USER);
	f.settings.stored_riders = false;
	(void)decide(&f, "", ASKED);
	ck_assert(!chat_may_replay(&f.chat));
	ck_assert(!f.chat.read.request.takes_turns);
	ck_assert_int_eq(f.chat.settings.placement, PLACE_SYSTEM);
	(void)decide(&f, "\"store\":false,", ASKED);
	ck_assert(chat_may_replay(&f.chat));
	ck_assert_int_eq(f.chat.settings.placement, PLACE_USER);
	f.settings.placement = PLACE_SYSTEM;
	(void)decide(&f, "\"instructions\":\"Be brief.\",", ASKED);
	ck_assert(!f.chat.read.request.takes_turns);
	chat_fixture_end(&f);
}
END_TEST

static bool links(struct chat_fixture *f, struct reply reply)
{
	return chat_fixture_append(f, reply, false) && f->append.link != NULL;
}

START_TEST(a_reply_that_is_kept_leaves_a_link)
{
	static const struct {
		const char *before;
		bool has_id, linked;
	} cases[] = {
		{"", true, true},
		{"", false, false},
		{"\"store\":false,", true, false},
		{"\"conversation\":\"conv_1\",", false, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		struct reply reply = answered();
		begin(&f);
		if (!cases[i].has_id)
			reply.id = (struct slice){0};
		(void)decide(&f, cases[i].before, ASKED);
		(void)chat_fixture_inject(&f);
		ck_assert_int_eq(links(&f, reply), cases[i].linked);
		if (cases[i].linked) {
			ck_assert(slice_equal(f.append.link_ids[0], reply.id));
			ck_assert(!f.append.link->is_pending);
		}
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(only_what_is_kept_and_sent_again_is_named_by_its_id)
{
	static const struct {
		const char *before;
		uint64_t named;
	} cases[] = {{"", 7}, {"\"store\":false,", 0}, {"\"previous_response_id\":\"resp_1\",", 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		struct reply reply = answered();
		reply.item_hash = 7;
		begin(&f);
		(void)decide(&f, cases[i].before, ASKED);
		(void)chat_fixture_inject(&f);
		ck_assert(chat_fixture_append(&f, reply, false));
		ck_assert_uint_eq(f.append.item_hash, cases[i].named);
		chat_fixture_end(&f);
	}
}
END_TEST

/* Its words are at the provider, and memory may know them. */
START_TEST(an_answer_that_is_named_is_a_mark_of_its_conversation)
{
	struct chat_fixture f;
	begin(&f);
	f.settings.trims = true;
	f.view.conversation = 0;
	(void)decide(&f, "", ASKED ",{\"type\":\"item_reference\",\"id\":\"m\"}," ASKED);
	ck_assert_uint_eq(f.chat.read.fingerprint_count, 1);
	ck_assert_uint_eq(f.chat.read.fingerprints[0].hash, step_hash_call(0, SLICE("m")));
	ck_assert_uint_eq(f.chat.read.fingerprints[0].user_hash,
			  text_hash(SLICE("Where is my boat?")));
	ck_assert(!f.chat.read.fingerprints[0].tool_calls);
	(void)chat_fixture_inject(&f);
	ck_assert(chat_fixture_append(&f, answered(), false));
	ck_assert_uint_eq(f.append.history_count, 0);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(a_reply_that_calls_tools_keeps_the_turn_waiting)
{
	struct chat_fixture f;
	struct reply reply = {.id = SLICE("resp_2"),
			      .finished = true,
			      .has_tool_calls = true,
			      .tool_calls_hash = 9};
	begin(&f);
	(void)decide(&f, "\"conversation\":\"conv_1\",", ASKED);
	(void)chat_fixture_inject(&f);
	ck_assert(links(&f, reply));
	ck_assert(f.append.link->is_pending);
	unit_assert_slice(f.append.link->user_text, "Where is my boat?");
	unit_assert_slice(f.append.link->provider_conversation, "conv_1");
	(void)decide(&f, "", ASKED);
	(void)chat_fixture_inject(&f);
	ck_assert(links(&f, reply));
	ck_assert_uint_eq(f.append.link->provider_conversation.size, 0);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(a_link_tells_of_all_that_stands_before)
{
	static const uint64_t turns[] = {3, 5};
	static const uint64_t facts[] = {7, 9};
	static const uint64_t frozen_facts[] = {8};
	struct fact known[] = {{.id = 8, .state = FACT_CURRENT},
			       {.id = 11, .state = FACT_SUPERSEDED}};
	static const uint64_t recalled_turns[] = {4};
	static const uint64_t recalled_facts[] = {8, 11, 12};
	const struct frozen frozen = {.facts = frozen_facts, .fact_count = 1};
	const struct replay recalled = {
		.turns = recalled_turns, .turn_count = 1, .facts = recalled_facts, .fact_count = 3};
	struct append append = {.complete = true, .journal = true, .frozen = &frozen};
	struct chain_link link;
	const struct reply reply = answered();
	struct chat_fixture f;
	begin(&f);
	f.view.has_link = true;
	f.view.link.turns = turns;
	f.view.link.turn_count = 2;
	f.view.link.facts = facts;
	f.view.link.fact_count = 2;
	f.view.link.block_is_kept = true;
	f.view.facts = known;
	f.view.fact_count = 2;
	(void)decide(&f, "\"previous_response_id\":\"resp_1\",", ASKED);
	f.chat.decided.stands = true;
	ck_assert(chat_block_is_kept(&f.chat));
	ck_assert(chat_make_link(&f.chat, &reply, &recalled, &append, &link, &f.arena));
	ck_assert(link.block_is_kept);
	ck_assert_uint_eq(link.turn_count, 3);
	ck_assert_uint_eq(link.turns[1], 4);
	ck_assert_uint_eq(link.fact_count, 3);
	ck_assert_uint_eq(link.facts[1], 8);
	f.chat.decided.stands = false;
	ck_assert(chat_make_link(&f.chat, &reply, NULL, &append, &link, &f.arena));
	ck_assert(!link.block_is_kept);
	ck_assert_uint_eq(link.fact_count, 2);
	append.complete = false;
	ck_assert(!chat_make_link(&f.chat, &reply, NULL, &append, &link, &f.arena));
	chat_fixture_end(&f);
}
END_TEST

START_TEST(a_fetched_reply_answers_the_turn_that_waits_for_it)
{
	static const struct {
		enum mode mode;
		bool is_pending, waits;
	} cases[] = {
		{MODE_BUFFER, true, true},
		{MODE_BUFFER, false, false},
		{MODE_OFF, true, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		begin(&f);
		f.chat = (struct chat){.settings = f.settings, .learn = true};
		f.chat.settings.mode = cases[i].mode;
		chat_load_fetched(&f.chat, SLICE("resp_1"), CHAT_NOW, &f.load);
		unit_assert_slice(f.load.previous, "resp_1");
		f.view.has_link = true;
		f.view.link.is_pending = cases[i].is_pending;
		f.view.link.user_text = slice_of(boat);
		ck_assert_int_eq(chat_fetch(&f.chat, &f.view, &f.arena), cases[i].waits);
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(a_background_stream_that_broke_off_is_fetched_later)
{
	static const struct {
		const char *asked;
		struct reply reply;
		bool waits;
	} cases[] = {
		{"\"background\":true,", {.id = SLICE("resp_2"), .text = SLICE("In")}, true},
		{"\"background\":true,", {.id = SLICE("resp_2")}, true},
		{"\"background\":true,", {.text = SLICE("In")}, false},
		{"\"background\":true,",
		 {.id = SLICE("resp_2"), .text = SLICE("In"), .failed = true},
		 false},
		{"", {.id = SLICE("resp_2"), .text = SLICE("In")}, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct chat_fixture f;
		begin(&f);
		(void)decide(&f, cases[i].asked, ASKED);
		(void)chat_fixture_inject(&f);
		ck_assert(chat_fixture_append(&f, cases[i].reply, true));
		ck_assert_int_eq(f.append.journal, !cases[i].waits);
		ck_assert_int_eq(f.append.complete, cases[i].waits);
		ck_assert_int_eq(f.append.link != NULL && f.append.link->is_pending,
				 cases[i].waits);
		chat_fixture_end(&f);
	}
}
END_TEST

START_TEST(a_fetched_reply_is_learned_as_its_request_asked)
{
	struct chat_fixture f;
	struct reply reply = {.id = SLICE("resp_2"), .end = END_PENDING, .finished = true};
	begin(&f);
	f.asked.mode = SLICE("vector");
	(void)decide(&f, "\"background\":true,\"text\":{\"format\":{\"type\":\"json_object\"}},",
		     ASKED);
	(void)chat_fixture_inject(&f);
	ck_assert(links(&f, reply));
	f.view.has_link = true;
	f.view.link = *f.append.link;
	f.chat = (struct chat){.settings = f.settings};
	ck_assert(chat_fetch(&f.chat, &f.view, &f.arena));
	ck_assert_int_eq(f.chat.mode, MODE_VECTOR);
	ck_assert(chat_fixture_append(&f, answered(), false));
	ck_assert(f.append.explicit_mode);
	ck_assert_int_eq(f.append.mode, MODE_VECTOR);
	unit_assert_slice(f.append.model, "m");
	unit_assert_slice(f.append.user_text, "Where is my boat?");
	ck_assert_uint_eq(f.append.answer_text.size, 0);
	chat_fixture_end(&f);
}
END_TEST

START_TEST(only_a_whole_answer_counts_as_fetched)
{
	static const struct {
		struct reply reply;
		bool broke_off, is_answer;
	} cases[] = {
		{{.finished = true, .text = SLICE("a")}, false, true},
		{{.finished = true, .text = SLICE("a")}, true, false},
		{{.finished = true}, false, false},
		{{.text = SLICE("a")}, false, false},
		{{.finished = true, .text = SLICE("a"), .failed = true}, false, false},
		{{.finished = true, .text = SLICE("a"), .has_tool_calls = true}, false, false},
		{{.finished = true, .text = SLICE("a"), .end = END_PLAIN + 1}, false, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(chat_is_fetched(&cases[i].reply, cases[i].broke_off),
				 cases[i].is_answer);
}
END_TEST

UNIT_MAIN("chat_chain", the_store_is_asked_by_the_id_that_the_request_names,
	  what_the_provider_keeps_is_told_from_what_it_does_not,
	  tool_results_go_on_with_the_turn_that_waits, memory_stays_out_of_what_is_kept_if_it_is_to,
	  a_reply_that_is_kept_leaves_a_link, only_what_is_kept_and_sent_again_is_named_by_its_id,
	  an_answer_that_is_named_is_a_mark_of_its_conversation,
	  a_reply_that_calls_tools_keeps_the_turn_waiting, a_link_tells_of_all_that_stands_before,
	  a_fetched_reply_answers_the_turn_that_waits_for_it,
	  a_background_stream_that_broke_off_is_fetched_later,
	  a_fetched_reply_is_learned_as_its_request_asked, only_a_whole_answer_counts_as_fetched)
