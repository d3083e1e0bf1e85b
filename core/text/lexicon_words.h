/* The words of core/text/lexicon.c; lexicon_make.c makes their map. They are case folded; for
 * scripts without spaces they are the pairs of characters that text_words() gives. Languages like
 * English also list what an apostrophe leaves: "don", "ll". */
#ifndef RECALLD_CORE_TEXT_LEXICON_WORDS_H
#define RECALLD_CORE_TEXT_LEXICON_WORDS_H

#include "core/text/lexicon.h"

/* clang-format off */
static const char *const lexicon_words[] = {
	[LEXICON_ENGLISH] =
		"a an the and or but nor so if then than because as of at by for with about against "
		"between into through during before after above below to from up down in out on off "
		"over under again further once here there when where why how all any both each few "
		"more most other some such no not only own same too very can could will would shall "
		"should may might must just don doesn didn isn aren wasn weren won wouldn couldn "
		"shouldn haven hasn hadn ain ll ve re i me my mine myself we us our ours ourselves "
		"you your yours yourself he him his himself she her hers herself it its itself they "
		"them their theirs themselves what which who whom whose this that these those am is "
		"are was were be been being have has had having do does did doing done let lets also "
		"ever yet still while whether anything something anyone someone",
	[LEXICON_GERMAN] =
		"der die das den dem des ein eine einen einem einer eines und oder aber denn wenn als "
		"ob weil dass ich mich mir mein meine meinen meinem meiner du dich dir dein deine "
		"deinen deinem deiner er ihn ihm sein seine seinen seinem seiner sie ihr ihre ihren "
		"ihrem ihrer es wir uns unser unsere unseren ist sind war waren bin bist seid wird "
		"werden wurde wurden worden hat habe haben hatte hatten hast kann kannst können "
		"könnte soll sollte muss müssen will wollte wollten möchte mag darf nicht kein keine "
		"keinen nur auch noch schon sehr so wie was wer wem wen wo wann warum wieso welche "
		"welcher welches welchen wohin woher womit in im an am auf aus bei mit nach von vom "
		"zu zum zur über unter für durch gegen ohne um bis seit vor hinter zwischen da dort "
		"hier doch mal man sich dieser diese dieses diesen etwas nichts",
	[LEXICON_FRENCH] =
		"le la les un une des du de d et ou mais donc car si que qui quoi quel quelle quels "
		"quelles dont où quand comment pourquoi combien je j me moi mon ma mes tu te toi ton "
		"ta tes il elle on nous vous ils elles lui leur leurs notre nos votre vos son sa ses "
		"ce cet cette ces ça cela c qu l n s m t est sont suis es sommes êtes était étaient "
		"été être ai as a avons avez ont avait avoir fait faire peux peut pouvez ne pas plus "
		"très aussi bien en y à au aux dans sur sous avec sans pour par chez vers entre avant "
		"après déjà encore",
	[LEXICON_SPANISH] =
		"el la los las lo un una unos unas y e o u pero si que qué quien quién quiénes cual "
		"cuál cuáles cuando cuándo donde dónde como cómo cuanto cuánto cuántos por porque "
		"para con sin sobre entre hasta desde de del al a en yo me mi mis mí tú tu tus te ti "
		"él ella usted nosotros nos ellos ellas ustedes su sus se le les este esta estos "
		"estas ese esa eso esos esas es son soy eres era eran fue fueron ser estar está están "
		"estoy estaba ha he has han había hay hace hacer puede puedes no ni más muy también "
		"ya aún",
	[LEXICON_PORTUGUESE] =
		"o a os as um uma uns umas e ou mas se que quem qual quais quando onde como quanto "
		"quantos por porque para com sem sobre entre até desde de do da dos das ao aos à às "
		"em no na nos nas pelo pela eu me mim meu minha meus minhas tu te teu tua você vocês "
		"ele ela nós eles elas seu sua seus suas lhe este esta isso isto esse essa é são sou "
		"era eram foi foram ser estar está estão estou estava tem tenho tinha há fazer pode "
		"não nem mais muito também já ainda",
	[LEXICON_ITALIAN] =
		"il lo la i gli le un uno una e o ma se che chi cui quale quali quando dove come "
		"quanto quanti perché per con senza su tra fra di del dello della dei degli delle a "
		"al allo alla ai agli alle da dal dalla in nel nello nella nei nelle sul sulla io mi "
		"me mio mia miei mie tu ti te tuo tua lui lei noi ci voi vi loro suo sua suoi sue si "
		"questo questa questi queste quello quella è sono sei siamo era erano stato essere ho "
		"hai ha abbiamo hanno avevo aveva fare può puoi non né più molto anche già ancora "
		"cosa",
	[LEXICON_DUTCH] =
		"de het een en of maar want als dat die dit deze wie wat waar wanneer waarom hoe "
		"welke welk ik me mij mijn jij je jou jouw hij hem zijn zij ze haar wij we ons onze "
		"jullie u uw hun zich is was waren ben bent wordt worden werd heeft heb hebben had "
		"kan kun kunnen zal zou moet moeten wil niet geen ook nog al zeer in op aan van voor "
		"met bij naar om uit over onder door tegen zonder tot te er hier daar toch",
	[LEXICON_SWEDISH] =
		"en ett och eller men om att som den det de dem denna detta dessa jag mig min mitt "
		"mina du dig din ditt dina han honom hans hon henne hennes vi oss vår vårt våra ni er "
		"deras sig sin är var vara blir blev har hade kan kunde ska skulle måste vill inte "
		"ingen också ännu mycket i på av för med hos till från över under genom mot utan vid "
		"vad vem vilken vilket vilka när varför hur här där",
	[LEXICON_DANISH] =
		"en et og eller men hvis at som den det de dem denne dette disse jeg mig min mit mine "
		"du dig din dit dine han ham hans hun hende hendes vi os vores i jer deres sig sin er "
		"var være bliver blev har havde kan kunne skal skulle må vil ikke ingen også endnu "
		"meget på af for med hos til fra over under gennem mod uden ved hvad hvem hvilken "
		"hvilket hvilke hvornår hvor hvorfor hvordan her der",
	[LEXICON_NORWEGIAN] =
		"en et ei og eller men hvis at som den det de dem denne dette disse jeg meg min mitt "
		"mine du deg din ditt dine han ham hans hun henne hennes vi oss vår vårt våre dere "
		"deres seg sin er var være blir ble har hadde kan kunne skal skulle må vil ikke ingen "
		"også ennå mye i på av for med hos til fra over under gjennom mot uten ved hva hvem "
		"hvilken hvilket hvilke når hvor hvorfor hvordan her der",
	[LEXICON_FINNISH] =
		"ja tai mutta jos että joka jotka mikä mitä missä mistä milloin miksi miten kuka "
		"kuinka minä minun minua minulla minulle sinä sinun sinua hän hänen me meidän te "
		"teidän he heidän se sen ne tämä tämän tuo on ovat oli olivat olen olet ole ollut "
		"olla ei en et eivät voi voin voit kun kuin niin myös vielä jo hyvin kanssa",
	[LEXICON_HUNGARIAN] =
		"a az egy és vagy de ha hogy aki ami amely mi mit ki kit hol hova honnan mikor miért "
		"hogyan melyik mennyi hány én nekem engem te neked téged ő neki minket ti ők ez azt "
		"ezt van vannak volt voltak vagyok lesz nem ne is már még csak nagyon meg el be",
	[LEXICON_ROMANIAN] =
		"un o niște și sau dar dacă că care ce cine când unde cum cât câți de la în din pe cu "
		"fără pentru prin spre până eu mă mie meu mea mei mele tu te ție tău ta el ea noi ne "
		"voi vă ei ele lui lor său sa acest această acesta aceasta este e sunt ești era erau "
		"fost fi am ai are avem aveți au nu nici mai foarte deja încă",
	[LEXICON_TURKISH] =
		"ve veya ama eğer ki bir bu şu o ben beni bana benim sen seni sana senin biz bizim "
		"siz sizin onlar onların ne neden niçin nasıl nerede nereye nereden kim kimin hangi "
		"kaç zaman mi mı mu mü için ile gibi kadar daha en çok de da değil var yok idi olan "
		"oldu olarak",
	[LEXICON_INDONESIAN] =
		"dan atau tetapi tapi jika kalau yang ini itu saya aku kamu anda dia kami kita mereka "
		"nya apa siapa kapan mengapa kenapa bagaimana berapa mana dimana di ke dari pada "
		"dengan tanpa untuk oleh adalah ialah akan sudah telah belum sedang tidak bukan juga "
		"masih lebih sangat bisa dapat",
	[LEXICON_CATALAN] =
		"el la els les un una uns unes i o però si que què qui quin quina quins quan on com "
		"quant per perquè amb sense sobre entre fins des de del dels al als a en jo em meu "
		"meva tu et teu teva ell ella nosaltres vosaltres ells elles seu seva aquest aquesta "
		"és són sóc era va ser ha he han fer no ni més molt també ja encara",
	[LEXICON_POLISH] =
		"w na z do się jest są był była było to ten ta te i oraz ale że co kto gdzie kiedy "
		"dlaczego jak jaki jaka jakie który która które czy mój moja moje mnie mi ja ty twój "
		"on ona my wy nie tak dla od po przez za o u",
	[LEXICON_CZECH] =
		"je jsem jsi byl byla bylo v ve s se si že kdo kde kdy proč jaký jaká který můj moje "
		"mně ne",
	[LEXICON_VIETNAMESE] =
		"và là của tôi bạn anh chị em nó chúng gì ai đâu khi nào sao thế có không được cho "
		"với trong ở một những các này đó",
	[LEXICON_OTHER] =
		"и или но если что чтобы кто где куда откуда когда почему зачем как какой какая какое "
		"какие который которая я меня мне мной мой моя моё мое мои моего моей ты тебя тебе "
		"твой он его ему она её ее ей мы нас нам наш вы вас вам ваш они их им это этот эта "
		"эти тот та то те в во на с со у к ко от до из за по для о об при без под над не ни "
		"да нет ли же бы был была было были есть быть уже ещё еще тоже так только "
		"і й або але якщо що хто де коли чому як який яка я мене мені мій моя ти він вона ми "
		"ви це не є "
		"και ή αλλά αν ότι που ποιοσ ποια ποιο τι πού πότε γιατί πώσ πόσο εγώ με μου εμένα "
		"εσύ σου εσένα αυτόσ αυτή αυτό εμείσ μασ εσείσ σασ ο η το οι τα τον την του τησ των "
		"ένα ένασ μια στο στη στην στον από για είναι ήταν έχω έχει δεν να θα σε "
		"و أو ثم لكن إذا أن إن ما ماذا من هو هي هم هن أنا أنت نحن في على إلى عن مع هل متى أين "
		"كيف لماذا لم لن لا كم أي التي الذي الذين هذا هذه ذلك تلك كان كانت يكون قد كل لي بي "
		"به بها له لها لك "
		"है हैं था थी थे हो और या लेकिन अगर कि जो क्या कौन कहाँ कब क्यों कैसे कितना कितने मैं "
		"मेरा मेरी मेरे मुझे मुझको तुम तुम्हारा आप आपका वह वे यह ये हम हमारा में पर से को का "
		"की के ने नहीं भी तो ही "
		"של את אני אתה הוא היא אנחנו הם זה זאת מה מי איפה מתי למה איך כמה על עם או אבל אם כי "
		"לא כן יש אין שלי לי "
		"و یا اما اگر که چه کی کجا چرا چطور من تو او ما شما آنها این آن در به از با برای را "
		"است بود هست "
		"什么 甚么 怎么 怎样 哪里 哪儿 哪个 哪些 谁的 时候 是什 么时 的时 我的 你的 他的 她的 我们 你们 他们 这个 那个 是不 不是 是的 了吗 的吗 的是 "
		"我是 你是 在哪 多少 為什 为什 吗 呢 吧 的 了 我 你 是 什麼 怎麼 哪裡 時候 我們 你們 這個 那個 "
		"です ます でし まし した いま すか って いる ある から たか のか 何で 何を 私の 私は 僕の 僕は あな なた どこ いつ だれ 誰が どの どん んな "
		"れは それ これ あれ は の を に が と で も "
		"저는 나는 내가 제가 무엇 어디 언제 누가 누구 어떻 나요 니까 습니 입니 이에 에요 는데 을까 했나 "
		"อะ ะไ ไร ที ี่ ไห หน เม มื ื่ ผม ฉั ัน คุ ุณ คร รั ับ ค่ ่ะ เป ป็ ว่ ่า แล ละ หร รื "
		"ขอ อง ใน ใช ช่ ไม ม่ ได ด้",
	[LEXICON_LIGHT] =
		"today tonight tomorrow day doing going everything heute hoy oggi hoje aujourd сегодня "
		"今天 今日 اليوم 👋 🙂 😊 😀 😃 😄 😁 👍 🙏 ❤ hi hello hey thanks thank thx please ok okay yes yeah yep nope sure well oh hmm "
		"right fine cool great nice good bye goodbye morning evening night afternoon welcome "
		"sorry go continue tell told say said says remind remember mention mentioned know "
		"talk talked ask asked question answer help "
		"hallo moin guten tag morgen abend gute nacht danke bitte ja nein gut super toll geht "
		"gehts weiter machs tschüss sag sage sagte gesagt sagen erinnere erinnern erinnerst "
		"weisst weiss erzähl erzählt erwähnt "
		"bonjour bonsoir salut coucou merci beaucoup oui non va allez bon bonne nuit jour "
		"continue dis dit dites rappelle rappeler rappelez souviens sais parlé "
		"hola buenos buenas días tardes noches gracias vale sí claro sigue continúa adiós "
		"dime dije dijo dicho recuerda recuérdame recuerdas sabes hablé qué tal "
		"olá oi bom boa dia tarde noite obrigado obrigada sim não tudo continue tchau disse "
		"dizer lembra lembre sabe falei "
		"ciao buongiorno buonasera grazie prego sì no bene va avanti arrivederci dimmi detto "
		"ricorda ricordami ricordi sai parlato "
		"dag goedemorgen dank bedankt ja nee goed verder zeg gezegd vertel herinner weet "
		"hej hejsan tack snälla ja nej bra fortsätt sa sade säg minns vet tak hei takk fint "
		"kiitos hei moi kyllä hyvä jatka "
		"szia köszönöm igen jó "
		"salut mulțumesc da bine "
		"merhaba selam teşekkürler teşekkür ederim evet hayır tamam iyi devam et hatırla "
		"söyledim "
		"halo terima kasih ya baik lanjut "
		"cześć dzień dobry dziękuję dzięki tak nie dobrze ahoj děkuji ano dobře xin chào cảm "
		"ơn vâng "
		"привет здравствуйте здравствуй спасибо пожалуйста да нет хорошо ладно дальше дела "
		"давай напомни помнишь сказал сказала говорил говорила привіт дякую "
		"γεια ευχαριστώ ναι όχι καλά "
		"مرحبا مرحباً أهلا أهلاً السلام عليكم شكرا شكراً نعم حسنا حسناً كيف حالك الحال صباح "
		"الخير مساء تابع قلت ذكرت أخبرني ذكرني تتذكر "
		"नमस्ते धन्यवाद शुक्रिया हाँ ठीक "
		"שלום תודה כן בסדר "
		"سلام ممنون مرسی بله خوب "
		"你好 您好 谢谢 謝謝 多谢 好的 好吧 继续 繼續 早上 上好 晚上 早安 晚安 再见 再見 嗯 好 哈喽 记得 說過 说过 还记 提醒 醒我 告诉 诉我 "
		"こん んに にち ちは おは はよ よう あり りが がと とう ござ ざい いま はい いい いえ 続け けて 覚え えて 言っ った "
		"안녕 녕하 하세 세요 감사 사합 합니 니다 네 계속 고마 마워 "
		"สว วั ัส สด ดี ขอ อบ บค คุ ุณ คร รั ับ",
	[LEXICON_SELF] =
		"i me my mine myself ich mich mir mein meine meinen meinem meiner je moi mon ma mes "
		"yo mí mi mis mío eu meu minha meus minhas io mio mia miei mie ik mij mijn jag mig "
		"min mitt mina jeg mit minä minun minua én nekem engem mea ben beni bana benim saya "
		"aku meva ja mnie mój moja moje já můj tôi я меня мне мой моя моё мои моего моей εγώ "
		"μου εμένα أنا لي عندي मैं मेरा मेरी मेरे मुझे אני שלי من我 我 我的 我是 是我 私 私の 私は 僕の 僕は "
		"俺の 저는 나는 내가 제가 ผม ฉัน",
};
/* clang-format on */

#endif
