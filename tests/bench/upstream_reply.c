#include "tests/bench/upstream.h"

#include <stdarg.h>

static void append_format(struct text *text, const char *format, ...)
{
	char written[4096];
	va_list values;
	va_start(values, format);
	int size = vsnprintf(written, sizeof(written), format, values);
	va_end(values);
	if (size < 0 || (size_t)size >= sizeof(written))
		abort();
	text_append_bytes(text, written, (size_t)size);
}

/* Bytes that were sent earlier leave first. */
static void break_off(struct client *client)
{
	client->breaks_off = true;
}

static void send_plain(struct client *client, long status, const char *body, size_t size)
{
	append_format(&client->out,
		      "HTTP/1.1 %ld Stub\r\nContent-Type: application/json\r\n"
		      "Content-Length: %zu\r\n\r\n",
		      status, size);
	text_append_bytes(&client->out, body, size);
	client->replying = false;
}

static void send_completion(struct client *client, const char *message, const char *finish)
{
	static struct text body;
	body.size = 0;
	append_format(&body,
		      "{\"id\":\"chatcmpl-stub\",\"object\":\"chat.completion\",\"created\":"
		      "1767225600,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"message\":{"
		      "\"role\":\"assistant\",%s},\"finish_reason\":\"%s\"}],\"usage\":{"
		      "\"prompt_tokens\":200,\"completion_tokens\":20,\"total_tokens\":220}}",
		      message, finish);
	send_plain(client, 200, body.data, body.size);
}

static void send_answer(struct client *client)
{
	static struct text message;
	message.size = 0;
	if (upstream_options.answer != NULL) {
		append_format(&message, "\"content\":\"%s", upstream_options.answer);
	} else {
		append_format(&message, "\"content\":\"Answer %s", client->how.say);
		for (long i = 1; i < client->how.events; i++)
			text_append(&message, " word");
	}
	text_append_bytes(&message, "\"", 2);
	send_completion(client, message.data, "stop");
}

static void send_tool_call(struct client *client)
{
	send_completion(client,
			"\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\","
			"\"function\":{\"name\":\"look_up\",\"arguments\":\"{}\"}}]",
			"tool_calls");
}

/* ---- streams ---- */

/* As one chunk. */
static void send_event(struct client *client, const char *delta, long more, const char *finish)
{
	static struct text event;
	event.size = 0;
	append_format(&event,
		      "data: {\"id\":\"chatcmpl-stub\",\"object\":\"chat.completion.chunk\","
		      "\"created\":1767225600,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,"
		      "\"delta\":{%s",
		      delta);
	for (; more > 0; more--)
		text_append_bytes(&event, ".", 1);
	append_format(&event, "%s},\"finish_reason\":%s}]}\n\n", delta[0] == '\0' ? "" : "\"",
		      finish);
	append_format(&client->out, "%zx\r\n", event.size);
	text_append_bytes(&client->out, event.data, event.size);
	text_append(&client->out, "\r\n");
}

static void send_next_event(struct client *client)
{
	char first[80];
	(void)snprintf(first, sizeof(first), "\"content\":\"Answer %s", client->how.say);
	send_event(client, client->sent == 0 ? first : "\"content\":\" word", client->how.bytes,
		   "null");
	client->sent++;
}

/* The finish, the end and the chunked body's end in one packet. */
static void send_stream_end(struct client *client)
{
	send_event(client, "", 0, "\"stop\"");
	text_append(&client->out, "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
	client->replying = false;
}

/* Sends on until it has to wait. */
static void stream(struct client *client)
{
	const struct behaviour *how = &client->how;
	if (!client->head_sent)
		text_append(&client->out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
					  "Transfer-Encoding: chunked\r\n\r\n");
	client->head_sent = true;
	while (client->sent < how->events) {
		if (client->sent == how->cut) {
			break_off(client);
			return;
		}
		send_next_event(client);
		if (how->hold != 0 && client->sent == 1) {
			client_wait_for_release(client);
			return;
		}
		if (how->interval > 0) {
			client_wait(client, how->interval);
			return;
		}
	}
	send_stream_end(client);
}

/* ---- the memory model ---- */

/* Answers that a memory model should not give, one after the other. */
static void learn_badly(struct client *client, unsigned long which)
{
	static const char *const texts[] = {
		"\"content\":\"I am sorry, I cannot do that.\"",
		"\"content\":\"{\\\"entities\\\":[{\\\"key\\\":7,\\\"value\\\":[]},{\\\"key\\\":"
		"\\\"a\\\",\\\"value\\\":\\\"b\\\",\\\"confidence\\\":NaN}]}\"",
		"\"content\":\"```json\\n{\\\"entities\\\":[\\n```\"",
		"\"content\":null",
		"\"content\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"",
	};
	enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };
	if (which % (TEXTS + 2) < TEXTS)
		send_completion(client, texts[which % (TEXTS + 2)], "stop");
	else if (which % (TEXTS + 2) == TEXTS)
		send_plain(client, 500, "oh", 2);
	else
		break_off(client);
}

/* A fact of each statement in the turns, which one call may show several of. */
static void learn_facts(struct client *client, const char *turns)
{
	enum { ROOM = 8192, LONGEST_FACT = 512 };
	char message[ROOM] = "\"content\":\"{\\\"entities\\\":[";
	size_t size = strlen(message);
	const char *stated = strstr(turns, TALK_STATEMENT);
	const char *comma = "";
	for (; stated != NULL && size + LONGEST_FACT < ROOM;
	     stated = strstr(stated, TALK_STATEMENT)) {
		char value[64];
		char key[64];
		stated += strlen(TALK_STATEMENT);
		if (sscanf(stated, "%63s for my %63[a-z]", value, key) != 2)
			continue;
		size += (size_t)snprintf(message + size, LONGEST_FACT,
					 "%s{\\\"key\\\":\\\"%s\\\",\\\"value\\\":\\\"%s\\\","
					 "\\\"confidence\\\":0.9,\\\"quote\\\":\\\"" TALK_STATEMENT
					 "%s for my %s\\\"}",
					 comma, key, value, value, key);
		comma = ",";
	}
	(void)snprintf(message + size, ROOM - size, "]}\"");
	send_completion(client, message, "stop");
}

static void learn(struct client *client, const char *body)
{
	static const char summary[] =
		"\"content\":\"The user keeps a list of the things in use at home and at work and "
		"changes them often. They ask short questions about each, want plain answers "
		"without sources, and come back to the same few devices: a phone, a laptop, a "
		"printer and a camera. They prefer lists and dislike long explanations. Plans for "
		"the next months are a trip with the tent and the bike, and a new boiler for the "
		"house. Nothing was decided about the piano.\"";
	static unsigned long calls;
	unsigned long faults = upstream_options.learn_faults;
	const char *turn = strstr(body, "\\n=== New user turn");
	calls++;
	if (faults != 0 && calls % faults == 0)
		learn_badly(client, calls / faults);
	else if (turn != NULL)
		learn_facts(client, turn);
	else
		send_completion(client, summary, "stop");
}

/* ---- what is asked ---- */

static void reply(struct client *client)
{
	static const char error[] =
		"{\"error\":{\"message\":\"The stub was told so.\",\"type\":\"stub\","
		"\"param\":null,\"code\":null}}";
	static const char nonsense[] = "{\"choices\":[{\"message\":{\"content\":nan";
	const struct behaviour *how = &client->how;
	if (how->garbage == 1) {
		text_append(&client->out, "220 stub ESMTP\r\n\r\n");
		break_off(client);
	} else if (how->cut == 0) {
		break_off(client);
	} else if (how->status != 200) {
		send_plain(client, how->status, error, sizeof(error) - 1);
	} else if (how->garbage != 0) {
		send_plain(client, 200, nonsense, sizeof(nonsense) - 1);
	} else if (how->tools != 0) {
		send_tool_call(client);
	} else if (client->streams) {
		stream(client);
	} else {
		send_answer(client);
	}
}

void reply_go_on(struct client *client)
{
	if (client->head_sent)
		stream(client);
	else
		reply(client);
}

static void reply_to_chat(struct client *client, const char *head, const char *body)
{
	client->how = upstream_read_behaviour(head, &upstream_options.usual);
	client->streams =
		strstr(body, "\"stream\":true") != NULL || strstr(body, "\"stream\": true") != NULL;
	if (client->how.refuse != 0 && strstr(body, "<user_memory>") != NULL)
		client->how.status = 400;
	if (client->how.delay > 0)
		client_wait(client, client->how.delay);
	else
		reply(client);
}

void reply_begin(struct client *client, const char *head, const char *body)
{
	client->replying = true;
	client->head_sent = false;
	client->sent = 0;
	if (strncmp(head, "POST /learn/", 12) == 0) {
		learn(client, body);
	} else if (strncmp(head, "POST /stub/release", 18) == 0) {
		client_release_all();
		send_plain(client, 200, "{}", 2);
	} else if (strstr(head, "/chat/completions") == NULL) {
		send_plain(client, 200, "{\"object\":\"list\",\"data\":[]}", 27);
	} else {
		reply_to_chat(client, head, body);
	}
}
