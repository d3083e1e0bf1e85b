/* The command line's options: one table for reading, for the help and for the completion. */
#include "proxy/ctl/tool/ctl.h"

#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PLACE(member) offsetof(struct ctl, member)

const struct ctl_option ctl_options[] = {
	{"c", "FILE", "the daemon's configuration", 0, PLACE(file)},
	{"admin", "ADDRESS", "HOST:PORT or unix:/PATH", 0, PLACE(admin)},
	{"token", "TOKEN", "the admin_token", 0, PLACE(token)},
	{"tenant", "TENANT", "the users' tenant", 0, PLACE(tenant)},
	{"json", NULL, "print JSON, errors too", 0, PLACE(json)},
	{"mode", "MODE", "like the request's X-Memory-Mode", CTL_TAKES_REQUEST, PLACE(mode)},
	{"session", "SESSION", "as its X-Session-Id", CTL_TAKES_REQUEST | CTL_TAKES_PART,
	 PLACE(session)},
	{"model", "MODEL", "as its model", CTL_TAKES_REQUEST, PLACE(model)},
	{"body", NULL, "print the body that would go upstream", CTL_TAKES_BODY, PLACE(body)},
	{"since", "TIME", "from this time or date on", CTL_TAKES_TIMES, PLACE(since)},
	{"until", "TIME", "before this time or date", CTL_TAKES_TIMES, PLACE(until)},
	{"limit", "NUMBER", "at most this many; 0: all", CTL_TAKES_LIMIT, PLACE(limit)},
	{"log-id", "ID", "the user that the log calls user=ID", CTL_TAKES_LOG_ID, PLACE(log_id)},
	{"all", NULL, "what does not stand, too", CTL_TAKES_ALL, PLACE(all)},
	{"off", NULL, "let it be moved again", CTL_TAKES_OFF, PLACE(off)},
	{"replace", NULL, "also in the place of another pinned value", CTL_TAKES_REPLACE,
	 PLACE(replace)},
	{"user", "USER", "the user it is about", CTL_TAKES_USER, PLACE(user)},
	{"verify", NULL, "check that the log is whole", CTL_TAKES_VERIFY, PLACE(verify)},
	{"fact", "ID", "this fact", CTL_TAKES_PART, PLACE(fact)},
	{"turn", "ID", "this turn, with its answer", CTL_TAKES_PART, PLACE(turn)},
	{"conversation", "ID", "this conversation", CTL_TAKES_PART, PLACE(conversation)},
	{"about", "TEXT", "what says this", CTL_TAKES_PART, PLACE(about)},
	{"entity", "NAME", "what is about them", CTL_TAKES_PART, PLACE(entity)},
	{"plan", "PLAN", "exactly what --dry-run showed", CTL_TAKES_PART, PLACE(plan)},
	{"never-again", NULL, "nor learn its facts again", CTL_TAKES_PART, PLACE(never_again)},
	{"keep-turns", NULL, "only the fact, not what says it", CTL_TAKES_PART, PLACE(keep_turns)},
	{"force", NULL, "also under a legal hold", CTL_TAKES_PART, PLACE(force)},
	{"dry-run", NULL, "only show what would happen", CTL_TAKES_DRY, PLACE(dry_run)},
	{"format", "FORMAT", "of the file; default: found out", CTL_TAKES_FORM, PLACE(format)},
	{"include", "PARTS", "facts,turns,summary,receipts,audit: these", CTL_TAKES_PARTS,
	 PLACE(include)},
	{"plain", NULL, "write an encrypted store in the clear", CTL_TAKES_PLAIN, PLACE(plain)},
	{"yes", NULL, "ask nothing", CTL_TAKES_PLAIN, PLACE(yes)},
	{"to", "KEYFILE", "the key that is to open the file", CTL_TAKES_TO, PLACE(to)},
	{"keys", "FILE", "the exported keys of a sealed export", CTL_TAKES_KEYS, PLACE(keys)},
	{"from-key", "KEYFILE", "the key that opens them", CTL_TAKES_KEYS, PLACE(from_key)},
	{"store", "DIRECTORY", "the store; default: [storage] path", CTL_TAKES_STORE,
	 PLACE(store.path)},
	{"once", NULL, "print one frame and end", CTL_TAKES_ONCE, PLACE(once)},
	{"color", "WHEN", "auto (on a terminal), always or never", CTL_TAKES_COLOR, PLACE(color)},
	{"quiet", NULL, "print nothing; check only whether it takes traffic", CTL_TAKES_QUIET,
	 PLACE(quiet)},
};

enum {
	OPTION_COUNT = sizeof(ctl_options) / sizeof(ctl_options[0]),
	OPTION_HELP = 256, /* past every letter */
	OPTION_VERSION,
	OPTION_COMPLETE,
	OPTION_FIRST, /* ctl_options[0] */
};

const size_t ctl_option_count = OPTION_COUNT;

static void keep(struct ctl *ctl, const struct ctl_option *option, const char *value)
{
	char *place = (char *)ctl + option->place;
	if (option->argument == NULL)
		*(bool *)(void *)place = true;
	else
		*(const char **)(void *)place = value;
}

/* The table as getopt_long() wants it; what every program has comes first. */
static void list_names(struct option names[])
{
	*names++ = (struct option){"help", no_argument, NULL, OPTION_HELP};
	*names++ = (struct option){"version", no_argument, NULL, OPTION_VERSION};
	*names++ = (struct option){"complete", no_argument, NULL, OPTION_COMPLETE};
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		bool has_value = ctl_options[i].argument != NULL;
		*names++ = (struct option){ctl_options[i].name,
					   has_value ? required_argument : no_argument, NULL,
					   OPTION_FIRST + (int)i};
	}
	*names = (struct option){NULL, 0, NULL, 0};
}

enum ctl_wish ctl_read_options(int count, char **words, struct ctl *ctl, uint64_t *given)
{
	struct option names[OPTION_COUNT + 4];
	enum ctl_wish wish = CTL_RUN;
	bool is_right = true;
	list_names(names);
	for (int read; (read = getopt_long(count, words, "c:h", names, NULL)) != -1;) {
		if (read == '?') {
			ctl_note_fault(ctl,
				       "unknown option, or a missing value; see recallctl --help");
			is_right = false;
		} else if (read == 'h' || read == OPTION_HELP) {
			wish = CTL_HELP;
		} else if (read == OPTION_VERSION) {
			wish = CTL_VERSION;
		} else if (read == OPTION_COMPLETE) {
			wish = CTL_COMPLETE;
		} else {
			int row = read == 'c' ? 0 : read - OPTION_FIRST;
			keep(ctl, &ctl_options[row], optarg);
			*given |= (uint64_t)1 << row;
		}
	}
	return is_right ? wish : CTL_WRONG;
}

bool ctl_takes_options(struct ctl *ctl, const struct ctl_command *command, uint64_t given)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct ctl_option *option = &ctl_options[i];
		bool is_given = (given >> i & 1) != 0;
		if (!is_given || option->of == 0 || (option->of & command->takes) != 0)
			continue;
		ctl_fault(ctl, "%s does not take --%s; see recallctl %s --help", command->name,
			  option->name, command->name);
		return false;
	}
	return true;
}
