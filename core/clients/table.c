/* One row for each thing that a client program sends. Administrators edit their prompts, so a row
 * asks for no more than the program's code or the purpose of the prompt makes likely to stay. */
#include "core/clients/table.h"

/* ---- where it was seen ---- */

/* clang-format off */
static const struct client_source webui_config = {
	"Open WebUI", "several, the newest of summer 2026", "backend/open_webui/config.py", SEEN_IN_SOURCE};
static const struct client_source webui_old = {
	"Open WebUI", "until 0.3", "unknown", SEEN_UNKNOWN};
static const struct client_source webui_compaction = {
	"Open WebUI", "050b090", "backend/open_webui/utils/context_compaction.py", SEEN_IN_SOURCE};
static const struct client_source webui_task = {
	"Open WebUI", "03d5a67", "backend/open_webui/utils/task.py", SEEN_IN_SOURCE};
static const struct client_source webui_tools = {
	"Open WebUI", "summer 2026", "backend/open_webui/utils/middleware.py", SEEN_IN_SOURCE};
static const struct client_source webui_tools_0_12 = {
	"Open WebUI", "0.12", "backend/open_webui/utils/middleware.py", SEEN_IN_SOURCE};
static const struct client_source webui_memory = {
	"Open WebUI", "0.12", "backend/open_webui/utils/memory.py", SEEN_IN_SOURCE};
static const struct client_source librechat_title = {
	"LibreChat", "agents 3.6.11 (28eab85)", "agents: src/utils/title.ts", SEEN_IN_SOURCE};
static const struct client_source librechat_label = {
	"LibreChat", "agents 3.6.11 (28eab85)", "agents: src/prompts/reasoningLabel.ts", SEEN_IN_SOURCE};
static const struct client_source librechat_old = {
	"LibreChat", "until 0.7", "api/app/clients/OpenAIClient.js", SEEN_IN_SOURCE};
static const struct client_source librechat_memory = {
	"LibreChat", "unknown", "api/server/controllers/agents/client.js", SEEN_IN_SOURCE};
static const struct client_source librechat_files = {
	"LibreChat", "00b3bc3", "packages/api/src/files/context.ts", SEEN_IN_SOURCE};
static const struct client_source claude_code = {
	"Claude Code", "2.1.197", "its requests", SEEN_DRIVEN};
static const struct client_source codex_driven = {
	"Codex", "0.169.0", "its requests", SEEN_DRIVEN};
static const struct client_source codex = {
	"Codex", "0.169.0", "the strings of its program", SEEN_IN_SOURCE};
static const struct client_source opencode = {
	"opencode", "1.18.33", "packages/opencode/src/session/prompt.ts", SEEN_IN_SOURCE};
static const struct client_source opencode_compaction = {
	"opencode", "unknown", "packages/opencode/src/session/compaction.ts", SEEN_IN_SOURCE};
static const struct client_source opencode_system = {
	"opencode", "unknown", "unknown", SEEN_UNKNOWN};
static const struct client_source coding_agents = {
	"Cline, Roo Code", "unknown", "unknown", SEEN_UNKNOWN};
static const struct client_source llamaindex = {
	"LlamaIndex", "unknown", "unknown", SEEN_UNKNOWN};
static const struct client_source llamaindex_chat = {
	"LlamaIndex", "unknown", "chat_engine", SEEN_IN_SOURCE};
static const struct client_source llamaindex_prompts = {
	"LlamaIndex", "unknown", "default_prompts.py", SEEN_IN_SOURCE};
static const struct client_source langchain = {
	"LangChain", "unknown", "unknown", SEEN_UNKNOWN};
static const struct client_source langchain_stuff = {
	"LangChain", "unknown", "question_answering/stuff_prompt.py", SEEN_IN_SOURCE};
static const struct client_source langchain_guide = {
	"LangChain", "unknown", "the expression language guide", SEEN_IN_DOCUMENTATION};
static const struct client_source langchain_hub = {
	"LangChain", "unknown", "the hub, rlm/rag-prompt", SEEN_IN_DOCUMENTATION};
static const struct client_source langchain_react = {
	"LangChain", "unknown", "agents/react/agent.py", SEEN_IN_SOURCE};
static const struct client_source smolagents = {
	"smolagents", "unknown", "unknown", SEEN_UNKNOWN};
static const struct client_source smolagents_memory = {
	"smolagents", "unknown", "memory.py", SEEN_IN_SOURCE};
static const struct client_source instructor = {
	"instructor", "unknown", "unknown", SEEN_UNKNOWN};
static const struct client_source pydantic_ai = {
	"pydantic-ai", "unknown", "RetryPromptPart", SEEN_IN_SOURCE};
static const struct client_source pydantic_ai_driven = {
	"pydantic-ai", "2.68.0", "its requests", SEEN_DRIVEN};
static const struct client_source react = {
	"ReAct, as LlamaIndex and LangChain have it", "unknown", "unknown", SEEN_UNKNOWN};
static const struct client_source many = {
	"several applications and frameworks", "unknown", "unknown", SEEN_UNKNOWN};
static const struct client_source html = {"HTML", "any", "the HTML standard", SEEN_IN_DOCUMENTATION};

/* ---- forms ---- */

#define RETRY "Now let's retry: take care not to repeat previous errors!"
#define PROCEED "Now proceed and carry out this plan."

const struct client_form client_forms[] = {
	/* Title, tags, follow-ups, search and retrieval queries, image prompt, autocompletion. */
	{FORM_SIDE, &webui_config, .begins = SLICE("### Task:"),
	 .has = SLICE("<chat_history>"),
	 .then = SLICE("</chat_history>")},
	/* Decides what becomes of the oldest messages. */
	{FORM_SIDE, &webui_compaction, .begins = SLICE("### Task:"),
	 .has = SLICE(CLIENT_COMPACTED),
	 .then = SLICE("### Recent Messages Kept In Context:")},
	/* The first of them, edited: what takes the place of {{MESSAGES}}. */
	{FORM_SIDE, &webui_task, .has = SLICE("<chat_history>\nUSER: "),
	 .then = SLICE("</chat_history>")},
	{FORM_SIDE, &webui_task, .has = SLICE("<chat_history>\nASSISTANT: "),
	 .then = SLICE("</chat_history>")},
	/* The choice of a tool. */
	{FORM_SIDE, &webui_tools_0_12, .begins = SLICE("History:\n"),
	 .has = SLICE(": \"\"\""),
	 .then = SLICE("\"\"\"\nQuery: ")},
	{FORM_SIDE, &webui_tools, .begins = SLICE("Query: History:\n"),
	 .has = SLICE("\nQuery: ")},
	/* The merging of several models' answers, and the emoji of a call. */
	{FORM_SIDE, &webui_config, .begins = SLICE("You have been provided with a set of responses"),
	 .has = SLICE("Responses from models:")},
	{FORM_SIDE, &webui_config, .begins = SLICE("Your task is to reflect the speaker"),
	 .has = SLICE("emoji"),
	 .then = SLICE("Message:")},
	/* The title. */
	{FORM_SIDE, &webui_old, .begins = SLICE("Here is the query:"),
	 .has = SLICE("as a title for the previous query")},
	/* The title. */
	{FORM_SIDE, &claude_code, .begins = SLICE("<session>\n"),
	 .has = SLICE("\n</session>")},
	/* The title as text, and with its language as JSON. */
	{FORM_SIDE, &librechat_title, .begins = SLICE("Provide a concise, 5-word-or-less title"),
	 .has = SLICE("Conversation:")},
	{FORM_SIDE, &librechat_title, .begins = SLICE("Analyze this conversation and provide:"),
	 .has = SLICE("title")},
	/* The title. */
	{FORM_SIDE, &librechat_old, .has = SLICE("||>User:"),
	 .then = SLICE("||>Title:")},
	/* Its own memory agent. */
	{FORM_SIDE, &librechat_memory, .begins = SLICE("# Current Chat:\n"),
	 .has = SLICE("Human: ")},
	/* The label of a step of reasoning. */
	{FORM_SIDE, &librechat_label, .begins = SLICE("Step status: "),
	 .has = SLICE("Visible reasoning snapshot")},
	/* The question made to stand alone. LangChain's is like the first. */
	{FORM_SIDE, &llamaindex_chat, .begins = SLICE("Given the following conversation"),
	 .has = SLICE("Follow Up Input:"),
	 .then = SLICE("Standalone question:")},
	{FORM_SIDE, &llamaindex_chat, .begins = SLICE("Given a conversation (between Human and Assistant)"),
	 .has = SLICE("<Follow Up Message>"),
	 .then = SLICE("<Standalone question>")},
	/* Its fusion retriever, and the refining of an answer by further documents. */
	{FORM_SIDE, &llamaindex, .begins = SLICE("You are a helpful assistant that generates multiple search queries"),
	 .has = SLICE("\nQuery: "),
	 .then = SLICE("\nQueries:")},
	{FORM_SIDE, &llamaindex, .begins = SLICE("The original query is as follows:"),
	 .has = SLICE("We have provided an existing answer:"),
	 .then = SLICE("more context below.")},
	/* Its multi-query retriever, and summaries of a conversation. */
	{FORM_SIDE, &langchain, .begins = SLICE("You are an AI language model assistant. Your task is"),
	 .has = SLICE("different versions of the given user"),
	 .then = SLICE("Original question:")},
	{FORM_SIDE, &langchain, .begins = SLICE("Progressively summarize the lines of conversation provided"),
	 .has = SLICE("New lines of conversation:"),
	 .then = SLICE("New summary:")},
	{FORM_SIDE, &langchain, .begins = SLICE("<role>\nContext Extraction Assistant"),
	 .has = SLICE("Messages to summarize:")},
	/* The first plan. */
	{FORM_SIDE, &smolagents, .begins = SLICE("You are a world expert at analyzing a situation"),
	 .has = SLICE("Facts survey")},

	{FORM_SIDE_SYSTEM, &opencode_system, .begins = SLICE("You are a title generator.")},
	{FORM_SIDE_SYSTEM, &webui_memory, .begins = SLICE("You are Open WebUI's private memory reviewer")},
	/* The choice of a tool for a chat's first message. */
	{FORM_SIDE_SYSTEM, &webui_tools_0_12, .begins = SLICE("Available Tools:"),
	 .user = SLICE("Query: ")},
	/* Before the conversation's own first message. */
	{FORM_SIDE_FIRST, &opencode, .begins = SLICE("Generate a title for this conversation:\n"),
	 .is_all = true},

	{FORM_COMPACTION, &claude_code, .begins = SLICE("CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.")},
	{FORM_COMPACTION, &opencode_compaction, .begins = SLICE("Provide a detailed prompt for continuing our conversation above.")},
	{FORM_COMPACTION, &opencode_compaction, .begins = SLICE("Create a new anchored summary from the conversation history")},
	{FORM_COMPACTION, &opencode_compaction, .begins = SLICE("Update the anchored summary below using the conversation history")},

	{FORM_IN_USERS_PLACE, &claude_code, .begins = SLICE("Continue from where you left off."),
	 .is_all = true},
	{FORM_IN_USERS_PLACE, &claude_code, .begins = SLICE("[Request interrupted by user]"),
	 .is_all = true},
	{FORM_IN_USERS_PLACE, &claude_code, .begins = SLICE("[Request interrupted by user for tool use]"),
	 .is_all = true},
	{FORM_IN_USERS_PLACE, &claude_code, .begins = SLICE("This session is being continued from a previous conversation")},
	/* A file's rules. */
	{FORM_IN_USERS_PLACE, &codex, .begins = SLICE("# AGENTS.md instructions for ")},
	{FORM_FILE_REMARK, &opencode, .begins = SLICE("Called the Read tool with the following input:")},
	/* extractFileContext() */
	{FORM_ATTACHMENTS, &librechat_files, .begins = SLICE("Attached document(s):\n```")},

	/* The newest first. The oldest ends with the query. */
	{FORM_TEMPLATE, &webui_config, .begins = SLICE("### Task:"),
	 .has = SLICE("context")},
	{FORM_TEMPLATE, &webui_config, .begins = SLICE("**Generate Response to User Query**")},
	{FORM_TEMPLATE, &webui_config, .begins = SLICE("You are given a user query, some textual context")},
	{FORM_TEMPLATE, &webui_config, .begins = SLICE("Use the following context as your learned knowledge"),
	 .opens = SLICE("Query:")},

	/* Question answering, tree summarize. */
	{FORM_PROMPT, &llamaindex_prompts, .begins = SLICE("Context information is below.\n----"),
	 .opens = SLICE("\nQuery: "),
	 .closes = SLICE("\nAnswer:")},
	{FORM_PROMPT, &llamaindex_prompts, .begins = SLICE("Context information from multiple sources is below.\n----"),
	 .opens = SLICE("\nQuery: "),
	 .closes = SLICE("\nAnswer:")},
	{FORM_PROMPT, &langchain_stuff, .begins = SLICE("Use the following pieces of context to answer the question at the end."),
	 .opens = SLICE("\nQuestion: "),
	 .closes = SLICE("\nHelpful Answer:")},
	{FORM_PROMPT, &langchain_guide, .begins = SLICE("Answer the question based only on the following context:"),
	 .opens = SLICE("\nQuestion: "),
	 .closes = SLICE("\nAnswer:"),
	 .may_end_open = true},
	{FORM_PROMPT, &langchain_hub, .begins = SLICE("You are an assistant for question-answering tasks. Use the following pieces of retrieved context"),
	 .opens = SLICE("\nQuestion: "),
	 .closes = SLICE("\nContext: "),
	 .question_first = true},
	/* Each step sends the ones before it in one message. */
	{FORM_PROMPT, &langchain_react, .begins = SLICE("Answer the following questions as best you can. You have access to the following tools:"),
	 .opens = SLICE("\nBegin!\n\nQuestion: "),
	 .closes = SLICE("\nThought:"),
	 .question_first = true},
	{FORM_TASK, &smolagents_memory, .begins = SLICE("New task:\n")},
	/* Its mode MD_JSON: behind the newest message. */
	{FORM_ADDENDUM, &instructor, .ends = SLICE("\n\nReturn the correct JSON response within a ```json codeblock. not the JSON_SCHEMA")},

	{FORM_OBSERVATION, &react, .begins = SLICE("Observation:")},
	{FORM_TOOL_CALL, &react, .has = SLICE("Action:")},
	/* The same as JSON. */
	{FORM_TOOL_CALL, &react, .has = SLICE("\"action\"")},
	{FORM_TOOL_CALL, &smolagents, .has = SLICE("Calling tools:")},
	/* A result has lines of its own; a person may answer any code with "Observation: it crashes". */
	{FORM_CODE_OBSERVATION, &smolagents, .begins = SLICE("Observation:\n")},
	{FORM_CODE, &smolagents, .has = SLICE("<code>")},
	{FORM_CODE, &smolagents, .has = SLICE("```")},

	{FORM_RETRY, &instructor, .begins = SLICE("Correct your JSON ONLY RESPONSE, based on the following errors:")},
	{FORM_RETRY, &instructor, .begins = SLICE("Validation Error"),
	 .has = SLICE("Recall the function correctly, fix the errors")},
	{FORM_RETRY, &pydantic_ai, .has = SLICE(" validation error"),
	 .ends = SLICE("\n\nFix the errors and try again.")},
	{FORM_RETRY, &pydantic_ai, .begins = SLICE("Validation feedback:\n"),
	 .ends = SLICE("\n\nFix the errors and try again.")},
	{FORM_RETRY, &pydantic_ai_driven, .has = SLICE("(this is automated feedback, not a message from the user)")},
	{FORM_RETRY, &smolagents_memory, .begins = SLICE("Error:\n"),
	 .has = SLICE(RETRY)},
	{FORM_RETRY, &smolagents_memory, .begins = SLICE("Call id: "),
	 .has = SLICE(RETRY)},
	{FORM_RETRY, &smolagents_memory, .begins = SLICE(PROCEED),
	 .ends = SLICE(PROCEED)},
	/* Two messages that became one. */
	{FORM_RETRY, &smolagents_memory, .begins = SLICE(PROCEED),
	 .has = SLICE(RETRY)},

	{FORM_NO_ANSWER, &claude_code, .begins = SLICE("No response requested."),
	 .is_all = true},
};
const size_t client_form_count = sizeof(client_forms) / sizeof(client_forms[0]);

/* ---- elements ---- */

const struct client_element client_elements[] = {
	{ELEMENT_DOCUMENT, &many, SLICE("source")},
	{ELEMENT_DOCUMENT, &many, SLICE("sources")},
	{ELEMENT_DOCUMENT, &many, SLICE("document")},
	{ELEMENT_DOCUMENT, &many, SLICE("documents")},
	{ELEMENT_DOCUMENT, &many, SLICE("document_content")},
	{ELEMENT_DOCUMENT, &many, SLICE("document_contents")},
	{ELEMENT_DOCUMENT, &many, SLICE("doc")},
	{ELEMENT_DOCUMENT, &many, SLICE("docs")},
	{ELEMENT_DOCUMENT, &many, SLICE("file")},
	{ELEMENT_DOCUMENT, &many, SLICE("files")},
	{ELEMENT_DOCUMENT, &many, SLICE("file_content")},
	{ELEMENT_DOCUMENT, &many, SLICE("file_contents")},
	{ELEMENT_DOCUMENT, &many, SLICE("files_info")},
	{ELEMENT_DOCUMENT, &many, SLICE("attached_file")},
	{ELEMENT_DOCUMENT, &many, SLICE("attached_files")},
	{ELEMENT_DOCUMENT, &many, SLICE("attachment")},
	{ELEMENT_DOCUMENT, &many, SLICE("attachments")},
	{ELEMENT_DOCUMENT, &many, SLICE("uploaded_file")},
	{ELEMENT_DOCUMENT, &many, SLICE("uploaded_files")},
	{ELEMENT_DOCUMENT, &many, SLICE("pasted_text")},
	{ELEMENT_DOCUMENT, &many, SLICE("pasted_content")},
	{ELEMENT_DOCUMENT, &many, SLICE("search_result")},
	{ELEMENT_DOCUMENT, &many, SLICE("search_results")},
	{ELEMENT_DOCUMENT, &many, SLICE("web_search_results")},
	{ELEMENT_DOCUMENT, &many, SLICE("web_page")},
	{ELEMENT_DOCUMENT, &many, SLICE("web_pages")},
	{ELEMENT_DOCUMENT, &many, SLICE("webpage")},
	{ELEMENT_DOCUMENT, &many, SLICE("webpages")},
	{ELEMENT_DOCUMENT, &many, SLICE("website")},
	{ELEMENT_DOCUMENT, &many, SLICE("url_content")},
	{ELEMENT_DOCUMENT, &many, SLICE("page")},
	{ELEMENT_DOCUMENT, &many, SLICE("pages")},
	{ELEMENT_DOCUMENT, &many, SLICE("article")},
	{ELEMENT_DOCUMENT, &many, SLICE("articles")},
	{ELEMENT_DOCUMENT, &many, SLICE("retrieved")},
	{ELEMENT_DOCUMENT, &many, SLICE("retrieved_context")},
	{ELEMENT_DOCUMENT, &many, SLICE("retrieved_document")},
	{ELEMENT_DOCUMENT, &many, SLICE("retrieved_documents")},
	{ELEMENT_DOCUMENT, &many, SLICE("retrieved_chunks")},
	{ELEMENT_DOCUMENT, &many, SLICE("retrieval")},
	{ELEMENT_DOCUMENT, &many, SLICE("passage")},
	{ELEMENT_DOCUMENT, &many, SLICE("passages")},
	{ELEMENT_DOCUMENT, &many, SLICE("chunk")},
	{ELEMENT_DOCUMENT, &many, SLICE("chunks")},
	{ELEMENT_DOCUMENT, &many, SLICE("snippet")},
	{ELEMENT_DOCUMENT, &many, SLICE("snippets")},
	{ELEMENT_DOCUMENT, &many, SLICE("excerpt")},
	{ELEMENT_DOCUMENT, &many, SLICE("excerpts")},
	{ELEMENT_DOCUMENT, &many, SLICE("reference")},
	{ELEMENT_DOCUMENT, &many, SLICE("references")},
	{ELEMENT_DOCUMENT, &many, SLICE("knowledge")},
	{ELEMENT_DOCUMENT, &many, SLICE("knowledge_base")},
	{ELEMENT_DOCUMENT, &many, SLICE("email")},
	{ELEMENT_DOCUMENT, &many, SLICE("emails")},
	{ELEMENT_DOCUMENT, &many, SLICE("transcript")},
	{ELEMENT_DOCUMENT, &many, SLICE("quote")},
	{ELEMENT_DOCUMENT, &many, SLICE("quotes")},
	{ELEMENT_DOCUMENT, &many, SLICE("blockquote")},
	{ELEMENT_DOCUMENT, &many, SLICE("additional_context")},
	{ELEMENT_DOCUMENT, &many, SLICE("editor_context")},
	{ELEMENT_DOCUMENT, &many, SLICE("tool_result")},
	{ELEMENT_DOCUMENT, &many, SLICE("tool_results")},
	{ELEMENT_DOCUMENT, &many, SLICE("tool_response")},
	{ELEMENT_DOCUMENT, &many, SLICE("function_results")},
	{ELEMENT_DOCUMENT, &many, SLICE("user_memory")},
	/* Instructions for the model in the user's place. */
	{ELEMENT_DOCUMENT, &claude_code, SLICE("system-reminder")},
	{ELEMENT_DOCUMENT, &claude_code, SLICE("local-command-caveat")},
	{ELEMENT_DOCUMENT, &claude_code, SLICE("local-command-stdout")},
	{ELEMENT_DOCUMENT, &claude_code, SLICE("command-name")},
	{ELEMENT_DOCUMENT, &claude_code, SLICE("command-message")},
	{ELEMENT_DOCUMENT, &claude_code, SLICE("command-args")},
	{ELEMENT_DOCUMENT, &codex_driven, SLICE("environment_context")},
	{ELEMENT_DOCUMENT, &coding_agents, SLICE("environment_details")},
	{ELEMENT_DOCUMENT, &codex, SLICE("user_instructions")},
	{ELEMENT_DOCUMENT, &codex, SLICE("turn_aborted")},
	{ELEMENT_DOCUMENT, &codex, SLICE("skill")},
	/* Round the user's text, and HTML's for single words. */
	{ELEMENT_OWN, &many, SLICE("user_query")},
	{ELEMENT_OWN, &many, SLICE("userrequest")},
	{ELEMENT_OWN, &many, SLICE("user_request")},
	{ELEMENT_OWN, &many, SLICE("user_message")},
	{ELEMENT_OWN, &many, SLICE("user_input")},
	{ELEMENT_OWN, &many, SLICE("user")},
	{ELEMENT_OWN, &many, SLICE("question")},
	{ELEMENT_OWN, &many, SLICE("query")},
	{ELEMENT_OWN, &many, SLICE("task")},
	{ELEMENT_OWN, &many, SLICE("prompt")},
	{ELEMENT_OWN, &many, SLICE("request")},
	{ELEMENT_OWN, &many, SLICE("message")},
	{ELEMENT_OWN, &many, SLICE("feedback")},
	{ELEMENT_OWN, &many, SLICE("answer")},
	{ELEMENT_OWN, &many, SLICE("instruction")},
	{ELEMENT_OWN, &many, SLICE("instructions")},
#define HTML(name) {ELEMENT_OWN, &html, SLICE(name)}
	HTML("b"), HTML("i"), HTML("u"), HTML("em"), HTML("strong"), HTML("p"), HTML("br"), HTML("span"), HTML("sub"), HTML("sup"),
#undef HTML
};
const size_t client_element_count = sizeof(client_elements) / sizeof(client_elements[0]);
_Static_assert(sizeof(client_elements) / sizeof(client_elements[0]) <= CLIENT_ELEMENTS_MAX, "raise it");

/* ---- header fields ---- */

/* Mark requests that an agent made, or that maintain the program's own memory. They carry the
 * chat's session header. */
const struct client_header client_side_headers[] = {
	{&claude_code, "X-Claude-Code-Agent-Id"},
	{&codex, "X-OpenAI-Subagent"},
	{&codex, "X-OpenAI-Memgen-Request"},
};
const size_t client_side_header_count =
	sizeof(client_side_headers) / sizeof(client_side_headers[0]);
/* clang-format on */
