/* A request to be identified. */
#ifndef RECALLD_TESTS_IDENTITY_FIXTURE_H
#define RECALLD_TESTS_IDENTITY_FIXTURE_H

#include "proxy/exchange/identity.h"
#include "tests/unit/unit.h"

enum { MAX_FIELDS = 8 };

struct fixture {
	struct arena arena;
	struct config *config;
	struct http_field fields[MAX_FIELDS];
	struct http_head head;
	struct identity_path path;
	bool has_path;
	struct request request;
	struct identity identity;
	const char *fault;
};

static inline struct fixture begin(const char *settings)
{
	struct fixture fixture = {
		.config = config_read_text("test.conf", slice_of(settings), stderr, NULL)};
	ck_assert_ptr_nonnull(fixture.config);
	return fixture;
}

static inline void finish(struct fixture *fixture)
{
	config_release(fixture->config);
	arena_finish(&fixture->arena);
}

static inline void add_field(struct fixture *fixture, const char *name, const char *value)
{
	ck_assert_uint_lt(fixture->head.field_count, MAX_FIELDS);
	fixture->fields[fixture->head.field_count++] =
		(struct http_field){slice_of(name), slice_of(value)};
}

static inline bool take_path(struct fixture *fixture, const char *target)
{
	fixture->has_path = identity_split_path(fixture->config, slice_of(target), &fixture->path,
						&fixture->arena);
	return fixture->has_path;
}

static inline enum identity_verdict find(struct fixture *fixture)
{
	fixture->head.fields = fixture->fields;
	enum identity_verdict verdict = identity_find(
		fixture->config, &fixture->head, fixture->has_path ? &fixture->path : NULL,
		&fixture->request, &fixture->identity, &fixture->fault, &fixture->arena);
	ck_assert((verdict == IDENTITY_OK) == (fixture->fault == NULL));
	return verdict;
}

#endif
