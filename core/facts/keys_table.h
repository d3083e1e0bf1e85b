/* The keys of core/facts/key.c; keys_make.c makes their map. */
#ifndef RECALLD_CORE_FACTS_KEYS_TABLE_H
#define RECALLD_CORE_FACTS_KEYS_TABLE_H

/* Each row: the common key, then its other names, folded and bare. Only keys that have one value
 * per person: several allergies may be told one by one. */
/* clang-format off */
static const char *const synonyms[] = {
	"city homecity currentcity cityofresidence residence placeofresidence residencecity livesin livingin livesat home homelocation location "
	"currentlocation place town residesin basedin wohnort wohnsitz stadt wohntin lebtin ciudad ciudadderesidencia residencia lugarderesidencia viveen "
	"ville villederesidence lieuderesidence habite cidade residência moraem cidadeatual città citta residenza abitaa stad woonplaats "
	"woontin город городпроживания местожительства живётв 城市 居住地 居住城市 所在城市 所在地 住址城市 都市 住まい şehir yaşadığışehir مدينة المدينة",
	"name fullname username usersname firstandlastname vorundnachname vollername nombre nombrecompleto nom nomcomplet nome nomecompleto naam "
	"имя полноеимя 名字 姓名 名前 isim ad اسم الاسم nimi név",
	"job occupation profession jobtitle currentjob worksas jobrole beruf tätigkeit trabajo profesión profesion ocupación ocupacion puesto métier "
	"metier emploi trabalho profissão profissao emprego professione lavoro mestiere beroep baan работа профессия должность 职业 職業 工作 职位 仕事 meslek iş وظيفة مهنة",
	"employer company currentemployer worksat worksfor workplace employedby arbeitgeber firma arbeitetbei empresa empleador lugardetrabajo employeur "
	"entreprise travaillechez empregador azienda datoredilavoro werkgever bedrijf работодатель компания 公司 雇主 任职公司 勤務先 会社 şirket işveren شركة",
	"age currentage yearsold alter edad âge idade età eta leeftijd возраст 年龄 年齡 年齢 yaş عمر العمر",
	"birthday birthdate dateofbirth dob borndate birth bornon geburtstag geburtsdatum cumpleaños cumpleanos fechadenacimiento anniversaire "
	"datedenaissance aniversário aniversario datadenascimento compleanno datadinascita verjaardag geboortedatum деньрождения датарождения "
	"生日 出生日期 誕生日 生年月日 doğumgünü syntymäpäivä születésnap",
	"hometown placeofbirth birthplace birthcity origin geburtsort heimatstadt heimatort herkunft ciudadnatal lugardenacimiento villenatale "
	"lieudenaissance cidadenatal cittànatale geboorteplaats роднойгород 家乡 故乡 老家 出身地 memleket",
	"phone phonenumber mobile mobilenumber mobilephone cell cellphone telephone telephonenumber telefon telefonnummer handynummer handy teléfono telefono "
	"númerodeteléfono móvil téléphone numérodetéléphone portable telefone celular cellulare telefoonnummer телефон номертелефона 电话 電話 手机 手机号 电话号码 電話番号 telefonnumarası numara هاتف "
	"puhelin puhelinnumero telefonszám",
	"email emailaddress mail mailaddress mailadresse correo correoelectrónico courriel почта 邮箱 电子邮件 メール メールアドレス eposta sähköposti sähköpostiosoite emailcím",
	"address homeaddress streetaddress postaladdress adresse anschrift wohnadresse dirección direccion domicilio endereço endereco indirizzo adres "
	"адрес 地址 住址 家庭住址 住所 عنوان osoite kotiosoite cím lakcím",
	"nativelanguage mothertongue firstlanguage muttersprache lenguamaterna languematernelle línguamaterna madrelingua moedertaal роднойязык 母语 母語 anadili",
	"nationality citizenship nationalität staatsangehörigkeit nacionalidad nationalité nacionalidade nazionalità nationaliteit национальность гражданство 国籍",
	"spouse wife husband ehefrau ehemann esposa esposo marido épouse époux moglie marito echtgenoot жена муж 妻子 丈夫 太太 配偶",
	"salary income annualsalary gehalt einkommen salario sueldo salaire salário stipendio salaris зарплата 工资 薪水 年薪 給料 maaş",
	"maritalstatus relationshipstatus familienstand estadocivil situationfamiliale 婚姻状况",
	"diet dietarypreference dietarypreferences dietaryrestriction ernährung ernährungsweise dieta régime régimealimentaire 饮食 饮食习惯",
	"timezone tz zeitzone zonahoraria fuseauhoraire fusohorário 时区",
	"vectorstore vectordatabase vectordb",
	"favoritecolor favcolor lieblingsfarbe colorfavorito couleurpréférée corfavorita colorepreferito 最喜欢的颜色",
	"favoritefood favfood lieblingsessen comidafavorita platpréféré cibopreferito 最喜欢的食物",
};
/* clang-format on */

#endif
