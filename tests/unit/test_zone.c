#include "proxy/config/config.h"
#include "unit.h"

enum { HOUR = 60 };

static const int64_t january = INT64_C(1768474800000); /* 2026-01-15 */
static const int64_t july = INT64_C(1784113200000);    /* 2026-07-15 */

START_TEST(clocks_are_ahead_by_the_season)
{
	static const struct {
		const char *name;
		int winter, summer;
	} cases[] = {
		{"UTC", 0, 0},
		{"Europe/Berlin", HOUR, 2 * HOUR},
		{"America/New_York", -5 * HOUR, -4 * HOUR},
		{"Asia/Kathmandu", 5 * HOUR + 45, 5 * HOUR + 45},
		{"America/Argentina/Buenos_Aires", -3 * HOUR, -3 * HOUR},
		{"Etc/GMT+12", -12 * HOUR, -12 * HOUR},
	};
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			uint64_t zone;
			ck_assert_msg(zone_find(slice_of(cases[i].name), &zone), "%s",
				      cases[i].name);
			ck_assert_int_eq(zone_offset(zone, january), cases[i].winter);
			ck_assert_int_eq(zone_offset(zone, july), cases[i].summer);
		}
	}
}
END_TEST

START_TEST(what_is_no_name_is_not_looked_for)
{
	static const char *const names[] = {
		"",
		"Europe",
		"Europe/",
		"Europe/Nowhere",
		"/etc/passwd",
		"../passwd",
		"zone.tab",
		"tzdata.zi",
		"posix/UTC",
		"Europe/../UTC",
		"+02:00",
		"Europe//Rome",
		"Europe/Ber\nlin",
		"A/B/C/D/E/F/G/H/I/J/K/L/M/N/O/P/Q/R/S/T/U/V/W/X/Y/Z",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t zone = 99;
		ck_assert_msg(!zone_find(slice_of(names[i]), &zone), "%s", names[i]);
		ck_assert_uint_eq(zone, ZONE_UTC);
	}
}
END_TEST

UNIT_MAIN("zone", clocks_are_ahead_by_the_season, what_is_no_name_is_not_looked_for)
