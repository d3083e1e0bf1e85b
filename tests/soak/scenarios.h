/* The soak's exchanges and the result that each must have. */
#ifndef RECALLD_TESTS_SOAK_SCENARIOS_H
#define RECALLD_TESTS_SOAK_SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>

enum { SOAK_MAX_BODY = 3 << 20, SOAK_HISTORY = 6 };

/* The required result of an exchange. */
enum outcome { WHOLE, STATUS, ERROR, BROKEN, CLIENT_LEAVES, ANYTHING };

struct scenario {
	const char *name;
	int weight;
	bool is_fault;
	bool streams;
	const char *stub;   /* for X-Stub */
	const char *fields; /* further ones, each with its line end */
	enum outcome outcome;
	int status;      /* with STATUS */
	int big;         /* KB of text more */
	int leave_ms;    /* with CLIENT_LEAVES; 0: once the reply has begun */
	const char *raw; /* instead of a chat */
	bool tools;
	bool slow; /* to read, or with leave_ms to send */
};

/* Below so much; random() is all the chance there is. */
unsigned long chance(unsigned long below);
/* One of them, as often as it weighs. */
const struct scenario *scenario_choose(void);
/* The one whose turns are sent again as history: the stub's answer to it is known. */
bool scenario_is_plain(const struct scenario *scenario);

/* A user's conversation. */
struct soak_talk {
	unsigned long user;
	unsigned turn;
	unsigned long said[SOAK_HISTORY];
};

/* The request's body with the user's turn of that number, at most SOAK_MAX_BODY; returns its size.
 */
size_t soak_write_body(const struct soak_talk *talk, const struct scenario *scenario,
		       unsigned long number, char *body);

#endif
