/* Jobs: exchanges that wait to be learned from. */
#ifndef RECALLD_CORE_MEMORY_JOB_H
#define RECALLD_CORE_MEMORY_JOB_H

#include "core/memory/memory.h"
#include "core/memory/user.h"

enum job_kind {
	JOB_FACTS,   /* one per exchange to learn from */
	JOB_SUMMARY, /* one per user with turns that the summary does not cover */
};

struct job {
	enum job_kind kind;
	uint64_t exchange; /* 0 for JOB_SUMMARY */
	struct slice model;
	bool explicit_mode;
	enum mode mode;
	bool client_key;
	bool forgets;      /* JOB_FACTS: its turn asks to forget something, in whatever mode */
	unsigned tries;    /* consecutive failures, whatever the cause */
	unsigned unusable; /* unusable answers */
	int64_t not_before;
	bool parked;
	int64_t last_active; /* time of the exchange, or of the newest turn for JOB_SUMMARY */
	/* JOB_SUMMARY: */
	size_t uncovered; /* messages that the summary does not cover */
};

struct job_list {
	struct user_key key;
	struct slice tenant;
	struct slice user;
	struct job *jobs; /* facts in the order of their exchanges, parked ones included; the
			     summary last */
	size_t count;
	uint64_t next_after; /* where the list was cut off: go on after this exchange; 0: it is
				complete */
};

/* What a job works on. */
struct job_input {
	uint64_t forget_epoch; /* pass it to store_learned() or store_summarized() */
	struct turn user;      /* JOB_FACTS */
	struct turn assistant; /* its text is empty if there is none */
	struct turn *before;   /* up to 6 turns of the same conversation before it, oldest first */
	size_t before_count;
	struct tombstones tombstones; /* JOB_FACTS; the next three, too */
	struct user_settings settings;
	struct fact *facts; /* all but the forgotten; those taken back appear as before all time */
	size_t fact_count;
	bool has_summary; /* JOB_SUMMARY */
	struct summary summary;
	/* Current turns to learn from that it does not cover: the oldest MEMORY_MAX_TURNS, ordered
	 * by id, as `covers` counts. */
	struct turn *uncovered;
	size_t uncovered_count;
};

#endif
