// Vercel's AI SDK by its own providers for OpenAI (Responses) and Anthropic (Messages): a conversation with a tool.
// An error's class and message are told.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';

globalThis.AI_SDK_LOG_WARNINGS = false; // they go to stdout
const { api, baseURL, headers, turns, stream, providerOptions } = JSON.parse(process.argv[2]);
const create = { openai: createOpenAI, anthropic: createAnthropic }[api];
const model = create({ baseURL, apiKey: 'test-key', headers })('test-model');
const weather = tool({
  description: 'The weather in a city',
  inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }),
  execute: async ({ city }) => `It rains in ${city}.`,
});
const options = { model, system: 'Be brief.', maxRetries: 0, stopWhen: stepCountIs(3), tools: { weather }, providerOptions };
const messages = [];
const answers = [];

async function streamed(asked) {
  let failure;
  const result = streamText({ ...asked, onError: ({ error }) => (failure = error) });
  await result.consumeStream();
  if (failure) throw failure;
  return { text: await result.text, response: await result.response };
}

try {
  for (const turn of turns) {
    messages.push({ role: 'user', content: turn });
    const { text, response } = await (stream ? streamed : generateText)({ ...options, messages });
    messages.push(...response.messages);
    answers.push(text);
  }
  console.log(JSON.stringify({ answers }));
} catch (error) {
  const { constructor, statusCode, message } = error;
  console.log(JSON.stringify({ error: constructor.name, status: statusCode ?? null, message: message ?? JSON.stringify(error) }));
}
