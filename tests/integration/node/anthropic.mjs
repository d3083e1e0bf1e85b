// The @anthropic-ai/sdk package: one question, streamed or not. An error's class and message are told.
import Anthropic from '@anthropic-ai/sdk';

const { baseURL, headers, question, stream } = JSON.parse(process.argv[2]);
const client = new Anthropic({ baseURL, apiKey: 'sk-ant-test', defaultHeaders: headers, maxRetries: 0 });
const request = { model: 'claude-test', max_tokens: 64, messages: [{ role: 'user', content: question }] };

let said;
try {
  const message = stream ? await client.messages.stream(request).finalMessage() : await client.messages.create(request);
  said = { text: message.content.map((block) => block.text ?? '').join(''), finish: message.stop_reason };
} catch (error) {
  said = { error: error.constructor.name, status: error.status ?? null, message: error.message };
}
console.log(JSON.stringify(said));
