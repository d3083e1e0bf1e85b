#include "tests/bench/load_reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void reply_init(struct reply *reply, bool counts_events)
{
	*reply = (struct reply){.reading = STATUS_LINE, .counts_events = counts_events};
}

static void head_line(struct reply *reply)
{
	const char *line = reply->line;
	if (reply->reading == STATUS_LINE) {
		reply->status = reply->line_size > 12 ? atoi(line + 9) : 0;
		reply->reading = FIELDS;
	} else if (strncasecmp(line, "content-length:", 15) == 0) {
		reply->left = strtoull(line + 15, NULL, 10);
	} else if (strncasecmp(line, "transfer-encoding:", 18) == 0) {
		reply->is_chunked = strstr(line, "chunked") != NULL;
	} else if (strncasecmp(line, "x-memory-status:", 16) == 0) {
		reply->injected = strstr(line, "injected") != NULL;
	} else if (reply->line_size == 0) {
		reply->reading = reply->is_chunked ? CHUNK_SIZE : BODY_LENGTH;
	}
}

/* Counts the lines that begin with "data:". */
static void count_events(struct reply *reply, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n') {
			reply->event_size = 0;
		} else if (reply->event_size < 5) {
			reply->event[reply->event_size++] = data[i];
			reply->events +=
				reply->event_size == 5 && memcmp(reply->event, "data:", 5) == 0;
		}
	}
}

static size_t body_bytes(struct reply *reply, const char *data, size_t size)
{
	if (size > reply->left)
		size = (size_t)reply->left;
	if (reply->counts_events)
		count_events(reply, data, size);
	reply->left -= size;
	return size;
}

/* One byte of a line. True when the line is whole, in `line` and without its end. */
static bool line_byte(struct reply *reply, char byte)
{
	if (byte != '\n') {
		if (reply->line_size + 1 < MAX_LINE)
			reply->line[reply->line_size++] = byte;
		return false;
	}
	if (reply->line_size > 0 && reply->line[reply->line_size - 1] == '\r')
		reply->line_size--;
	reply->line[reply->line_size] = '\0';
	return true;
}

/* True when the reply is over. */
static bool reply_line(struct reply *reply)
{
	bool over = false;
	switch (reply->reading) {
	case STATUS_LINE:
	case FIELDS:
		head_line(reply);
		over = reply->reading == BODY_LENGTH && reply->left == 0;
		break;
	case CHUNK_SIZE:
		reply->left = strtoull(reply->line, NULL, 16);
		reply->reading = reply->left > 0 ? CHUNK_DATA : TRAILER;
		break;
	case CHUNK_END:
		reply->reading = CHUNK_SIZE;
		break;
	default:
		over = reply->line_size == 0;
	}
	reply->line_size = 0;
	return over;
}

bool reply_take(struct reply *reply, const char *data, size_t size, uint64_t at)
{
	for (size_t i = 0; i < size;) {
		if (reply->reading == BODY_LENGTH || reply->reading == CHUNK_DATA) {
			if (reply->first == 0)
				reply->first = at;
			i += body_bytes(reply, data + i, size - i);
			if (reply->left > 0)
				continue;
			if (reply->reading == BODY_LENGTH)
				return true;
			reply->reading = CHUNK_END;
		} else if (line_byte(reply, data[i++]) && reply_line(reply)) {
			return true;
		}
	}
	return false;
}
