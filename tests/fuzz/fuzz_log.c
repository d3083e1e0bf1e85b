/* Events and segments from a damaged disk: reading passes no end, an event that is read is written
 * again as the same changes, and replay gives rising positions and counts what it gives. The
 * input's first byte picks what the rest is: an event, whose checksum is made right, or a list of
 * frames and other bytes. */
#include "storage/log/calls.h"
#include "storage/log/event.h"
#include "storage/log/frame.h"
#include "storage/log/log.h"

#include "tests/fuzz/fuzz.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

enum { EVENT_LIMIT = 1024 * 1024, SEGMENTS = 2 };

static void write_again(const struct event_reader *reader, struct buffer *out)
{
	struct event_reader rest = *reader;
	struct event_change change;
	size_t start = event_begin(out, &reader->head);
	while (event_next(&rest, &change)) {
		if (change.deleted)
			event_delete(out, change.table, change.key);
		else
			event_put(out, change.table, change.key, change.value);
	}
	FUZZ_ASSERT(rest.rest.size == 0);
	(void)event_end(out, start);
}

/* A number may be written with more bytes than it takes: only the second and third agree. */
static void check_event(char *bytes, size_t size)
{
	struct event_reader reader;
	struct buffer second, third;
	if (size >= 4) {
		uint32_t check =
			htole32((uint32_t)crc32_z(0, (const unsigned char *)bytes + 4, size - 4));
		memcpy(bytes, &check, sizeof(check));
	}
	if (!event_read(&reader, (struct slice){bytes, size}))
		return;
	buffer_init(&second, EVENT_LIMIT);
	buffer_init(&third, EVENT_LIMIT);
	write_again(&reader, &second);
	FUZZ_ASSERT(event_read(&reader, buffer_slice(&second)));
	write_again(&reader, &third);
	FUZZ_ASSERT(slice_equal(buffer_slice(&second), buffer_slice(&third)));
	buffer_finish(&second);
	buffer_finish(&third);
}

/* ---- replay ---- */

static struct log_calls calls;
static const struct log_options options = {.store_id = "fifteen letters", .calls = &calls};

/* No power is lost here. */
static int do_not_sync(int fd)
{
	(void)fd;
	return 0;
}

static const char *folder(void)
{
	static char path[] = "/tmp/recalld-fuzz-XXXXXX";
	static bool made;
	if (!made)
		FUZZ_ASSERT(mkdtemp(path) != NULL);
	made = true;
	return path;
}

static unsigned take(struct slice *rest)
{
	if (rest->size == 0)
		return 0;
	unsigned byte = (unsigned char)rest->data[0];
	*rest = slice_part(*rest, 1, rest->size);
	return byte;
}

static struct slice take_some(struct slice *rest, size_t size)
{
	size = size < rest->size ? size : rest->size;
	struct slice taken = slice_part(*rest, 0, size);
	*rest = slice_part(*rest, size, rest->size);
	return taken;
}

/* A header, then frames with any positions, or bytes that are none. */
static void make_segment(struct buffer *out, struct slice *rest, uint64_t serial)
{
	uint32_t seed = frame_seed(options.store_id);
	unsigned char header[SEGMENT_HEADER];
	struct segment_header fields = {.serial = serial, .first = 1 + take(rest)};
	memcpy(fields.store_id, options.store_id, sizeof(fields.store_id));
	segment_header_write(header, &fields);
	buffer_append(out, (struct slice){(const char *)header, sizeof(header)});
	for (unsigned kind; (kind = take(rest)) != 0;) {
		struct slice event = take_some(rest, take(rest));
		size_t offset = out->size;
		if (kind % 4 == 0) {
			buffer_append(out, event);
		} else {
			uint64_t position = take(rest);
			uint64_t durable = take(rest);
			FUZZ_ASSERT(frame_append(out, seed, event));
			(void)frame_finish(out, offset, seed, position, durable, kind / 4 % 4);
		}
	}
}

static bool note(void *cookie, uint64_t position, struct slice event)
{
	uint64_t *last = cookie;
	FUZZ_ASSERT(position > *last);
	*last = position;
	free(fuzz_copy(event)); /* reads all of it */
	return true;
}

static void check_replay(uint64_t after)
{
	char error[200];
	struct log_report report;
	uint64_t last = after;
	calls = log_system_calls;
	calls.sync = do_not_sync;
	struct log *log = log_open(folder(), &options, error, sizeof(error));
	FUZZ_ASSERT(log != NULL);
	FUZZ_ASSERT(log_replay(log, after, note, &last, &report));
	FUZZ_ASSERT(report.last >= last);
	FUZZ_ASSERT(report.events + report.lost_events == report.last - after);
	log_close(log);
}

static void check_segments(struct slice rest)
{
	char path[64];
	unsigned after = take(&rest);
	for (unsigned i = 1; i <= SEGMENTS; i++) {
		struct buffer out;
		buffer_init(&out, EVENT_LIMIT);
		make_segment(&out, &rest, i);
		snprintf(path, sizeof(path), "%s/%016x.log", folder(), i);
		int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
		FUZZ_ASSERT(write(fd, out.data, out.size) == (ssize_t)out.size);
		close(fd);
		buffer_finish(&out);
	}
	check_replay(after);
	/* what was cut and settled reads without a complaint about its end */
	check_replay(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct slice bytes = {(const char *)data + 1, size - 1};
	char *copy = fuzz_copy(bytes);
	if (data[0] % 4 == 0)
		check_event(copy, bytes.size);
	else
		check_segments((struct slice){copy, bytes.size});
	free(copy);
	return 0;
}
