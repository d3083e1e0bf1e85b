// The ollama package: a conversation with a tool. An error's class and message are told.
import { Ollama } from 'ollama';

const { baseURL, headers, turns, stream } = JSON.parse(process.argv[2]);
const client = new Ollama({ host: baseURL.replace(/\/v1$/, ''), headers });
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = [{ type: 'function', function: { name: 'weather', description: 'The weather in a city.', parameters } }];

const reply = async (messages) => {
  const asked = { model: 'test-model', messages, tools, stream };
  if (!stream) return (await client.chat(asked)).message;
  const said = { role: 'assistant', content: '' };
  for await (const { message } of await client.chat(asked)) {
    said.content += message.content;
    if (message.tool_calls) said.tool_calls = [...(said.tool_calls ?? []), ...message.tool_calls];
  }
  return said;
};

const outputs = ({ tool_calls: calls = [] }) =>
  calls.map(({ function: { name, arguments: { city } } }) => ({ role: 'tool', tool_name: name, content: `It rains in ${city}.` }));

const messages = [{ role: 'system', content: 'Be brief.' }];
const answers = [];

async function take(turn) {
  let said;
  for (let brought = [{ role: 'user', content: turn }]; brought.length; brought = outputs(said)) {
    messages.push(...brought);
    said = await reply(messages);
    messages.push(said);
  }
  answers.push(said.content);
}

try {
  for (const turn of turns) await take(turn);
  console.log(JSON.stringify({ answers }));
} catch (error) {
  console.log(JSON.stringify({ error: error.constructor.name, status: error.status_code ?? null, message: error.message }));
}
