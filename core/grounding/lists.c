#include "core/grounding/lists.h"

#include <stddef.h>

/* clang-format off */

/* ---- whose words they are ---- */

const char *const list_name_ends[] = {
	"name", "names", "vorname", "nombre", "nom", "nome", "prénom", "naam", "имя", "chiamo",
	NULL
};
const char *const list_participle_ends[] = {
	"ado", "ido", "ato", "ito", "uto", "endo", "ando", NULL
};
const char *const list_self_phrases[] = {
	"をして", "といいます", "と申します", "住んでい", "働いて", "好きです", "苦手です", NULL
};
const char *const list_self_topics[] = {"私は", "僕は", "俺は", NULL};
const char *const list_projects[] = {
	"project", "projekt", "projet", "proyecto", "projeto", "progetto", "проект", "проекта",
	"проекте", "app", "site", "website", "repo", "service", NULL
};
const char *const list_with[] = {"with", "mit", "avec", "con", "com", "met", "с", "со", NULL};
const char *const list_where[] = {
	"in", "at", "near", "bei", "à", "dans", "en", "em", "na", "no", "a", "в", "во", NULL
};
const char *const list_about_me[] = {
	"关于我的", "關於我的", "我的一切", "我的所有", "关于我", "關於我", "私のこと",
	"私に関する", NULL
};

/* ---- when it holds ---- */

const char *const list_once[] = {
	"früher", "damals", "antes", "avant", "autrefois", "prima", "vroeger", "раньше", "прежде",
	"formerly", "previously", NULL
};
const char *const list_behind_once[] = {
	"de", "del", "do", "da", "di", "d", "que", "che", "la", "le", "les", "il", NULL
};
const char *const list_no_longer[] = {
	"any more", "anymore", "any longer", "no longer", "mehr", "plus", "ya no", "já não",
	"mais", "più", "meer", "больше", NULL
};
const char *const list_used_to[] = {
	"i used to", "we used to", "he used to", "she used to", "they used to", NULL
};
const char *const list_once_signs[] = {
	"以前", "过去", "過去", "曾经", "曾經", "不再", "昔は", NULL
};
const char *const list_past_key_parts[] = {"former", "previous", "past", "used", "quit", NULL};
const char *const list_since[] = {"since", "seit", "depuis", "desde", "hace", "sinds", NULL};

/* ---- how it is meant ---- */

const char *const list_clause_signs[] = {
	"但是", "但", "因为", "因為", "所以", "可是", "而是", NULL
};
const char *const list_ironies[] = {
	"/s", "🙄", "😏", "🙃", "just kidding", "kidding", "yeah right", "yeah, right",
	"just joking", "as if i", "von wegen", "war ein scherz", "ironie", "nur spass", "es broma",
	"es una broma", "sí, claro", "si, claro", "sarcasmo", "sarcasm", "je plaisante", "scherzo",
	"brincadeira", "才怪", "开玩笑", "開玩笑", "呵呵", "шучу", NULL
};
const char *const list_opening_quotes[] = {"\"", "“", "„", "«", "'", "‘", "「", NULL};
const char *const list_echoes[] = {
	"so do i", "so am i", "me too", "same here", "as do i", "ich auch", "yo también",
	"moi aussi", "anch'io", "eu também", "ik ook", "я тоже", "我也", "私も", NULL
};
const char *const list_right[] = {
	"right", "correct", "true", "accurate", "stimmt", "richtig", "korrekt", "vrai", "exact",
	"juste", "correcto", "correcta", "verdad", "cierto", "certo", "correto", "verdade",
	"giusto", "corretto", "vero", "klopt", "juist", "waar", "так", "верно", "правда",
	"правильно", NULL
};
const char *const list_yes[] = {"true", "yes", "ja", "sí", "oui", "sim", "是", NULL};
const char *const list_no[] = {"false", "no", "nein", "non", "não", "否", NULL};
const char *const list_denying_key_parts[] = {
	"dislike", "hate", "avoid", "not", "never", "intoler", "allerg", "without", "non", "no_",
	"un", "meidet", "過敏", "过敏", NULL
};
const char *const list_dislike_keys[] = {
	"dislike", "dislikes", "hates", "cannoteat", "avoids", NULL
};
const char *const list_dislikes[] = {
	"hate", "hates", "dislike", "dislikes", "detest", "detests", "loathe", "avoid", "hasse",
	"hasst", "mag kein", "odio", "odia", "detesto", "detesta", "déteste", "horreur",
	"odeio", "ненавижу", "терпеть", "ненавидит", "讨厌", "討厭", "嫌い", "苦手",
	"أكره", "allergic", "vermeide", "evito", "évite", "избегаю", NULL
};

/* ---- requests to forget ---- */

const char *const list_forget_signs[] = {
	"忘记", "忘記", "忘掉", "忘了", "删除", "刪除", "删掉", "刪掉", "抹去", "清除", "忘れて",
	"削除して", "消して", "잊어", "지워", "삭제", NULL
};
const char *const list_before_no_request[] = {
	"别", "別", "不要", "不会", "不能", "勿", "没有", "没", "不", "我", "我又", "我总",
	"我总是", "我會", "我会", "我都", "我常", "我经常", "我已经", "他", "她", "他们", NULL
};
const char *const list_behind_no_request[] = {"た", "しま", "いた", "いる", "ない", NULL};
const char *const list_beside_no_request[] = {"ne", "älä", "älkää", "inte", "ikke", NULL};

const char *const list_turkish_wishes[] = {
	"unut", "unutun", "unutunuz", "unutur", "unutabilir", "sil", "silin", "siliniz", "siler",
	"silebilir", NULL
};
const char *const list_turkish_aorists[] = {"unutur", "unutabilir", "siler", "silebilir", NULL};
const char *const list_turkish_would_you[] = {"musun", "musunuz", "misin", "misiniz", NULL};
const char *const list_turkish_please[] = {
	"lütfen", "artık", "hemen", "musun", "musunuz", "misin", "misiniz", NULL
};
const char *const list_my_ends[] = {
	"imi", "ımı", "umu", "ümü", "im", "ım", "um", "üm", "mı", "mi", "mu", "mü", "ni", "m",
	"omat", "emet", "ömet", "amat", "mat", "met", "om", "em", "öm", "am", NULL
};
const char *const list_turkish_ends[] = {"imi", "ımı", "umu", "ümü", NULL};
const char *const list_turkish_letters[] = {"ğ", "ı", "ş", NULL};
const char *const list_this[] = {
	"this", "our", "dieses", "diese", "diesen", "unser", "unsere", "unseren", "cette", "ce",
	"notre", "esta", "este", "nuestra", "nuestro", "nossa", "nosso", "desta", "deste", "nesta",
	"questa", "questo", "nostra", "nostro", "dit", "deze", "ons", "onze", "этот", "эту",
	"этого", "наш", "нашу", "нашего", "bu", "هذه", "هذا", "بهذه", "tej", "tę", "ten", "naszą",
	"naszej", NULL
};
const char *const list_conversations[] = {
	"conversation", "chat", "discussion", "dialogue", "session", "gespräch", "unterhaltung",
	"chatverlauf", "échange", "conversación", "charla", "conversa", "conversação", "bate",
	"conversazione", "chiacchierata", "gesprek", "разговор", "разговора", "беседу", "беседы",
	"диалог", "диалога", "чат", "чата", "переписку", "переписки", "konuşmayı", "sohbeti",
	"görüşmeyi", "yazışmayı", "المحادثة", "الدردشة", "الحوار", "الحديث", "rozmowy", "rozmowę",
	"czatu", "czat", NULL
};
const char *const list_conversation_signs[] = {
	"这次对话", "这段对话", "这个对话", "这次聊天", "这段聊天", "这个聊天", "这次谈话",
	"本次对话", "此对话", "這次對話", "這段對話", "這個對話", "この会話", "このチャット",
	"今回の会話", "이 대화", "이 채팅", "이번 대화", NULL
};
const char *const list_refusal_signs[] = {
	"不要记住", "不要記住", "别记住", "別記住", "不要保存", "别保存", "不要记录", "别记录",
	"不要記錄", "覚えないで", "記憶しないで", "保存しないで", "記録しないで", "기억하지 마",
	"기억하지 말", "저장하지 마", "저장하지 말", NULL
};
const char *const list_turkish_refusals[] = {
	"hatırlama", "hatırlamayın", "kaydetme", "kaydetmeyin", "saklama", "saklamayın", NULL
};

/* ---- what an entry of the memory model may say ---- */

const char *const list_answer_key_parts[] = {
	"answer", "respon", "reply", "style", "format", "tone", NULL
};
const char *const list_answer_parts[] = {
	"answer", "repl", "respon", "antwort", "répon", "rispo", "respue", "respos", "отвеч",
	"ответ", "回答", "回复", "答え", "返答", "إجاب", NULL
};
const char *const list_task_key_parts[] = {
	"answer", "respon", "repl", "style", "format", "tone", "email", "phone", "address", NULL
};
const char *const list_had_keys[] = {
	"pet", "pets", "animal", "child", "children", "car", "vehicle", NULL
};
const char *const list_function_keys[] = {
	"how", "what", "why", "when", "where", "who", "which", "and", "or", "but", "to", "of",
	"for", "with", "in", "at", "on", "from", "by", "the", "a", NULL
};
const char *const list_kind_entities[] = {
	"person", "place", "project", "thing", "object", "people", "animal", "country", NULL
};
const char *const list_form_keys[] = {
	"year", "day", "date", "time", "quote", "question", "message", "reason", "text",
	"sentence", "answer", "person", "people", "thing", "object", NULL
};
const char *const list_personal_keys[] = {
	"job", "employer", "city", "name", "age", "birthday", "hometown", "phone", "email",
	"address", "nationality", "salary", "maritalstatus", "diet", "timezone", "hobby",
	"hobbies", "likes", "like", "dislikes", "dislike", "interests", "interest", "allergy",
	"allergies", "languages", "language", "nativelanguage", "education", "degree", "school",
	"university", "cannoteat", "intolerance", "intolerances", "avoids", "studies", "religion",
	"height", "weight", "health", "condition", "medication", "car", "vehicle", "workschedule",
	"skills", "drink", "food", "loves", "hates", "favoritecolor", "favoritefood", "allergie",
	"allergien", "alergia", "alergias", "hobbys", "aficiones", "intereses", "过敏", "爱好",
	"兴趣", "学校", "专业", NULL
};
const char *const list_commands[] = {
	"ignore", "obey", "disregard", "override", "bypass", "pretend", "comply", "execute",
	"must", "shall", "you", "your", "yours", "instruction", "instructions", "prompt",
	"jailbreak", "ignoriere", "ignorier", "gehorche", "befolge", "anweisung", "anweisungen",
	"ignora", "obedece", "instrucciones", "instrucción", "ignorez", "obéis", "obedeça",
	"instruções", "obbedisci", "istruzioni", "игнорируй", "инструкции", NULL
};
const char *const list_command_signs[] = {
	"忽略", "无视", "無視", "服从", "服從", "遵守", "指令", "你必须", "从现在", "從現在", NULL
};
/* clang-format on */
