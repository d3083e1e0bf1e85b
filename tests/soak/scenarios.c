#include "tests/soak/scenarios.h"

#include "tests/bench/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNKY "events=40 interval=5"

static const struct scenario scenarios[] = {
	{"plain", 300, false, false, "events=8", "", WHOLE},
	{"streamed", 300, false, true, "events=12", "", WHOLE},
	{"buffer", 15, false, true, "", "X-Memory-Mode: buffer\r\n", WHOLE},
	{"summary", 15, false, false, "", "X-Memory-Mode: summary\r\n", WHOLE},
	{"entity", 15, false, true, "", "X-Memory-Mode: entity\r\n", WHOLE},
	{"vector", 15, false, false, "", "X-Memory-Mode: vector\r\n", WHOLE},
	{"auto", 15, false, true, "", "X-Memory-Mode: auto\r\n", WHOLE},
	{"off", 10, false, true, "", "X-Memory-Mode: off\r\n", WHOLE},
	{"readonly", 10, false, false, "", "X-Memory-Mode: readonly\r\n", WHOLE},
	{"dry run", 10, false, false, "", "X-Memory-Dry-Run: 1\r\n", STATUS, 200},
	{"tools", 30, false, false, "tools=1", "", WHOLE, .tools = true},
	{"tool results", 30, false, true, "", "", WHOLE, .tools = true},
	{"side", 10, false, false, "", "X-Memory-Task: title\r\n", WHOLE},
	{"big", 12, false, false, "events=200", "", WHOLE, .big = 60},
	{"huge", 2, false, true, "", "", WHOLE, .big = 1500},
	{"compact stream", 10, false, true, "events=20 bytes=4000", "", WHOLE},
	{"unknown mode", 10, true, false, "", "X-Memory-Mode: purple\r\n", STATUS, 400},
	{"leaves at once", 20, true, true, "delay=20", "", CLIENT_LEAVES, .leave_ms = 5},
	{"leaves mid-stream", 20, true, true, CHUNKY, "", CLIENT_LEAVES},
	{"leaves a plain reply", 10, true, false, "delay=20", "", CLIENT_LEAVES, .leave_ms = 5},
	{"reads slowly", 5, true, true, "events=60 bytes=8000", "", WHOLE, .slow = true},
	{"upstream 500", 15, true, false, "status=500", "", STATUS, 500},
	{"upstream 429", 15, true, true, "status=429", "", STATUS, 429},
	{"refused", 20, true, true, "refuse=1", "", WHOLE},
	{"refused anyway", 10, true, false, "status=400", "", STATUS, 400},
	{"breaks before its head", 10, true, false, "cut=0", "", STATUS, 502},
	{"breaks mid-stream", 15, true, true, "events=9 cut=4", "", ERROR},
	{"garbage", 10, true, true, "garbage=1", "", STATUS, 502},
	{"no JSON", 10, true, false, "garbage=2", "", WHOLE},
	{"malformed request", 10, true, .outcome = STATUS, .status = 400,
	 .raw = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1, "
		"2\r\n\r\n"},
	{"two framings", 5, true, .outcome = STATUS, .status = 400,
	 .raw = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	{"no request", 5, true, .outcome = STATUS, .status = 400,
	 .raw = "\x16\x03\x01 hello\r\n\r\n"},
	{"half a request", 5, true, .outcome = CLIENT_LEAVES, .leave_ms = 3,
	 .raw = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
		"900\r\n\r\n{\"m"},
	{"body is no JSON", 10, true, .outcome = STATUS, .status = 200,
	 .raw = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-User-Id: broken\r\n"
		"Content-Length: 14\r\n\r\n{\"messages\":[["},
	{"other path", 10, false, .outcome = STATUS, .status = 200,
	 .raw = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	{"upgrade", 5, true, .outcome = STATUS, .status = 501,
	 .raw = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n"
		"Upgrade: websocket\r\n\r\n"},
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

unsigned long chance(unsigned long below)
{
	return (unsigned long)random() % below;
}

const struct scenario *scenario_choose(void)
{
	long all = 0;
	for (int i = 0; i < SCENARIOS; i++)
		all += scenarios[i].weight;
	long at = (long)chance((unsigned long)all);
	int i = 0;
	while (at >= scenarios[i].weight)
		at -= scenarios[i++].weight;
	return &scenarios[i];
}

bool scenario_is_plain(const struct scenario *scenario)
{
	return scenario == &scenarios[0];
}

static size_t put(char *body, size_t at, const char *text)
{
	size_t size = strlen(text);
	memcpy(body + at, text, size + 1);
	return at + size;
}

static size_t put_turn(char *body, size_t at, unsigned long number, unsigned long user)
{
	static const char *const subjects[] = {"ship",  "garden",  "boiler", "violin",
					       "novel", "bicycle", "kitchen"};
	return at + (size_t)sprintf(
			    body + at,
			    "{\"role\":\"user\",\"content\":\"For number %lu: " TALK_STATEMENT
			    "town-%lu for my %s and I paid %lu for it\"}",
			    number % 1000, (number * 7 + user) % 500, subjects[number % 7], number);
}

static size_t put_history(const struct soak_talk *talk, char *body, size_t at)
{
	unsigned count = talk->turn < SOAK_HISTORY ? talk->turn : SOAK_HISTORY;
	for (unsigned i = count; i > 0; i--) {
		unsigned long number = talk->said[(talk->turn - i) % SOAK_HISTORY];
		at = put_turn(body, at, number, talk->user);
		at += (size_t)sprintf(body + at,
				      ",{\"role\":\"assistant\",\"content\":\"Answer %lu word word "
				      "word word word word word\"},",
				      number);
	}
	return at;
}

size_t soak_write_body(const struct soak_talk *talk, const struct scenario *scenario,
		       unsigned long number, char *body)
{
	size_t at = put(body, 0, "{\"model\":\"stub\",");
	at = put(body, at, scenario->streams ? "\"stream\":true," : "");
	at = put(body, at, "\"messages\":[{\"role\":\"system\",\"content\":\"Be brief. ");
	for (int i = 0; i < scenario->big * 16; i++)
		at = put(body, at,
			 "The quick brown fox jumps over the lazy dog, and then it naps. ");
	at = put(body, at, "\"},");
	at = put_history(talk, body, at);
	at = put_turn(body, at, number, talk->user);
	if (scenario->tools && scenario->streams)
		at = put(body, at,
			 ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_"
			 "1\","
			 "\"type\":\"function\",\"function\":{\"name\":\"look_up\",\"arguments\":"
			 "\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":"
			 "\"42\"}");
	return put(body, at, "]}");
}
