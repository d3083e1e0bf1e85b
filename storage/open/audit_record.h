/* Puts the audit log's hook into a store. */
#ifndef RECALLD_STORAGE_OPEN_AUDIT_RECORD_H
#define RECALLD_STORAGE_OPEN_AUDIT_RECORD_H

struct store;

void audit_install(struct store *store);

#endif
