/* A client of the session "chat" that sends history, edits it and goes back to older places. */
#ifndef RECALLD_TESTS_BRANCH_FIXTURE_H
#define RECALLD_TESTS_BRANCH_FIXTURE_H

#include "tests/unit/store_fixture.h"

struct said {
	const char *user;
	const char *answer;
};

struct request {
	const struct said *history;
	size_t count;
	const char *newest;
};

#define ASK(newest, ...)                                                                           \
	(struct request)                                                                           \
	{                                                                                          \
		(const struct said[]){__VA_ARGS__},                                                \
			sizeof((const struct said[]){__VA_ARGS__}) / sizeof(struct said), newest   \
	}
#define ASK_FIRST(newest)                                                                          \
	(struct request)                                                                           \
	{                                                                                          \
		NULL, 0, newest                                                                    \
	}

struct memory_view view_for(struct fixture *fixture, struct request request, const char *session);
/* The records that the chat leaves once the request was answered. */
struct append append_for(const struct memory_view *view, struct request request, const char *answer,
			 int64_t now);
/* Both, at once. */
struct memory_view chat(struct fixture *fixture, struct request request, const char *answer,
			int64_t now);

extern const char *const one;   /* "I live in Paris" */
extern const char *const two;   /* "I moved to Bonn last year" */
extern const char *const three; /* "I like tea" */
/* Those three said, and answered "a1", "a2" and "a3": the exchanges 1, 3 and 5. */
void chat_three(struct fixture *fixture);
/* The texts of the current turns, with " / " between them. */
struct slice standing(struct fixture *fixture);
struct job_list jobs_of(struct fixture *fixture);

struct change city(const char *value, uint64_t exchange, int64_t observed_at);
struct change superseded(uint64_t id, int64_t observed_at, int by);
void learn(struct fixture *fixture, uint64_t exchange, const struct change *changes, size_t count);
/* Paris (fact 1) from the first exchange, then Bonn (fact 2) from the second. */
void learn_cities(struct fixture *fixture);
/* Learns from an exchange as the learner does, with this answer of the memory model. */
void learn_answer(struct fixture *fixture, uint64_t exchange, const char *answer);
/* The only fact is this city; NULL: there is none. */
void assert_city(struct fixture *fixture, const char *value);

#endif
