#include "proxy/daemon/watch.h"

#include "proxy/runtime/log.h"
#include "proxy/runtime/loop.h"

#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

static const uint64_t unreadable_pause = 60 * 1000000; /* microseconds */
static const uint64_t indexing_pause = 5 * 1000000;
static const uint64_t rotate_pause = (uint64_t)24 * 3600 * 1000000;
static const int64_t DAY_MS = 24 * 3600 * 1000;
static const double SECOND_US = 1e6;

static void look_at_room(struct store_watch *watch, const struct store *store)
{
	bool is_full = !store_has_room(store);
	if (is_full == watch->was_full)
		return;
	watch->was_full = is_full;
	if (!is_full)
		log_info("the store has room again");
	else
		log_error("the store has no room: chats continue without memory; raise [storage] "
			  "map_size, free disk space, or forget users");
}

static void look_at_damage(struct store_watch *watch, const struct store *store)
{
	if (watch->was_broken || !store_is_broken(store))
		return;
	watch->was_broken = true;
	log_error("the store's file is damaged: chats continue with the memory that can still be "
		  "read; save it with \"recallctl export\" and build a new store with \"recallctl "
		  "rebuild\"");
}

static void look_at_standstill(struct store_watch *watch, const struct store *store)
{
	if (watch->was_stuck || !store_is_stuck(store))
		return;
	watch->was_stuck = true;
	log_error("the store has stopped because its disk refused a write: chats continue without "
		  "memory; repair the disk, then restart recalld");
}

/* Every request for a bad record meets it again, so this is rate-limited. */
static void look_at_records(struct store_watch *watch, const struct store *store)
{
	uint64_t unreadable = store_unreadable(store);
	if (unreadable == watch->unreadable ||
	    (watch->told_at != 0 && clock_steady() - watch->told_at < unreadable_pause))
		return;
	watch->unreadable = unreadable;
	watch->told_at = clock_steady();
	log_error("skipped unreadable records in the store, %llu times since startup; \"recallctl "
		  "export\" counts them",
		  (unsigned long long)unreadable);
}

/* Users as the log's `user` has them; no name is in the clear. */
static void tell_of_lost_keys(const struct store *store)
{
	const struct store_lost lost = store_lost(store);
	char users[STORE_LOST_NAMED * 9 + 1] = "";
	if (lost.users == 0)
		return;
	for (size_t i = 0; i < lost.first_count; i++) {
		const unsigned char *key = lost.first[i].bytes;
		(void)snprintf(users + i * 9, 10, ",%02x%02x%02x%02x", key[0], key[1], key[2],
			       key[3]);
	}
	log_warn(
		"the keys of %" PRIu64
		" users are missing in the store's file \"keys\": their memory cannot be read, and "
		"their chats get none; put back its newest copy, or delete these users, who then "
		"start afresh (users=%s%s)",
		lost.users, users + 1, lost.users > lost.first_count ? ",..." : "");
}

void store_watch_tell_of_opening(const struct store *store, const char *path)
{
	tell_of_lost_keys(store);
	const struct store_conversion from = store_converted(store);
	if (from.encrypts)
		log_info("encrypted the store in %s; %" PRIu64
			 " unreadable records were left out; blocks of the disk may still hold the "
			 "old file, and so do copies of it",
			 path, from.skipped);
	else if (from.format != 0)
		log_info("the store was converted from format %" PRIu64 "; %" PRIu64
			 " unreadable records were left out; the old one is kept as "
			 "%s/data.mdb.format-%" PRIu64
			 "; remove it once this version has proved itself",
			 from.format, from.skipped, path, from.format);
}

static void look_at_key(struct store_watch *watch, const struct store *store, uint64_t rotate)
{
	const int64_t made = store_key_made(store);
	if (rotate == 0 || made == 0 || clock_wall() - made < (int64_t)rotate ||
	    (watch->rotate_told_at != 0 && clock_steady() - watch->rotate_told_at < rotate_pause))
		return;
	watch->rotate_told_at = clock_steady();
	log_warn("the store's master key is %" PRId64
		 " days old, older than [storage] rotate; stop recalld, give the store a new one "
		 "with \"recallctl rotate-key FILE\", and destroy the old one",
		 (clock_wall() - made) / DAY_MS);
}

void store_watch_look(struct store_watch *watch, const struct store *store, uint64_t rotate)
{
	look_at_key(watch, store, rotate);
	look_at_room(watch, store);
	look_at_damage(watch, store);
	look_at_standstill(watch, store);
	look_at_records(watch, store);
}

/* The store is read through its mapping: a failed read has no result, and its thread cannot
 * continue. */
static void on_lost_page(int number)
{
	static const char words[] =
		"recalld: cannot read a page of the store: its file is truncated or the disk is "
		"failing; see \"When the disk fails\" in recalld(8)\n";
	ssize_t written = write(STDERR_FILENO, words, sizeof(words) - 1);
	(void)written;
	(void)signal(number, SIG_DFL); /* only now: another thread may be here as well */
	(void)raise(number);
}

void store_watch_lost_pages(void)
{
	const struct sigaction action = {.sa_handler = on_lost_page};
	(void)sigaction(SIGBUS, &action, NULL);
}

struct indexing_watch indexing_watch_begin(void)
{
	uint64_t now = clock_steady();
	return (struct indexing_watch){now, now};
}

void indexing_watch_tell(void *cookie, double share)
{
	struct indexing_watch *watch = cookie;
	uint64_t now = clock_steady();
	bool is_over = share >= 1;
	double passed = (double)(now - watch->begun_at) / SECOND_US;
	if (!is_over && now - watch->told_at < indexing_pause)
		return;
	watch->told_at = now;
	if (is_over)
		log_info("rebuilt the store's index of words in %.1f s", passed);
	else
		log_info("rebuilding the store's index of words: %.0f %%, about %.0f s left",
			 share * 100, passed / share * (1 - share));
}

/* The first line comes at once: nothing is answered meanwhile. */
void conversion_watch_tell(void *cookie, double share)
{
	struct indexing_watch *watch = cookie;
	uint64_t now = clock_steady();
	const bool is_first = watch->told_at == watch->begun_at;
	if (!is_first && now - watch->told_at < indexing_pause)
		return;
	watch->told_at = now + is_first;
	log_info("copying the store into its new form: %.0f %%", share * 100);
}
