/* A request's X-Stub header tells bench-upstream how to answer:
 *
 *     say=WORD      the answer is "Answer WORD" and EVENTS - 1 times " word"
 *     events=8      of a stream; bytes=N makes each of them so much longer
 *     interval=MS   between two events; delay=MS before the first byte
 *     hold=1        after the first event waits for POST /stub/release
 *     status=N      is answered with an error; refuse=1: with 400 when memory is in the request
 *     cut=N         breaks off after N events; 0: before the head
 *     garbage=1     answers with what is no HTTP; 2: with 200 and what is no JSON
 *     tools=1       answers with a tool call */
#ifndef RECALLD_TESTS_BENCH_UPSTREAM_BEHAVIOUR_H
#define RECALLD_TESTS_BENCH_UPSTREAM_BEHAVIOUR_H

struct behaviour {
	long events, bytes, interval, delay, hold, status, refuse, cut, garbage, tools;
	char say[40];
};

/* Of a request with this head; `usual` is what it does not say. */
struct behaviour upstream_read_behaviour(const char *head, const struct behaviour *usual);

#endif
