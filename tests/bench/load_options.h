/* The command line of bench-load. */
#ifndef RECALLD_TESTS_BENCH_LOAD_OPTIONS_H
#define RECALLD_TESTS_BENCH_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct load_options {
	int port;
	unsigned connections;
	unsigned users;
	unsigned first;     /* their numbers begin there */
	unsigned exchanges; /* in a conversation; then the user begins another */
	unsigned done;      /* of the first conversation, by an earlier run with the same seed */
	unsigned seed;
	unsigned long limit; /* exchanges in all; 0: none */
	double seconds;
	double rate;    /* exchanges begun each second; 0: as fast as the loop closes */
	size_t history; /* bytes of older turns that a conversation begins with */
	size_t image;
	bool stream;
	const char *model;
	const char *path;
	const char *fields; /* more header fields, each with its line's end */
	const char *answer; /* what the upstream says, as it is sent again in the history */
};

/* False: an option is not known. */
bool load_options_read(struct load_options *options, int count, char **arguments);

#endif
