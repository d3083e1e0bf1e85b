#include "proxy/ctl/tool/ctl.h"

#include <stdlib.h>
#include <string.h>

enum {
	MESSAGES_SHOWN = 10,
	MESSAGE_COLUMNS = 90, /* without a terminal */
	LEAST_MESSAGE_COLUMNS = 20,
	VALUE_COLUMNS = 40,
	QUOTE_COLUMNS = 50,
	DATE_COLUMNS = 10,
	MINUTE_COLUMNS = 16,
	ROLE_COLUMNS = 9,
	START_SIZE = 32,
};

static void print_styled(const struct ctl *ctl, enum ctl_style style, const char *text,
			 size_t columns)
{
	(void)fputs(ctl_style(ctl, style), stdout);
	ctl_print(text, columns);
	(void)fputs(ctl_style(ctl, STYLE_END), stdout);
}

/* The beginning of a time or a name, which a daemon gives and another server may not. */
static void print_start(const char *text, int size)
{
	char room[START_SIZE];
	(void)snprintf(room, sizeof(room), "%.*s", size, text);
	ctl_print_cell(room, (size_t)size, false);
}

static void show_title(const struct ctl *ctl, const char *title)
{
	(void)printf("\n"
		     "%s%s%s",
		     ctl_style(ctl, STYLE_BOLD), title, ctl_style(ctl, STYLE_END));
}

static void show_summary(const struct ctl *ctl, json_t *summary)
{
	if (!json_is_object(summary))
		return;
	show_title(ctl, "Summary");
	(void)fputs(" (", stdout);
	ctl_print(ctl_text(summary, "updated_at"), 0);
	(void)fputs(")\n"
		    "  ",
		    stdout);
	ctl_print(ctl_text(summary, "text"), 0);
	(void)putchar('\n');
}

static void show_quote(const struct ctl *ctl, const char *quote)
{
	if (quote[0] == '\0')
		return;
	(void)printf("%s  said: \"", ctl_style(ctl, STYLE_FAINT));
	ctl_print(quote, QUOTE_COLUMNS);
	(void)printf("\"%s", ctl_style(ctl, STYLE_END));
}

static void show_fact(const struct ctl *ctl, json_t *fact)
{
	(void)fputs("  ", stdout);
	ctl_print(ctl_text(fact, "entity"), VALUE_COLUMNS);
	(void)fputs(" · ", stdout);
	print_styled(ctl, STYLE_KEY, ctl_text(fact, "key"), VALUE_COLUMNS);
	(void)fputs(" = ", stdout);
	print_styled(ctl, STYLE_BOLD, ctl_text(fact, "value"), VALUE_COLUMNS);
	(void)printf("  (%.2f, ", json_number_value(json_object_get(fact, "confidence")));
	print_start(ctl_text(fact, "observed_at"), DATE_COLUMNS);
	if (json_is_true(json_object_get(fact, "pii")))
		(void)printf(", %spersonal%s", ctl_style(ctl, STYLE_ALARM),
			     ctl_style(ctl, STYLE_END));
	(void)fputs(")", stdout);
	show_quote(ctl, ctl_text(json_object_get(fact, "source"), "quote"));
	(void)putchar('\n');
}

static void show_facts(const struct ctl *ctl, json_t *facts)
{
	size_t i;
	json_t *fact;
	if (json_array_size(facts) > 0) {
		show_title(ctl, "Facts");
		(void)putchar('\n');
	}
	json_array_foreach(facts, i, fact) show_fact(ctl, fact);
}

/* The columns left beside a message's date and role (`used` columns) and its mark. */
static size_t message_columns(size_t used, const char *mark)
{
	size_t terminal = ctl_columns();
	used += strlen(mark);
	if (terminal == 0)
		return MESSAGE_COLUMNS;
	return terminal > used + LEAST_MESSAGE_COLUMNS ? terminal - used : LEAST_MESSAGE_COLUMNS;
}

static void show_message(const struct ctl *ctl, json_t *message)
{
	bool broke_off = json_is_false(json_object_get(message, "complete"));
	bool is_user = strcmp(ctl_text(message, "role"), "user") == 0;
	const char *mark = broke_off ? "  (broke off)" : "";
	(void)printf("  %s", ctl_style(ctl, STYLE_FAINT));
	print_start(ctl_text(message, "created_at"), MINUTE_COLUMNS);
	(void)printf("%s  %s", ctl_style(ctl, STYLE_END),
		     ctl_style(ctl, is_user ? STYLE_KEY : STYLE_GOOD));
	print_start(ctl_text(message, "role"), ROLE_COLUMNS);
	(void)printf("%s  ", ctl_style(ctl, STYLE_END));
	ctl_print(ctl_text(message, "content"),
		  message_columns(6 + MINUTE_COLUMNS + ROLE_COLUMNS, mark));
	(void)printf("%s%s%s\n", ctl_style(ctl, STYLE_ALARM), mark, ctl_style(ctl, STYLE_END));
}

static void show_messages(const struct ctl *ctl, json_t *messages)
{
	size_t count = json_array_size(messages);
	size_t first = count > MESSAGES_SHOWN ? count - MESSAGES_SHOWN : 0;
	if (count > 0) {
		show_title(ctl, "Newest messages");
		(void)printf(" (%zu of %zu; all of them: --json)\n", count - first, count);
	}
	for (size_t i = first; i < count; i++)
		show_message(ctl, json_array_get(messages, i));
}

static int show(struct ctl *ctl)
{
	json_t *answer = NULL;
	char *path = ctl_path(ctl, "/v1/users/", ctl->arguments[0], "/memory");
	int status = ctl_call(ctl, "GET", path, NULL, &answer);
	free(path);
	if (status != 200)
		return ctl_fail_of_user(ctl, status, answer);
	if (ctl->json)
		return ctl_print_json(answer);
	if (*ctl_text(answer, "user") == '\0')
		return ctl_fail_to_read(ctl, answer);
	print_styled(ctl, STYLE_BOLD, ctl_text(answer, "user"), 0);
	(void)fputs("\n"
		    "  ",
		    stdout);
	ctl_print_count((long long)json_array_size(json_object_get(answer, "facts")), "facts");
	(void)fputs(", ", stdout);
	ctl_print_count((long long)json_array_size(json_object_get(answer, "messages")),
			"messages");
	(void)fputs(", ", stdout);
	ctl_print_count((long long)json_integer_value(json_object_get(answer, "pending")),
			"exchanges");
	(void)puts(" waiting to be learned from");
	show_summary(ctl, json_object_get(answer, "summary"));
	show_facts(ctl, json_object_get(answer, "facts"));
	show_messages(ctl, json_object_get(answer, "messages"));
	json_decref(answer);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_show = {
	.name = "show",
	.arguments = "USER",
	.help = "show a user's memory, and which words it comes from",
	.details = "Texts are cut to the terminal's width; --json prints them whole.",
	.example = "recallctl show alex",
	.success = "shown",
	.failure = "nothing is stored under that name",
	.least = 1,
	.most = 1,
	.takes = CTL_TAKES_COLOR,
	.run = show,
};
