#include "proxy/config/config.h"

#include <glib.h>
#include <pthread.h>
#include <string.h>

/* More than there are names. Each that was found stays. */
enum { MOST_ZONES = 1024, LONGEST_NAME = 48 };

static struct {
	pthread_mutex_t lock;
	struct {
		char name[LONGEST_NAME];
		GTimeZone *zone;
	} zones[MOST_ZONES]; /* [0] is UTC */
	uint64_t count;
} found = {.lock = PTHREAD_MUTEX_INITIALIZER, .count = 1};

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The parts of a name begin with a capital letter, which no other file of tzdata does. */
static bool is_name(struct slice name)
{
	char before = '/';
	for (size_t i = 0; i < name.size; i++) {
		const char c = name.data[i];
		const bool is_digit = c >= '0' && c <= '9';
		if (before == '/' && !(c >= 'A' && c <= 'Z'))
			return false;
		if (!is_letter(c) && !is_digit && strchr("_+-/", c) == NULL)
			return false;
		before = c;
	}
	return name.size > 0 && name.size < LONGEST_NAME && before != '/';
}

static bool find_known(struct slice name, uint64_t *zone)
{
	for (*zone = 1; *zone < found.count; ++*zone) {
		if (slice_equal(slice_of(found.zones[*zone].name), name))
			return true;
	}
	return false;
}

static bool load(struct slice name, uint64_t *zone)
{
	char text[LONGEST_NAME] = "";
	memcpy(text, name.data, name.size);
	GTimeZone *loaded = g_time_zone_new_identifier(text);
	if (loaded == NULL)
		return false;
	memcpy(found.zones[found.count].name, text, sizeof(text));
	found.zones[found.count].zone = loaded;
	*zone = found.count++;
	return true;
}

bool zone_find(struct slice name, uint64_t *zone)
{
	*zone = ZONE_UTC;
	if (slice_equal(name, SLICE("UTC")))
		return true;
	if (!is_name(name))
		return false;
	pthread_mutex_lock(&found.lock);
	bool is_found = find_known(name, zone) || (found.count < MOST_ZONES && load(name, zone));
	pthread_mutex_unlock(&found.lock);
	if (!is_found)
		*zone = ZONE_UTC;
	return is_found;
}

int zone_offset(uint64_t zone, int64_t at)
{
	if (zone == ZONE_UTC)
		return 0;
	pthread_mutex_lock(&found.lock);
	GTimeZone *rules = found.zones[zone].zone;
	const int interval = g_time_zone_find_interval(rules, G_TIME_TYPE_UNIVERSAL, at / 1000);
	const int offset = g_time_zone_get_offset(rules, interval) / 60;
	pthread_mutex_unlock(&found.lock);
	return offset;
}
