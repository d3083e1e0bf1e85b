/* The bytes of a segment: a header, then frames, each at a multiple of 8. A frame is a header and
 * one event. All checksums of frames begin with the store's id, which no user knows. */
#ifndef RECALLD_STORAGE_LOG_FRAME_H
#define RECALLD_STORAGE_LOG_FRAME_H

#include "core/base/bytes.h"

enum {
	SEGMENT_VERSION = 1,
	SEGMENT_HEADER = 64, /* bytes */
	FRAME_HEADER = 32,
	FRAME_ALIGNMENT = 8,
	SEGMENT_ID_SIZE = 16,
};

struct segment_header {
	unsigned char store_id[SEGMENT_ID_SIZE];
	uint64_t serial;
	uint64_t first; /* the position of its first event; all before it are durable */
};

void segment_header_write(unsigned char *bytes, const struct segment_header *header);

enum segment_kind {
	SEGMENT_OURS,
	SEGMENT_OTHERS,     /* of another store */
	SEGMENT_NEWER,      /* of a newer version */
	SEGMENT_UNREADABLE, /* damaged, or its creation was cut short */
};

enum segment_kind segment_header_read(struct slice bytes, const unsigned char *store_id,
				      struct segment_header *header);

struct frame {
	uint64_t position;
	uint64_t durable; /* the last durable position when it was written */
	uint32_t left;    /* events that follow in its group */
	struct slice event;
	size_t end; /* offset in the segment of what follows it */
};

/* The checksums' start value for a store. */
uint32_t frame_seed(const unsigned char *store_id);
/* Bytes in a segment, padding included. */
size_t frame_size(size_t event_size);
/* Appends a frame whose header frame_finish() has yet to write. */
bool frame_append(struct buffer *out, uint32_t seed, struct slice event);
/* Writes the header of the frame at `offset`; returns the next frame's offset. */
size_t frame_finish(struct buffer *out, size_t offset, uint32_t seed, uint64_t position,
		    uint64_t durable, uint32_t left);
/* Finds the first intact frame at or after `offset` with a position of at least `from`. */
bool frame_find(struct slice segment, size_t offset, uint32_t seed, uint64_t from,
		struct frame *frame);

#endif
