// A real small model behind Chat Completions, on llama.cpp as node-llama-cpp carries it:
//
//     node server.mjs MODEL.gguf NODE_MODULES [THREADS]
//
// It prints its base URL, and ends when its standard input does. One request is answered at a time.
// response_format json_object and json_schema are enforced, as llama.cpp's own server does. With
// SMALL_MODEL_LOG=FILE in the environment it appends each request and its answer there, as JSON Lines.

import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [file, modules, threads = "1"] = process.argv.slice(2);
const load = createRequire(modules + "/");
const { getLlama, LlamaChat, LlamaLogLevel } = await import(pathToFileURL(load.resolve("node-llama-cpp")));

const CONTEXT = 8192;
const MOST_TOKENS = 4096;

const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({ contextSize: CONTEXT, threads: Number(threads) });
const sequence = context.getSequence();
// It evaluates only what differs from the request before, so a prompt's common beginning costs once.
const chat = new LlamaChat({ contextSequence: sequence });

class Refusal extends Error {
  constructor(message, param) {
    super(message);
    this.param = param;
  }
}

function textOf(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) throw new Refusal("content is neither a string nor a list of parts", "messages");
  return content.map((part) => part.text ?? "").join("");
}

function historyOf(messages) {
  const history = messages.map((message) => {
    const text = textOf(message.content);
    if (message.role === "assistant") return { type: "model", response: [text] };
    return { type: message.role === "user" ? "user" : "system", text };
  });
  history.push({ type: "model", response: [] });
  return history;
}

// A JSON schema as a grammar, as llama.cpp's server makes it: members in their order, those that are not
// required may be left out, no white space. Only what recalld asks for: the required members come first.
const TERMINALS = String.raw`
string ::= "\"" ([^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4}))* "\""
number ::= "-"? ("0" | [1-9] [0-9]{0,8}) ("." [0-9]{1,8})?
boolean ::= "true" | "false"
`;

function literal(value) {
  return JSON.stringify(JSON.stringify(value));
}

function ruleOf(schema) {
  if (schema.enum) return `(${schema.enum.map(literal).join(" | ")})`;
  if (Array.isArray(schema.type)) return `(${schema.type.join(" | ")})`;
  if (["string", "number", "boolean"].includes(schema.type)) return schema.type;
  if (schema.type === "array") {
    const item = ruleOf(schema.items);
    const more = schema.maxItems ? `{0,${schema.maxItems - 1}}` : "*";
    return `"[" (${item} ("," ${item})${more})? "]"`;
  }
  if (schema.type !== "object") throw new Refusal(`the schema's type ${schema.type} is not known`, "response_format");
  const members = Object.entries(schema.properties).map(([name, value], at) => {
    const text = `${at > 0 ? '"," ' : ""}${literal(name)} ":" ${ruleOf(value)}`;
    return schema.required?.includes(name) ? text : `(${text})?`;
  });
  return `"{" ${members.join(" ")} "}"`;
}

const grammars = new Map();
async function grammarOfSchema(schema) {
  const grammar = `root ::= ${ruleOf(schema)}${TERMINALS}`;
  if (!grammars.has(grammar)) grammars.set(grammar, await llama.createGrammar({ grammar, stopGenerationTriggers: [] }));
  return grammars.get(grammar);
}

async function grammarOf(format) {
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return llama.getGrammarFor("json");
  if (format.type === "json_schema") return grammarOfSchema(format.json_schema.schema);
  throw new Refusal("this response_format is not known", "response_format");
}

function note(request, result) {
  if (process.env.SMALL_MODEL_LOG) appendFileSync(process.env.SMALL_MODEL_LOG, JSON.stringify({ request, ...result }) + "\n");
  return result;
}

async function answer(request, signal, onText) {
  if (!Array.isArray(request.messages) || request.messages.length === 0) throw new Refusal("no messages", "messages");
  const begun = performance.now();
  const before = sequence.tokenMeter.getState();
  const result = await chat.generateResponse(historyOf(request.messages), {
    grammar: await grammarOf(request.response_format),
    maxTokens: Math.min(request.max_tokens ?? request.max_completion_tokens ?? MOST_TOKENS, MOST_TOKENS),
    temperature: request.temperature ?? 0,
    repeatPenalty: false,
    onTextChunk: onText,
    signal,
  });
  const used = sequence.tokenMeter.diff(before);
  return note(request, {
    text: result.response,
    finish: result.metadata.stopReason === "maxTokens" ? "length" : "stop",
    usage: { prompt_tokens: used.usedInputTokens, completion_tokens: used.usedOutputTokens },
    timings: { total_ms: Math.round(performance.now() - begun) },
  });
}

let last = Promise.resolve();
function inTurn(work) {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}

function envelope(kind, choice, more = {}) {
  return { id: "chatcmpl-small", object: kind, created: Math.floor(Date.now() / 1000), model: "small", choices: [{ index: 0, ...choice }], ...more };
}

function sendJson(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}

async function stream(request, response, signal) {
  const send = (choice) => response.write(`data: ${JSON.stringify(envelope("chat.completion.chunk", choice))}\n\n`);
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  const { finish } = await answer(request, signal, (text) => send({ delta: { role: "assistant", content: text }, finish_reason: null }));
  send({ delta: {}, finish_reason: finish });
  response.end("data: [DONE]\n\n");
}

async function complete(request, response, signal) {
  const { text, finish, usage, timings } = await answer(request, signal);
  const choice = { message: { role: "assistant", content: text }, finish_reason: finish };
  sendJson(response, 200, envelope("chat.completion", choice, { usage, timings }));
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new Refusal("the body is not JSON");
  }
}

async function handle(request, response) {
  if (request.method !== "POST" || !request.url.endsWith("/chat/completions"))
    return sendJson(response, 404, { error: { message: "unknown path" } });
  const body = await bodyOf(request);
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  return inTurn(() => gone.signal.aborted || (body.stream ? stream : complete)(body, response, gone.signal));
}

function fail(response, error) {
  const status = error instanceof Refusal ? 400 : 500;
  if (status === 500) console.error(error);
  if (response.headersSent) response.destroy();
  else sendJson(response, status, { error: { message: error.message, type: "invalid_request_error", param: error.param ?? null, code: null } });
}

const server = createServer((request, response) => handle(request, response).catch((error) => fail(response, error)));
server.requestTimeout = 0;
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/v1`));
process.stdin.on("end", () => process.exit(0)).resume();
