/* Prints what the tables of commands and options say. */
#include "proxy/ctl/ctl.h"

#include <string.h>

enum { OPTION_COLUMNS = 19, LINE_COLUMNS = 80 };

static const char *dashes(const struct ctl_option *option)
{
	return option->name[1] == '\0' ? "-" : "--";
}

static bool is_of(size_t option, const struct ctl_command *command)
{
	return (command->takes >> option & 1) != 0;
}

/* "--mode MODE"; returns its columns. */
static int write_option(const struct ctl_option *option, char room[OPTION_COLUMNS + 1])
{
	bool has_value = option->argument != NULL;
	return snprintf(room, OPTION_COLUMNS + 1, "%s%s%s%s", dashes(option), option->name,
			has_value ? " " : "", has_value ? option->argument : "");
}

static void explain_option(FILE *out, const struct ctl_option *option)
{
	char room[OPTION_COLUMNS + 1];
	(void)write_option(option, room);
	(void)fprintf(out, "  %-*s  %s\n", OPTION_COLUMNS, room, option->help);
}

void ctl_print_usage(FILE *out)
{
	(void)fputs("Usage: recallctl [OPTION...] COMMAND [ARGUMENT...]\n"
		    "\n",
		    out);
	for (size_t i = 0; i < CTL_COMMANDS; i++)
		(void)fprintf(out, "  %-8s %-13s  %s\n", ctl_commands[i].name,
			      ctl_commands[i].arguments, ctl_commands[i].help);
	(void)fputs("\n"
		    "See recallctl COMMAND --help for details. Options of every command:\n",
		    out);
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		if (ctl_options[i].is_general)
			explain_option(out, &ctl_options[i]);
	}
	(void)fprintf(out, "  %-*s  print the version\n", OPTION_COLUMNS, "--version");
	(void)fputs(
		"\n"
		"Address and token come from the configuration FILE, or from\n"
		"RECALLD_LISTEN_ADMIN and RECALLD_LISTEN_ADMIN_TOKEN; default: 127.0.0.1:8081.\n",
		out);
}

/* Breaks lines between options. */
static void print_synopsis(const struct ctl_command *command)
{
	char room[OPTION_COLUMNS + 1];
	int begin = printf("Usage: recallctl %s", command->name), used = begin;
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		if (!is_of(i, command))
			continue;
		int size = write_option(&ctl_options[i], room) + 3;
		if (used + size > LINE_COLUMNS)
			used = printf("\n"
				      "%*s",
				      begin, "") -
			       1;
		used += size;
		(void)printf(" [%s]", room);
	}
	if (used + (int)strlen(command->arguments) + 1 > LINE_COLUMNS)
		(void)printf("\n"
			     "%*s",
			     begin, "");
	(void)printf("%s%s\n"
		     "\n",
		     command->arguments[0] == '\0' ? "" : " ", command->arguments);
}

static void print_own_options(const struct ctl_command *command)
{
	(void)puts("\n"
		   "Options, besides those of every command (recallctl --help):");
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		if (is_of(i, command))
			explain_option(stdout, &ctl_options[i]);
	}
}

/* Indents each line. */
static void print_lines(const char *text)
{
	while (*text != '\0') {
		int size = (int)strcspn(text, "\n");
		(void)printf("  %.*s\n", size, text);
		text += size + (text[size] == '\n');
	}
}

void ctl_print_help(const struct ctl_command *command)
{
	print_synopsis(command);
	(void)printf("%c%s.\n", command->help[0] & ~0x20, command->help + 1);
	if (command->details != NULL)
		(void)printf("%s\n", command->details);
	if (command->takes != 0)
		print_own_options(command);
	(void)puts("\n"
		   "Example:");
	print_lines(command->example);
	(void)printf("\n"
		     "Exit status:\n"
		     "  0  %s\n"
		     "  1  %s%san error (on standard error)\n",
		     command->success, command->failure == NULL ? "" : command->failure,
		     command->failure == NULL ? "" : ", or ");
}

/* The options of the command, or those of every command. */
static void print_names(const char *first, const struct ctl_command *command)
{
	(void)fputs(first, stdout);
	for (size_t i = 0; i < CTL_OPTIONS; i++) {
		const struct ctl_option *option = &ctl_options[i];
		if (command == NULL ? option->is_general : is_of(i, command))
			(void)printf(" %s%s", dashes(option), option->name);
	}
	(void)putchar('\n');
}

/* A line for the options of every command, then one for each command: its name and its options. */
void ctl_print_completions(void)
{
	print_names("--help --version", NULL);
	for (size_t i = 0; i < CTL_COMMANDS; i++)
		print_names(ctl_commands[i].name, &ctl_commands[i]);
}
