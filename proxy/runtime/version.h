/* Which recalld this is. */
#ifndef RECALLD_PROXY_RUNTIME_VERSION_H
#define RECALLD_PROXY_RUNTIME_VERSION_H

/* The commit that it was built from, "-dirty" behind it if files had been changed; or "unknown". */
extern const char version_commit[];
/* "0.1.0 (commit 1a2b3c4)", for people. RECALLD_VERSION is the number alone. */
extern const char version_text[];

#endif
