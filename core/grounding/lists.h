/* Short lists of words, phrases and signs of all languages together, case folded, for
 * slice_is_any() and its like and text_says_any(). Words whose language counts are in
 * core/text/languages. */
#ifndef RECALLD_CORE_GROUNDING_LISTS_H
#define RECALLD_CORE_GROUNDING_LISTS_H

/* ---- whose words they are ---- */

/* Ends of words for a name: "Vorname". "Chiamo" owns nothing either. */
extern const char *const list_name_ends[];
/* Ends of participles, which are no verb in the first person. */
extern const char *const list_participle_ends[];
/* Phrases that say "I" without the word. */
extern const char *const list_self_phrases[];
/* "As for me", in front of a name. */
extern const char *const list_self_topics[];
/* Words for a project, beside its name. */
extern const char *const list_projects[];
/* "With", in front of somebody. */
extern const char *const list_with[];
/* "In", in front of a place. */
extern const char *const list_where[];
/* "What is about me", in a wish to forget. */
extern const char *const list_about_me[];

/* ---- when it holds ---- */

/* "Formerly", at a clause's beginning. */
extern const char *const list_once[];
/* Words that make "before ..." of one of list_once. */
extern const char *const list_behind_once[];
/* "Any more": with a "not", something is over. */
extern const char *const list_no_longer[];
/* "I used to". */
extern const char *const list_used_to[];
/* The same in scripts without spaces. */
extern const char *const list_once_signs[];
/* Parts of a key that say that it is over. */
extern const char *const list_past_key_parts[];
/* "Since": what follows is no age. */
extern const char *const list_since[];

/* ---- how it is meant ---- */

/* "But", "because" in scripts without spaces. */
extern const char *const list_clause_signs[];
/* Phrases that take back what is said. */
extern const char *const list_ironies[];
/* Quotation marks that open speech. */
extern const char *const list_opening_quotes[];
/* "So do I": the sentence before says what. */
extern const char *const list_echoes[];
/* "That's not right". */
extern const char *const list_right[];
/* A value that says that its key holds. */
extern const char *const list_yes[];
/* A value that says that it does not. */
extern const char *const list_no[];
/* Parts of a key that says that something is not so. */
extern const char *const list_denying_key_parts[];
/* Keys of what somebody dislikes. */
extern const char *const list_dislike_keys[];
/* Words that say a dislike. */
extern const char *const list_dislikes[];

/* ---- requests to forget ---- */

/* "Forget" in scripts without spaces. */
extern const char *const list_forget_signs[];
/* Signs in front of list_forget_signs with which they ask for nothing: "don't", "I always". */
extern const char *const list_before_no_request[];
/* Endings behind them with which they tell and do not ask. */
extern const char *const list_behind_no_request[];
/* "Not", beside "forget", in languages whose other words are not known. */
extern const char *const list_beside_no_request[];
/* "Forget" in Turkish, whose verb stands last... */
extern const char *const list_turkish_wishes[];
/* ...and those of them that tell, unless "would you" follows. */
extern const char *const list_turkish_aorists[];
extern const char *const list_turkish_would_you[];
/* "My", behind a noun, in Turkish, Finnish and Hungarian. */
extern const char *const list_my_ends[];
/* What may stand behind them. */
extern const char *const list_turkish_please[];
/* Ends and parts of words that are Turkish, in a text of a few words. */
extern const char *const list_turkish_ends[];
extern const char *const list_turkish_letters[];
/* "This", in front of list_conversations. */
extern const char *const list_this[];
/* Words for a conversation. */
extern const char *const list_conversations[];
/* "This conversation" in scripts without spaces. */
extern const char *const list_conversation_signs[];
/* "Don't remember" in scripts without spaces. */
extern const char *const list_refusal_signs[];
/* The same in Turkish, which negates within the verb. */
extern const char *const list_turkish_refusals[];

/* ---- what an entry of the memory model may say ---- */

/* Parts of a key that is about the assistant's answers. */
extern const char *const list_answer_key_parts[];
/* Parts of the words with which users speak of those. */
extern const char *const list_answer_parts[];
/* Parts of a key that may be learned from a request for a piece of work. */
extern const char *const list_task_key_parts[];
/* Keys whose value the entity has: "pet: dog". */
extern const char *const list_had_keys[];
/* Function words, which are no key. */
extern const char *const list_function_keys[];
/* Entities that name a kind and nobody. */
extern const char *const list_kind_entities[];
/* Keys that say nothing about something with a name. */
extern const char *const list_form_keys[];
/* Keys that say what a person is or has. */
extern const char *const list_personal_keys[];
/* Words in a key or an entity that instruct a reader. */
extern const char *const list_commands[];
/* The same in scripts without spaces. */
extern const char *const list_command_signs[];

#endif
