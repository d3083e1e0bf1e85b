// The openai package: one question, streamed or not. Only baseURL and defaultHeaders are set.
import OpenAI from 'openai';

const { baseURL, headers, question, stream } = JSON.parse(process.argv[2]);
const client = new OpenAI({ baseURL, apiKey: 'test-key', defaultHeaders: headers, maxRetries: 0 });
const request = { model: 'demo', messages: [{ role: 'user', content: question }] };

let text = '';
let finish = null;
if (stream) {
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
  }
} else {
  const reply = await client.chat.completions.create(request);
  text = reply.choices[0].message.content;
  finish = reply.choices[0].finish_reason;
}
console.log(JSON.stringify({ text, finish }));
