/* The words of core/pii/pii_words.c; pii_words_make.c makes their map. In lower case, of the
 * languages of many users. */
#ifndef RECALLD_CORE_PII_PII_WORDS_TABLE_H
#define RECALLD_CORE_PII_PII_WORDS_TABLE_H

#include "core/base/word_map_make.h"
#include "core/pii/parts.h"

static const struct word_row pii_word_rows[] = {
	{0, PII_WORD_PHONE,
	 "phone telephone tel tel mobile mobil cell cellphone landline fax whatsapp sms call text "
	 "telegram signal viber "
	 "telefon telefonnummer handy handynummer mobilnummer mobilfunknummer mobiltelefon "
	 "rufnummer festnetz festnetznummer anrufen ruf rufen "
	 "téléphone telephone tél portable mobile appeler appelez appelle fixe numéro "
	 "teléfono telefono móvil movil celular llámame llamar fijo fono whatsapp "
	 "telefone telemóvel celular fone ligar liga ligue zap "
	 "telefono cellulare cell fisso chiamami chiamare "
	 "telefoon telefoonnummer mobiel mobiele gsm bel bellen "
	 "telefon telefonum telefonu telefonumuz numaram numarası cep cepten gsm ara "
	 "телефон телефона телефону телефоне тел моб мобильный мобильного мобильник сотовый "
	 "звони звоните позвони номер вотсап "
	 "هاتف هاتفي الهاتف هاتفه هاتفها تلفون تليفون جوال جوالي الجوال جواله جوالها موبايل "
	 "موبايلي الموبايل محمول واتساب اتصل "
	 "telefon telefonu komórka komórkę komórki kom zadzwoń tlf telefonnummer mobilnummer "
	 "puhelin puhelinnumero puh "},
	/* Behind these stands a price, a size or a date. */
	{0, PII_WORD_NO_PHONE,
	 "has have had costs cost price released grew weighs sold bought released imei serial "
	 "order "
	 "model version invoice ticket "
	 "hat hatte kostet kam preis verkauft gekauft wiegt seriennummer bestellung rechnung "
	 "coûte sorti prix pèse commande facture "
	 "cuesta tiene salió precio pesa pedido factura "
	 "custa tem saiu preço pesa pedido fatura "
	 "costa ha uscito prezzo pesa ordine fattura "
	 "kost heeft kwam prijs weegt bestelling factuur "
	 "lira fiyatı çıktı sipariş fatura "
	 "стоит вышел цена весит заказ счёт счет "
	 "يكلف صدر سعته سعر طلب فاتورة "
	 "kosztuje cena zamówienie faktura"},
	{0, PII_WORD_BORN,
	 "born birthday birthdate birth dob bday "
	 "geboren geborene geborener geburtstag geburtsdatum geb "
	 "né née naissance anniversaire "
	 "nací nació nacido nacida nacimiento cumpleaños cumple nacer "
	 "nasci nasceu nascido nascida nascimento aniversário "
	 "nato nata nascita compleanno nacque "
	 "verjaardag geboortedatum jarig "
	 "doğdum doğdu doğum doğumlu doğumluyum doğumgünü "
	 "родился родилась родились рождения рождение рожд род "
	 "ولدت ولد وُلدت مولود مولودة ميلاد ميلادي الميلاد ميلاده ميلادها مواليد الولادة ولادتي "
	 "urodziny urodzin urodzony urodzona urodziłem urodziłam urodzenia ur "
	 "född födelsedag født fødselsdag syntymäpäivä syntynyt"},
	{0, PII_WORD_NOT_BORN, "to"},
	{0, PII_WORD_STREET,
	 "street st road rd avenue ave boulevard blvd lane ln drive dr court ct place pl square sq "
	 "terrace close crescent highway hwy parkway pkwy circle cir trail way row gardens grove "
	 "hill mews walk crossing "
	 "straße strasse str gasse weg allee platz ring damm ufer steig chaussee markt zeile "
	 "straat laan plein gracht kade dijk singel hof pad dreef steeg baan "
	 "caddesi caddesİ cad cd sokak sokağı sok sk mahallesi mah bulvarı bulvar blv bul meydanı "
	 "улица улице улицы улицу ул проспект проспекте проспекту пр просп пер переулок переулке "
	 "шоссе ш "
	 "бульвар бульваре бул площадь площади пл набережная набережной наб "
	 "проезд тупик аллея линия"},
	{0, PII_WORD_STREET_OF,
	 "rue avenue av boulevard bd chemin place impasse allée quai route cours square passage "
	 "ruelle sentier faubourg montée villa "
	 "calle avenida avda av plaza paseo vial camino carretera ctra ronda callejón pasaje "
	 "cuesta "
	 "glorieta pasadizo vía rambla travesía urbanización alameda acceso cañada pza bulevar "
	 "rua r travessa praça alameda estrada rodovia largo viela ladeira vila condomínio "
	 "conjunto "
	 "quadra sítio chácara fazenda jardim loteamento passarela pátio residencial setor trecho "
	 "trevo vale vereda via viaduto favela feira esplanada estação distrito colônia campo "
	 "aeroporto área morro núcleo parque lago lagoa recanto "
	 "viale piazza piazzale corso vicolo strada contrada borgo rotonda incrocio canale stretto "
	 "lungomare salita "
	 "ул улица улице улицы улицу пр проспект проспекте проспекту пер переулок переулке ш шоссе "
	 "бул "
	 "бульвар бульваре пл площадь площади наб набережная набережной "
	 "شارع طريق حي الشارع جادة نهج ميدان "
	 "ulica ul aleja al plac os osiedle "},
	{0, PII_WORD_FLAT,
	 "apt apartment flat unit suite ste floor fl room rm wohnung whg etage stock appt "
	 "appartement étage bât bâtiment piso puerta apto apartamento bloco casa andar interno int "
	 "scala piano appartamento bus verdieping daire kat кв квартира корп корпус стр строение к "
	 "оф офис под подъезд شقة دور no nr nº"},
	{0, PII_WORD_VERSION,
	 "v version versions release section sections chapter rfc build firmware kernel version "
	 "abschnitt kapitel versión versão versione versie sürüm версия версии раздел الإصدار"},
	{0, PII_WORD_SSN, "ssn social"},
	{0, PII_WORD_BSN, "bsn burgerservicenummer sofinummer sofi"},
	{0, PII_WORD_CPF, "cpf"},
	{0, PII_WORD_PESEL, "pesel"},
	{0, PII_WORD_AADHAAR, "aadhaar aadhar adhaar uidai आधार"},
};

#endif
