/* Rules that values keep, alone and together, and what the documents say of each key. */
#include "tests/unit/config_reading.h"

#include <stdlib.h>
#include <string.h>

START_TEST(addresses_are_checked)
{
	static const char *const wrong[] = {
		":8080",   "8080",  "127.0.0.1",     "a:b",         "a:65536",
		"[::1:80", "[::1]", "[nonsense]:80", "::1:80",      "ho st:80",
		"a:80 b",  "a:",    "*:80",          "http://a:80", "127.0.0.1:-1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[128];
		(void)snprintf(text, sizeof(text), "[listen]\naddress = %s\n", wrong[i]);
		assert_fault_has(text,
				 "test.conf:2: [listen] address is not an address; write HOST:");
	}
	static const char *const not_local[] = {"unix:", "unix:recalld", "unix:/", "unix:/run/",
						"unix:///"};
	for (size_t i = 0; i < sizeof(not_local) / sizeof(not_local[0]); i++) {
		char text[128];
		(void)snprintf(text, sizeof(text), "[listen]\naddress = %s\n", not_local[i]);
		assert_fault_has(text, "test.conf:2: [listen] address is not a local socket; write "
				       "unix:/PATH");
	}
	char longest[200];
	(void)snprintf(longest, sizeof(longest), "[listen]\naddress = unix:/%098d\n", 0);
	config_release(read_good(longest));
	(void)snprintf(longest, sizeof(longest), "[listen]\naddress = unix:/%099d\n", 0);
	assert_fault_has(longest, "at most 99 bytes");
	config_release(read_good("[listen]\naddress = [::1]:0\nadmin = localhost:0\n"));
	config_release(read_good("[listen]\naddress = 0.0.0.0:80\nadmin =\n"));
	assert_fault_has("[listen]\naddress =\n", "is empty; the default is 127.0.0.1:8080");
}
END_TEST

START_TEST(an_open_admin_address_needs_a_token)
{
	static const char *const open[] = {"0.0.0.0:9", "[::]:9", "10.0.0.1:9", "example.com:9"};
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		char text[128];
		(void)snprintf(text, sizeof(text), "[listen]\n\nadmin = %s\n", open[i]);
		assert_fault_has(text, "test.conf:3: [listen] admin is open to other machines, but "
				       "admin_token is empty; set admin_token, or make admin a "
				       "loopback address");
		(void)snprintf(text, sizeof(text), "[listen]\nadmin = %s\nadmin_token = t\n",
			       open[i]);
		config_release(read_good(text));
	}
	config_release(read_good("[listen]\nadmin = 127.8.8.8:9\n"));
	config_release(read_good("[listen]\nadmin = unix:/run/recalld/admin\n"));
	config_release(read_good("[listen]\nadmin = [::ffff:127.0.0.1]:9\n"));
}
END_TEST

START_TEST(a_certificate_and_its_key_go_together)
{
	assert_fault_has("[listen]\ntls_certificate = /x\n",
			 "test.conf:2: [listen] tls_certificate is set without tls_key; set both");
	assert_fault_has("[listen]\ntls_key = /x\n",
			 "test.conf:2: [listen] tls_key is set without tls_certificate; set both");
	assert_fault_has("[listen]\ntls_key = /nowhere/k\ntls_certificate = /nowhere/c\n",
			 "test.conf:3: [listen] tls_certificate cannot be used (No such file or "
			 "directory); name a");
	config_release(read_good("[listen]\ntls_key =\ntls_certificate =\n"));
}
END_TEST

START_TEST(a_store_is_not_made_in_a_folder_named_tilde)
{
	assert_fault_has(
		"[storage]\npath = ~/memory\n",
		"test.conf:2: [storage] path begins with ~, which recalld does not expand; "
		"write the whole path, or ${HOME}");
	config_release(read_good("[storage]\npath = /home/a~/memory\n"));
}
END_TEST

START_TEST(both_addresses_must_differ)
{
	assert_fault_has("[listen]\naddress = 127.0.0.1:8081\n", "test.conf:2: [listen] admin is "
								 "the same address");
	assert_fault_has("[listen]\naddress = 0.0.0.0:8081\n", "is the same address");
	assert_fault_has("[listen]\naddress = unix:/r\nadmin = unix:/r\n", "is the same address");
	config_release(read_good("[listen]\naddress = 127.0.0.1:0\nadmin = 127.0.0.1:0\n"));
	config_release(read_good("[listen]\naddress = unix:/r\nadmin = unix:/s\n"));
	config_release(read_good("[listen]\naddress = unix:/r\n"));
}
END_TEST

START_TEST(neither_the_upstream_nor_the_collector_is_recalld_itself)
{
	assert_fault_has("[upstream]\nmessages_base_url = http://127.0.0.1:8080/v1\n",
			 "[upstream] messages_base_url leads back to [listen] address");
	assert_fault_has("[upstream]\nbase_url = http://127.0.0.1:8080/v1\n",
			 "test.conf:2: [upstream] base_url leads back to [listen] address");
	assert_fault_has("[upstream]\nbase_url = http://LocalHost:8080\n", "leads back");
	assert_fault_has("[listen]\naddress = 0.0.0.0:9\n[upstream]\n"
			 "base_url = https://[::1]:9/v1\n",
			 "test.conf:4: [upstream] base_url leads back");
	assert_fault_has("[listen]\naddress = api.openai.com:443\n[upstream]\n"
			 "base_url = https://api.openai.com:443/v1\n",
			 "leads back");
	assert_fault_has("[trace]\nendpoint = http://127.0.0.1:8080\n",
			 "test.conf:2: [trace] endpoint leads back");
	config_release(read_good("[trace]\nendpoint = http://127.0.0.1:4318\n"));
	config_release(read_good("[upstream]\nbase_url = http://127.0.0.1:8082/v1\n"));
	config_release(read_good("[upstream]\nbase_url = http://127.0.0.2:8080/v1\n"));
	config_release(read_good("[upstream]\nbase_url = http://localhost/v1\n"));
	config_release(read_good("[listen]\naddress = 0.0.0.0:9\n[upstream]\n"
				 "base_url = http://other:9/v1\n"));
	config_release(read_good("[listen]\naddress = unix:/r\n[upstream]\n"
				 "base_url = http://127.0.0.1:8080/v1\n"));
	config_release(read_good("[upstream]\nbase_url = http://localhost:8080/v1\n"
				 "proxy = http://a:1\n"));
}
END_TEST

START_TEST(urls_are_checked)
{
	static const char *const wrong[] = {"api.openai.com/v1",
					    "ftp://a/v1",
					    "https://",
					    "https:///v1",
					    "https://a/v1?x=1",
					    "https://a/v1#x",
					    "https://k:s@a/v1",
					    "https://a:0/v1",
					    "https://a:70000/v1",
					    "https://a b/v1",
					    "https://[::1/v1",
					    "https://b\xc3\xbc/v1",
					    "https://a:/v1",
					    "https://a/v1/chat/completions",
					    "http://a/v1/models/",
					    "http://a/v1/messages",
					    "http://a/v1/responses",
					    "http://[fe80::1%eth0]/v1",
					    "http://[fe80::1%25]/v1",
					    "http://[fe80::1%25a%25b]/v1",
					    "http://[%25eth0]/v1",
					    "http://[fe80::1%25eth0]:0/v1",
					    "http://a%25eth0/v1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[128];
		(void)snprintf(text, sizeof(text), "[upstream]\nbase_url = \"%s\"\n", wrong[i]);
		assert_fault_has(text, "test.conf:2: [upstream] base_url ");
	}
	assert_fault_has("[model]\nbase_url = https://a/v1/chat/completions\n",
			 "ends in an endpoint, which recalld appends itself; leave");
	config_release(read_good("[upstream]\nbase_url = http://models/v1\n"));
	config_release(read_good("[upstream]\nbase_url = http://[fe80::1%25br-1a2b.3]:8000/v1\n"
				 "proxy = http://[fe80::1%25eth0]:3128\n"));
	assert_fault_has("[listen]\naddress = [fe80::1%25eth0]:8080\n", "test.conf:2: [listen]");
	config_release(read_good("[upstream]\nbase_url = http://localhost:11434/v1/\n"
				 "proxy = http://proxy.local:3128/\n"));
	assert_fault_has("[upstream]\nproxy = https://a:1",
			 "is not a proxy; write http://HOST:PORT");
	assert_fault_has("[upstream]\nproxy = http://a", "is not a proxy");
	assert_fault_has("[upstream]\nca_file = /nonexistent", "cannot be read (No such file");
	assert_fault_has("[upstream]\nca_file = /dev/null\n",
			 "test.conf:2: [upstream] ca_file has no usable certificates (");
	assert_fault_has("[upstream]\nca_file = /\n", "ca_file has no usable certificates");
}
END_TEST

START_TEST(header_names_and_body_fields_are_checked)
{
	assert_fault_has("[identity]\nuser_header = X User", "not a header name");
	assert_fault_has("[identity]\nuser_header = A,,B", "has an empty item; remove the comma");
	assert_fault_has("[identity]\nuser_header = A,", "has an empty item");
	assert_fault_has("[identity]\nuser_header = authorization", "the upstream needs");
	assert_fault_has("[identity]\nuser_body = user, name", "has an unknown item; choose from");
	config_release(read_good("[identity]\nuser_body = metadata.user_id, user\n"));
}
END_TEST

START_TEST(the_last_matching_section_wins_key_by_key)
{
	struct config *config =
		read_good("[memory]\ncontext_tokens = 100\nrole = system\n"
			  "[memory model=gemma-2*]\nrole = user\ncontext_tokens = 200\n"
			  "[memory tenant=00ff]\ncontext_tokens = 300\nlearn = off\n"
			  "[memory user=guest-??]\ncontext_tokens = 400\n[identity]\n"
			  "tenant = api-key\n");
	struct config_memory memory =
		config_memory_for(config, SLICE("gpt-4o"), SLICE(""), SLICE("a"));
	ck_assert_uint_eq(memory.context_tokens, 100);
	ck_assert_int_eq(memory.role, CONFIG_ROLE_SYSTEM);
	memory = config_memory_for(config, SLICE("gemma-2-9b"), SLICE(""), SLICE("a"));
	ck_assert_uint_eq(memory.context_tokens, 200);
	ck_assert_int_eq(memory.role, CONFIG_ROLE_USER);
	memory = config_memory_for(config, SLICE("gemma-2"), SLICE("00ff"), SLICE("guest-01"));
	ck_assert_uint_eq(memory.context_tokens, 400);
	ck_assert_int_eq(memory.role, CONFIG_ROLE_USER);
	ck_assert(!memory.learn);
	memory = config_memory_for(config, SLICE("Gemma-2"), SLICE("00ff"),
				   SLICE("guest-\xc3\xa4z"));
	ck_assert_uint_eq(memory.context_tokens, 400);
	ck_assert_int_eq(memory.role, CONFIG_ROLE_SYSTEM);
	config_release(config);
}
END_TEST

static bool matches(const char *pattern, const char *text)
{
	char file[512];
	(void)snprintf(file, sizeof(file), "[memory user=%s]\nlearn = off\n", pattern);
	struct config *config = read_good(file);
	bool learn = config_memory_for(config, SLICE("m"), SLICE("t"), slice_of(text)).learn;
	config_release(config);
	return !learn;
}

START_TEST(patterns_know_star_and_question_mark_only)
{
	ck_assert(matches("*", "") && matches("**", "") && !matches("?", ""));
	ck_assert(matches("*", "a/b") && matches("a*c", "abcbc") && !matches("a*c", "abcb"));
	ck_assert(matches("a*b*c", "a-b-b-c") && !matches("a*b*c", "acb"));
	ck_assert(matches("[ab]", "[ab]") && !matches("[ab]", "a"));
	ck_assert(!matches("a", "A") && !matches("a", "ab") && !matches("ab", "a"));
	ck_assert(matches("?\xc3\xa4?", "\xe2\x82\xac\xc3\xa4x"));
	ck_assert(!matches("*a*a*a*a*a*a*a*a*a*a*a*b",
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}
END_TEST

START_TEST(selectors_are_checked)
{
	static const char *const wrong[] = {"[memory x=y]", "[memory user]", "[memory user=]",
					    "[memory user=a model=b]", "[memory =a]"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_fault_has(wrong[i], "test.conf:1: the section's selector is not valid; "
					   "write one of [memory model=GLOB]");
	assert_fault_has("[log user=a]",
			 "[log] takes no selector; [memory], [retention] and [pii] do");
	assert_fault_has(
		"[memory user=a]\nreceipts = 1\n",
		"test.conf:2: receipts cannot differ between requests; set it in [memory]");
	assert_warns("[memory tenant=ab]\nlearn=off\n",
		     "test.conf: warning: the [memory tenant=...] of line 1 never applies");
}
END_TEST

START_TEST(the_tokens_of_a_turn_stay_within_those_of_the_request)
{
	assert_fault_has("[memory]\ncontext_tokens = 7000\n",
			 "test.conf:2: [memory] context_tokens exceeds conversation_tokens");
	assert_fault_has("[memory user=a]\nlearn=on\nconversation_tokens = 10\n",
			 "test.conf:3: [memory] context_tokens exceeds");
	struct config *config = read_good("[memory model=a]\ncontext_tokens = 4000\n"
					  "[memory user=a]\nconversation_tokens = 2000\n");
	struct config_memory memory = config_memory_for(config, SLICE("a"), SLICE(""), SLICE("a"));
	ck_assert_uint_eq(memory.context_tokens, 2000);
	config_release(config);
	assert_warns("[memory]\ncontext_tokens = 2000\nconversation_tokens = 2000\n",
		     "test.conf: warning: [memory] conversation_tokens does not exceed");
}
END_TEST

START_TEST(the_largest_body_fits_into_what_may_be_in_flight)
{
	assert_fault_has("[listen]\nmax_in_flight = 32M\n",
			 "test.conf:2: [listen] max_body exceeds max_in_flight");
	assert_fault_has("[listen]\nworkers = 1\nmax_body = 2G\n",
			 "test.conf:3: [listen] max_body exceeds max_in_flight");
	config_release(read_good("[listen]\nmax_body = 1G\n"));
}
END_TEST

START_TEST(a_fault_of_two_keys_is_told_where_it_was_made)
{
	assert_fault_has("[listen]\naddress = 127.0.0.1:9\nadmin = 127.0.0.1:9\n",
			 "test.conf:3: [listen] admin is the same address");
	assert_fault_has("[listen]\nmax_body = 2M\nmax_in_flight = 1M\n",
			 "test.conf:3: [listen] max_body exceeds");
	assert_fault_has("[memory]\nconversation_tokens = 10\ncontext_tokens = 20\n",
			 "test.conf:3: [memory] context_tokens exceeds");
	assert_fault_has("[memory user=a]\nconversation_tokens = 10\ncontext_tokens = 20\n",
			 "test.conf:3: [memory] context_tokens exceeds");
	setenv("RECALLD_LISTEN_ADMIN", "127.0.0.1:9", 1);
	assert_fault_has("[listen]\naddress = 127.0.0.1:9\n",
			 "RECALLD_LISTEN_ADMIN: [listen] admin is the same address");
	unsetenv("RECALLD_LISTEN_ADMIN");
}
END_TEST

/* Its place takes a default, which causes no warning. */
START_TEST(a_value_that_is_no_value_brings_no_second_fault)
{
	static const char *const texts[] = {
		"[listen]\naddress = nonsense\nadmin = 127.0.0.1:8080\n",
		"[listen]\nadmin = nonsense\naddress = 127.0.0.1:8081\n",
		"[listen]\nadmin = 0.0.0.0:9\nadmin_token = ${RECALLD_TEST_NOTHING}\n",
		"[listen]\nmax_body = nonsense\nmax_in_flight = 32M\n",
		"[listen]\nmax_in_flight = nonsense\nmax_body = 2G\n",
		"[memory]\ncontext_tokens = nonsense\nconversation_tokens = 10\n",
		"[memory]\nconversation_tokens = nonsense\ncontext_tokens = 7000\n",
		"[memory]\ncontext_tokens = 7000\n[memory user=a]\nlearn = off\n",
		"[listen]\naddress = nonsense\n[memory]\nmode = off\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct reading reading = read_text(texts[i]);
		ck_assert_ptr_null(reading.config);
		ck_assert_msg(strchr(reading.faults, '\n')[1] == '\0', "%s", reading.faults);
		ck_assert_str_eq(reading.warnings, "");
		finish_reading(&reading);
	}
}
END_TEST

START_TEST(changes_that_need_a_restart_are_named)
{
	struct config *before = read_good("");
	struct config *after =
		read_good("[listen]\naddress = 127.0.0.1:9\nmax_body = 1M\nworkers=2\n"
			  "[memory]\nreceipts = 5\nmode = off\n[storage]\npath = /x\n");
	char *names = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&names, &size);
	ck_assert_uint_eq(config_unreloadable_changes(before, before, out), 0);
	ck_assert_uint_eq(config_unreloadable_changes(before, after, out), 4);
	(void)fclose(out);
	ck_assert_str_eq(names, "listen.address\nlisten.workers\nmemory.receipts\nstorage.path\n");
	free(names);
	config_release(before);
	config_release(after);
	config_release(NULL);
}
END_TEST

/* How often the file sets the key, outside of comments; each time as its default. */
static size_t count_settings(struct slice file, const struct config_key *key)
{
	struct slice section = {0};
	size_t count = 0;
	for (size_t begin = 0; begin < file.size;) {
		size_t end = slice_find(file, SLICE("\n"), begin);
		struct slice line = slice_part(file, begin, end);
		begin = end + 1;
		size_t equals = slice_find(line, SLICE("="), 0);
		if (line.size > 2 && line.data[0] == '[')
			section = slice_part(line, 1, line.size - 1);
		if (line.size == 0 || line.data[0] == '#' || equals == line.size ||
		    !slice_equal(section, slice_of(key->section)) ||
		    !slice_equal(slice_trim(slice_part(line, 0, equals)), slice_of(key->name)))
			continue;
		unit_assert_slice(slice_trim(slice_part(line, equals + 1, line.size)),
				  key->initial);
		count++;
	}
	return count;
}

START_TEST(the_annotated_file_has_every_key_once_with_its_default)
{
	char text[64 * 1024];
	FILE *file = fopen("conf/recalld.conf", "r");
	ck_assert_ptr_nonnull(file);
	struct slice content = {text, fread(text, 1, sizeof(text), file)};
	(void)fclose(file);
	ck_assert_uint_lt(content.size, sizeof(text));
	for (size_t i = 0; i < config_key_count; i++)
		ck_assert_msg(count_settings(content, &config_keys[i]) == 1,
			      "[%s] %s is not there once", config_keys[i].section,
			      config_keys[i].name);
	struct config *config = config_read("conf/recalld.conf", stderr, NULL);
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(config->override_count, 0);
	config_release(config);
}
END_TEST

START_TEST(the_reference_names_every_key)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	config_print_reference(out);
	(void)fclose(out);
	for (size_t i = 0; i < config_key_count; i++) {
		char row[64];
		(void)snprintf(row, sizeof(row), "| `%s` | ", config_keys[i].name);
		ck_assert_msg(strstr(text, row) != NULL, "%s", row);
	}
	ck_assert_ptr_nonnull(strstr(text, "**[memory]**"));
	ck_assert_ptr_nonnull(strstr(text, "| `workers` | `0` | 0 to 256 | event loops"));
	ck_assert_ptr_nonnull(strstr(text, "| `mode` | `hybrid` | off, buffer, summary, entity, "
					   "vector, hybrid, auto | "));
	free(text);
}
END_TEST

START_TEST(the_manual_page_lists_every_key)
{
	char page[32 * 1024];
	FILE *file = fopen("conf/man/keys.md", "r");
	ck_assert_ptr_nonnull(file);
	size_t size = fread(page, 1, sizeof(page) - 1, file);
	(void)fclose(file);
	page[size] = '\0';

	char *reference = NULL;
	FILE *out = open_memstream(&reference, &size);
	config_print_reference(out);
	(void)fclose(out);
	ck_assert_msg(strcmp(page, reference) == 0,
		      "run build/tests/config-reference >conf/man/keys.md");
	free(reference);
}
END_TEST

UNIT_MAIN("config_rules", addresses_are_checked, an_open_admin_address_needs_a_token,
	  a_certificate_and_its_key_go_together, a_store_is_not_made_in_a_folder_named_tilde,
	  both_addresses_must_differ, neither_the_upstream_nor_the_collector_is_recalld_itself,
	  urls_are_checked, header_names_and_body_fields_are_checked,
	  the_last_matching_section_wins_key_by_key, patterns_know_star_and_question_mark_only,
	  selectors_are_checked, the_tokens_of_a_turn_stay_within_those_of_the_request,
	  the_largest_body_fits_into_what_may_be_in_flight,
	  a_fault_of_two_keys_is_told_where_it_was_made,
	  a_value_that_is_no_value_brings_no_second_fault, changes_that_need_a_restart_are_named,
	  the_annotated_file_has_every_key_once_with_its_default, the_reference_names_every_key,
	  the_manual_page_lists_every_key)
