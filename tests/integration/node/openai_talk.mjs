// The openai package over Responses: a conversation with a tool, with the history here or at the provider. An error's
// class and message are told.
import OpenAI from 'openai';

const { baseURL, headers, turns, stream, chained } = JSON.parse(process.argv[2]);
const client = new OpenAI({ baseURL, apiKey: 'test-key', defaultHeaders: headers, maxRetries: 0 });
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const request = { model: 'test-model', instructions: 'Be brief.', tools: [{ type: 'function', name: 'weather', parameters, strict: true }] };

const reply = (more) => {
  const asked = { ...request, ...more };
  return stream ? client.responses.stream(asked).finalResponse() : client.responses.create(asked);
};

const outputs = ({ output }) =>
  output
    .filter(({ type }) => type === 'function_call')
    .map(({ call_id, arguments: text }) => ({ type: 'function_call_output', call_id, output: `It rains in ${JSON.parse(text).city}.` }));

const items = [];
const answers = [];
let previous;

async function take(turn) {
  let said;
  for (let brought = [{ role: 'user', content: turn }]; brought.length; brought = outputs(said)) {
    items.push(...brought);
    said = await reply(chained ? { input: brought, previous_response_id: previous } : { input: items, store: false });
    previous = said.id;
    items.push(...said.output);
  }
  answers.push(said.output_text);
}

try {
  for (const turn of turns) await take(turn);
  console.log(JSON.stringify({ answers }));
} catch (error) {
  console.log(JSON.stringify({ error: error.constructor.name, status: error.status ?? null, message: error.message }));
}
