#include "tests/unit/secrets_fixture.h"

#include <stdlib.h>

static struct arena arena;

/* Made up, and put together here, so that no scanner takes this file for a leak. */
START_TEST(tokens_are_known_by_their_prefix)
{
	static const struct {
		const char *prefix;
		const char *rest;
		const char *kind;
	} cases[] = {
		{"sk-", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6", "API key"},
		{"sk-", "proj-a1B2c3D4e5F6_g7H8i9J0-k1L2m3N4", "API key"},
		{"sk-", "ant-api03-a1B2c3D4e5F6g7H8i9J0", "API key"},
		{"AKIA", "IOSFODNN7EXAMPLE", "API key"},
		{"ASIA", "IOSFODNNQEXAMPLE", "API key"},
		{"AIza", "SyA1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q", "API key"},
		{"ghp_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "token"},
		{"github_pat_", "11A1B2C3D4E5F6G7H8I9J0_k1L2m3N4o5P6", "token"},
		{"glpat-", "a1B2c3D4e5F6g7H8i9J0", "token"},
		{"xoxb-", "123456789012-abcdefghijkl", "token"},
		{"sk_live_", "a1B2c3D4e5F6g7H8i9J0k1L2", "API key"},
		{"npm_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "token"},
		{"pypi-", "AgEIcHlwaS5vcmcCJGE1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "token"},
		{"hf_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7", "token"},
		{"hf_", "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH", "token"}, /* they have no digits */
		{"dop_v1_", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		 "token"},
		{"SG.", "a1B2c3D4e5F6g7H8i9J0kL.a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6", "token"},
		{"eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGV4In0.a1B2c3D4e5F6g7H8", "token"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = arena_printf(&arena, "It is '%s%s', I think.", cases[i].prefix,
						 cases[i].rest);
		struct slice expected =
			arena_printf(&arena, "It is '[redacted: %s]', I think.", cases[i].kind);
		size_t count;
		unit_assert_slice(secrets_mask(text, &arena, &count), expected.data);
		ck_assert_uint_eq(count, 1);
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(assigned_values_are_masked_and_their_names_stay)
{
	assert_masked("password=Hunter2Hunter2", "password=[redacted: password]", 1);
	assert_masked("DB_PASSWORD: 's3cr3tpass!'", "DB_PASSWORD: '[redacted: password]'", 1);
	assert_masked("{\"api_key\": \"0123456789abcdef\", \"n\": 1}",
		      "{\"api_key\": \"[redacted: API key]\", \"n\": 1}", 1);
	assert_masked("{\\\"client_secret\\\":\\\"abc123def456\\\"}",
		      "{\\\"client_secret\\\":\\\"[redacted: secret]\\\"}", 1);
	assert_masked("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		      "aws_secret_access_key = [redacted: API key]", 1);
	assert_masked("The API key: abcd1234efgh, use it.",
		      "The API key: [redacted: API key], use it.", 1);
	assert_masked("my password is Hunter2Hunter2.", "my password is [redacted: password].", 1);
	assert_masked("https://a.b/c?token=abcd1234efgh&x=1",
		      "https://a.b/c?token=[redacted: token]&x=1", 1);
	assert_masked("my password is hunter2.", "my password is [redacted: password].", 1);
	assert_kept("the password is base64 or sha256 of it");
	assert_masked("**Password:** Hunter2Hunter2", "**Password:** [redacted: password]", 1);
}
END_TEST

/* Text parts are joined by line breaks, and people write so too. */
START_TEST(a_value_may_stand_on_the_line_behind_its_name)
{
	assert_masked("My API key:\nabcd1234efgh", "My API key:\n[redacted: API key]", 1);
	assert_masked("my password is\n\nHunter2Hunter2.",
		      "my password is\n\n[redacted: password].", 1);
	assert_masked("my password is \r\nHunter2Hunter2\r\nthanks",
		      "my password is \r\n[redacted: password]\r\nthanks", 1);
	assert_masked("**Password:**\n\n```\nHunter2x!\n```",
		      "**Password:**\n\n```\n[redacted: password]!\n```", 1);
	assert_masked("Authorization:\nBearer abcdefGHIJKL123456",
		      "Authorization:\nBearer [redacted: token]", 1);
	assert_kept("I forgot my password:\nuser1234 is my name");
	assert_kept("PASSWORD=\nHOST1234=db");
	assert_kept("password:\nhost:db1.example");
	assert_kept("password:\n\n\n\n\n\n\n\n\nHunter2Hunter2");
	assert_kept("my password is\nsecret to nobody");
	assert_kept("if token:\n    check_v2()\nif (api_key):\n    init_v12(1);");
}
END_TEST

START_TEST(a_token_may_go_on_behind_a_line_break)
{
	assert_masked("sk-"
		      "a1B2c3D4\ne5F6g7H8i9J0k1L2m3N4o5P6",
		      "[redacted: API key]", 1);
	assert_masked("It is sk-"
		      "a1B2c3D4e5F6g7H8i9J0\r\nk1L2m3N4o5P6\r\nand so on",
		      "It is [redacted: API key]\r\nand so on", 1);
	assert_masked("eyJ"
		      "hbGciOiJIUzI1NiJ9.eyJzdWIiOiJh\nbGV4In0.a1B2c3D4e5F6g7H8",
		      "[redacted: token]", 1);
	assert_masked("eyJ"
		      "hbGciOiJIUzI1NiJ9.\neyJzdWIiOiJhbGV4In0.\na1B2c3D4e5F6g7H8\nBye.",
		      "[redacted: token]\nBye.", 1);
	assert_masked("sk-"
		      "a1B2c3D4e5F6g7H8i9J0\nsk-"
		      "k1L2m3N4o5P6q7R8s9T0",
		      "[redacted: API key]\n[redacted: API key]", 2);
	assert_masked("sk-"
		      "a1B2c3D4e5F6g7H8i9J0\nk1L2m3N4o5P6 is a commit",
		      "[redacted: API key]\nk1L2m3N4o5P6 is a commit", 1);
	assert_masked("sk-"
		      "a1B2c3D4e5F6g7H8i9J0\n\nk1L2m3N4o5P6",
		      "[redacted: API key]\n\nk1L2m3N4o5P6", 1);
	assert_kept("sk-learn\nnumpy\nscikit-image-extended");
}
END_TEST

/* A line that could begin a token is not read again for each of those before it: what is made of
 * many such lines would take a worker's whole attention. */
START_TEST(a_line_that_begins_a_token_goes_on_with_none_before_it)
{
	assert_masked("eyJ"
		      "hbGciOiJIUzI1NiJ9\neyJ"
		      "hbGciOiJIUzI1NiJ9.eyJzdWIiOiJh.a1B2c3D4e5F6g7H8",
		      "eyJ"
		      "hbGciOiJIUzI1NiJ9\n[redacted: token]",
		      1);
	assert_masked("eyJ"
		      "hbGciOiJIUzI1NiJ9\n-eyJ"
		      "hbGciOiJIUzI1NiJ9.eyJzdWIiOiJh.a1B2c3D4e5F6g7H8",
		      "eyJ"
		      "hbGciOiJIUzI1NiJ9\n-[redacted: token]",
		      1);
}
END_TEST

START_TEST(an_ampersand_ends_a_parameter_but_no_password)
{
	assert_masked("my password is a&b&c&d12", "my password is [redacted: password]", 1);
	assert_masked("password: Tr0ub4&dor=3 ok", "password: [redacted: password] ok", 1);
	assert_masked("PASSWORD=Tr0ub4&dor", "PASSWORD=[redacted: password]", 1);
	assert_masked("'password=Tr0ub4&dor' in .env", "'password=[redacted: password]' in .env",
		      1);
	assert_masked("curl -d password=Hunter2&user=alex",
		      "curl -d password=[redacted: password]&user=alex", 1);
	assert_masked(
		"a.b?x=1&password=Hunter2&save&client_secret=abc1234&",
		"a.b?x=1&password=[redacted: password]&save&client_secret=[redacted: secret]&", 2);
}
END_TEST

START_TEST(headers_are_masked)
{
	assert_masked("-H 'Authorization: Bearer abcdefGHIJKL123456'",
		      "-H 'Authorization: Bearer [redacted: token]'", 1);
	assert_masked("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted: token]",
		      1);
	assert_masked("Authorization: Custom0Scheme1Value2abcdef",
		      "Authorization: [redacted: token]", 1);
	assert_masked("{\"authorization\": \"token a1b2c3d4e5f6g7h8\"}",
		      "{\"authorization\": \"token [redacted: token]\"}", 1);
	assert_kept("The authorization was a1b2c3d4e5f6g7h8i9 by all means");
	assert_masked("send Bearer abcdefGHIJKL123456 with it",
		      "send Bearer [redacted: token] with it", 1);
}
END_TEST

START_TEST(passwords_in_urls_are_masked)
{
	assert_masked("postgres://alex:p@ss@db.example:5432/x",
		      "postgres://alex:[redacted: password]@db.example:5432/x", 1);
	assert_masked("redis://:topsecret@cache", "redis://:[redacted: password]@cache", 1);
	assert_masked("https://ghp_"
		      "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8:x@github.com/a",
		      "https://[redacted: password]@github.com/a", 1);
	assert_kept("https://alex@example.org:8080/a@b");
	assert_kept("postgres://alex:${PASSWORD}@db/x");
	assert_kept("http://localhost:8080 and me@example.org");
}
END_TEST

START_TEST(private_keys_are_masked_whole)
{
	assert_masked("key:\n-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nxyz==\n-----END RSA PRIVATE "
		      "KEY-----\nthanks",
		      "key:\n[redacted: private key]\nthanks", 1);
	assert_masked("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\nand then it was cut",
		      "[redacted: private key]\nand then it was cut", 1);
	assert_kept("-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----");
	assert_kept("---------- a line ----------");
}
END_TEST

START_TEST(ordinary_text_stays)
{
	assert_kept("");
	ck_assert_uint_eq(secrets_mask((struct slice){0}, &arena, NULL).size, 0);
	assert_kept("my password is a secret to nobody");
	assert_kept("The token: something you own. Secret: Shakespeare wrote it.");
	assert_kept("550e8400-e29b-41d4-a716-446655440000");
	assert_kept("commit 8b7a3cc0f1e2d3c4b5a69788796a5b4c3d2e1f00");
	assert_kept("max_tokens: 4096, 512 tokens, 50-token overlap");
	assert_kept("const token = getToken(user); password = os.environ['PASSWORD']");
	assert_kept("password: <your-password-1>, api_key=${API_KEY_2}");
	assert_kept("sk-fading-circle-container and sk-learn-0-24-1-tutorial");
	assert_kept("the bearer of this letter; eyJ is how a JWT begins");
	assert_kept("token: https://example.org/v2/tokens1");
	assert_kept("task-ghp_abcdefgh1, AKIA, hf_hub_download");
	assert_kept("sk-LearnPipelineClassifier, hf_abcdefghijklmnopqrstuvwxyzabcdefghijkl");
}
END_TEST

#define WORD "[redacted: password]"

START_TEST(what_nobody_sees_hides_no_secret)
{
	assert_masked("a 4111\u200b1111\u200b1111\u200b1111\u200b b", "a " CARD "\u200b b", 1);
	assert_masked("\u200ba\u00ad 41\u206011 1111 1111 11\ufe0f11", "\u200ba\u00ad " CARD, 1);
	assert_masked("key sk-proj-a1B2c3D4\u200be5F6_g7H8i9J0-k1L2m3N4.\u200b",
		      "key [redacted: API key].\u200b", 1);
	assert_masked(
		"pass\u2060word: hunter\u200d2secret, 4111 1111 1111 1111 \u200b4111 1111 1111 "
		"1111",
		"pass\u2060word: " WORD ", " CARD " \u200b" CARD, 3);
	assert_kept("\u200bzero\u200b \U0001f469\u200d\U0001f680 width\u200b");
}
END_TEST

START_TEST(what_people_say_of_a_password_is_known)
{
	static const char *const said[] = {
		"Passwort: ",
		"Mein Passwort ist ",
		"Das Kennwort lautet ",
		"PW: ",
		"La contrase\u00f1a es ",
		"la contrase\u00f1a del correo es ",
		"Le mot de passe est ",
		"le mot de passe du wifi est ",
		"mot de passe : ",
		"senha: ",
		"\u043f\u0430\u0440\u043e\u043b\u044c: ",
		"\u041f\u0430\u0440\u043e\u043b\u044c \u043e\u0442 "
		"\u043f\u043e\u0447\u0442\u044b: ",
		"\u5bc6\u7801\uff1a",
		"The wifi key is ",
		"our Wi-Fi key: ",
	};
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct slice text = arena_printf(&arena, "%sbluehorse42 now", said[i]);
		struct slice expected = arena_printf(&arena, "%s" WORD " now", said[i]);
		struct slice masked = secrets_mask(text, &arena, NULL);
		ck_assert_msg(slice_equal(masked, expected), "%.*s", (int)masked.size, masked.data);
	}
	arena_finish(&arena);
	assert_masked("?user=alex&passwd=letmein&x=1", "?user=alex&passwd=" WORD "&x=1", 1);
	assert_masked("PASSWD=letmein\n", "PASSWD=" WORD "\n", 1);
	assert_kept("passwd=None passwd=password passwd=getpass() passwd=required");
	assert_kept("pw = Piecewise((x**2, x < 1), (1, True))");
	assert_kept("Mein Passwort ist vergessen, la contrase\u00f1a es obligatoria, the wifi key "
		    "is lost.");
	assert_kept("mot de passe : huit lettres au moins");
}
END_TEST

START_TEST(webhooks_bots_and_options_are_known)
{
	assert_masked("curl -u alex:hunterbird https://x", "curl -u alex:" WORD " https://x", 1);
	assert_masked("curl -sS \\\n  --user \"alex:two words\" x",
		      "curl -sS \\\n  --user \"alex:" WORD "\" x", 1);
	assert_kept("docker run -u 1000:1000 x");
	assert_kept("curl -u $USER:$PASSWORD x; curl -u alex x; curl -s x:y");
	assert_masked("https://hooks.slack.com/services/T00AB12CD/B00AB12CD/"
		      "abcdEFGH1234ijklMNOP5678 ok",
		      "https://[redacted: token] ok", 1);
	assert_kept("see https://hooks.slack.com/services/");
	assert_masked("bot 123456789:"
		      "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1.",
		      "bot [redacted: token].", 1);
	assert_masked("https://api.telegram.org/bot123456789:"
		      "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1/x",
		      "https://api.telegram.org/bot[redacted: token]/x", 1);
	assert_kept("12345678:90 robots, 123456789:12");
}
END_TEST

START_TEST(a_value_must_look_made_up)
{
	static const struct {
		const char *before;
		const char *value;
		const char *behind;
		bool masked;
	} cases[] = {
		{"my password is ", "hunter!bird", "", true},
		{"my password is ", "hunter#bird", " ok", true},
		{"my password is ", "hunter$bird", " ok", true},
		{"my password is ", "hunter^bird", " ok", true},
		{"password: ", "ключик7ключ", "", true},
		{"password: ", "Z1234567", "", true},
		{"password: ", "12345678", "", false},
		{"password: ", "https://a1b2", "", false},
		{"my password is", "", "", false},
		{"my password is", "", "n't known1", false},
		{"Bearer ", "ABCDEFGHIJ", "", false},
		{"Bearer ", "abcdefGHIJ", "", true},
		{"Authorization: ", "required1", " by all", true},
		{"authorization;", "a1b2c3d4e5", "", false},
		{"password=", "Hunter2&user", "", true},
		{"password=", "hunterbird", "", true},
		{"password=", "hunter", "-x", false},
		{"token: ", "gpt-4Turbo-x", "", true},
		{"token: ", "Llama-3.1-8b", "", false},
		{"token: ", "gpt-4--x1y2", "", true},
		{"token: ", "gpt-4+mini1", "", true},
		{"token: ", "gpt-4-20240718", "", false},
		{"token: ", "gpt-4-91234567", "", true},
		{"token: ", "abc-a12345678", "", true},
		{"token: ", "averyveryverylongword-1", "", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = arena_printf(&arena, "%s%s%s", cases[i].before, cases[i].value,
						 cases[i].behind);
		size_t count;
		struct slice masked = secrets_mask(text, &arena, &count);
		ck_assert_msg(count == cases[i].masked, "%.*s: %.*s", (int)text.size, text.data,
			      (int)masked.size, masked.data);
		bool stands = slice_find(masked, slice_of(cases[i].value), 0) < masked.size;
		ck_assert(stands == !cases[i].masked || cases[i].value[0] == '\0');
	}
	arena_finish(&arena);
}
END_TEST

START_TEST(what_only_begins_like_a_token_stays)
{
	assert_kept("rock, r8, rk_live, xai, xapp, yard, gsk, ghost, gist, glow, pplx, pypi, dop");
	assert_kept("d do dip b bo bob both e n ep h ho p r g x s A AI AK SG S");
	assert_kept("both ends, bot1234:x and bot123456789:AAHdq");
	assert_kept("bot 123456789 robots, 123456789:"
		    "abcdefghijklmnopqrstuvwxyzabcdefghi");
	assert_kept("AKIA"
		    "IOSFODNN7EXAMPLEANDMORE");
	assert_kept("sk-"
		    "a1b2c3 and SG."
		    "a1B2c3D4e5F6g7H8i9J0kL");
	assert_kept("sk-"
		    "12345678901234567890123");
	assert_masked("r8_"
		      "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7",
		      "[redacted: token]", 1);
	assert_masked("xai-"
		      "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7",
		      "[redacted: API key]", 1);
	assert_masked("pplx-"
		      "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7",
		      "[redacted: API key]", 1);
	assert_masked("gsk_"
		      "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7",
		      "[redacted: API key]", 1);
	assert_masked("rk_live_"
		      "A1B2C3D4E5F6G7H8I9J0",
		      "[redacted: API key]", 1);
}
END_TEST

START_TEST(a_password_said_needs_its_verb_near)
{
	assert_masked("Passwort `bluehorse42`: \"bluehorse42\"",
		      "Passwort `bluehorse42`: \"" WORD "\"", 1);
	assert_masked("senha:bluehorse42", "senha:" WORD, 1);
	assert_kept("Passwort");
	assert_kept("Passwort:");
	assert_kept("Passwortlos ist bluehorse42");
	assert_kept("mot de passe");
	assert_kept("mot de passe perdu");
	assert_kept("mot de passe, bluehorse42");
	assert_kept("mot de passe du compte de la banque de Paris est bluehorse42");
	assert_kept("mot de passe donaudampfschifffahrtsgesellschaft est bluehorse42");
}
END_TEST

START_TEST(only_curls_option_has_a_password)
{
	assert_masked("curl -u 'alex:two words' x", "curl -u 'alex:" WORD "' x", 1);
	assert_masked("curl -u alex:hunterbird", "curl -u alex:" WORD, 1);
	assert_masked("curl -u alex:hunterbird\nls", "curl -u alex:" WORD "\nls", 1);
	assert_kept("curl -u ");
	assert_kept("-u alex:hunterbird");
	assert_kept("curl x-u alex:hunterbird");
	assert_kept("curl -u alex x:hunterbird");
	assert_kept("curl -u alex:hi x");
}
END_TEST

START_TEST(a_name_with_a_version_is_no_token)
{
	assert_kept("token: gpt-4.1");
	assert_kept("token: gpt-4o-mini-2024-07-18, api key: claude-3-5-sonnet-20241022");
	assert_kept("Token: openai/gpt-4.1 or secret: qwen2.5-coder:7b");
	assert_masked("token: tok-9f8e7d6c5b", "token: [redacted: token]", 1);
	assert_masked("token: abc-4Df-77x", "token: [redacted: token]", 1);
	assert_masked("password: gpt-4.1", "password: " WORD, 1);
}
END_TEST

/* A quadratic scan would run into the test's time limit. */
START_TEST(long_texts_are_scanned_once)
{
	static const char *const units[] = {
		"password=",
		"sk-",
		"eyJaaaaaaaaaa.",
		"-----BEGIN PRIVATE KEY-----",
		"4111 ",
		"a://b:c",
		"SG.",
		"Bearer ",
		"-----BEGIN ",
		"41",
		"token: '\\",
		"token=a1b2c3d4&",
		"password=a1b2c3d4&a",
		"-sk-",
		"authorization: basic ",
		"４",
		"\u00A0",
		"eyJaaaaaaaaa1\n",
		"hf_\na1b2c3d4e5\n",
		"password:\n",
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct buffer text;
		buffer_init(&text, 1 << 22);
		while (text.size < 1 << 19)
			buffer_append(&text, slice_of(units[i]));
		(void)secrets_mask(buffer_slice(&text), &arena, NULL);
		buffer_finish(&text);
		arena_finish(&arena);
	}
}
END_TEST

START_TEST(no_secret_survives_among_noise)
{
	static const char *const noise[] = {
		"password is", "token:",  "=",     "://",
		"sk-",         "u:p@h",   "41 11", "Bearer",
		"\"",          "api key", "\\",    "eyJ.",
		"\xff",        "$",       "[",     "-----BEGIN X-----",
	};
	static const char *const secrets[] = {
		"ghp_"
		"a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
		"4111-1111-1111-1111",
		"Hunter2Hunter2",
		"MIIEvQIBADANBgkqhkiG",
	};
	static const char *const wrapped[] = {"%s", "%s", "password=%s",
					      "-----BEGIN PRIVATE KEY-----\n%s\n"};
	srand(11);
	for (int round = 0; round < 5000; round++) {
		struct buffer text;
		buffer_init(&text, 10000);
		size_t planted = (size_t)rand() % 4;
		for (int i = 0; i < 8; i++) {
			size_t word = (size_t)rand() % (sizeof(noise) / sizeof(noise[0]));
			buffer_printf(&text, "%s\n", noise[word]);
			if (i == 3)
				buffer_append(&text, arena_printf(&arena, wrapped[planted],
								  secrets[planted]));
			buffer_append_byte(&text, '\n');
		}
		struct slice masked = secrets_mask(buffer_slice(&text), &arena, NULL);
		ck_assert_uint_eq(slice_find(masked, slice_of(secrets[planted]), 0), masked.size);
		buffer_finish(&text);
		arena_finish(&arena);
	}
}
END_TEST

UNIT_MAIN("secrets", tokens_are_known_by_their_prefix,
	  assigned_values_are_masked_and_their_names_stay,
	  a_value_may_stand_on_the_line_behind_its_name, a_token_may_go_on_behind_a_line_break,
	  a_line_that_begins_a_token_goes_on_with_none_before_it,
	  an_ampersand_ends_a_parameter_but_no_password, headers_are_masked,
	  passwords_in_urls_are_masked, private_keys_are_masked_whole, ordinary_text_stays,
	  what_nobody_sees_hides_no_secret, what_people_say_of_a_password_is_known,
	  webhooks_bots_and_options_are_known, a_value_must_look_made_up,
	  what_only_begins_like_a_token_stays, a_password_said_needs_its_verb_near,
	  only_curls_option_has_a_password, a_name_with_a_version_is_no_token,
	  long_texts_are_scanned_once, no_secret_survives_among_noise)
