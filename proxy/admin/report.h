/* Deletion reports: counts only. */
#ifndef RECALLD_PROXY_ADMIN_REPORT_H
#define RECALLD_PROXY_ADMIN_REPORT_H

#include "proxy/admin/call.h"
#include "storage/deletions.h"

/* A legal hold keeps a memory unless the call insists (?force=1). */
bool report_is_held(struct admin_call *call, struct user_key user);
/* The same of call->user. False: the call has ended. */
bool report_may_delete(struct admin_call *call);
/* Answers what deleting call->user would take, and ends the call. */
void report_preview_user(struct admin_call *call);
/* Appends an object with what a preview counts. */
void report_put_preview(struct buffer *out, const struct deletion_report *report);
/* Ends the call with the report of what has been deleted, under a new id. */
void report_reply(struct admin_call *call, const struct deletion_report *report);
/* The same for several users; a legal hold kept `held` others. */
void report_reply_users(struct admin_call *call, const struct deletion_report *report, size_t held);
void report_add(struct deletion_report *sum, const struct deletion_report *report);

#endif
