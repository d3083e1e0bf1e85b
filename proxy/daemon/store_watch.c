#include "proxy/daemon/store_watch.h"

#include "proxy/runtime/log.h"
#include "proxy/runtime/loop.h"

#include <signal.h>
#include <unistd.h>

static const uint64_t unreadable_pause = 60 * 1000000; /* microseconds */

static void look_at_room(struct store_watch *watch, const struct store *store)
{
	bool is_full = !store_has_room(store);
	if (is_full == watch->was_full)
		return;
	watch->was_full = is_full;
	if (!is_full)
		log_info("the store has room again");
	else
		log_error("the store has no room: chats go on without memory; raise [storage] "
			  "map_size, free the disk, or forget users");
}

static void look_at_damage(struct store_watch *watch, const struct store *store)
{
	if (watch->was_broken || !store_is_broken(store))
		return;
	watch->was_broken = true;
	log_error("the store's file is damaged: chats go on, with what memory can be read; save it "
		  "with \"recallctl export\" and make a new one with \"recallctl rebuild\"");
}

static void look_at_standstill(struct store_watch *watch, const struct store *store)
{
	if (watch->was_stuck || !store_is_stuck(store))
		return;
	watch->was_stuck = true;
	log_error("the store stands still since its disk refused a write: chats go on without "
		  "memory; restart recalld when the disk is well");
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
	log_error("records of the store could not be read and were left out, %llu times since the "
		  "start; \"recallctl export\" counts them",
		  (unsigned long long)unreadable);
}

void store_watch_look(struct store_watch *watch, const struct store *store)
{
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
		"recalld: a page of the store could not be read: its file was cut off, or the disk "
		"fails; see \"When the disk fails\" in recalld(8)\n";
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
