/* The signs and numbers of core/grounding/words.c. */
#ifndef RECALLD_CORE_GROUNDING_WORDS_TABLE_H
#define RECALLD_CORE_GROUNDING_WORDS_TABLE_H

#include "core/grounding/words.h"

/* clang-format off */
/* In scripts without spaces. */
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
	{WORD_TIME | WORD_MOMENT,
	 "明天 后天 後天 下周 下週 下个 下個 明年 下月 周末 週末 今天 昨天 去年 今年 前年 后年 後年 本月 上月 上周 本周 明日 今日 昨日 来週 今週 先週 "
	 "来月 今月 先月 来年 내일 다음"},
	{WORD_TIME, "月 日 号 年"},
	{WORD_POINT, "第一 第二 第三 第四 第五 最后一 最後 前者 后者 後者 2番 1番 3番 첫 두 번째"},
	{WORD_THAT, "那个 這個 这个 那個 这些 那些 刚才 剛才 刚刚 它 それ これ さっき 그거"},
	{WORD_WRONG, "不对 不對 错了 錯了 说错 更正 其实 其實 違います 違う 間違 訂正 아니라 틀렸"},
	{WORD_LOVE, "最爱 最愛 太喜欢 太喜歡 真喜欢 真爱 好爱 梦想 大好き"},
	{WORD_TASK, "帮我 幫我 给我 給我 告诉我 告訴我 推荐 推薦 翻译 翻譯 总结 總結 てください 教えて 書いて"},
	{WORD_OPENER, "是啊 是呀 哦 噢 当然 當然 可不 そうそう"},
};

/* Words in which these signs do not have their own meaning. */
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

#endif
