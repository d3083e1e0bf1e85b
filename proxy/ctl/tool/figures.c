#include "proxy/ctl/tool/figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_SIZE = 32, NAME_SIZE = 128 };

/* The number at the beginning of the text, which need not end in a zero byte. */
static double read_number(struct slice text)
{
	char room[NUMBER_SIZE];
	(void)snprintf(room, sizeof(room), "%.*s", SLICE_PRINT(text));
	double value = strtod(room, NULL);
	return isfinite(value) && value >= 0 ? value : 0;
}

/* The line's label, or the empty slice, and its value. */
static void read_sample(struct slice line, struct slice *label, double *value)
{
	size_t open = slice_find(line, SLICE("=\""), 0);
	size_t begin = open < line.size ? open + 2 : line.size;
	size_t close = slice_find(line, SLICE("\""), begin);
	*label = slice_part(line, begin, close);
	size_t space = slice_find(line, SLICE(" "), close < line.size ? close : 0);
	*value = read_number(slice_part(line, space + (space < line.size), line.size));
}

bool figure_next(struct slice metrics, const char *family, size_t *at, struct slice *label,
		 double *value)
{
	const struct slice name = slice_of(family);
	while (*at < metrics.size) {
		size_t end = slice_find(metrics, SLICE("\n"), *at);
		struct slice line = slice_part(metrics, *at, end);
		char after = line.size > name.size ? line.data[name.size] : '\0';
		*at = end < metrics.size ? end + 1 : end;
		if (!slice_starts_with(line, name) || (after != ' ' && after != '{'))
			continue;
		read_sample(line, label, value);
		return true;
	}
	return false;
}

double figure_of(struct slice metrics, const char *sample)
{
	const struct slice name = slice_of(sample);
	for (size_t at = 0; at < metrics.size;) {
		size_t end = slice_find(metrics, SLICE("\n"), at);
		struct slice line = slice_part(metrics, at, end);
		if (slice_starts_with(line, name) && line.size > name.size &&
		    line.data[name.size] == ' ')
			return read_number(slice_part(line, name.size + 1, line.size));
		at = end + 1;
	}
	return 0;
}

double figure_sum(struct slice metrics, const char *family)
{
	size_t at = 0;
	double value = 0, sum = 0;
	struct slice label;
	while (figure_next(metrics, family, &at, &label, &value))
		sum += value;
	return sum;
}

double figure_quantile(struct slice before, struct slice now, const char *family, double share)
{
	char name[NAME_SIZE];
	size_t at = 0, earlier_at = 0;
	double count = 0, earlier = 0, bound = 0;
	struct slice label, ignored;
	(void)snprintf(name, sizeof(name), "%s_count", family);
	double wanted = share * (figure_of(now, name) - figure_of(before, name));
	(void)snprintf(name, sizeof(name), "%s_bucket", family);
	while (wanted > 0 && figure_next(now, name, &at, &label, &count)) {
		if (!figure_next(before, name, &earlier_at, &ignored, &earlier))
			earlier = 0;
		bool is_last = slice_equal(label, SLICE("+Inf"));
		bound = is_last ? bound : read_number(label);
		if (count - earlier >= wanted)
			return bound;
	}
	return 0;
}
