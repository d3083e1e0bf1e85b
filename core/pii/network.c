/* Addresses of networks and places: IPv4, IPv6, MAC, latitude and longitude. */
#include "core/pii/parts.h"

static bool is_hex(char c)
{
	return pii_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* ---- IPv4 ---- */

/* Reads a number below 256; false: there is none. */
static bool read_octet(struct slice text, size_t *at, unsigned *octet)
{
	size_t begin = *at;
	*octet = 0;
	while (pii_is_digit(pii_at(text, *at)) && *at - begin < 3)
		*octet = *octet * 10 + (unsigned)(text.data[(*at)++] - '0');
	bool has_nought = *at - begin > 1 && text.data[begin] == '0';
	return *at > begin && *octet < 256 && !has_nought && !pii_is_digit(pii_at(text, *at));
}

/* Nobody's: this host, loopback, masks and multicast. Small numbers are a version's. */
static bool is_somebodys(const unsigned octets[4])
{
	bool is_large = false;
	for (size_t i = 0; i < 4; i++)
		is_large |= octets[i] >= 10;
	return is_large && octets[0] != 0 && octets[0] != 127 && octets[0] < 224;
}

bool pii_ip(const struct pii_scan *scan, size_t at, struct pii_span *span)
{
	enum { REACH = 16 };
	struct slice text = scan->text;
	unsigned octets[4];
	size_t end = at;
	for (size_t i = 0; i < 4; i++) {
		if (!read_octet(text, &end, &octets[i]))
			return false;
		if (i < 3 && pii_at(text, end++) != '.')
			return false;
	}
	bool goes_on = pii_at(text, end) == '.' && pii_is_alnum(pii_at(text, end + 1));
	bool is_joined = pii_goes_on_before(text, at) ||
			 (at > 0 && (text.data[at - 1] == '.' || text.data[at - 1] == '-'));
	*span = (struct pii_span){at, end, PII_IP};
	return !goes_on && !is_joined && !pii_goes_on_behind(text, end) && is_somebodys(octets) &&
	       pii_seen_before(scan, PII_WORD_VERSION, at, REACH) == NULL;
}

/* ---- MAC ---- */

static bool is_mac(struct slice text, size_t at, size_t *end)
{
	enum { PAIRS = 6 };
	char join = pii_at(text, at + 2);
	bool has_other = false; /* than 00 and ff */
	if (join != ':' && join != '-')
		return false;
	for (size_t i = 0; i < PAIRS; i++) {
		size_t pair = at + 3 * i;
		char high = pii_at(text, pair);
		char low = pii_at(text, pair + 1);
		if (!is_hex(high) || !is_hex(low) ||
		    (i + 1 < PAIRS && pii_at(text, pair + 2) != join))
			return false;
		has_other |= high != low || (high != '0' && high != 'f');
	}
	*end = at + 3 * PAIRS - 1;
	bool goes_on = pii_at(text, *end) == join && is_hex(pii_at(text, *end + 1));
	return has_other && !goes_on;
}

/* ---- IPv6: RFC 4291, section 2.2 ---- */

struct groups {
	size_t count;
	size_t letters;
	size_t digits;
	bool is_short; /* "::" stands for noughts */
};

static bool read_group(struct slice text, size_t *at, struct groups *groups)
{
	size_t begin = *at;
	for (; is_hex(pii_at(text, *at)) && *at - begin < 4; (*at)++) {
		groups->digits += pii_is_digit(text.data[*at]);
		groups->letters += pii_is_letter(text.data[*at]);
	}
	groups->count += *at > begin;
	return *at > begin && !pii_is_alnum(pii_at(text, *at));
}

static bool is_ipv6(struct slice text, size_t at, size_t *end)
{
	enum { GROUPS = 8, FEWEST_SIGNS = 5 };
	struct groups groups = {0};
	if (!read_group(text, &at, &groups))
		return false;
	while (groups.count < GROUPS && pii_at(text, at) == ':') {
		size_t next = at + 1;
		if (pii_at(text, next) == ':') {
			if (groups.is_short)
				return false;
			groups.is_short = true;
			next++;
			if (!is_hex(pii_at(text, next))) {
				at = next;
				break;
			}
		}
		if (!read_group(text, &next, &groups))
			return false;
		at = next;
	}
	*end = at;
	bool is_whole = groups.is_short ? groups.count >= 2 && groups.count < GROUPS
					: groups.count == GROUPS;
	return is_whole && pii_at(text, at) != ':' && groups.digits > 0 &&
	       groups.digits + groups.letters >= FEWEST_SIGNS && !pii_goes_on_behind(text, at);
}

/* Whether a group of hexadecimal digits stands there, and a sign that may join it to another. */
static bool has_group(struct slice text, size_t at)
{
	enum { LONGEST = 4 };
	size_t end = at;
	while (end - at < LONGEST && is_hex(pii_at(text, end)))
		end++;
	return end > at && (pii_at(text, end) == ':' || pii_at(text, end) == '-');
}

bool pii_hex(struct slice text, size_t at, struct pii_span *span)
{
	size_t end;
	if (!has_group(text, at))
		return false;
	bool is_joined = pii_goes_on_before(text, at) || (at > 0 && text.data[at - 1] == ':' &&
							  at > 1 && is_hex(text.data[at - 2]));
	if (is_joined)
		return false;
	if (is_mac(text, at, &end) && !pii_goes_on_behind(text, end))
		*span = (struct pii_span){at, end, PII_MAC};
	else if (is_ipv6(text, at, &end))
		*span = (struct pii_span){at, end, PII_IP};
	else
		return false;
	return true;
}

/* ---- latitude and longitude ---- */

/* Reads a number with at least four decimals, its degree sign and the letter of its direction. */
static bool read_degrees(struct slice text, size_t *at, unsigned limit, bool *is_small)
{
	enum { FEWEST = 4, MOST = 12 };
	const struct slice degree = SLICE("\u00b0");
	unsigned whole = 0;
	size_t begin = *at;
	while (pii_is_digit(pii_at(text, *at)) && *at - begin < 3)
		whole = whole * 10 + (unsigned)(text.data[(*at)++] - '0');
	if (*at == begin || whole > limit || pii_at(text, *at) != '.')
		return false;
	size_t point = (*at)++;
	while (pii_is_digit(pii_at(text, *at)) && *at - point <= MOST)
		(*at)++;
	*is_small = whole == 0;
	if (*at - point - 1 < FEWEST || pii_is_digit(pii_at(text, *at)))
		return false;
	if (slice_starts_with(slice_part(text, *at, text.size), degree))
		*at += degree.size;
	char direction = pii_at(text, pii_at(text, *at) == ' ' ? *at + 1 : *at);
	size_t behind = pii_at(text, *at) == ' ' ? *at + 2 : *at + 1;
	bool is_direction = direction == 'n' || direction == 's' || direction == 'e' ||
			    direction == 'w' || direction == 'o';
	if (is_direction && !pii_goes_on_behind(text, behind))
		*at = behind;
	return true;
}

static size_t skip(struct slice text, size_t at, char c)
{
	return pii_at(text, at) == c ? at + 1 : at;
}

/* One of a longer list of numbers. */
static bool is_in_list(struct slice text, size_t begin, size_t end)
{
	size_t before = begin;
	while (before > 0 && (text.data[before - 1] == ' ' || text.data[before - 1] == ','))
		before--;
	bool follows = before < begin && before > 0 && pii_is_digit(text.data[before - 1]);
	size_t next = skip(text, skip(text, end, ','), ' ');
	next = skip(text, next, '-');
	return follows ||
	       (next > end && pii_is_digit(pii_at(text, next)) && pii_at(text, end) == ',');
}

bool pii_geo(struct slice text, size_t at, struct pii_span *span)
{
	bool is_small[2];
	size_t begin = at > 0 && text.data[at - 1] == '-' ? at - 1 : at;
	size_t end = at;
	if (!read_degrees(text, &end, 90, &is_small[0]) || pii_goes_on_before(text, begin) ||
	    (begin > 0 && text.data[begin - 1] == '.'))
		return false;
	size_t second = skip(text, skip(text, skip(text, end, ','), ' '), '-');
	if (second == end || !read_degrees(text, &second, 180, &is_small[1]))
		return false;
	*span = (struct pii_span){begin, second, PII_GEO};
	return !(is_small[0] && is_small[1]) && !is_in_list(text, begin, second);
}
