// The openai package's own tool runner: calls the tools that the model asks for, to the final reply.
import OpenAI from 'openai';

const { baseURL, headers, question, stream } = JSON.parse(process.argv[2]);
const client = new OpenAI({ baseURL, apiKey: 'test-key', defaultHeaders: headers, maxRetries: 0 });
const called = [];
const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
    parse: JSON.parse,
    function: ({ city }) => {
      called.push(city);
      return `It rains in ${city}.`;
    },
  },
};
const runner = client.chat.completions.runTools({
  model: 'demo',
  stream,
  messages: [{ role: 'user', content: question }],
  tools: [weather],
});
const text = await runner.finalContent();
console.log(JSON.stringify({ text, called }));
