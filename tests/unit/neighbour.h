/* A user, ben, who appends one exchange after the other beside an operation of alex's that goes in
 * slices. */
#ifndef RECALLD_TESTS_NEIGHBOUR_H
#define RECALLD_TESTS_NEIGHBOUR_H

#include "tests/unit/store_fixture.h"

/* Runs callbacks at once, on the writer's thread between two commits. So what each of them submits
 * waits when the next batch is taken. */
extern struct store_loop neighbour_loop;

enum { NEIGHBOUR_BEFORE = 3 }; /* ben's exchanges by the time `between` is called */

struct neighbour {
	/* Begins the operation, with neighbour_loop, fixture_done and &neighbour->wait. */
	void (*begin)(struct neighbour *neighbour);
	/* NULL, or called once on the writer's thread, between two slices. */
	void (*between)(struct neighbour *neighbour);
	bool with_failures; /* each batch is undone once */

	struct fixture *fixture;
	struct fixture_wait wait; /* for the operation */
	struct append append;
	uint64_t submitted_at; /* in commits */
	uint64_t longest_wait;
	size_t appended; /* after the first, behind which the operation begins */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool is_over;
};

/* Runs the operation to its end, which must be STORE_OK. Only the first three members are set
 * before. */
void neighbour_run(struct fixture *fixture, struct neighbour *neighbour);

/* Runs it in the store of `fixture`, which it finishes, and opens in `crashed` the store as a crash
 * between two slices leaves it. */
void neighbour_crash(struct fixture *crashed, struct fixture *fixture, struct neighbour *neighbour,
		     uint64_t map_size);

#endif
