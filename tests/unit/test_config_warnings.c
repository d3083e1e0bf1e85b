/* Tests the warnings for a configuration without an error. */
#include "tests/unit/config_reading.h"

#include <stdlib.h>
#include <string.h>

START_TEST(the_defaults_are_warned_of_nothing)
{
	struct reading reading = read_text("");
	ck_assert_ptr_null(strstr(reading.warnings, "warning"));
	finish_reading(&reading);
}
END_TEST

START_TEST(what_is_fine_is_not_warned_of)
{
	static const char *const texts[] = {
		"[memory]\ninject = off\n",
		"[memory]\ncontext_tokens = 0\nconversation_tokens = 0\n",
		"[model]\nbase_url = https://API.openai.com/v1\n",
		"[model]\nbase_url = http://127.0.0.1:9/v1\napi_key = k\n",
		"[identity]\nuser_header =\nuser_path = off\nuser_body = user\n",
		"[identity]\nuser_header =\nuser_path = on\n",
		"[identity]\nuser_header = X-User-Id\nuser_path = off\n",
		"[identity]\ntenant = api-key\n[memory tenant=ab]\nlearn = off\n",
		"[listen]\naddress = unix:/x\nadmin = unix:/y\n",
		"[retention]\nmessages = 1d\nfacts = 0\n",
	};
	setenv("RECALLD_UPSTREAM_API_KEY", "k", 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct reading reading = read_text(texts[i]);
		ck_assert_msg(reading.config != NULL, "%s", reading.faults);
		ck_assert_msg(reading.warning_size == 0, "%s%s", texts[i], reading.warnings);
		finish_reading(&reading);
	}
	unsetenv("RECALLD_UPSTREAM_API_KEY");
}
END_TEST

START_TEST(keeping_less_than_a_day_is_warned_of)
{
	assert_warns("[retention]\nmessages = 3m\n",
		     "test.conf: warning: [retention] messages is less than a day");
	assert_warns("[retention]\nfacts = 23h\n",
		     "test.conf: warning: [retention] facts is less than a day");
}
END_TEST

START_TEST(a_port_that_nobody_knows_is_warned_of)
{
	assert_warns("[listen]\naddress = 127.0.0.1:0\n", "[listen] address has port 0");
	assert_warns("[listen]\nadmin = 127.0.0.1:0\n", "[listen] admin has port 0");
}
END_TEST

START_TEST(who_can_reach_it_can_do_what_is_warned_of)
{
	static const char names_any[] = "anyone who reaches it can name any user";
	static const char spends[] = "anyone who reaches it uses [upstream] api_key";
	static const struct {
		const char *text;
		bool names_any, spends;
	} cases[] = {
		{"address = 0.0.0.0:9\n", true, false},
		{"address = [::]:9\n", true, false},
		{"address = recalld:9\n[upstream]\napi_key = k\n", true, true},
		{"address = 0.0.0.0:9\n[identity]\nsecret = s3cret\n", false, false},
		{"address = 0.0.0.0:9\n[identity]\ntenant = api-key\n", false, false},
		{"address = 0.0.0.0:9\n[upstream]\napi_key = k\n[identity]\nsecret = s3cret\n",
		 false, true},
		{"address = 127.0.0.2:9\n[upstream]\napi_key = k\n", false, false},
		{"address = unix:/run/recalld/socket\n[upstream]\napi_key = k\n", false, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text), "[listen]\n%s", cases[i].text);
		struct reading reading = read_text(text);
		ck_assert_ptr_nonnull(reading.config);
		ck_assert_msg((strstr(reading.warnings, names_any) != NULL) == cases[i].names_any &&
				      (strstr(reading.warnings, spends) != NULL) == cases[i].spends,
			      "%s: %s", text, reading.warnings);
		finish_reading(&reading);
	}
}
END_TEST

START_TEST(what_keeps_it_from_learning_is_warned_of)
{
	static const char elsewhere[] = "[model]\nbase_url = http://127.0.0.1:11434/v1\n";
	assert_warns("", "test.conf: note: learning uses each client's own key; after a restart");
	assert_warns("[memory]\nmode = entity\n", "note: learning uses each client's own key");
	assert_warns("[memory]\nmode = off\n", "nothing will be learned: [memory] mode is off");
	assert_warns("[memory]\nlearn = off\n", "nothing will be learned: [memory] learn is off");
	assert_warns(elsewhere, "clients' keys are not sent there");
	setenv("RECALLD_UPSTREAM_API_KEY", "k", 1);
	assert_warns(elsewhere, "gets the upstream's api_key; set [model] api_key");
	unsetenv("RECALLD_UPSTREAM_API_KEY");
	assert_warns("[upstream]\nbase_url = http://127.0.0.1:11434/v1\n"
		     "[model]\nbase_url = https://api.openai.com/v1\n",
		     "nothing will be learned: no key for [model] base_url");
	assert_warns("[identity]\nuser_header =\nuser_path = off\n",
		     "nothing will be remembered: no request can name its user");
}
END_TEST

START_TEST(what_keeps_recall_from_its_use_is_warned_of)
{
	assert_warns("[memory]\nmode = vector\n[model]\nembedding = m\n",
		     "test.conf: note: embedding uses each client's own key; after a restart");
	assert_warns("[memory]\nmode = vector\n[model]\nembedding = m\n"
		     "base_url = http://127.0.0.1:9/v1\n",
		     "clients' keys are not sent there");
	assert_warns("[memory]\nmode = summary\n[model]\nembedding = m\n",
		     "[model] embedding helps only clients that choose vector, hybrid or auto");
	assert_warns("[memory]\nlearn = off\nhistory = trim\n",
		     "history = trim cannot trim where mode, inject or learn is off");
	assert_warns("[memory]\nmode = off\nhistory = trim\n", "cannot trim where");
	assert_warns("[memory user=a]\ninject = off\nhistory = trim\n", "cannot trim where");
	assert_warns("[memory]\nhistory = trim\nhistory_tokens = 799\n",
		     "test.conf: warning: [memory] history_tokens is so small that a summary");
	assert_warns("[memory]\nhistory_tokens = 100\n[memory model=a]\nhistory = trim\n",
		     "history_tokens is so small");
	struct reading reading =
		read_text("[upstream]\napi_key = k\n[memory]\nhistory = trim\n"
			  "history_tokens = 800\nmode = summary\n[memory user=a]\nmode = auto\n"
			  "[model]\nembedding = m\n");
	ck_assert_str_eq(reading.warnings, "");
	finish_reading(&reading);
}
END_TEST

UNIT_MAIN("config_warnings", the_defaults_are_warned_of_nothing, what_is_fine_is_not_warned_of,
	  keeping_less_than_a_day_is_warned_of, a_port_that_nobody_knows_is_warned_of,
	  who_can_reach_it_can_do_what_is_warned_of, what_keeps_it_from_learning_is_warned_of,
	  what_keeps_recall_from_its_use_is_warned_of)
