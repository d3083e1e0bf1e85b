/* Time zones, by their IANA names ("Europe/Berlin"), from the system's tzdata. Safe from any
 * thread. */
#ifndef RECALLD_PROXY_CONFIG_ZONE_H
#define RECALLD_PROXY_CONFIG_ZONE_H

#include "core/base/bytes.h"

/* UTC, which needs no tzdata. */
enum { ZONE_UTC = 0 };

/* The zone's number, which stays valid. False: the name is unknown, or tzdata is not installed. */
bool zone_find(struct slice name, uint64_t *zone);

/* How many minutes the zone's clocks are ahead of UTC at a time, in milliseconds since 1970. */
int zone_offset(uint64_t zone, int64_t at);

#endif
