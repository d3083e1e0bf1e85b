#include "proxy/runtime/log.h"
#include "tests/unit/config_reading.h"

#include <stdlib.h>
#include <string.h>

START_TEST(an_empty_file_gives_the_defaults)
{
	struct config *config = read_good("");
	ck_assert_str_eq(config->listen.address, "127.0.0.1:8080");
	ck_assert_str_eq(config->listen.admin, "127.0.0.1:8081");
	ck_assert_uint_eq(config->listen.max_body, 64 * 1024 * 1024);
	ck_assert_uint_eq(config->upstream.first_byte_timeout, 900 * 1000);
	ck_assert_uint_eq(config->identity.user_header.count, 2);
	ck_assert_str_eq(config->identity.user_header.items[1], "X-OpenWebUI-User-Id");
	ck_assert_uint_eq(config->identity.user_body.count, 0);
	ck_assert_int_eq(config->memory.mode, MODE_HYBRID);
	ck_assert(config->memory.secrets_redact && config->memory.learn);
	ck_assert_double_eq(config->memory.min_confidence, 0.7);
	ck_assert_uint_eq(config->storage.map_size, UINT64_C(16) << 30);
	ck_assert_int_eq(config->log.level, LOG_LEVEL_INFO);
	config_release(config);
}
END_TEST

START_TEST(values_of_every_type_are_read)
{
	struct config *config = read_good("[listen]\nmax_body = 5K\ndrain_timeout=0\nworkers = 3\n"
					  "[upstream]\nconnect_timeout = 250ms\n"
					  "idle_timeout = 24h\nbase_url = http://[::1]:9/v1//\n"
					  "[identity]\nuser_header = A,B , C\ntask_header =\n"
					  "tenant = api-key\nuser_path = off\n"
					  "[memory]\nmode = entity\nsecrets = keep\n"
					  "min_confidence = 0.125\nrole = developer\n");
	ck_assert_uint_eq(config->listen.max_body, 5 * 1024);
	ck_assert_uint_eq(config->listen.drain_timeout, 0);
	ck_assert_uint_eq(config->listen.workers, 3);
	ck_assert_uint_eq(config->upstream.connect_timeout, 250);
	ck_assert_uint_eq(config->upstream.idle_timeout, 24 * 3600 * 1000);
	ck_assert_str_eq(config->upstream.base_url, "http://[::1]:9/v1");
	ck_assert_uint_eq(config->identity.user_header.count, 3);
	ck_assert_str_eq(config->identity.user_header.items[1], "B");
	ck_assert_uint_eq(config->identity.task_header.count, 0);
	ck_assert_int_eq(config->identity.tenant, TENANT_API_KEY);
	ck_assert(!config->identity.user_path);
	ck_assert_int_eq(config->memory.mode, MODE_ENTITY);
	ck_assert(!config->memory.secrets_redact);
	ck_assert_double_eq(config->memory.min_confidence, 0.125);
	ck_assert_int_eq(config->memory.role, CONFIG_ROLE_DEVELOPER);
	config_release(config);
}
END_TEST

START_TEST(comments_quotes_crlf_and_a_byte_order_mark_are_understood)
{
	struct config *config = read_good("\xef\xbb\xbf; a comment\r\n  # another\r\n\r\n"
					  "[listen] ; of a section\r\n"
					  "admin_token = a;b#c ; d\r\n"
					  "[storage]\r\n"
					  "path = \"/var/lib/a ; b # c\"  # said so\r\n"
					  "[model]\r\nname =# nothing\r\n"
					  "[log]\nlevel\t=\twarn\t; tabs");
	ck_assert_str_eq(config->listen.admin_token, "a;b#c");
	ck_assert_str_eq(config->storage.path, "/var/lib/a ; b # c");
	ck_assert_str_eq(config->model.name, "");
	ck_assert_int_eq(config->log.level, LOG_LEVEL_WARN);
	config_release(config);
	assert_fault_has("[model]\nname = \"a\" b\n", "test.conf:2: [model] name continues after");
	assert_fault_has("[model]\nname = \"a\n", "test.conf:2: [model] name has no closing quote");
}
END_TEST

START_TEST(every_fault_is_reported_with_its_line_and_a_remedy)
{
	assert_faults("[listen]\nadress = 1\n[memroy]\nx = 1\n[log]\nlevel = loud\n",
		      "test.conf:2: unknown key \"adress\" in [listen]; did you mean \"address\"?\n"
		      "test.conf:3: unknown section [memroy]; did you mean [memory]?\n"
		      "test.conf:6: [log] level is \"loud\"; choose error, warn, info, debug\n");
	assert_faults("mode = off\nnonsense\n",
		      "test.conf:1: a key precedes the first section; put it after its "
		      "[section]\n"
		      "test.conf:2: the line is neither a [section] nor \"key = value\"; write one "
		      "of these, or # before a comment\n");
	assert_fault_has("[memory]\nbase_url = http://x\n", "it belongs to [");
	assert_fault_has("[storage]\nzzzzzzzzzz = 1\n", "there are engine, path, map_size");
	assert_fault_has("[zzzzzzzzz]\n", "there are [listen], [upstream], [identity]");
	assert_fault_has("[log] level = info\n", "a section needs its own line");
}
END_TEST

START_TEST(nothing_may_be_said_twice)
{
	assert_faults("[log]\nlevel = info\n\nlevel = warn\n",
		      "test.conf:4: level is already set in line 2; remove one of the two\n");
	assert_faults("[log]\n[model]\n[log]\n",
		      "test.conf:3: the same section already begins in line 1; merge their keys\n");
	assert_fault_has("[memory user=a]\nlearn=on\n[memory model=a]\n[memory  user = a]\n",
			 "test.conf:4: the same section already begins in line 1");
	assert_fault_has("[memory user=a]\nlearn=on\nlearn=on\n",
			 "test.conf:3: learn is already set in line 2");
	config_release(read_good("[memory]\nlearn=on\n[memory user=a]\nlearn=on\n"
				 "[memory user=b]\nlearn=on\n"));
}
END_TEST

START_TEST(values_out_of_range_name_the_range)
{
	assert_faults("[listen]\nworkers = 257\n",
		      "test.conf:2: [listen] workers is \"257\", out of range; choose 0 to 256\n");
	assert_fault_has("[memory]\nbuffer_messages = 401\n", "choose 0 to 400");
	assert_fault_has("[memory]\nsummarize_after = 1\n", "choose 2 to 400");
	assert_fault_has("[memory]\nsummary_words = 9\n", "choose 10 to 2000");
	assert_fault_has("[memory]\nmin_confidence = 1.01\n", "choose 0 to 1");
	assert_fault_has("[listen]\nmax_body = 3G\n", "choose 1K to 2G");
	assert_fault_has("[upstream]\nidle_timeout = 0\n", "choose 1ms to 1d");
	assert_fault_has("[upstream]\nidle_timeout = 99999999999999999999d\n", "choose 1ms to 1d");
	assert_fault_has("[model]\nconcurrency = 18446744073709551617\n", "choose 1 to 256");
}
END_TEST

START_TEST(units_and_numbers_are_strict)
{
	static const char *const wrong[] = {
		"[model]\ntimeout = 30",
		"[model]\ntimeout = 30 s",
		"[model]\ntimeout = s",
		"[model]\ntimeout = -1s",
		"[model]\ntimeout = 1h30m",
		"[model]\ntimeout =",
		"[model]\ntimeout = 1.5s",
		"[listen]\nmax_body = 64MB",
		"[listen]\nmax_body = 1m",
		"[model]\nconcurrency = 0x10",
		"[model]\nconcurrency = +1",
		"[model]\nconcurrency = 1K",
		"[memory]\nmin_confidence = .",
		"[memory]\nmin_confidence = 0.",
		"[memory]\nmin_confidence = 1e-3",
		"[memory]\nmin_confidence = nan",
		"[memory]\nmin_confidence = 0,5",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_fault_has(wrong[i], "; write ");
	assert_fault_has("[model]\ntimeout = 30",
			 "is \"30\"; write a number with ms, s, m, h or d");
	assert_fault_has("[memory]\nlearn = yes", "is \"yes\"; choose off, on");
	assert_fault_has("[listen]\nworkers = -1", "is \"-1\"; write a whole number, 0 to 256");
	assert_fault_has("[memory]\nlearn =", "is empty; choose off, on");
}
END_TEST

START_TEST(personal_data_has_an_action_for_each_class)
{
	struct config *config = read_good("[pii]\nemail = mask\nphone = drop\nip = no_inject\n"
					  "health = drop\n[pii user=a*]\nemail = keep\n"
					  "[pii tenant=t]\nmac = mask\n");
	struct config_memory memory =
		config_memory_for(config, SLICE(""), SLICE("t"), SLICE("bob"));
	struct pii_policy policy = config_pii_policy(&memory);
	ck_assert_uint_eq(policy.mask, PII_BIT(PII_EMAIL) | PII_BIT(PII_MAC));
	ck_assert_uint_eq(policy.drop, PII_BIT(PII_PHONE) | PII_BIT(PII_HEALTH));
	ck_assert_uint_eq(policy.hide, PII_BIT(PII_IP));
	memory = config_memory_for(config, SLICE(""), SLICE(""), SLICE("alex"));
	ck_assert_uint_eq(config_pii_policy(&memory).mask, 0);
	config_release(config);
	assert_fault_has("[pii]\nemail = hide", "choose keep, mask, drop, no_inject");
	assert_fault_has("[pii]\nother = mask", "unknown key");
	assert_fault_has("[pii model=x]\nemail = mask",
			 "write one of [pii tenant=ID], [pii user=GLOB]");
}
END_TEST

START_TEST(the_shortest_time_of_retention_counts)
{
	const uint64_t day = 24 * 3600 * 1000;
	struct config *config =
		read_good("[retention]\nmessages = 30d\nfacts.person = 9d\nnotes = 8d\n"
			  "[retention tenant=t]\nmessages = 60d\nfacts = 5d\nreceipts = 2d\n"
			  "[retention user=a*]\nmessages = 10d\nfacts = 0\npii = drop\n");
	struct config_retention kept =
		config_memory_for(config, SLICE(""), SLICE("t"), SLICE("alex")).retention;
	ck_assert_uint_eq(kept.messages, 10 * day);
	ck_assert_uint_eq(kept.facts, 5 * day);
	ck_assert_uint_eq(kept.fact_kinds[FACT_OF_PERSON], 9 * day);
	ck_assert_uint_eq(kept.fact_kinds[FACT_OF_NOTE], 8 * day);
	ck_assert_uint_eq(kept.receipts, 2 * day);
	ck_assert_uint_eq(kept.summaries, 0);
	ck_assert_int_eq(kept.pii, PII_DROP);
	kept = config_memory_for(config, SLICE(""), SLICE("t"), SLICE("bob")).retention;
	ck_assert_uint_eq(kept.messages, 30 * day);
	ck_assert_int_eq(kept.pii, PII_KEEP);
	kept = config_shortest_retention(config);
	ck_assert_uint_eq(kept.messages, 10 * day);
	ck_assert_uint_eq(kept.facts, 5 * day);
	ck_assert_int_eq(kept.pii, PII_DROP);
	config_release(config);
	assert_fault_has("[retention]\nfacts.pet = 1d", "unknown key");
	assert_fault_has("[retention model=x]\nfacts = 1d",
			 "write one of [retention tenant=ID], [retention user=GLOB]");
}
END_TEST

START_TEST(retention_is_a_time_or_nought_and_a_policy)
{
	struct config *config = read_good("[retention]\nmessages = 90d\nfacts = 0\npii = drop\n");
	ck_assert_uint_eq(config->memory.retention.messages, UINT64_C(90) * 24 * 3600 * 1000);
	ck_assert_uint_eq(config->memory.retention.facts, 0);
	ck_assert_int_eq(config->memory.retention.pii, PII_DROP);
	config_release(config);
	config = read_good("");
	ck_assert_uint_eq(config->memory.retention.messages, 0);
	ck_assert_int_eq(config->memory.retention.pii, PII_KEEP);
	config_release(config);
	assert_fault_has("[retention]\nmessages = forever",
			 "is \"forever\"; write a number with ms, s, m, h or d, such as 90d; "
			 "0: forever");
	assert_fault_has("[retention]\nfacts = 99999d", "0 to 36525d");
	assert_fault_has("[retention]\npii = hide", "choose keep, redact, drop");
	assert_fault_has("[storage]\nengine = redis", "choose lmdb");
}
END_TEST

START_TEST(secrets_are_never_printed)
{
	static const char *const texts[] = {
		"[upstream]\napi_key = tell tale\n",
		"[upstream]\nbase_url = https://u:telltale@h/v1\n",
		"[upstream]\nproxy = telltale\n",
		"[listen]\nadmin_token = \"tell\ttale\"\n",
		"[model]\napi_key = tell\xc3\xa4tale\n",
		"[model]\ntelltale_telltale_telltale_telltale = 1\n",
		"[model]\nsk-telltale/telltale+telltale\n",
		"[listen]\ntls_key = telltale\n",
		"[upstream]\ntimeout = telltale\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct reading reading = read_text(texts[i]);
		ck_assert_ptr_null(reading.config);
		ck_assert_uint_gt(reading.fault_size, 0);
		ck_assert_msg(strstr(reading.faults, "tell") == NULL, "%s", reading.faults);
		finish_reading(&reading);
	}
}
END_TEST

START_TEST(values_are_taken_from_the_environment)
{
	setenv("TEST_KEY", "sk-1\n", 1);
	setenv("TEST_EMPTY", "", 1);
	setenv("TEST_COMMENT", "a ; b", 1);
	struct config *config = read_good("[upstream]\napi_key = ${TEST_KEY}\n"
					  "[model]\nname = a${TEST_EMPTY}$${B}$c # d\n"
					  "[storage]\npath = /${TEST_COMMENT}/${TEST_COMMENT}\n");
	ck_assert_str_eq(config->upstream.api_key, "sk-1");
	ck_assert_str_eq(config->model.name, "a${B}$c");
	ck_assert_str_eq(config->storage.path, "/a ; b/a ; b");
	config_release(config);
	unsetenv("TEST_KEY");
	assert_fault_has("[upstream]\napi_key = ${TEST_KEY}\n",
			 "test.conf:2: [upstream] api_key needs the environment variable TEST_KEY, "
			 "which is not set; set it");
	assert_fault_has("[upstream]\napi_key = ${TEST\n", "without a variable name");
	assert_fault_has("[upstream]\napi_key = ${}\n", "without a variable name");
	assert_fault_has("[upstream]\napi_key = ${A B}\n", "without a variable name");
}
END_TEST

START_TEST(variables_override_the_file)
{
	setenv("TEST_NAME", "gpt", 1);
	setenv("RECALLD_MEMORY_MODE", "off", 1);
	setenv("RECALLD_UPSTREAM_BASE_URL", " http://h/v1/ ", 1);
	setenv("RECALLD_MODEL_NAME", "${TEST_NAME}-mini", 1);
	setenv("RECALLD_PORT", "tcp://10.0.0.1:80", 1);
	setenv("RECALLD_OTHER_THING", "1", 1);
	struct config *config =
		read_good("[memory]\nmode = buffer\n[memory model=x]\nmode=entity\n");
	ck_assert_int_eq(config->memory.mode, MODE_OFF);
	ck_assert_int_eq(config_memory_for(config, SLICE("x"), SLICE(""), SLICE("")).mode,
			 MODE_ENTITY);
	ck_assert_str_eq(config->upstream.base_url, "http://h/v1");
	ck_assert_str_eq(config->model.name, "gpt-mini");
	config_release(config);
}
END_TEST

START_TEST(faults_of_variables_name_them)
{
	setenv("RECALLD_LISTEN_WORKERS", "many", 1);
	setenv("RECALLD_LISTEN_ADMIN", "0.0.0.0:1", 1);
	assert_fault_has("", "RECALLD_LISTEN_WORKERS: [listen] workers is \"many\"; write a whole "
			     "number, 0 to 256; 0: one per CPU\n");
	assert_fault_has("", "RECALLD_LISTEN_ADMIN: [listen] admin is open to other machines");
	unsetenv("RECALLD_LISTEN_WORKERS");
	unsetenv("RECALLD_LISTEN_ADMIN");
	setenv("RECALLD_UPSTREAM_API_KEY", "\"sk-1\"", 1);
	assert_fault_has("", "RECALLD_UPSTREAM_API_KEY: [upstream] api_key begins and ends with a "
			     "quotation mark, which is sent along; write it exactly as issued");
	setenv("RECALLD_UPSTREAM_API_KEY", "'sk-1'", 1);
	assert_fault_has("", "RECALLD_UPSTREAM_API_KEY: [upstream] api_key begins and ends with");
	unsetenv("RECALLD_UPSTREAM_API_KEY");
	config_release(read_good("[upstream]\napi_key = \"sk-1\"\n"));
	config_release(read_good("[upstream]\napi_key = sk-1'\n"));
	setenv("RECALLD_MODEL_SERVICE_HOST", "10.0.0.1", 1);
	assert_warns("", "test.conf: warning: RECALLD_MODEL_SERVICE_HOST is not a key of [model]");
	unsetenv("RECALLD_MODEL_SERVICE_HOST");
	setenv("RECALLD_MEMROY_MODE", "buffer", 1);
	assert_warns("",
		     "test.conf: warning: RECALLD_MEMROY_MODE has no effect: no section has this "
		     "name; did you mean [memory]?");
	unsetenv("RECALLD_MEMROY_MODE");
	/* Variables that Kubernetes sets for a service called recalld. */
	setenv("RECALLD_SERVICE_HOST", "10.0.0.1", 1);
	setenv("RECALLD_PORT_8080_TCP_ADDR", "10.0.0.1", 1);
	struct reading reading = read_text("");
	ck_assert_ptr_null(strstr(reading.warnings, "RECALLD_SERVICE"));
	ck_assert_ptr_null(strstr(reading.warnings, "RECALLD_PORT"));
	finish_reading(&reading);
}
END_TEST

START_TEST(hostile_bytes_are_refused_by_line)
{
	struct reading reading = read_slice(SLICE("[log]\n\nlevel = in\0fo\n"));
	ck_assert_str_eq(reading.faults, "test.conf:3: the line holds a NUL byte; remove it\n");
	finish_reading(&reading);
	assert_fault_has("[log]\nlevel = \xff\n", "test.conf:2: the line is not UTF-8");
	assert_fault_has("[log]\nlevel = in\rfo\n", "test.conf:2: the line holds a control");
	assert_fault_has("\x7f", "test.conf:1: the line holds a control character");
}
END_TEST

START_TEST(lines_may_have_64_kilobytes_and_no_more)
{
	struct buffer text;
	buffer_init(&text, 100000);
	buffer_append(&text, SLICE("[model]\nname = "));
	size_t begin = text.size - strlen("name = ");
	while (text.size - begin < 65536)
		buffer_append_byte(&text, 'x');
	struct reading reading = read_slice(buffer_slice(&text));
	ck_assert_msg(reading.config != NULL, "%s", reading.faults);
	ck_assert_uint_eq(strlen(reading.config->model.name), 65536 - strlen("name = "));
	finish_reading(&reading);
	buffer_append_byte(&text, 'x');
	reading = read_slice(buffer_slice(&text));
	ck_assert_str_eq(reading.faults, "test.conf:2: the line is longer than 64K; shorten it\n");
	finish_reading(&reading);
	buffer_finish(&text);
}
END_TEST

START_TEST(a_flood_of_faults_is_cut)
{
	struct buffer text;
	buffer_init(&text, 100000);
	for (int i = 0; i < 5000; i++)
		buffer_append(&text, SLICE("nonsense\n"));
	struct reading reading = read_slice(buffer_slice(&text));
	ck_assert_ptr_null(reading.config);
	ck_assert_uint_lt(reading.fault_size, 20000);
	ck_assert_ptr_nonnull(strstr(reading.faults, "test.conf: there are more faults"));
	finish_reading(&reading);
	buffer_finish(&text);
}
END_TEST

START_TEST(no_prefix_of_a_file_is_read_beyond_its_end)
{
	static const char text[] =
		"\xef\xbb\xbf[memory user=\xc3\xa4*] # c\r\nmode = \"off\" ; x\r\n"
		"[upstream]\napi_key = $${a}${PATH}\nbase_url=http://[::1]:8/\n";
	for (size_t size = 0; size < sizeof(text); size++) {
		/* A copy of just that size lets the address sanitizer see the end. */
		char *copy = xmalloc(size);
		memcpy(copy, text, size);
		struct reading reading = read_slice((struct slice){copy, size});
		ck_assert((reading.config == NULL) == (reading.fault_size > 0));
		finish_reading(&reading);
		free(copy);
	}
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_a_fault)
{
	char *faults = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&faults, &size);
	ck_assert_ptr_null(config_read("/nonexistent/recalld.conf", out, NULL));
	ck_assert_ptr_null(config_read("/", out, NULL));
	(void)fclose(out);
	ck_assert_ptr_nonnull(strstr(faults, "/nonexistent/recalld.conf: cannot be read: No such"));
	ck_assert_ptr_nonnull(strstr(faults, "/: cannot be read: Is a directory"));
	free(faults);
	struct config *config = config_read(NULL, stderr, NULL);
	ck_assert_ptr_nonnull(config);
	config_release(config);
}
END_TEST

UNIT_MAIN("config", an_empty_file_gives_the_defaults, values_of_every_type_are_read,
	  comments_quotes_crlf_and_a_byte_order_mark_are_understood,
	  every_fault_is_reported_with_its_line_and_a_remedy, nothing_may_be_said_twice,
	  values_out_of_range_name_the_range, units_and_numbers_are_strict,
	  the_shortest_time_of_retention_counts, personal_data_has_an_action_for_each_class,
	  retention_is_a_time_or_nought_and_a_policy, secrets_are_never_printed,
	  values_are_taken_from_the_environment, variables_override_the_file,
	  faults_of_variables_name_them, hostile_bytes_are_refused_by_line,
	  lines_may_have_64_kilobytes_and_no_more, a_flood_of_faults_is_cut,
	  no_prefix_of_a_file_is_read_beyond_its_end, a_file_that_cannot_be_read_is_a_fault)
