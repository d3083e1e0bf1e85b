#include "core/pii/parts.h"
#include "tests/unit/pii_fixture.h"

static struct arena arena;

#define ASSERT_ALL_KEPT(texts)                                                                     \
	for (size_t i = 0; i < sizeof(texts) / sizeof((texts)[0]); i++)                            \
		assert_kept((texts)[i]);

/* Each text has one datum in braces, and nothing else. */
static void assert_data(enum pii_class class, const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		struct slice marked = slice_of(*texts);
		size_t open = slice_find(marked, SLICE("{"), 0);
		size_t close = slice_find(marked, SLICE("}"), open);
		const struct slice parts[] = {slice_part(marked, 0, open),
					      slice_part(marked, open + 1, close),
					      slice_part(marked, close + 1, marked.size)};
		struct slice text = arena_join(&arena, parts, 3);
		size_t count;
		const struct pii_span *spans = pii_find(text, &count, &arena);
		ck_assert_msg(count == 1, "%zu found in %s", count, *texts);
		ck_assert_msg(spans[0].class == class, "%s in %s", pii_name(spans[0].class),
			      *texts);
		ck_assert_msg(spans[0].begin == open && spans[0].end == close - 1, "\"%.*s\" in %s",
			      (int)(spans[0].end - spans[0].begin), text.data + spans[0].begin,
			      *texts);
		ck_assert_uint_eq(pii_classes(text), PII_BIT(class));
		arena_finish(&arena);
	}
}

START_TEST(email_addresses_are_found)
{
	static const char *const texts[] = {
		"{alex@example.com}",
		"Write to {Alex.Meier+news@mail.example.co.uk}.",
		"mailto:{a_b@x-y.example}",
		"<{o'hara@example.org}>, please",
		"email={x1@example.com}&y=1",
		"{info@b\u00fccher.example}",
		"{m\u00fcller@example.de}",
		"{\u0438\u0432\u0430\u043d@\u043f\u043e\u0447\u0442\u0430.\u0440\u0444}",
		"\u90ae\u7bb1\u662f{zhang@qq.com}\u3002",
		"{alex@xn--bcher-kva.xn--p1ai}",
		"{alex\uff20example.com}",
		"phone {1234567@qq.com}",
		"{ALEX@EXAMPLE.COM}\n",
		NULL,
	};
	static const char *const kept[] = {
		"a@b",
		"@alex",
		"alex@",
		"git@github.com:acme/app.git",
		"@alice@mastodon.social",
		"logo@2x.png",
		"lodash@4.17.21",
		"user@@example.com",
		".@example.com",
		"alex.@example.com",
		"alex@-example",
		"alex@example.c0m",
		"https://u@example.com/",
		"alex@.com",
		"a@b.c1",
	};
	assert_data(PII_EMAIL, texts);
	ASSERT_ALL_KEPT(kept);
}
END_TEST

START_TEST(phone_numbers_are_found)
{
	static const char *const texts[] = {
		"{+49 30 1234567}",
		"{+1 (555) 123-4567}, evenings",
		"call {(555) 123-4567}",
		"My phone is {555-123-4567 x89}.",
		"My phone is {555-123-4567 ext. 89}.",
		"tel:{+442079460958}",
		"Tel. {5551234}",
		"Telefon {030/1234567}",
		"{+49 (0) 30 1234567}",
		"\u0422\u0435\u043b. {8 (912) 345-67-89}",
		"\u7535\u8bdd\uff1a{13812345678}",
		"\u0631\u0642\u0645 \u0647\u0627\u062a\u0641\u064a {\u0660\u0665\u0661\u0662\u0663"
		"\u0664\u0665\u0666\u0667\u0668}",
		"{\uff0b81 90 1234 5678}",
		"number: {+49\u00a030\u20111234567}",
		NULL,
	};
	static const char *const kept[] = {
		"+100 points",
		"+10000000 rows",
		"x+12345678",
		"+0123456789",
		"++12345678",
		"12345678",
		"030 1234567",
		"My phone costs 1299.99",
		"My phone has 12345678 pixels",
		"phone one two three four five six 0301234567",
		"call 12:30:45",
		"phone: 123456",
		"phone: 12.05.2026",
		"phone: 12345678%",
		"phone: 123456789012345678",
		"phone $12345678",
		"phone (",
		"+",
		"phone 030 123456,5",
	};
	assert_data(PII_PHONE, texts);
	ASSERT_ALL_KEPT(kept);
}
END_TEST

START_TEST(accounts_are_found_by_their_check_digits)
{
	static const char *const texts[] = {
		"{DE89 3704 0044 0532 0130 00}",
		"{de89370400440532013000}",
		"IBAN:{GB82 WEST 1234 5698 7654 32}.",
		"{NL91-ABNA-0417-1643-00}",
		"\u6211\u7684\u662f{FR1420041010050500013M02606}\u3002",
		"{NO9386011117947}",
		"{MT84MALT011000012345MTLCAST001S}",
		NULL,
	};
	static const char *const kept[] = {
		"DE88 3704 0044 0532 0130 00",
		"XX89 3704 0044 0532 0130 00",
		"DE89 3704 0044",
		"XDE89370400440532013000",
		"DE89370400440532013000X",
		"DE8",
		"DE89\n3704",
	};
	assert_data(PII_IBAN, texts);
	ASSERT_ALL_KEPT(kept);
}
END_TEST

START_TEST(cards_are_found_as_they_are_among_secrets)
{
	static const char *const texts[] = {"{4111 1111 1111 1111}", "{5500-0000-0000-0004}",
					    "card {378282246310005},", NULL};
	static const char *const kept[] = {"4111 1111 1111 1112", "a4111111111111111"};
	assert_data(PII_CARD, texts);
	ASSERT_ALL_KEPT(kept);
}
END_TEST

START_TEST(national_numbers_are_found)
{
	static const char *const texts[] = {
		"{123-45-6789}",
		"SSN {123 45 6789}",
		"social security number {123456789}",
		"Steuer-ID {86 095 742 719}",
		"{86095742719}",
		"{1 85 05 78 006 084 91}",
		"{185057800608491}",
		"{12345678Z}",
		"{12345678-z}",
		"{X1234567L}",
		"NIE {Y-1234567-X}",
		"{RSSMRA85T10A562S}",
		"BSN {111222333}",
		"bsn: {1112.22.333}",
		"{529.982.247-25}",
		"CPF {52998224725}",
		"PESEL {44051401359}",
		"{2341 2341 2346}",
		"Aadhaar {234123412346}",
		"{11010519491231002X}",
		"{440524188001010014}",
		NULL,
	};
	static const char *const kept[] = {
		"000-12-3456",        "666-12-3456",
		"900-12-3456",        "123-00-4567",
		"123-45-0000",        "123 45 6789",
		"123456789",          "86095742710",
		"06095742719",        "11111111111",
		"385057800608491",    "185137800608491",
		"185057800608492",    "12345678A",
		"X1234567A",          "X12345L",
		"RSSMRA85T10A562T",   "RSSMRA85X10A562S",
		"111222333",          "BSN 111222334",
		"BSN 000000000",      "529.982.247-26",
		"52998224725",        "CPF 11111111111",
		"44051401359",        "PESEL 44131401359",
		"2341 2341 2345",     "1 2341 2341 2346",
		"2341 2341 2346 1",   "1341 2341 2346",
		"110105194912310021", "910105194912310020",
		"110105194913310021", "v-123-45-6789",
		"1123-45-6789-1",     "12345678ZZ",
		"11010519491231002",
	};
	assert_data(PII_NATIONAL_ID, texts);
	ASSERT_ALL_KEPT(kept);
}
END_TEST

START_TEST(network_addresses_are_found)
{
	static const char *const texts[] = {
		"{192.168.1.17}",
		"from {203.0.113.9}:8080",
		"{10.0.0.1}/24",
		"ping {8.8.8.80}.",
		"{2001:db8::1}",
		"{fe80::1234}",
		"{2001:0db8:85a3:0000:0000:8a2e:0370:7334}",
		"[{2001:DB8::8a2e:370:7334}]:80",
		"{2001:db8::}",
		NULL,
	};
	static const char *const macs[] = {"{00:1a:2b:3c:4d:5e}", "MAC {DE-AD-BE-EF-00-01}.",
					   "{a0:b1:c2:d3:e4:f5}", NULL};
	static const char *const kept[] = {
		"127.0.0.1",
		"0.0.0.0",
		"255.255.255.0",
		"224.0.0.251",
		"1.2.3.4",
		"256.1.2.3",
		"1.20.3",
		"192.168.1",
		"192.168.1.1.1",
		"version 10.2.3.4",
		"v10.2.3.4",
		"10.02.3.4",
		"1-192.168.1.1",
		"192.168.1.1000",
		"::1",
		"12:30:45",
		"a::b",
		"std::vector",
		"dead:beef",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"2001:db8::1::2",
		"2001:db8:12345::1",
		"2001:db8::zz",
		"00:00:00:00:00:00",
		"ff:ff:ff:ff:ff:ff",
		"00:1a:2b:3c:4d",
		"00:1a:2b:3c:4d:5e:6f",
		"00:1a-2b:3c:4d:5e",
		"00:1g:2b:3c:4d:5e",
		"abc00:1a:2b:3c:4d:5e",
	};
	assert_data(PII_IP, texts);
	assert_data(PII_MAC, macs);
	ASSERT_ALL_KEPT(kept);
}
END_TEST

START_TEST(places_are_found)
{
	static const char *const texts[] = {
		"{52.5200, 13.4050}",       "{52.52001,13.40503}",
		"at {-33.8688, 151.2093}.", "{52.5200\u00b0 N, 13.4050\u00b0 E}",
		"[{13.4050, 52.5200}]",     "{48.8566 2.3522}",
		"{52.5200n 13.4050e}",      NULL,
	};
	static const char *const kept[] = {
		"52.52, 13.40",
		"3.1416",
		"3.14159, 2.71828, 1.41421",
		"0.1234, 0.5678",
		"91.5200, 13.4050",
		"52.5200, 181.4050",
		"52.5200; 13.4050",
		"1.52.5200, 13.4050",
		"52.5200, x",
		"a52.5200, 13.4050",
		"52.12345678901234, 13.4050",
		"52.5200",
	};
	assert_data(PII_GEO, texts);
	ASSERT_ALL_KEPT(kept);
}
END_TEST

START_TEST(dates_of_birth_are_dates_beside_a_word)
{
	static const char *const texts[] = {
		"born {1990-05-17}",
		"I was born on {17 May 1990}.",
		"born {May 17, 1990} in Ulm",
		"born on the {17th of May 1990}",
		"DOB {05/17/1990}",
		"geb. {17.05.1990}",
		"geboren am {17. Mai 1990}",
		"geb. {17. 5. 90}",
		"Am {17.5.1990} wurde ich geboren.",
		"nacimiento: {17 de mayo de 1990}",
		"n\u00e9 le {1er mai 1990}",
		"My birthday is {May 17}.",
		"\u751f\u65e5\u662f{1990\u5e745\u670817\u65e5}\u3002",
		"\u751f\u65e5\u662f{5\u670817\u65e5}",
		"{1990\u5e745\u670817\u65e5}\u751f\u307e\u308c",
		"\uc0dd\uc77c {1990\ub144 5\uc6d4 17\uc77c}",
		"born {2001/02/03}",
		NULL,
	};
	static const char *const kept[] = {
		"on 17 May 1990",
		"born in 1990",
		"born to run, see you on 17 May 2026",
		"We met on 17 May 1990. Born losers!",
		"born 31.13.1990 or so",
		"born 1990-13-01",
		"born 17.05-1990",
		"born 123.05.1990",
		"born 0 May 1990",
		"born 40 May",
		"born 1990\u5e745\u670840\u65e5",
		"born 7-9-20",
		"The birthday is in one of the next six or seven weeks after 1.5.2026, I think",
		"born! 17.05.1990",
		"17.05.1990 x",
		"born 5\u6708",
		"born 17 maybe",
	};
	assert_data(PII_BIRTH_DATE, texts);
	ASSERT_ALL_KEPT(kept);
}
END_TEST

START_TEST(addresses_are_a_street_with_a_postcode)
{
	static const char *const texts[] = {
		"I live at {12 Baker Street, London NW1 6XE}.",
		"{221B Baker Street, London NW1 6XE}",
		"{1600 Pennsylvania Ave NW, Washington, DC 20500}",
		"Wir wohnen {Hauptstra\u00dfe 5, 12345} Berlin.",
		"{Anna-Schmidt-Weg 5\n12345} Berlin",
		"{Hauptstr. 5 12345} Berlin",
		"{Lale Caddesi No:5, 34000} Bursa",
		"{10 rue de Rivoli, 75001} Paris",
		"{5 rue Pascal 75005} Paris",
		"{rue de Rivoli, 75001} Paris",
		"{Via Roma 10, 00184} Roma",
		"{Damstraat 1, 1012 JS}",
		"{Stephansplatz 3, 1010} Wien",
		"{101000, \u041c\u043e\u0441\u043a\u0432\u0430, "
		"\u0443\u043b. \u041b\u0435\u043d\u0438\u043d\u0430, \u0434. 5}",
		"\u042f \u0436\u0438\u0432\u0443 {\u043d\u0430 "
		"\u0443\u043b\u0438\u0446\u0435 "
		"\u041b\u0435\u043d\u0438\u043d\u0430 5, 190000} \u0433\u043e\u0440\u043e\u0434",
		"{\u5efa\u56fd\u8def88\u53f7 100022}",
		"{Rua Augusta, 100, 01305-000}",
		"{\u3012100-0001 \u6771\u4eac\u90fd1-2-3}",
		NULL,
	};
	static const char *const kept[] = {
		"The street is 12345 metres long.",
		"12 Baker Street",
		"12345 Berlin",
		"The place sold 12345 units in 12 days",
		"road 5 and 0.1234, 7",
		"12345.67 for the drive in 1998",
		"street 5, $12345",
		"Weg 5, 123",
		"street 5 NW 6XE",
		"a street. It has 3 doors and was built by 500 people over many long years, and it "
		"took much ado, until in the end 12345 came",
	};
	assert_data(PII_ADDRESS, texts);
	assert_masked("\u0443\u043b. \u041b\u0435\u043d\u0438\u043d\u0430, \u0434. 5, 101000 "
		      "\u0433., \u043a\u0432. 7!",
		      "[redacted: address][redacted: address]!");
	ASSERT_ALL_KEPT(kept);
}
END_TEST

UNIT_MAIN("pii", email_addresses_are_found, phone_numbers_are_found,
	  accounts_are_found_by_their_check_digits, cards_are_found_as_they_are_among_secrets,
	  national_numbers_are_found, network_addresses_are_found, places_are_found,
	  dates_of_birth_are_dates_beside_a_word, addresses_are_a_street_with_a_postcode)
