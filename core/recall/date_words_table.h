/* The words of core/recall/date_words.c; date_words_make.c makes their map. */
#ifndef RECALLD_CORE_RECALL_DATE_WORDS_TABLE_H
#define RECALLD_CORE_RECALL_DATE_WORDS_TABLE_H

#include "core/recall/date_words.h"

/* Each row has words of several languages; each word is in one row only. A word that ends in "*"
 * also matches longer words: "letzt*" matches "letzte" and "letzten". A month that may also be a
 * name or a verb is modal. */
static const struct {
	enum date_kind kind;
	int value;
	const char *words;
} date_rows[] = {
	{DATE_MONTH, 1, "january januar janvier enero janeiro gennaio januari ocak январ* يناير"},
	{DATE_MONTH, 2,
	 "february feb februar février febrero fevereiro febbraio februari şubat феврал* فبراير"},
	{DATE_MONTH, 3, "märz marzo março maart март марта марте مارس"},
	{DATE_MONTH, 4, "apr avril abril aprile nisan апрел* أبريل ابريل"},
	{DATE_MONTH, 5, "mai mayo maio maggio mei maj mayıs май мая мае مايو"},
	{DATE_MODAL_MONTH, 1, "jan"},
	{DATE_MODAL_MONTH, 3, "march mars mart"},
	{DATE_MODAL_MONTH, 4, "april"},
	{DATE_MODAL_MONTH, 5, "may"},
	{DATE_MODAL_MONTH, 6, "june"},
	{DATE_MODAL_MONTH, 8, "august"},
	{DATE_MONTH, 6, "jun juni juin junio junho giugno haziran июн* يونيو"},
	{DATE_MONTH, 7, "july jul juli juillet julio julho luglio temmuz июл* يوليو"},
	{DATE_MONTH, 8, "aug août agosto augustus augusti ağustos август* أغسطس"},
	{DATE_MONTH, 9,
	 "september sept sep septembre septiembre setembro settembre eylül сентябр* سبتمبر"},
	{DATE_MONTH, 10,
	 "october oct oktober okt octobre octubre outubro ottobre ekim октябр* أكتوبر"},
	{DATE_MONTH, 11, "november nov novembre noviembre novembro kasım ноябр* نوفمبر"},
	{DATE_MONTH, 12,
	 "december dec dezember dez décembre diciembre dezembro dicembre aralık декабр* ديسمبر"},
	{DATE_WEEKDAY, 1, "monday montag* lundi lunes lunedì maandag понедельник* الاثنين"},
	{DATE_WEEKDAY, 2, "tuesday dienstag* mardi martes martedì dinsdag вторник* الثلاثاء"},
	{DATE_WEEKDAY, 3,
	 "wednesday mittwoch* mercredi miércoles mercoledì woensdag среду среда الأربعاء"},
	{DATE_WEEKDAY, 4, "thursday donnerstag* jeudi jueves giovedì donderdag четверг* الخميس"},
	{DATE_WEEKDAY, 5, "friday freitag* vendredi viernes venerdì vrijdag пятниц* الجمعة"},
	{DATE_WEEKDAY, 6,
	 "saturday samstag* sonnabend samedi sábado sabato zaterdag суббот* السبت"},
	{DATE_WEEKDAY, 0, "sunday sonntag* dimanche domingo domenica zondag воскресень* الأحد"},
	{DATE_UNIT, UNIT_DAY,
	 "day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen день дня "
	 "дней يوم أيام"},
	{DATE_UNIT, UNIT_WEEK,
	 "week weeks woche wochen semaine semaines semana semanas settimana settimane weken недел* "
	 "أسبوع الأسبوع أسابيع 星期"},
	{DATE_UNIT, UNIT_MONTH,
	 "month months monat monate monaten mois mes meses mês mese mesi maand maanden месяц* شهر "
	 "الشهر أشهر 个月 個月"},
	{DATE_UNIT, UNIT_YEAR,
	 "year years jahr jahre jahren an ans année années año años ano anos anno anni jaar год* "
	 "лет سنة السنة سنوات عام العام"},
	{DATE_LAST, 0,
	 "last past previous letzte* vorige* vergangene* derni* passé* pasad* últim* passad* "
	 "scors* vorig* afgelopen прошл* الماضي الماضية 上个 上個"},
	{DATE_THIS, 0,
	 "this current diese* ce cette este esta questo questa deze dit этот этом этой эту эта هذا "
	 "هذه 这个 這個"},
	{DATE_AGO, 0, "ago vor a hace fa há geleden назад قبل 前"},
	{DATE_JOINT, 0,
	 "of in on by since until during early late mid the im am den de du del en le el em di il "
	 "op van в"},
	{DATE_DAYS_AGO, 0,
	 "today tonight heute aujourd hoy hoje oggi vandaag сегодня اليوم 今天 今日"},
	{DATE_DAYS_AGO, 1, "yesterday gestern ayer ontem ieri gisteren вчера أمس 昨天 昨日"},
	{DATE_DAYS_AGO, 2,
	 "vorgestern avant-hier anteayer anteontem eergisteren позавчера 前天 一昨"},
	{DATE_LAST_UNIT, UNIT_WEEK, "上周 上週 先週"},
	{DATE_LAST_UNIT, UNIT_MONTH, "上月 先月"},
	{DATE_LAST_UNIT, UNIT_YEAR, "去年 昨年"},
	{DATE_THIS_UNIT, UNIT_WEEK, "这周 這週 本周 今週"},
	{DATE_THIS_UNIT, UNIT_MONTH, "本月 今月"},
	{DATE_THIS_UNIT, UNIT_YEAR, "今年"},
	{DATE_YEAR_SIGN, 0, "年* 년*"},
	{DATE_MONTH_SIGN, 0, "月* 월*"},
};

#endif
