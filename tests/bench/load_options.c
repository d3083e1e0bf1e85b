#include "tests/bench/load_options.h"

#include <getopt.h>
#include <stdlib.h>

static const struct option names[] = {
	{"port", 1, NULL, 'p'},      {"connections", 1, NULL, 'c'}, {"users", 1, NULL, 'u'},
	{"exchanges", 1, NULL, 'e'}, {"seed", 1, NULL, 's'},        {"limit", 1, NULL, 'n'},
	{"seconds", 1, NULL, 't'},   {"history", 1, NULL, 'h'},     {"image", 1, NULL, 'i'},
	{"stream", 0, NULL, 'S'},    {"model", 1, NULL, 'm'},       {"path", 1, NULL, 'P'},
	{"fields", 1, NULL, 'f'},    {"rate", 1, NULL, 'r'},        {"done", 1, NULL, 'd'},
	{"answer", 1, NULL, 'a'},    {"first", 1, NULL, 'F'},       {NULL, 0, NULL, 0}};

static bool read_option(struct load_options *options, int option, const char *value)
{
	switch (option) {
	case 'p':
		options->port = atoi(value);
		break;
	case 'c':
		options->connections = (unsigned)atoi(value);
		break;
	case 'u':
		options->users = (unsigned)atoi(value);
		break;
	case 'F':
		options->first = (unsigned)atoi(value);
		break;
	case 'e':
		options->exchanges = (unsigned)atoi(value);
		break;
	case 's':
		options->seed = (unsigned)atoi(value);
		break;
	case 'n':
		options->limit = strtoul(value, NULL, 10);
		break;
	case 'd':
		options->done = (unsigned)atoi(value);
		break;
	case 'r':
		options->rate = atof(value);
		break;
	case 't':
		options->seconds = atof(value);
		break;
	case 'h':
		options->history = strtoul(value, NULL, 10);
		break;
	case 'i':
		options->image = strtoul(value, NULL, 10);
		break;
	case 'S':
		options->stream = true;
		break;
	case 'm':
		options->model = value;
		break;
	case 'P':
		options->path = value;
		break;
	case 'f':
		options->fields = value;
		break;
	case 'a':
		options->answer = value;
		break;
	default:
		return false;
	}
	return true;
}

bool load_options_read(struct load_options *options, int count, char **arguments)
{
	int option;
	*options = (struct load_options){.connections = 16,
					 .users = 1000,
					 .exchanges = 3,
					 .seconds = 1e9,
					 .model = "gpt-4o-mini",
					 .path = "/v1/chat/completions",
					 .fields = "",
					 .answer = ""};
	while ((option = getopt_long(count, arguments, "", names, NULL)) != -1) {
		if (!read_option(options, option, optarg))
			return false;
	}
	return true;
}
