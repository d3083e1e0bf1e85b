"""The sentences of make_lines.py. Each class has at least four in each language: those with an even place are for
tuning, those with an odd one are held out."""

CLASSES = ["email", "phone", "iban", "card", "national_id", "ip", "mac", "geo", "birth_date", "address"]
ID_LANGUAGES = ["en", "de", "fr", "es", "pt", "it", "nl", "zh", "pl"]

# For classes that need no word beside them.
PLAIN = {
    "en": ["Please note {} for me.", "Mine is {}, don't lose it.", "{} - that's what I use", "It changed: now it's {}."],
    "de": ["Merk dir bitte {} für mich.", "Meine ist {}, danke.", "{} - das benutze ich", "Geändert: jetzt ist es {}."],
    "fr": ["Note {} pour moi.", "Le mien est {}, merci.", "{} - c'est ce que j'utilise", "Ça a changé : maintenant c'est {}."],
    "es": ["Apunta {} por favor.", "El mío es {}, gracias.", "{} - es lo que uso", "Ha cambiado: ahora es {}."],
    "pt": ["Anota {} para mim.", "O meu é {}, obrigado.", "{} - é o que uso", "Mudou: agora é {}."],
    "it": ["Segnati {} per favore.", "Il mio è {}, grazie.", "{} - è quello che uso", "È cambiato: ora è {}."],
    "nl": ["Noteer {} voor mij.", "De mijne is {}, bedankt.", "{} - die gebruik ik", "Veranderd: nu is het {}."],
    "tr": ["Lütfen {} not et.", "Benimki {}, teşekkürler.", "{} - bunu kullanıyorum", "Değişti: artık {}."],
    "ru": ["Запиши {} для меня.", "У меня {}, спасибо.", "{} - вот чем пользуюсь", "Изменилось: теперь {}."],
    "ar": ["سجل {} من فضلك.", "الخاص بي هو {}، شكرا.", "{} - هذا ما أستخدمه", "تغير: الآن هو {}."],
    "zh": ["请记住{}，谢谢。", "我的是{}。", "{}是我用的", "改了：现在是 {} 了"],
    "ja": ["{}を覚えてください。", "私のは{}です。", "{}を使っています", "変わりました：今は {} です"],
    "pl": ["Zapisz {} dla mnie.", "Mój to {}, dziękuję.", "{} - tego używam", "Zmiana: teraz {}."],
}

PHONE = {
    "en": ["Call me, my phone number is {}.", "You can reach me on my cell: {}", "Tel. {} (evenings)", "Text Anna's mobile at {} please."],
    "de": ["Meine Telefonnummer ist {}.", "Ruf mich auf dem Handy an: {}", "Tel.: {} (abends)", "Die Mobilnummer von Anna lautet {}."],
    "fr": ["Mon numéro de téléphone est le {}.", "Tu peux m'appeler sur mon portable : {}", "Tél. {} (le soir)", "Le mobile d'Anna, c'est {}."],
    "es": ["Mi número de teléfono es el {}.", "Llámame al móvil: {}", "Tel. {} (por la tarde)", "El celular de Ana es {}."],
    "pt": ["O meu número de telefone é {}.", "Liga para o meu celular: {}", "Tel. {} (à noite)", "O telemóvel da Ana é {}."],
    "it": ["Il mio numero di telefono è {}.", "Chiamami al cellulare: {}", "Tel. {} (la sera)", "Il cellulare di Anna è il {}."],
    "nl": ["Mijn telefoonnummer is {}.", "Bel me op mijn mobiel: {}", "Tel. {} ('s avonds)", "Het mobiele nummer van Anna is {}."],
    "tr": ["Telefon numaram {}.", "Beni cepten ara: {}", "Tel: {} (akşamları)", "Ayşe'nin cep telefonu {}."],
    "ru": ["Мой номер телефона {}.", "Звони на мобильный: {}", "Тел. {} (вечером)", "Телефон Анны: {}."],
    "ar": ["رقم هاتفي هو {}.", "اتصل بي على جوالي: {}", "هاتف: {} مساء", "رقم موبايل سارة {}."],
    "zh": ["我的电话号码是{}。", "打我手机：{}", "电话：{}（晚上）", "小王的手机号是 {}。"],
    "ja": ["私の電話番号は{}です。", "携帯に電話して：{}", "TEL：{}（夜）", "田中さんの携帯番号は {} です。"],
}

BORN = {
    "en": ["I was born on {} in a small town.", "My birthday: {}", "Date of birth: {}", "Anna's DOB is {}."],
    "de": ["Ich bin am {} geboren.", "Mein Geburtstag ist der {}.", "Geburtsdatum: {}", "Anna wurde am {} in Wien geboren."],
    "fr": ["Je suis née le {} à Lyon.", "Mon anniversaire, c'est le {}.", "Date de naissance : {}", "Paul est né le {}."],
    "es": ["Nací el {} en Lima.", "Mi cumpleaños es el {}.", "Fecha de nacimiento: {}", "Ana nació el {}."],
    "pt": ["Nasci em {} em Lisboa.", "O meu aniversário é {}.", "Data de nascimento: {}", "A Ana nasceu em {}."],
    "it": ["Sono nata il {} a Roma.", "Il mio compleanno è il {}.", "Data di nascita: {}", "Paolo è nato il {}."],
    "nl": ["Ik ben geboren op {} in Gent.", "Mijn verjaardag is {}.", "Geboortedatum: {}", "Anna werd geboren op {}."],
    "tr": ["{} tarihinde doğdum.", "Doğum günüm {}.", "Doğum tarihi: {}", "Ayşe {} doğumlu."],
    "ru": ["Я родился {} в Казани.", "Мой день рождения {}.", "Дата рождения: {}", "Анна родилась {}."],
    "ar": ["ولدت في {} في القاهرة.", "عيد ميلادي {}.", "تاريخ الميلاد: {}", "تاريخ ميلاد سارة {}."],
    "zh": ["我出生于{}。", "我的生日是{}。", "出生日期：{}", "小王{}出生。"],
    "ja": ["私は{}生まれです。", "誕生日は{}です。", "生年月日：{}", "田中さんは{}に生まれました。"],
}

# National numbers that ten or a hundred random ones share need a word beside them.
ID = {
    "en": ["It's {}, keep it safe.", "The number on my card is {}.", "{} is mine", "Write down: {}"],
    "de": ["Meine Steuer-ID ist {}.", "Steueridentifikationsnummer: {}", "IdNr. {}", "Die steuerliche ID von Anna: {}"],
    "pt": ["Meu CPF é {}.", "CPF: {}", "O CPF da Ana é {}.", "cadastro (CPF) nº {}"],
    "nl": ["Mijn BSN is {}.", "Burgerservicenummer: {}", "BSN {}", "Het BSN-nummer van Anna is {}."],
    "pl": ["Mój PESEL to {}.", "PESEL: {}", "Numer PESEL {}", "pesel Anny: {}"],
}


def carriers(name, lang):
    if name == "phone":
        return PHONE[lang]
    if name == "birth_date":
        return BORN[lang]
    if name == "national_id" and lang in ID:
        return ID[lang]
    return PLAIN[lang]


# Lines without personal data of these classes: # is a digit, % one from 1 to 9, ^ a hexadecimal one.
NOTHING_ANYWHERE = [
    "ISBN 978-3-%#-%#####-#", "git checkout %^^^^^^^^^^^ && make -j4", "uuid ^^^^^^^^-^^^^-4^^^-a^^^-^^^^^^^^^^^^",
    "v%.#.%#.#", "nginx/1.%#.# (version 2.4.%#.1)", "for (int i = 0; i < 1####; i++) total += a[i];",
    "%##,###.## / %#.### = %.##", "2026-%#-0% 1#:#%:##", "0.%###, 0.####, -0.%###, 0.####", "x = [%#.####, %#.####, %#.####]",
    "https://example.com/issues/%#####?page=%", "lodash@4.%#.##", "logo@2x.png", "git@github.com:acme/app.git",
    "std::vector<int> v(%##);", "12:3#:4# - 13:0#:5#", "sha256:^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^", "#%#%#%#%#%#%#%#%",
    "1.0.0.0 -> %.#.#.#", "%### %### %### %###", "DE%#2345", "order %########", "tracking 1Z999AA1012345678%",
    "127.0.0.1:8080 and ::1", "255.255.255.0", "$%,###.00 (%#%)", "3.14159, 2.71828, 1.41421", "@override", "a@b",
    "IBAN DE00 1234 5678 9012 3456 78", "4111 1111 1111 1112", "+%## points", "+1#%", "1#######0 bytes", "RFC 53%#, section 4.%.#.#",
]

NOTHING = {
    "en": ["My phone costs $1%## and has %## GB.", "I called 3 times on 0%/1%/2026.", "The street is 1###0 metres long.",
           "We were born to run, see you on 12 May 2026.", "Order 1###### arrives Monday.", "The meeting is on 2026-0%-1%.",
           "Her birthday party has %# guests.", "He lives at the end of the road, about 2##0 steps away.", "Call me maybe.",
           "My phone has 1#%##### steps recorded this year.", "Lane 5 won by 0.###1 seconds.", "I paid 1####.## for the drive in 1998.",
           "Invoice 2026-%####-%## is due.", "mobile traffic grew by 12###0 visits", "The phone was released on 2026-0%-1%."],
    "de": ["Mein Handy kostet 1%##,99 Euro.", "Die Straße ist 1###0 Meter lang.", "Der Termin ist am 1%.0%.2026.", "Bestellung 1####### kommt am Montag.",
           "Am 1%.0%.2026 geboren zu werden ist Zufall? Nein.".replace("geboren zu werden ist Zufall? Nein", "ist Messe"), "Rechnung 2026-%####-%#",
           "Das Telefon kam am 1%.0%.2026 auf den Markt.", "Wir wohnen in einer ruhigen Straße.", "Zum Geburtstag kommen %# Gäste.",
           "Der Weg dauert 2# Minuten und kostet 1####0 Schritte.", "Artikelnummer 4####%##", "Der Platz hat %## Sitze."],
    "fr": ["Mon téléphone coûte 1%## euros.", "La rue fait 1###0 mètres.", "La réunion est le 1%/0%/2026.", "Commande 1####### livrée lundi.",
           "Le téléphone est sorti le 1%/0%/2026.", "Pour l'anniversaire, %# invités.", "Facture n° 2026-%####", "Il habite au bout de la rue.",
           "L'avenue a %## arbres.", "Il est né une idée en 2019.", "Le portable a %## Go de mémoire."],
    "es": ["Mi teléfono cuesta 1%## euros.", "La calle mide 1###0 metros.", "La reunión es el 1%/0%/2026.", "Pedido 1####### llega el lunes.",
           "El móvil salió el 1%/0%/2026.", "Al cumpleaños vienen %# personas.", "Factura 2026-%####", "Vive al final de la calle.",
           "La avenida tiene %## árboles.", "El celular tiene %## GB."],
    "pt": ["O meu telefone custa 1%## euros.", "A rua tem 1###0 metros.", "A reunião é em 1%/0%/2026.", "Pedido 1####### chega segunda.",
           "O celular saiu em 1%/0%/2026.", "No aniversário vêm %# pessoas.", "Fatura 2026-%####", "Mora no fim da rua.",
           "A avenida tem %## árvores.", "O telemóvel tem %## GB."],
    "it": ["Il mio telefono costa 1%## euro.", "La via è lunga 1###0 metri.", "La riunione è il 1%/0%/2026.", "Ordine 1####### in arrivo.",
           "Il cellulare è uscito il 1%/0%/2026.", "Al compleanno vengono %# persone.", "Fattura 2026-%####", "Abita in fondo alla strada.",
           "Il viale ha %## alberi.", "Il telefono ha %## GB."],
    "nl": ["Mijn telefoon kost 1%## euro.", "De straat is 1###0 meter lang.", "De vergadering is op 1%-0%-2026.", "Bestelling 1####### komt maandag.",
           "De telefoon kwam uit op 1%-0%-2026.", "Op de verjaardag komen %# gasten.", "Factuur 2026-%####", "Hij woont aan het eind van de weg.",
           "De laan heeft %## bomen.", "De mobiel heeft %## GB."],
    "tr": ["Telefonum 1%## lira.", "Cadde 1###0 metre.", "Toplantı 1%.0%.2026 tarihinde.", "Sipariş 1####### pazartesi geliyor.",
           "Telefon 1%.0%.2026 tarihinde çıktı.", "Doğum gününe %# kişi geliyor.", "Fatura 2026-%####", "Sokağın sonunda oturuyor.",
           "Caddede %## ağaç var.", "Cep telefonu %## GB."],
    "ru": ["Мой телефон стоит 1#%## рублей.", "Улица длиной 1###0 метров.", "Встреча 1%.0%.2026.", "Заказ 1####### придёт в понедельник.",
           "Телефон вышел 1%.0%.2026.", "На день рождения придёт %# гостей.", "Счёт 2026-%####", "Он живёт в конце улицы.",
           "На проспекте %## деревьев.", "В телефоне %## ГБ."],
    "ar": ["هاتفي يكلف 1%## ريال.", "الشارع طوله 1###0 متر.", "الاجتماع يوم 1%/0%/2026.", "الطلب 1####### يصل الاثنين.",
           "صدر الهاتف في 1%/0%/2026.", "في عيد ميلاد سارة %# ضيفا.", "فاتورة 2026-%####", "يسكن في آخر الشارع.",
           "في الشارع %## شجرة.", "الجوال سعته %## جيجا."],
    "zh": ["我的手机要 1%##元。", "这条路长1###0米。", "会议在2026年%月1%日。", "订单1#######周一到。", "手机于2026年%月1%日发布。", "生日会来%#个人。",
           "发票 2026-%####", "他住在路的尽头。", "大道上有%##棵树。", "手机有%## GB。"],
    "ja": ["私の携帯は1%###円です。", "この道は1###0メートルです。", "会議は2026年%月1%日です。", "注文1#######は月曜に届きます。",
           "携帯は2026年%月1%日に発売された。", "誕生日会に%#人来ます。", "請求書 2026-%####", "彼は道の終わりに住んでいる。", "通りに%##本の木がある。", "携帯は%## GBです。"],
}
