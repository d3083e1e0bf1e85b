/* The log on a disk that fails: thousands of random runs of appends, syncs, drops and restarts,
 * with power lost and processes killed at any file call. Every synced event is replayed, once and
 * in order; of groups that were not, one as a whole or none.
 *
 *     RECALLD_LOG_CRASHES=10000 build/tests/test_log_faults     so many crashes; otherwise 1000
 *     RECALLD_LOG_SEED=7                                          other runs
 */
#include "storage/log/log.h"
#include "tests/unit/log_disk.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVENTS = 4096, GROUPS = 64, CRASHES_IN_A_ROW = 6, SEGMENT = 2048, LONGEST = 1500 };

/* Events that nobody was told of, which may still be replayed. */
struct group {
	struct slice events[GROUPS];
	size_t count;
};

/* What the log has to hold. */
struct model {
	struct arena arena;
	struct slice events[EVENTS]; /* [position - 1] */
	uint64_t durable;
	uint64_t stored; /* the store has the events up to here */
	struct group groups[GROUPS];
	size_t group_count;
	struct group now;
};

static struct random chance;
static struct model model;
static char folder[] = "/tmp/recalld-log-XXXXXX";

static struct slice random_event(uint64_t position)
{
	char text[LONGEST];
	size_t size = random_below(&chance, random_below(&chance, 4) == 0 ? LONGEST : 100);
	for (size_t i = 0; i < size; i++)
		text[i] = (char)(unsigned char)random_below(&chance, 256);
	if (size >= sizeof(position))
		memcpy(text, &position, sizeof(position));
	return arena_copy(&model.arena, (struct slice){text, size});
}

/* ---- replay ---- */

struct replayed {
	struct slice events[EVENTS];
	uint64_t first;
	size_t count;
};

static bool note(void *cookie, uint64_t position, struct slice event)
{
	struct replayed *replayed = cookie;
	ck_assert_uint_eq(position, replayed->first + replayed->count);
	replayed->events[replayed->count++] = arena_copy(&model.arena, event);
	return true;
}

static bool is_group(const struct group *group, const struct slice *events, size_t count)
{
	bool same = group->count == count;
	for (size_t i = 0; i < count && same; i++)
		same = slice_equal(group->events[i], events[i]);
	return same;
}

/* What was replayed is the truth from now on. */
static void compare(const struct replayed *replayed, const struct log_report *report)
{
	uint64_t known = model.durable - model.stored;
	ck_assert_msg(replayed->count >= known, "%d of %d synced events were replayed",
		      (int)replayed->count, (int)known);
	for (size_t i = 0; i < known; i++)
		ck_assert_msg(slice_equal(replayed->events[i], model.events[model.stored + i]),
			      "event %d differs", (int)(model.stored + i + 1));
	const struct slice *more = replayed->events + known;
	size_t more_count = replayed->count - known;
	bool found = more_count == 0;
	for (size_t i = 0; i < model.group_count && !found; i++)
		found = is_group(&model.groups[i], more, more_count);
	ck_assert_msg(found, "%d events are no whole group", (int)more_count);
	memcpy(model.events + model.durable, more, more_count * sizeof(*more));
	model.durable += more_count;
	model.group_count = 0;
	ck_assert_uint_eq(report->lost_events, 0);
	ck_assert_uint_eq(report->damaged, 0);
	ck_assert_uint_eq(report->events, replayed->count);
	ck_assert_uint_eq(report->last, model.durable);
}

/* NULL: a call failed meanwhile. */
static struct log *start(void)
{
	static struct replayed replayed;
	char error[200];
	struct log_report report;
	struct log_options options = {
		.segment_bytes = SEGMENT, .store_id = "fifteen letters", .calls = &disk_calls};
	struct log *log = log_open(folder, &options, error, sizeof(error));
	if (log == NULL)
		return NULL;
	replayed = (struct replayed){.first = model.stored + 1};
	if (log_replay(log, model.stored, note, &replayed, &report)) {
		compare(&replayed, &report);
		return log;
	}
	log_close(log);
	return NULL;
}

/* ---- what is done to it ---- */

/* The group failed, or its fate is unknown. */
static void keep_group(void)
{
	if (model.now.count > 0 && model.group_count < GROUPS)
		model.groups[model.group_count++] = model.now;
	model.now.count = 0;
}

static void append(struct log *log)
{
	uint64_t position = 0;
	struct slice event = random_event(model.durable + model.now.count + 1);
	if (model.now.count == GROUPS || log_append(log, event, &position) != LOG_OK)
		return;
	model.now.events[model.now.count++] = event;
	ck_assert_uint_eq(position, model.durable + model.now.count);
}

static void sync_group(struct log *log)
{
	if (log_sync(log) != LOG_OK) {
		keep_group();
	} else if (model.now.count > 0) {
		memcpy(model.events + model.durable, model.now.events,
		       model.now.count * sizeof(*model.now.events));
		model.durable += model.now.count;
		model.now.count = 0;
		model.group_count = 0;
	}
	ck_assert_uint_eq(log_durable(log), model.durable);
}

static void do_something(struct log *log)
{
	switch (random_below(&chance, 16)) {
	case 0:
		log_undo(log);
		model.now.count = 0;
		break;
	case 1:
		model.stored += random_below(&chance, model.durable - model.stored + 1);
		log_drop_before(log, model.stored);
		break;
	case 2:
		if (model.now.count == 0)
			log_seal(log);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
		sync_group(log);
		break;
	default:
		append(log);
	}
}

/* Until the disk stops. */
static void run_until_crash(size_t calls)
{
	disk_stop_after(calls);
	struct log *log = start();
	while (log != NULL && !disk_is_stopped() && model.durable < EVENTS - 2 * GROUPS)
		do_something(log);
	/* the end of a process that lives would undo it */
	if (log != NULL && disk_is_stopped())
		keep_group();
	model.now.count = 0;
	log_close(log);
}

static struct disk_faults random_faults(void)
{
	static const struct disk_faults faults[] = {
		{0, 0, 0}, {0, 0, 100}, {100, 0, 0}, {0, 30, 0}, {50, 50, 50}, {300, 300, 0},
	};
	return faults[random_below(&chance, sizeof(faults) / sizeof(faults[0]))];
}

static void run_one_disk(void)
{
	memset(&model, 0, sizeof(model));
	disk_begin(folder, &chance);
	for (int i = 0; i < CRASHES_IN_A_ROW; i++) {
		disk_set_faults(random_faults());
		run_until_crash(1 +
				random_below(&chance, random_below(&chance, 2) == 0 ? 20 : 150));
		if (random_below(&chance, 3) == 0)
			disk_kill();
		else
			disk_lose_power();
	}
	struct log *log = start();
	ck_assert_ptr_nonnull(log);
	append(log);
	sync_group(log);
	log_close(log);
	log_close(start());
	disk_end();
	arena_finish(&model.arena);
}

static size_t setting(const char *name, size_t otherwise)
{
	const char *value = getenv(name);
	return value == NULL ? otherwise : strtoul(value, NULL, 10);
}

START_TEST(what_was_synced_survives_every_crash)
{
	size_t crashes = setting("RECALLD_LOG_CRASHES", 1000);
	chance.state = setting("RECALLD_LOG_SEED", 1);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (size_t i = 0; i < crashes; i += CRASHES_IN_A_ROW)
		run_one_disk();
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

UNIT_MAIN("log_faults", what_was_synced_survives_every_crash)
