/* Watches a running recalld: one screen, drawn anew each second. */
#include "core/base/bytes.h"
#include "proxy/ctl/ctl.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Reads what /metrics says. */

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

/* Takes the next sample of the family that begins at or after `*at`. `label` is the first label's
 * value. False: there is none left. */
static bool figure_next(struct slice metrics, const char *family, size_t *at, struct slice *label,
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

/* The value of the sample `name` with these labels, as they are printed: "recalld_x{a=\"b\"}".
 * 0: there is none. */
static double figure_of(struct slice metrics, const char *sample)
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

/* The sum of all samples of the family. */
static double figure_sum(struct slice metrics, const char *family)
{
	size_t at = 0;
	double value = 0, sum = 0;
	struct slice label;
	while (figure_next(metrics, family, &at, &label, &value))
		sum += value;
	return sum;
}

/* Below how many seconds lies this share of what the histogram observed between the two texts; its
 * buckets' bounds are as exact as it gets. 0: nothing was observed. */
static double figure_quantile(struct slice before, struct slice now, const char *family,
			      double share)
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

enum { SAMPLES = 11, FRAME_MS = 1000, SECOND = 1000 };

struct sample {
	struct buffer metrics;
	double at; /* seconds */
};

/* Samples, newest last; rates are those between the oldest and the newest. */
struct top {
	struct ctl *ctl;
	struct sample samples[SAMPLES];
	size_t count;
	json_t *status; /* NULL: not known */
	bool answers;   /* the last call was answered */
};

/* ---- asking ---- */

static double now_in_seconds(clockid_t clock)
{
	struct timespec now;
	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct sample *newest(struct top *top)
{
	return &top->samples[top->count - 1];
}

/* The oldest goes where there is no room. */
static void add_sample(struct top *top, struct sample sample)
{
	if (top->count == SAMPLES) {
		buffer_finish(&top->samples[0].metrics);
		memmove(top->samples, top->samples + 1, (SAMPLES - 1) * sizeof(*top->samples));
		top->count--;
	}
	top->samples[top->count++] = sample;
}

static void drop_samples(struct top *top)
{
	while (top->count > 0)
		buffer_finish(&top->samples[--top->count].metrics);
}

static double started_at(const struct sample *sample)
{
	return figure_of(buffer_slice(&sample->metrics), "process_start_time_seconds");
}

/* After a restart the counters began anew, so that earlier samples say nothing. */
static void forget_earlier_runs(struct top *top)
{
	struct sample last = *newest(top);
	if (started_at(&top->samples[0]) == started_at(&last))
		return;
	top->count--;
	drop_samples(top);
	top->samples[top->count++] = last;
}

static bool get_status(struct top *top, bool quietly)
{
	struct buffer text;
	int code = ctl_get(top->ctl, "/v1/status", quietly, &text);
	json_t *status = ctl_read_json(buffer_slice(&text));
	buffer_finish(&text);
	bool is_ours = code == 200 && *ctl_text(status, "version") != '\0';
	if (is_ours || quietly) {
		json_decref(is_ours ? top->status : status);
		top->status = is_ours ? status : top->status;
	} else if (code == 200) {
		(void)ctl_fail_to_read(top->ctl, status);
	} else {
		(void)ctl_fail(top->ctl, code, status);
	}
	return is_ours;
}

static bool get_metrics(struct top *top, bool quietly)
{
	struct sample sample = {.at = now_in_seconds(CLOCK_MONOTONIC)};
	int code = ctl_get(top->ctl, "/metrics", quietly, &sample.metrics);
	if (code == 200) {
		add_sample(top, sample);
		forget_earlier_runs(top);
		return true;
	}
	buffer_finish(&sample.metrics);
	if (!quietly)
		(void)ctl_fail(top->ctl, code, NULL);
	return false;
}

/* Asks for everything. False: it was not answered, which has been reported unless `quietly`. */
static bool look(struct top *top, bool quietly)
{
	top->answers = get_status(top, quietly) && get_metrics(top, quietly);
	return top->answers;
}

/* ---- what it comes to ---- */

/* Two texts of metrics and the seconds between them. */
struct span {
	struct slice before, now;
	double seconds;
};

/* With one sample: since the daemon's start. */
static struct span whole_span(struct top *top)
{
	struct sample *last = newest(top);
	struct span span = {.now = buffer_slice(&last->metrics), .before = {"", 0}};
	span.seconds = now_in_seconds(CLOCK_REALTIME) - started_at(last);
	if (top->count > 1) {
		span.before = buffer_slice(&top->samples[0].metrics);
		span.seconds = last->at - top->samples[0].at;
	}
	if (span.seconds < 0.001)
		span.seconds = 0.001;
	return span;
}

static double grown(const struct span *span, const char *sample)
{
	double more = figure_of(span->now, sample) - figure_of(span->before, sample);
	return more > 0 ? more : 0;
}

static double grown_sum(const struct span *span, const char *family)
{
	double more = figure_sum(span->now, family) - figure_sum(span->before, family);
	return more > 0 ? more : 0;
}

/* ---- the frame ---- */

static void set(json_t *frame, const char *name, double value)
{
	json_object_set_new(frame, name, json_real(value));
}

/* "injected 12, empty 3": what grew, by its label. */
static void set_parts(json_t *frame, const char *name, const struct span *span, const char *family)
{
	size_t at = 0, earlier_at = 0;
	struct slice label, ignored;
	double value, earlier = 0;
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	(void)buffer_reserve(&out, 1); /* an empty text is one, too */
	while (figure_next(span->now, family, &at, &label, &value)) {
		if (!figure_next(span->before, family, &earlier_at, &ignored, &earlier))
			earlier = 0;
		if (value > earlier)
			(void)buffer_printf(&out, "%s%.*s %.0f", out.size > 0 ? ", " : "",
					    SLICE_PRINT(label), value - earlier);
	}
	json_object_set_new(frame, name, json_stringn(out.data, out.size));
	buffer_finish(&out);
}

static json_t *duration(double seconds)
{
	bool is_short = seconds < 1;
	if (seconds > 0)
		return json_sprintf("%g %s", is_short ? seconds * SECOND : seconds,
				    is_short ? "ms" : "s");
	return json_string("-");
}

/* How long the quicker ones of this share took. */
static json_t *times(const struct span *span, double share)
{
	static const char *const names[] = {"memory", "first_byte", "exchange", "commit"};
	json_t *times = json_object();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char family[NAME_SIZE / 2];
		(void)snprintf(family, sizeof(family), "recalld_%s_seconds", names[i]);
		double most = figure_quantile(span->before, span->now, family, share);
		json_object_set_new(times, names[i], duration(most));
	}
	return times;
}

static void print_frame(struct top *top)
{
	const struct span span = whole_span(top);
	const double tokens = grown(&span, "recalld_injected_tokens_total");
	const double injected = grown(&span, "recalld_requests_total{memory=\"injected\"}");
	json_t *frame = json_copy(top->status);
	json_object_set_new(frame, "answers", json_boolean(top->answers));
	json_object_set_new(frame, "moves", json_boolean(top->count > 1));
	set(frame, "seconds", span.seconds);
	set(frame, "exchanges", grown(&span, "recalld_exchange_seconds_count") / span.seconds);
	set(frame, "open", figure_of(span.now, "recalld_exchanges_open"));
	set(frame, "connections", figure_of(span.now, "recalld_connections"));
	set(frame, "tokens", tokens / span.seconds);
	set(frame, "tokens_each", injected > 0 ? tokens / injected : 0);
	set_parts(frame, "memory", &span, "recalld_requests_total");
	set_parts(frame, "bypassed", &span, "recalld_bypassed_total");
	set(frame, "waiting", figure_of(span.now, "recalld_learner_queue"));
	set(frame, "calls", figure_of(span.now, "recalld_learner_calls"));
	set(frame, "learned", grown_sum(&span, "recalld_learned_total") / span.seconds);
	set(frame, "failed", grown_sum(&span, "recalld_model_failures_total"));
	set(frame, "parked", figure_of(span.now, "recalld_store_jobs_parked"));
	json_object_set_new(frame, "slowest", times(&span, 1));
	json_object_set_new(frame, "half", times(&span, 0.5));
	ctl_print_text(top->ctl, top->ctl->command->text, frame);
	json_decref(frame);
}

/* ---- the terminal ---- */

static volatile sig_atomic_t is_over;

/* Another size of the terminal only ends the wait for the next frame. */
static void on_signal(int number)
{
	if (number != SIGWINCH)
		is_over = number;
}

/* No SA_RESTART, so that they end a wait. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		(void)sigaction(caught[i], &action, NULL);
}

/* Keys arrive at once, unechoed; Ctrl-Z would leave it like this. False: it is no terminal. */
static bool take_terminal(struct termios *saved)
{
	if (tcgetattr(STDIN_FILENO, saved) != 0)
		return false;
	struct termios own = *saved;
	own.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	own.c_cc[VMIN] = 1;
	own.c_cc[VTIME] = 0;
	own.c_cc[VSUSP] = _POSIX_VDISABLE;
	return tcsetattr(STDIN_FILENO, TCSANOW, &own) == 0;
}

/* Waits for the next frame. True: a key, a signal or the terminal's end asks to quit. */
static bool wait_for_end(double until)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	double left = (until - now_in_seconds(CLOCK_MONOTONIC)) * SECOND;
	char key = '\0';
	if (is_over != 0)
		return true;
	if (poll(&input, 1, left > 0 ? (int)left : 0) <= 0 || is_over != 0)
		return is_over != 0;
	ssize_t size = read(STDIN_FILENO, &key, 1);
	return (size <= 0 && errno != EINTR) || key == 'q' || key == 'Q';
}

/* From the top left, over what an earlier frame left. Lines do not wrap in a narrow window. */
static void draw(struct top *top)
{
	(void)fputs("\033[H\033[2J\033[?7l", stdout);
	print_frame(top);
	(void)fputs("\033[?7h", stdout);
	(void)fflush(stdout);
}

static int watch(struct top *top)
{
	struct termios saved;
	if (!take_terminal(&saved)) {
		ctl_fault(top->ctl, "standard input is not a terminal; see recallctl top --once");
		return EXIT_FAILURE;
	}
	catch_signals();
	(void)fputs("\033[?1049h\033[?25l", stdout); /* its own screen, without a cursor */
	double next = now_in_seconds(CLOCK_MONOTONIC);
	do {
		double now = now_in_seconds(CLOCK_MONOTONIC);
		if (now >= next) { /* else a key, or another size */
			next = now + FRAME_MS / (double)SECOND;
			(void)look(top, true);
		}
		draw(top);
	} while (!wait_for_end(next));
	(void)fputs("\033[?25h\033[?1049l", stdout);
	(void)fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	return EXIT_SUCCESS;
}

int ctl_top(struct ctl *ctl)
{
	struct top top = {.ctl = ctl};
	int result = EXIT_FAILURE;
	if (ctl->given.json)
		return ctl_fault(ctl,
				 "top is for people; programs read GET /metrics and /v1/status");
	if (look(&top, false)) {
		result = EXIT_SUCCESS;
		if (ctl->given.once || !isatty(STDOUT_FILENO))
			print_frame(&top);
		else
			result = watch(&top);
	}
	drop_samples(&top);
	json_decref(top.status);
	return result;
}
