/* Watches a running recalld: one screen, drawn anew each second. */
#include "proxy/ctl/ctl.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES = 11, SECOND = 1000, NUMBER_SIZE = 32, NAME_SIZE = 64, SAMPLE_SIZE = 256 };

struct top {
	struct ctl *ctl;
	/* The samples of /metrics, newest last: objects with a number for each sample, "recalld_x"
	 * or "recalld_x{a=\"b\"}", and "at" in seconds. Rates are those between the oldest and the
	 * newest. */
	json_t *samples;
	json_t *status; /* NULL: not known */
	bool answers;   /* the last call was answered */
};

/* ---- metrics ---- */

static double now_in_seconds(clockid_t clock)
{
	struct timespec now;
	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The number at the beginning of the text, which need not end in a zero byte. */
static double read_number(struct slice text)
{
	char room[NUMBER_SIZE];
	(void)snprintf(room, sizeof(room), "%.*s", SLICE_PRINT(text));
	const double value = strtod(room, NULL);
	return isfinite(value) && value >= 0 ? value : 0;
}

/* Takes "recalld_x 1" and "recalld_x{a=\"b c\"} 2". */
static void read_sample(json_t *metrics, struct slice line)
{
	const size_t labels = slice_find(line, SLICE("{"), 0);
	const size_t close = slice_find(line, SLICE("\"} "), labels);
	const size_t size = close < line.size ? close + 2 : slice_find(line, SLICE(" "), 0);
	char name[SAMPLE_SIZE];
	(void)snprintf(name, sizeof(name), "%.*s", (int)size, line.data);
	if (size < line.size)
		json_object_set_new(metrics, name,
				    json_real(read_number(slice_part(line, size + 1, line.size))));
}

static json_t *read_metrics(struct slice text)
{
	json_t *metrics = json_pack("{s:f}", "at", now_in_seconds(CLOCK_MONOTONIC));
	for (size_t at = 0, end; at < text.size; at = end + 1) {
		end = slice_find(text, SLICE("\n"), at);
		read_sample(metrics, slice_part(text, at, end));
	}
	return metrics;
}

/* 0: there is none. */
static double figure_of(json_t *metrics, const char *sample)
{
	return json_number_value(json_object_get(metrics, sample));
}

/* The first label's value if the sample is of the family; "" if it has no label. NULL: it is not.
 */
static const char *label_of(const char *sample, const char *family)
{
	const size_t size = strlen(family);
	if (strncmp(sample, family, size) != 0 || (sample[size] != '{' && sample[size] != '\0'))
		return NULL;
	const char *label = strchr(sample + size, '"');
	return label == NULL ? "" : label + 1;
}

/* The sum of all samples of the family. */
static double figure_sum(json_t *metrics, const char *family)
{
	double sum = 0;
	const char *name;
	json_t *value;
	json_object_foreach(metrics, name, value)
	{
		if (label_of(name, family) != NULL)
			sum += json_number_value(value);
	}
	return sum;
}

static double grown(json_t *before, json_t *now, const char *family)
{
	const double more = figure_sum(now, family) - figure_sum(before, family);
	return more > 0 ? more : 0;
}

/* Below how many seconds lies this share of what the histogram observed between the two samples;
 * its buckets' bounds are as exact as it gets. 0: nothing was observed. */
static double figure_quantile(json_t *before, json_t *now, const char *of, double share)
{
	char family[NAME_SIZE];
	double bound = 0;
	const char *name, *label;
	json_t *value;
	(void)snprintf(family, sizeof(family), "recalld_%s_seconds_count", of);
	const double wanted = share * (figure_of(now, family) - figure_of(before, family));
	(void)snprintf(family, sizeof(family), "recalld_%s_seconds_bucket", of);
	json_object_foreach(now, name, value)
	{
		if (wanted <= 0 || (label = label_of(name, family)) == NULL)
			continue;
		bound = *label == '+' ? bound : strtod(label, NULL); /* "+Inf" */
		if (json_number_value(value) - figure_of(before, name) >= wanted)
			return bound;
	}
	return 0;
}

/* ---- asking ---- */

static json_t *newest(struct top *top)
{
	return json_array_get(top->samples, json_array_size(top->samples) - 1);
}

/* After a restart the counters began anew, so that earlier samples say nothing. */
static void add_sample(struct top *top, json_t *sample)
{
	static const char start[] = "process_start_time_seconds";
	if (figure_of(newest(top), start) != figure_of(sample, start))
		json_array_clear(top->samples);
	if (json_array_size(top->samples) == SAMPLES)
		json_array_remove(top->samples, 0);
	json_array_append_new(top->samples, sample);
}

static bool get_status(struct top *top)
{
	json_t *status = NULL;
	const int code = ctl_call(top->ctl, "GET", "/v1/status", NULL, &status);
	if (code == 200 && *ctl_text(status, "version") != '\0') {
		json_decref(top->status);
		top->status = status;
		return true;
	}
	if (top->ctl->is_quiet)
		json_decref(status);
	else if (code == 200)
		(void)ctl_fail_to_read(top->ctl, status);
	else
		(void)ctl_fail(top->ctl, code, status, NULL);
	return false;
}

static bool get_metrics(struct top *top)
{
	struct buffer text;
	const int code = ctl_ask(top->ctl, "GET", "/metrics", slice_of(NULL), &text);
	if (code == 200)
		add_sample(top, read_metrics(buffer_slice(&text)));
	else if (!top->ctl->is_quiet)
		(void)ctl_fail(top->ctl, code, NULL, NULL);
	buffer_finish(&text);
	return code == 200;
}

/* Asks for everything. False: it was not answered. */
static bool look(struct top *top)
{
	top->answers = get_status(top) && get_metrics(top);
	return top->answers;
}

/* ---- the frame ---- */

/* "injected 12, empty 3": what grew, by its label. */
static json_t *parts(json_t *before, json_t *now, const char *family)
{
	const char *name, *label;
	json_t *value, *text;
	struct buffer out;
	buffer_init(&out, SIZE_MAX);
	(void)buffer_reserve(&out, 1); /* an empty text is one, too */
	json_object_foreach(now, name, value)
	{
		const double more = json_number_value(value) - figure_of(before, name);
		if (more > 0 && (label = label_of(name, family)) != NULL)
			(void)buffer_printf(&out, "%s%.*s %.0f", out.size > 0 ? ", " : "",
					    (int)strcspn(label, "\""), label, more);
	}
	text = json_stringn(out.data, out.size);
	buffer_finish(&out);
	return text;
}

/* How long the quicker ones of this share took. */
static json_t *times(json_t *before, json_t *now, double share)
{
	static const char *const names[] = {"memory", "first_byte", "exchange", "commit"};
	json_t *times = json_object();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const double most = figure_quantile(before, now, names[i], share);
		json_object_set_new(times, names[i],
				    most <= 0  ? json_string("-")
				    : most < 1 ? json_sprintf("%g ms", most * SECOND)
					       : json_sprintf("%g s", most));
	}
	return times;
}

static const struct {
	const char *name, *family;
	enum { NOW, GROWN, RATE } kind;
} figures[] = {
	{"exchanges", "recalld_exchange_seconds_count", RATE},
	{"open", "recalld_exchanges_open", NOW},
	{"connections", "recalld_connections", NOW},
	{"tokens", "recalld_injected_tokens_total", RATE},
	{"waiting", "recalld_learner_queue", NOW},
	{"calls", "recalld_learner_calls", NOW},
	{"learned", "recalld_learned_total", RATE},
	{"failed", "recalld_model_failures_total", GROWN},
	{"parked", "recalld_store_jobs_parked", NOW},
};

/* With one sample: since the daemon's start. */
static void print_frame(struct top *top)
{
	const bool moves = json_array_size(top->samples) > 1;
	json_t *now = newest(top), *before = moves ? json_array_get(top->samples, 0) : NULL;
	const double passed = moves ? figure_of(now, "at") - figure_of(before, "at")
				    : now_in_seconds(CLOCK_REALTIME) -
					      figure_of(now, "process_start_time_seconds");
	const double seconds = fmax(passed, 0.001);
	const double injected = grown(before, now, "recalld_requests_total{memory=\"injected\"}");
	const double tokens = grown(before, now, "recalld_injected_tokens_total");
	json_t *frame = json_copy(top->status);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		const double figure = figures[i].kind == NOW
					      ? figure_sum(now, figures[i].family)
					      : grown(before, now, figures[i].family);
		json_object_set_new(frame, figures[i].name,
				    json_real(figures[i].kind == RATE ? figure / seconds : figure));
	}
	json_t *more = json_pack("{s:b,s:b,s:f,s:f,s:o*,s:o*,s:o,s:o}", "answers", top->answers,
				 "moves", moves, "seconds", seconds, "tokens_each",
				 injected > 0 ? tokens / injected : 0, "memory",
				 parts(before, now, "recalld_requests_total"), "bypassed",
				 parts(before, now, "recalld_bypassed_total"), "slowest",
				 times(before, now, 1), "half", times(before, now, 0.5));
	json_object_update(frame, more);
	json_decref(more);
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

static bool watch(struct top *top)
{
	struct termios saved;
	if (!take_terminal(&saved))
		return ctl_fault(top->ctl,
				 "standard input is not a terminal; see recallctl top --once");
	top->ctl->is_quiet = true;
	catch_signals();
	(void)fputs("\033[?1049h\033[?25l", stdout); /* its own screen, without a cursor */
	double next = now_in_seconds(CLOCK_MONOTONIC);
	do {
		double now = now_in_seconds(CLOCK_MONOTONIC);
		if (now >= next) { /* else a key, or another size */
			next = now + 1;
			(void)look(top);
		}
		draw(top);
	} while (!wait_for_end(next));
	(void)fputs("\033[?25h\033[?1049l", stdout);
	(void)fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	return true;
}

bool ctl_top(struct ctl *ctl)
{
	struct top top = {.ctl = ctl};
	if (ctl->given.json)
		return ctl_fault(ctl,
				 "top is for people; programs read GET /metrics and /v1/status");
	top.samples = json_array();
	bool done = look(&top);
	if (done && (ctl->given.once || !isatty(STDOUT_FILENO)))
		print_frame(&top);
	else if (done)
		done = watch(&top);
	json_decref(top.samples);
	json_decref(top.status);
	return done;
}
