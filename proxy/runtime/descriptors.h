/* How many file descriptors the process may open, and what they suffice for: who is let in, or has
 * a request under way, never finds it without a socket to the upstream. */
#ifndef RECALLD_PROXY_RUNTIME_DESCRIPTORS_H
#define RECALLD_PROXY_RUNTIME_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

struct descriptor_plan {
	size_t connections;   /* clients' at once, at most as many as wanted */
	size_t room;          /* for those and the requests under way together */
	size_t idle_upstream; /* connections that each worker may keep */
};

/* Of `limit` descriptors. Those of clients that are refused, of kept upstream connections and of
 * the process itself come off first; a quarter of the room is left to requests. */
struct descriptor_plan descriptors_plan(size_t limit, size_t workers, size_t wanted);
/* The most that this process may open (RLIMIT_NOFILE, hard). */
size_t descriptors_limit(void);
/* Has standard input, output and error be there, so that no file or socket gets one of their
 * numbers and what is printed with it. One that was closed still cannot be read or written. */
void descriptors_hold_standard(void);
/* Writes what is buffered of standard output. False: not all of it arrived, which is then said in
 * the program's name, unless its reader has left of his own accord. */
bool descriptors_finish_output(const char *program);
/* Takes that many: service managers and shells give fewer at first. */
void descriptors_raise(void);

#endif
