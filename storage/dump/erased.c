#include "storage/dump/erased.h"

static struct user_key owner_of(const struct dump_line *line)
{
	return line->table->table == TABLE_RECEIPTS ? line->noun.receipt.user : line->user;
}

/* What was made of a memory may tell of what was left out. */
static bool is_made_of_erased(const struct erased_filter *filter, const struct dump_line *line)
{
	enum table table = line->table->table;
	return (table == TABLE_SUMMARIES || table == TABLE_RECEIPTS) &&
	       id_list_has(&filter->shortened, user_hash(owner_of(line)));
}

/* Whether the record was erased after it was exported. A turn keeps its place in its conversation,
 * without its text. */
bool erased_record(struct erased_filter *filter, struct dump_line *line)
{
	struct erasures *erasures = filter->erasures;
	const struct user_key user = owner_of(line);
	bool erased = false;
	if (line->table->table == TABLE_TURNS) {
		struct turn *turn = &line->noun.turn.turn;
		erased = turn->text.size > 0 &&
			 erasures_hold_turn(erasures, user, turn->hash, turn->created_at);
		if (erased) {
			turn->state = TURN_HIDDEN;
			turn->text = (struct slice){0};
		}
	} else if (line->table->table == TABLE_FACTS) {
		erased = erasures_hold_fact(erasures, user, &line->noun.fact);
	}
	if (erased && !id_list_has(&filter->shortened, user_hash(user)))
		id_list_add(&filter->shortened, &filter->arena, user_hash(user));
	return erased || is_made_of_erased(filter, line);
}

/* Whether it belongs to a user who was erased after the export. */
bool erased_user(const struct erased_filter *filter, const struct memory *memory,
		 const struct dump_line *line)
{
	enum { ID_TIME_SHIFT = 20 }; /* of a receipt's id: its time in milliseconds */
	struct erasures *erasures = filter->erasures;
	struct stored_user user;
	if (line->table->table == TABLE_USERS)
		return erasures_hold_user(erasures, line->user, line->noun.user.first_seen);
	if (line->table->table == TABLE_RECEIPTS)
		return erasures_hold_user(erasures, line->noun.receipt.user,
					  (int64_t)(line->parts[0] >> ID_TIME_SHIFT));
	return !memory_user(memory, &user) && erasures_hold_user(erasures, line->user, INT64_MIN);
}
