// Vercel's AI SDK by its OpenAI-compatible provider: generateText and streamText, with a tool.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';

const { baseURL, headers, question, stream, tools } = JSON.parse(process.argv[2]);
const provider = createOpenAICompatible({ name: 'recalld', baseURL, apiKey: 'test-key', headers });
const called = [];
const weather = tool({
  description: 'The weather in a city',
  inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } } }),
  execute: async ({ city }) => {
    called.push(city);
    return `It rains in ${city}.`;
  },
});
const options = {
  model: provider('demo'),
  prompt: question,
  maxRetries: 0,
  stopWhen: stepCountIs(3),
  ...(tools ? { tools: { weather } } : {}),
};

let text = '';
let finish;
if (stream) {
  const result = streamText(options);
  for await (const part of result.textStream) text += part;
  finish = await result.finishReason;
} else {
  const result = await generateText(options);
  text = result.text;
  finish = result.finishReason;
}
console.log(JSON.stringify({ text, finish, called }));
