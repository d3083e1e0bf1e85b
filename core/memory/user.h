/* Whose memory it is. */
#ifndef RECALLD_CORE_MEMORY_USER_H
#define RECALLD_CORE_MEMORY_USER_H

#include "core/base/bytes.h"

/* The first 16 bytes of SHA-256 over tenant and user id. Every record of a user begins with it. */
struct user_key {
	unsigned char bytes[16];
};

#endif
