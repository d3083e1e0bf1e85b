#include "proxy/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

enum {
	MESSAGES_SHOWN = 10,
	MESSAGE_COLUMNS = 90, /* without a terminal */
	LEAST_MESSAGE_COLUMNS = 20,
	VALUE_COLUMNS = 40,
	QUOTE_COLUMNS = 50,
};

static void show_summary(json_t *summary)
{
	if (!json_is_object(summary))
		return;
	(void)printf("\nSummary (%s)\n  ", ctl_text(summary, "updated_at"));
	ctl_print(ctl_text(summary, "text"), 0);
	(void)putchar('\n');
}

static void show_fact(json_t *fact)
{
	(void)fputs("  ", stdout);
	ctl_print(ctl_text(fact, "entity"), VALUE_COLUMNS);
	(void)fputs(" · ", stdout);
	ctl_print(ctl_text(fact, "key"), VALUE_COLUMNS);
	(void)fputs(" = ", stdout);
	ctl_print(ctl_text(fact, "value"), VALUE_COLUMNS);
	(void)printf("  (%.2f, %.10s", json_number_value(json_object_get(fact, "confidence")),
		     ctl_text(fact, "observed_at"));
	if (json_is_true(json_object_get(fact, "pii")))
		(void)fputs(", personal", stdout);
	(void)fputs(")", stdout);
	const char *quote = ctl_text(json_object_get(fact, "source"), "quote");
	if (quote[0] != '\0') {
		(void)fputs("  said: \"", stdout);
		ctl_print(quote, QUOTE_COLUMNS);
		(void)fputs("\"", stdout);
	}
	(void)putchar('\n');
}

static void show_facts(json_t *facts)
{
	if (json_array_size(facts) > 0)
		(void)puts("\nFacts");
	size_t i;
	json_t *fact;
	json_array_foreach(facts, i, fact) show_fact(fact);
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

static void show_messages(json_t *messages)
{
	size_t count = json_array_size(messages);
	size_t first = count > MESSAGES_SHOWN ? count - MESSAGES_SHOWN : 0;
	if (count > 0)
		(void)printf("\nNewest messages (%zu of %zu; all of them: --json)\n", count - first,
			     count);
	for (size_t i = first; i < count; i++) {
		json_t *message = json_array_get(messages, i);
		bool broke_off = json_is_false(json_object_get(message, "complete"));
		const char *mark = broke_off ? "  (broke off)" : "";
		int used = printf("  %.16s  %-9s  ", ctl_text(message, "created_at"),
				  ctl_text(message, "role"));
		ctl_print(ctl_text(message, "content"),
			  message_columns(used < 0 ? 0 : (size_t)used, mark));
		(void)puts(mark);
	}
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
	ctl_print(ctl_text(answer, "user"), 0);
	(void)fputs("\n  ", stdout);
	ctl_print_count((long long)json_array_size(json_object_get(answer, "facts")), "facts");
	(void)fputs(", ", stdout);
	ctl_print_count((long long)json_array_size(json_object_get(answer, "messages")),
			"messages");
	(void)fputs(", ", stdout);
	ctl_print_count((long long)json_integer_value(json_object_get(answer, "pending")),
			"exchanges");
	(void)puts(" waiting to be learned from");
	show_summary(json_object_get(answer, "summary"));
	show_facts(json_object_get(answer, "facts"));
	show_messages(json_object_get(answer, "messages"));
	json_decref(answer);
	return EXIT_SUCCESS;
}

const struct ctl_command ctl_show = {
	.name = "show",
	.arguments = "USER",
	.help = "what is remembered about a user, and from which words",
	.details = "Texts are cut to the terminal's width; --json gives all of them.",
	.example = "recallctl show alex",
	.success = "shown",
	.failure = "nothing is stored under that name",
	.least = 1,
	.most = 1,
	.run = show,
};
