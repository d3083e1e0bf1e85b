#include "proxy/background/pace.h"
#include "unit.h"

#include <event2/event.h>

struct fixture {
	struct event_base *base;
	struct pace pace;
	unsigned resumed;
};

static void resume(void *cookie)
{
	struct fixture *fixture = cookie;
	fixture->resumed++;
}

static void begin(struct fixture *fixture)
{
	*fixture = (struct fixture){.base = event_base_new()};
	pace_init(&fixture->pace, fixture->base, resume, fixture);
}

static void end(struct fixture *fixture)
{
	pace_finish(&fixture->pace);
	event_base_free(fixture->base);
}

START_TEST(a_slow_model_is_asked_more_and_more_rarely)
{
	struct fixture f;
	begin(&f);
	pace_note_late(&f.pace);
	pace_note_late(&f.pace);
	ck_assert_uint_eq(pace_limit(&f.pace, 4), 4);
	int64_t before = 0;
	for (unsigned i = 0; i < 30; i++) {
		pace_note_late(&f.pace);
		ck_assert_uint_eq(pace_limit(&f.pace, 4), 0);
		ck_assert_int_eq(f.pace.pause, i == 0                         ? PACE_FIRST_MS
					       : 2 * before < PACE_LONGEST_MS ? 2 * before
									      : PACE_LONGEST_MS);
		ck_assert(event_pending(f.pace.timer, EV_TIMEOUT, NULL));
		before = f.pace.pause;
	}
	ck_assert_int_eq(before, PACE_LONGEST_MS);
	end(&f);
}
END_TEST

START_TEST(after_a_pause_one_call_is_made)
{
	struct fixture f;
	begin(&f);
	for (unsigned i = 0; i < PACE_LATE; i++)
		pace_note_late(&f.pace);
	event_base_loop(f.base, EVLOOP_ONCE);
	ck_assert_uint_eq(f.resumed, 1);
	ck_assert_uint_eq(pace_limit(&f.pace, 4), 1);
	end(&f);
}
END_TEST

START_TEST(an_answer_ends_the_pauses)
{
	struct fixture f;
	begin(&f);
	for (unsigned i = 0; i < 2 * PACE_LATE; i++)
		pace_note_late(&f.pace);
	pace_note_answer(&f.pace);
	ck_assert_uint_eq(pace_limit(&f.pace, 4), 4);
	ck_assert(!event_pending(f.pace.timer, EV_TIMEOUT, NULL));
	pace_note_late(&f.pace);
	ck_assert_uint_eq(pace_limit(&f.pace, 4), 4);
	end(&f);
}
END_TEST

UNIT_MAIN("pace", a_slow_model_is_asked_more_and_more_rarely, after_a_pause_one_call_is_made,
	  an_answer_ends_the_pauses)
