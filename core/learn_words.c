#include "core/learn_words.h"

#include "core/lexicon.h"
#include "core/word_map.h"

/* Words are case folded; "x" and "y" of "x'y" are words by themselves, but for "don't". */
struct row {
	unsigned language;
	unsigned bits;
	const char *words;
};

/* clang-format off */
static const struct row rows[] = {
	{LEXICON_ENGLISH, WORD_NOT,
	 "not no never neither nor none nobody nothing cannot cant dont doesnt didnt isnt wasnt arent wont wouldnt without hardly"},
	{LEXICON_ENGLISH, WORD_IF,
	 "if unless suppose supposing imagine pretend assume assuming hypothetically whether"},
	{LEXICON_ENGLISH, WORD_UNREAL, "would d could might were"},
	{LEXICON_ENGLISH, WORD_FIRST, "i me my mine myself we us our ours im ive"},
	{LEXICON_ENGLISH, WORD_SECOND, "you your yours please"},
	{LEXICON_ENGLISH, WORD_THIRD, "he she his her hers him they their theirs"},
	{LEXICON_ENGLISH, WORD_KIN,
	 "sister brother mother father mom mum mommy dad daddy wife husband son daughter partner girlfriend boyfriend fiance fiancee "
	 "uncle aunt cousin nephew niece grandmother grandfather grandma grandpa friend boss manager supervisor colleague coworker "
	 "neighbor neighbour roommate flatmate teacher landlord ex child children kid kids parents siblings family spouse client customer"},
	{LEXICON_ENGLISH, WORD_SAY, "said says say told tells wrote writes asked claims claimed"},
	{LEXICON_ENGLISH, WORD_FORGET, "forget erase delete unlearn wipe purge discard scrub"},
	{LEXICON_ENGLISH, WORD_ALL, "everything all anything"},
	{LEXICON_ENGLISH, WORD_SPLIT, "but because although though however since so instead"},
	{LEXICON_ENGLISH, WORD_AND, "and then while"},
	{LEXICON_ENGLISH, WORD_TIME,
	 "tomorrow next coming upcoming weekend tonight noon christmas easter soon birthday born"},
	{LEXICON_ENGLISH, WORD_ONLY, "only just"},
	{LEXICON_ENGLISH, WORD_POINT,
	 "first second third fourth fifth last latter former option number 1st 2nd 3rd 4th 5th"},
	{LEXICON_ENGLISH, WORD_ONE, "one ones option suggestion idea choice"},
	{LEXICON_ENGLISH, WORD_TAKE, "take choose pick chose picked prefer go going use try book order"},
	{LEXICON_ENGLISH, WORD_THAT, "it that this these those what"},
	{LEXICON_ENGLISH, WORD_LOVE, "love adore favorite favourite dream thrilled delighted enjoy"},
	{LEXICON_ENGLISH, WORD_OPENER, "oh yeah sure right yes"},
	{LEXICON_ENGLISH, WORD_ASK, "am is are do does did was were should could would can will have has"},
	{LEXICON_ENGLISH, WORD_VERB, "is works lives was has works studies"},
	{LEXICON_ENGLISH, WORD_SUBJECT, "i we im"},
	{LEXICON_ENGLISH, WORD_KEEP, "remember store save keep record memorize memorise retain"},
	{LEXICON_ENGLISH, WORD_SOFT, "information info data stuff things facts memory memories saved stored learned actually now then just also well kindly instead thought second again maybe hey"},
	{LEXICON_ENGLISH, WORD_DID, "did have has had"},

	{LEXICON_GERMAN, WORD_NOT,
	 "nicht kein keine keinen keinem keiner keines nie niemals nichts nirgends weder ohne kaum"},
	{LEXICON_GERMAN, WORD_IF, "falls angenommen gesetzt vorausgesetzt stell"},
	{LEXICON_GERMAN, WORD_MAY_IF, "wenn ob"},
	{LEXICON_GERMAN, WORD_UNREAL,
	 "wäre wären würde würden hätte hätten könnte könnten müsste käme ginge wünschte wohnte lebte arbeitete"},
	{LEXICON_GERMAN, WORD_FIRST,
	 "ich mich mir mein meine meinen meinem meiner meines wir uns unser unsere unseren"},
	{LEXICON_GERMAN, WORD_SECOND, "du dich dir dein deine sie bitte"},
	{LEXICON_GERMAN, WORD_THIRD, "er sie ihr ihre ihren ihrem ihm ihn sein seine seinen seinem"},
	{LEXICON_GERMAN, WORD_KIN,
	 "schwester bruder mutter vater mama papa frau mann ehefrau ehemann sohn tochter partner partnerin freundin freund verlobte "
	 "onkel tante cousin cousine neffe nichte oma opa großmutter großvater grossmutter grossvater chef chefin vorgesetzter "
	 "kollege kollegin nachbar nachbarin mitbewohner mitbewohnerin lehrer lehrerin vermieter kind kinder eltern geschwister familie"},
	{LEXICON_GERMAN, WORD_SAY, "sagt sagte meint meinte schreibt schrieb erzählt erzählte fragt fragte"},
	{LEXICON_GERMAN, WORD_FORGET, "vergiss vergesst vergisst vergessen lösch lösche löscht löschen streich streiche entferne tilge"},
	{LEXICON_GERMAN, WORD_ALL, "alles alle"},
	{LEXICON_GERMAN, WORD_SPLIT, "aber sondern weil denn obwohl deshalb jedoch da"},
	{LEXICON_GERMAN, WORD_AND, "und"},
	{LEXICON_GERMAN, WORD_TIME,
	 "morgen übermorgen nächste nächsten nächstes nächster nächstem kommende kommenden kommendes wochenende weihnachten ostern bald geburtstag geboren"},
	{LEXICON_GERMAN, WORD_ONLY, "nur"},
	{LEXICON_GERMAN, WORD_POINT,
	 "erste ersten erstes zweite zweiten zweites dritte dritten drittes vierte vierten letzte letzten letztes option nummer"},
	{LEXICON_GERMAN, WORD_THAT, "das es dies diese dieses den die was"},
	{LEXICON_GERMAN, WORD_TAKE, "nehme wähle nimm bevorzuge nehmen"},
	{LEXICON_GERMAN, WORD_LOVE, "liebe lieben liebling traum begeistert genieße freue"},
	{LEXICON_GERMAN, WORD_OPENER, "oh ja klar sicher na ach"},
	{LEXICON_GERMAN, WORD_ASK, "bin ist habe war wohne arbeite heiße"},
	{LEXICON_GERMAN, WORD_SUBJECT, "ich wir"},
	{LEXICON_GERMAN, WORD_KEEP, "merk merke merken speicher speichere speichern behalte behalten"},
	{LEXICON_GERMAN, WORD_SOFT, "informationen daten gespeichert gespeicherte sachen eigentlich jetzt nun dann doch mal einfach noch also lieber"},
	{LEXICON_GERMAN, WORD_DID, "hast habt haben"},

	{LEXICON_FRENCH, WORD_NOT, "pas jamais rien aucun aucune ni sans non plus"},
	{LEXICON_FRENCH, WORD_IF, "si supposons imagine imaginons imaginez suppose"},
	{LEXICON_FRENCH, WORD_UNREAL, "serais serait aurais aurait pourrais pourrait vivrais voudrais habiterais"},
	{LEXICON_FRENCH, WORD_FIRST, "je j me m moi mon ma mes nous notre nos"},
	{LEXICON_FRENCH, WORD_SECOND, "tu te toi vous votre peux pouvez veux"},
	{LEXICON_FRENCH, WORD_THIRD, "il elle ils elles lui leur son sa ses"},
	{LEXICON_FRENCH, WORD_KIN,
	 "soeur sœur frère mère père maman papa femme mari fils fille compagnon compagne copain copine fiancé fiancée oncle tante "
	 "cousin cousine neveu nièce ami amie chef patron patronne collègue voisin voisine colocataire professeur enfant enfants parents famille"},
	{LEXICON_FRENCH, WORD_SAY, "dit disait écrit raconte demande"},
	{LEXICON_FRENCH, WORD_FORGET, "oublie oubliez oublier oublies efface effacez effacer supprime supprimez supprimer"},
	{LEXICON_FRENCH, WORD_ALL, "tout toutes tous"},
	{LEXICON_FRENCH, WORD_SPLIT, "mais car parce puisque quoique donc"},
	{LEXICON_FRENCH, WORD_AND, "et"},
	{LEXICON_FRENCH, WORD_TIME, "demain prochain prochaine noël pâques bientôt né née anniversaire"},
	{LEXICON_FRENCH, WORD_ONLY, "seulement"},
	{LEXICON_FRENCH, WORD_POINT, "premier première deuxième second seconde troisième dernier dernière option numéro"},
	{LEXICON_FRENCH, WORD_THAT, "ça cela ce ceci le la les"},
	{LEXICON_FRENCH, WORD_TAKE, "prends choisis prendre choisir préfère"},
	{LEXICON_FRENCH, WORD_LOVE, "adore aime rêve"},
	{LEXICON_FRENCH, WORD_OPENER, "oh oui ouais"},
	{LEXICON_FRENCH, WORD_SUBJECT, "je j nous"},
	{LEXICON_FRENCH, WORD_KEEP, "retiens retenez retenir enregistre enregistrez garde gardez mémorise"},
	{LEXICON_FRENCH, WORD_SOFT, "informations données maintenant alors plutôt finalement fait"},
	{LEXICON_FRENCH, WORD_DID, "as avez"},

	{LEXICON_SPANISH, WORD_NOT, "no nunca jamás jamas nada ningún ninguna ninguno tampoco ni sin"},
	{LEXICON_SPANISH, WORD_IF, "si supongamos supón imagina imaginemos imagínate ojalá suponiendo"},
	{LEXICON_SPANISH, WORD_UNREAL,
	 "sería viviera viviese fuera fuese tuviera tuviese podría viviría tendría trabajaría hubiera haría compraría aprendería"},
	{LEXICON_SPANISH, WORD_FIRST,
	 "yo me mi mí mis mío mía conmigo nosotros nos nuestro nuestra soy vivo tengo trabajo estoy hablo uso quiero prefiero voy"},
	{LEXICON_SPANISH, WORD_SECOND, "tú tu te ti usted puedes puede favor que"},
	{LEXICON_SPANISH, WORD_THIRD, "él ella ellos ellas su sus"},
	{LEXICON_SPANISH, WORD_KIN,
	 "hermana hermano madre padre mamá papá esposa esposo marido mujer hijo hija pareja novia novio tío tía primo prima sobrino "
	 "sobrina abuela abuelo amigo amiga jefe jefa colega compañero compañera vecino vecina profesor profesora hijos padres hermanos familia"},
	{LEXICON_SPANISH, WORD_SAY, "dice dijo escribe escribió cuenta contó pregunta preguntó"},
	{LEXICON_SPANISH, WORD_FORGET,
	 "olvida olvide olvides olvídate olvídalo olvídese olviden olvidar borra borre borres bórralo borrar elimina elimine elimines eliminar"},
	{LEXICON_SPANISH, WORD_ALL, "todo toda todos todas"},
	{LEXICON_SPANISH, WORD_SPLIT, "pero sino porque aunque pues"},
	{LEXICON_SPANISH, WORD_AND, "y e"},
	{LEXICON_SPANISH, WORD_TIME, "mañana próximo próxima proximo proxima pascua navidad pronto nací nacido nacida cumpleaños finde"},
	{LEXICON_SPANISH, WORD_ONLY, "solo sólo solamente"},
	{LEXICON_SPANISH, WORD_POINT, "primero primera primer segundo segunda tercero tercera último última opción número"},
	{LEXICON_SPANISH, WORD_THAT, "eso esto lo la ese esa"},
	{LEXICON_SPANISH, WORD_TAKE, "elijo tomo escojo quedo prefiero"},
	{LEXICON_SPANISH, WORD_LOVE, "encanta encantan adoro amo favorito favorita sueño ilusión"},
	{LEXICON_SPANISH, WORD_OPENER, "oh sí si claro seguro ya uy ay"},
	{LEXICON_SPANISH, WORD_SUBJECT, "yo nosotros"},
	{LEXICON_SPANISH, WORD_KEEP, "recuerdes guardes guarde recuerde memorices"},
	{LEXICON_SPANISH, WORD_SOFT, "información datos ahora entonces mejor pues porfa realidad"},
	{LEXICON_SPANISH, WORD_DID, "has"},

	{LEXICON_PORTUGUESE, WORD_NOT, "não nao nunca jamais nada nenhum nenhuma nem sem"},
	{LEXICON_PORTUGUESE, WORD_IF, "suponha imagine imagina caso"},
	{LEXICON_PORTUGUESE, WORD_MAY_IF, "se"},
	{LEXICON_PORTUGUESE, WORD_UNREAL, "seria morasse fosse tivesse poderia teria moraria viveria"},
	{LEXICON_PORTUGUESE, WORD_FIRST, "eu me mim meu minha meus minhas nós nos nosso nossa sou moro tenho trabalho estou"},
	{LEXICON_PORTUGUESE, WORD_SECOND, "tu você pode favor que"},
	{LEXICON_PORTUGUESE, WORD_THIRD, "ele ela eles elas dele dela"},
	{LEXICON_PORTUGUESE, WORD_KIN,
	 "irmã irmão mãe pai esposa esposo marido mulher filho filha namorada namorado tio tia primo prima avó avô amigo amiga chefe "
	 "colega vizinho vizinha professor professora filhos pais família"},
	{LEXICON_PORTUGUESE, WORD_SAY, "disse diz escreveu contou perguntou"},
	{LEXICON_PORTUGUESE, WORD_FORGET, "esqueça esqueca esquece esquecer apague apaga apagar exclua excluir delete remova remover"},
	{LEXICON_PORTUGUESE, WORD_ALL, "tudo todos todas"},
	{LEXICON_PORTUGUESE, WORD_SPLIT, "mas porque embora pois"},
	{LEXICON_PORTUGUESE, WORD_AND, "e"},
	{LEXICON_PORTUGUESE, WORD_TIME, "amanhã próximo próxima natal páscoa nasci aniversário"},
	{LEXICON_PORTUGUESE, WORD_POINT, "primeiro primeira segundo segunda terceiro terceira último última opção número"},
	{LEXICON_PORTUGUESE, WORD_THAT, "isso isto o a"},
	{LEXICON_PORTUGUESE, WORD_TAKE, "escolho fico pego prefiro"},
	{LEXICON_PORTUGUESE, WORD_LOVE, "adoro amo sonho"},
	{LEXICON_PORTUGUESE, WORD_OPENER, "oh sim claro"},
	{LEXICON_PORTUGUESE, WORD_SUBJECT, "eu nós"},
	{LEXICON_PORTUGUESE, WORD_KEEP, "lembre lembres guarde guardes memorize"},
	{LEXICON_PORTUGUESE, WORD_SOFT, "agora então melhor"},

	{LEXICON_ITALIAN, WORD_NOT, "non mai nulla niente nessun nessuna nessuno né senza"},
	{LEXICON_ITALIAN, WORD_IF, "se supponiamo immagina immaginiamo magari"},
	{LEXICON_ITALIAN, WORD_UNREAL, "sarei sarebbe avrei fossi vivessi potrei vivrei avessi abitassi"},
	{LEXICON_ITALIAN, WORD_FIRST, "io mi me mio mia miei mie noi ci nostro nostra sono vivo abito lavoro ho"},
	{LEXICON_ITALIAN, WORD_SECOND, "tu ti te puoi favore prego"},
	{LEXICON_ITALIAN, WORD_THIRD, "lui lei loro suo sua"},
	{LEXICON_ITALIAN, WORD_KIN,
	 "sorella fratello madre padre mamma papà moglie marito figlio figlia compagno compagna fidanzata fidanzato zio zia cugino "
	 "cugina nonna nonno amico amica capo collega vicino vicina figli genitori famiglia"},
	{LEXICON_ITALIAN, WORD_SAY, "dice disse detto scrive chiede"},
	{LEXICON_ITALIAN, WORD_FORGET,
	 "dimentica dimentichi dimenticare dimenticati scorda scordati cancella cancelli cancellare elimina elimini eliminare"},
	{LEXICON_ITALIAN, WORD_ALL, "tutto tutti tutte"},
	{LEXICON_ITALIAN, WORD_SPLIT, "ma però perché anche"},
	{LEXICON_ITALIAN, WORD_AND, "e"},
	{LEXICON_ITALIAN, WORD_TIME, "domani prossimo prossima natale pasqua nato nata compleanno"},
	{LEXICON_ITALIAN, WORD_POINT, "primo prima secondo seconda terzo terza ultimo ultima opzione numero"},
	{LEXICON_ITALIAN, WORD_THAT, "quello questo ciò lo"},
	{LEXICON_ITALIAN, WORD_TAKE, "prendo scelgo preferisco"},
	{LEXICON_ITALIAN, WORD_LOVE, "adoro amo sogno"},
	{LEXICON_ITALIAN, WORD_OPENER, "oh sì certo"},
	{LEXICON_ITALIAN, WORD_SUBJECT, "io noi"},
	{LEXICON_ITALIAN, WORD_KEEP, "ricordare ricordi salvare memorizzare conservare"},
	{LEXICON_ITALIAN, WORD_SOFT, "adesso ora allora meglio"},
	{LEXICON_ITALIAN, WORD_DID, "hai avete"},

	{LEXICON_DUTCH, WORD_NOT, "niet geen nooit niets niemand zonder"},
	{LEXICON_DUTCH, WORD_IF, "indien stel veronderstel"},
	{LEXICON_DUTCH, WORD_MAY_IF, "als"},
	{LEXICON_DUTCH, WORD_UNREAL, "zou zouden woonde had was"},
	{LEXICON_DUTCH, WORD_FIRST, "ik me mij mijn wij we ons onze"},
	{LEXICON_DUTCH, WORD_SECOND, "je jij u alsjeblieft alstublieft"},
	{LEXICON_DUTCH, WORD_THIRD, "hij zij haar zijn hem hun"},
	{LEXICON_DUTCH, WORD_KIN,
	 "zus zuster broer moeder vader vrouw man zoon dochter partner vriendin vriend oom tante neef nicht oma opa baas collega buurman buurvrouw kinderen ouders familie"},
	{LEXICON_DUTCH, WORD_SAY, "zegt zei schrijft vroeg"},
	{LEXICON_DUTCH, WORD_FORGET, "vergeet vergeten wis wissen verwijder verwijderen"},
	{LEXICON_DUTCH, WORD_ALL, "alles alle"},
	{LEXICON_DUTCH, WORD_SPLIT, "maar omdat want hoewel"},
	{LEXICON_DUTCH, WORD_AND, "en"},
	{LEXICON_DUTCH, WORD_TIME, "morgen overmorgen volgende komende kerst pasen verjaardag geboren"},
	{LEXICON_DUTCH, WORD_ONLY, "alleen"},
	{LEXICON_DUTCH, WORD_POINT, "eerste tweede derde laatste optie nummer"},
	{LEXICON_DUTCH, WORD_THAT, "dat dit het die"},
	{LEXICON_DUTCH, WORD_TAKE, "neem kies"},
	{LEXICON_DUTCH, WORD_LOVE, "geweldig dol droom"},
	{LEXICON_DUTCH, WORD_OPENER, "oh ja tuurlijk"},
	{LEXICON_DUTCH, WORD_SUBJECT, "ik wij we"},
	{LEXICON_DUTCH, WORD_KEEP, "onthoud onthouden bewaar bewaren"},
	{LEXICON_DUTCH, WORD_SOFT, "nu dan maar toch"},
	{LEXICON_DUTCH, WORD_DID, "heb heeft"},

	{LEXICON_TURKISH, WORD_NOT, "değil yok asla hiç"},
	{LEXICON_TURKISH, WORD_IF, "eğer keşke diyelim"},
	{LEXICON_TURKISH, WORD_FIRST, "ben beni bana benim biz bizim"},
	{LEXICON_TURKISH, WORD_KIN, "kardeşim ablam abim annem babam eşim kızım oğlum arkadaşım patronum"},
	{LEXICON_TURKISH, WORD_FORGET, "unut unutun unutur sil silin siler"},
	{LEXICON_TURKISH, WORD_ALL, "her şeyi hepsini"},
	{LEXICON_TURKISH, WORD_SPLIT, "ama çünkü fakat"},
	{LEXICON_TURKISH, WORD_TIME, "yarın gelecek doğum"},
	{LEXICON_TURKISH, WORD_THAT, "bunu onu şunu"},

	{LEXICON_SWEDISH, WORD_FORGET, "glöm radera"},
	{LEXICON_DANISH, WORD_FORGET, "glem slet"},
	{LEXICON_NORWEGIAN, WORD_FORGET, "glem slett"},
	{LEXICON_POLISH, WORD_FORGET, "zapomnij usuń wymaż"},
	{LEXICON_POLISH, WORD_NOT, "nie nigdy"},

	{LEXICON_OTHER, WORD_NOT, "не нет никогда ничего ни без لا ليس لست لم لن"},
	{LEXICON_OTHER, WORD_IF, "если представь предположим допустим لو إذا افترض"},
	{LEXICON_OTHER, WORD_UNREAL, "бы б"},
	{LEXICON_OTHER, WORD_FIRST,
	 "я меня мне мной мой моя моё мое мои моего моей моему мою мы нас нам наш наша أنا لي عندي نحن"},
	{LEXICON_OTHER, WORD_SECOND, "ты вы пожалуйста можешь можете أنت"},
	{LEXICON_OTHER, WORD_THIRD, "он она они его её ее их هو هي هم"},
	{LEXICON_OTHER, WORD_KIN,
	 "сестра брат мать отец мама папа жена муж сын дочь дочка подруга друг дядя тётя тетя бабушка дедушка начальник коллега сосед соседка родители дети أختي أخي أمي أبي زوجتي زوجي ابني ابنتي صديقي مديري"},
	{LEXICON_OTHER, WORD_SAY, "сказал сказала говорит написал написала قال قالت"},
	{LEXICON_OTHER, WORD_FORGET,
	 "забудь забудьте забыть удали удалите удалить сотри сотрите انس انسى انسي احذف احذفي امسح"},
	{LEXICON_OTHER, WORD_ALL, "всё все كل"},
	{LEXICON_OTHER, WORD_SPLIT, "но а потому хотя لكن لأن"},
	{LEXICON_OTHER, WORD_AND, "и"},
	{LEXICON_OTHER, WORD_TIME, "завтра послезавтра следующий следующая следующей следующую родился родилась غدا القادم"},
	{LEXICON_OTHER, WORD_ONLY, "только"},
	{LEXICON_OTHER, WORD_POINT, "первый первая второй вторая вторую третий третья последний последняя الأول الثاني الثالث"},
	{LEXICON_OTHER, WORD_THAT, "это этот эту то ذلك هذا"},
	{LEXICON_OTHER, WORD_TAKE, "возьму выбираю беру"},
	{LEXICON_OTHER, WORD_LOVE, "обожаю люблю мечтаю"},
	{LEXICON_OTHER, WORD_OPENER, "о да конечно ага"},
	{LEXICON_OTHER, WORD_SUBJECT, "я мы أنا"},
	{LEXICON_OTHER, WORD_KEEP, "запоминай запоминайте сохраняй сохраняйте помни تتذكر تحفظ"},
};

/* Of scripts without spaces. */
static const struct {
	unsigned bits;
	const char *signs;
} signs[] = {
	{WORD_NOT, "不 没 沒 无 無 非 别 別 未 ない ません 않 안 못"},
	{WORD_IF, "如果 假如 假设 假設 要是 若是 倘若 万一 想象 設想 もし 仮に 만약 만일"},
	{WORD_UNREAL, "就会 就會 会去 就去 就买 就是了 就能"},
	{WORD_FIRST, "我 咱 私 僕 俺 나는 내 저는 제"},
	{WORD_THIRD, "她 他 彼"},
	{WORD_KIN,
	 "妹 姐 姊 哥 弟 妈 媽 爸 母亲 父亲 妻 太太 老婆 丈夫 老公 儿子 兒子 女儿 女兒 朋友 老板 老闆 上司 经理 同事 邻居 叔 阿姨 "
	 "奶奶 爷爷 孩子 老师 父母 姉 兄 母 父 夫 息子 娘 友達 上司 同僚 언니 누나 동생 엄마 아빠 남편 아내 친구"},
	{WORD_SAY, "说 說 言った 말했"},
	{WORD_ALL, "所有 一切 全部 すべて 全て 모든 전부"},
	{WORD_TIME, "明天 后天 後天 下周 下週 下个 下個 明年 下月 周末 週末 今天 昨天 去年 月 日 号 年 明日 来週 来月 来年 내일 다음"},
	{WORD_POINT, "第一 第二 第三 第四 第五 最后一 最後 前者 后者 後者 2番 1番 3番 첫 두 번째"},
	{WORD_THAT, "那个 這個 这个 那個 这些 那些 刚才 剛才 刚刚 它 それ これ さっき 그거"},
	{WORD_LOVE, "最爱 最愛 太喜欢 太喜歡 真喜欢 真爱 好爱 梦想 大好き"},
	{WORD_OPENER, "是啊 是呀 哦 噢 当然 當然 可不 そうそう"},
};

/* Of these no part is what it seems to be. */
static const char other_signs[] =
	"不过 不過 不仅 不僅 不但 不只 不错 不錯 不好意思 不久 差不多 对不起 對不起 没问题 沒問題 没事 没关系 別の 特别 特別 "
	"别忘 別忘 不要忘 不忘 无论 無論 非常 未来 未來 忘れないで 兄弟 少なくない 内 안녕";

static const char *const numbers[] = {
	"0 zero null cero zéro 零", "1 one ein eine einen eins uno una un une um uma een один одна 一",
	"2 two zwei dos deux dois duas due twee два две 二 两 兩", "3 three drei tres trois três tre drie три 三",
	"4 four vier cuatro quatre quatro quattro четыре 四", "5 five fünf cinco cinq cinque vijf пять 五",
	"6 six sechs seis sei zes шесть 六", "7 seven sieben siete sept sete sette zeven семь 七",
	"8 eight acht ocho huit oito otto восемь 八", "9 nine neun nueve neuf nove negen девять 九",
	"10 ten zehn diez dix dez dieci tien десять 十", "11 eleven elf once onze undici одиннадцать 十一",
	"12 twelve zwölf doce douze doze dodici twaalf двенадцать 十二",
};
/* clang-format on */

enum { SLOTS = 1024 };

static struct word_slot slots[LEXICON_OTHER + 1][SLOTS];

static struct word_map map_of(unsigned language)
{
	return (struct word_map){slots[language], SLOTS};
}

__attribute__((constructor)) static void fill_maps(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct word_map map = map_of(rows[i].language);
		word_map_add(&map, rows[i].words, rows[i].bits);
	}
}

unsigned learn_word_bits(struct slice word, uint32_t languages)
{
	uint64_t hash = word_hash(word);
	unsigned bits = 0;
	for (unsigned i = 0; i <= LEXICON_OTHER; i++) {
		const struct word_map map = map_of(i);
		/* A request to forget is known in whatever language the rest of the turn is. */
		unsigned kept =
			(languages & 1U << i) != 0 || i == LEXICON_OTHER ? ~0U : WORD_FORGET;
		bits |= word_map_find(&map, hash) & kept;
	}
	return bits;
}

/* The next word of a list that is parted by single spaces; empty at its end. */
static struct slice next_sign(const char **list)
{
	size_t size = strcspn(*list, " ");
	struct slice sign = {*list, size};
	*list += size + ((*list)[size] == ' ');
	return sign;
}

/* Whether a sign stands at `at` only as a part of another word. */
static bool is_other(struct slice text, size_t at)
{
	enum { LONGEST = 12 };
	const char *list = other_signs;
	for (struct slice sign = next_sign(&list); sign.size > 0; sign = next_sign(&list)) {
		size_t from = at > LONGEST ? at - LONGEST : 0;
		size_t found = slice_find(text, sign, from);
		if (found <= at && found + sign.size > at)
			return true;
	}
	return false;
}

static bool has_sign(struct slice text, struct slice sign)
{
	for (size_t at = slice_find(text, sign, 0); at < text.size;
	     at = slice_find(text, sign, at + 1)) {
		if (!is_other(text, at))
			return true;
	}
	return false;
}

static bool is_ascii(struct slice text)
{
	size_t at = 0;
	while (at < text.size && (unsigned char)text.data[at] < 0x80)
		at++;
	return at == text.size;
}

unsigned learn_sign_bits(struct slice text)
{
	unsigned bits = 0;
	if (is_ascii(text))
		return 0;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const char *list = signs[i].signs;
		for (struct slice sign = next_sign(&list); sign.size > 0; sign = next_sign(&list)) {
			if ((bits & signs[i].bits) == 0 && has_sign(text, sign))
				bits |= signs[i].bits;
		}
	}
	return bits;
}

static const char *words_of_number(struct slice digits)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *list = numbers[i];
		if (slice_equal(next_sign(&list), digits))
			return list;
	}
	return "";
}

bool learn_is_number_word(struct slice word, struct slice digits)
{
	const char *list = words_of_number(digits);
	for (struct slice name = next_sign(&list); name.size > 0; name = next_sign(&list)) {
		if (slice_equal(name, word))
			return true;
	}
	return false;
}

bool learn_has_number_sign(struct slice text, struct slice digits)
{
	const char *list = words_of_number(digits);
	for (struct slice name = next_sign(&list); name.size > 0; name = next_sign(&list)) {
		if ((unsigned char)name.data[0] >= 0xE3 && slice_find(text, name, 0) < text.size)
			return true;
	}
	return false;
}
