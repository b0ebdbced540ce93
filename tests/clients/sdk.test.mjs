// The official clients against a running gateway.
//   BASE_URL   https://127.0.0.1:PORT
//   KEY        of a customer with money
//   POOR_KEY   of one without
//   NODE_EXTRA_CA_CERTS   the authority of the gateway's certificate
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OlderAnthropic from 'anthropic-sdk-0';
import OpenAI from 'openai';

const { BASE_URL, KEY, POOR_KEY } = process.env;
const WORDS = 27;
const LAST = 'is on your bill.';
const hello = [{ role: 'user', content: 'Hello' }];

// Counts what a client really sends: a refusal must not be tried again.
function counting() {
	const counter = { calls: 0 };

	counter.fetch = (...args) => {
		counter.calls++;
		return fetch(...args);
	};
	return counter;
}

function openai(options = {}) {
	return new OpenAI({
		apiKey: KEY, baseURL: `${BASE_URL}/v1`, ...options,
	});
}

test('openai: the list of models', async () => {
	const ids = [];

	for await (const model of openai().models.list())
		ids.push(model.id);
	assert.ok(ids.includes('fast'));
});

test('openai: a completion', async () => {
	const answer = await openai().chat.completions.create({
		model: 'fast', messages: hello,
	});

	assert.ok(answer.choices[0].message.content.endsWith(LAST));
	assert.equal(answer.choices[0].finish_reason, 'stop');
	assert.equal(answer.usage.completion_tokens, WORDS);
	assert.ok(answer._request_id);
});

test('openai: a streamed completion, no chunk without choices', async () => {
	const stream = await openai().chat.completions.create({
		model: 'demo', messages: hello, stream: true,
	});
	let text = '';

	for await (const chunk of stream)
		text += chunk.choices[0].delta.content ?? '';
	assert.ok(text.endsWith(LAST));
});

test('openai: a streamed completion that asks for usage', async () => {
	const stream = await openai().chat.completions.create({
		model: 'bytes1', messages: hello, stream: true,
		stream_options: { include_usage: true },
	});
	let usage = null;

	for await (const chunk of stream)
		usage = chunk.usage ?? usage;
	assert.equal(usage.completion_tokens, WORDS);
});

test('openai: the stream helper', async () => {
	const runner = openai().chat.completions.stream({
		model: 'fast', messages: hello,
	});

	assert.ok((await runner.finalContent()).endsWith(LAST));
});

test('openai: a wrong key is an AuthenticationError', async () => {
	const counter = counting();
	const client = openai({ apiKey: 'sk-wrong', fetch: counter.fetch });

	await assert.rejects(
		client.chat.completions.create({ model: 'fast', messages: hello }),
		(error) => error instanceof OpenAI.AuthenticationError &&
		    error.status === 401 && Boolean(error.requestID) &&
		    Boolean(error.error.message));
	assert.equal(counter.calls, 1);
});

test('openai: no money is a 402, told once', async () => {
	const counter = counting();
	const client = openai({ apiKey: POOR_KEY, fetch: counter.fetch });

	for (const stream of [false, true]) {
		await assert.rejects(
			client.chat.completions.create({
				model: 'fast', messages: hello, stream,
			}),
			(error) => error instanceof OpenAI.APIError &&
			    error.status === 402);
	}
	assert.equal(counter.calls, 2);
});

test('openai: an unknown model is a NotFoundError', async () => {
	await assert.rejects(
		openai().chat.completions.create({
			model: 'no-such-model', messages: hello,
		}),
		(error) => error instanceof OpenAI.NotFoundError &&
		    error.param === 'model');
});

test('openai: an unknown path is a NotFoundError', async () => {
	await assert.rejects(openai().get('/nothing'), OpenAI.NotFoundError);
});

test('openai: a bad body is a BadRequestError', async () => {
	await assert.rejects(
		openai().chat.completions.create({ model: 7, messages: hello }),
		OpenAI.BadRequestError);
});

test('openai: a busy upstream is a RateLimitError with its time', async () => {
	await assert.rejects(
		openai({ maxRetries: 0 }).chat.completions.create({
			model: 'status-429', messages: hello,
		}),
		(error) => error instanceof OpenAI.RateLimitError &&
		    error.headers.get('retry-after') === '7');
});

test('openai: a failing upstream is an InternalServerError', async () => {
	await assert.rejects(
		openai({ maxRetries: 0 }).chat.completions.create({
			model: 'reset', messages: hello,
		}),
		(error) => error instanceof OpenAI.InternalServerError &&
		    error.status === 502);
});

test('openai: a cut stream throws', async () => {
	const stream = await openai().chat.completions.create({
		model: 'cut-mid-stream', messages: hello, stream: true,
	});
	let chunks = 0;

	await assert.rejects(async () => {
		for await (const _ of stream)
			chunks++;
	}, OpenAI.APIError);
	assert.ok(chunks > 1);
});

test('openai: leaving a stream harms nobody', async () => {
	const client = openai();
	const stream = await client.chat.completions.create({
		model: 'drip-100-50', messages: hello, stream: true,
	});

	for await (const _ of stream)
		break;
	const answer = await client.chat.completions.create({
		model: 'fast', messages: hello,
	});
	assert.ok(answer.choices[0].message.content.endsWith(LAST));
});

test('openai: forty calls at once', async () => {
	const client = openai();
	const answers = await Promise.all(Array.from({ length: 40 }, () =>
	    client.chat.completions.create({
		model: 'fast', messages: hello,
	})));

	for (const answer of answers)
		assert.ok(answer.choices[0].message.content.endsWith(LAST));
});

for (const [name, Client] of
    [['anthropic', Anthropic], ['anthropic (older)', OlderAnthropic]]) {
	const anthropic = (options = {}) => new Client({
		apiKey: KEY, baseURL: BASE_URL, ...options,
	});
	const ask = (model, more = {}) => ({
		model, max_tokens: 500, messages: hello, ...more,
	});

	test(`${name}: the list of models`, async () => {
		const ids = [];

		for await (const model of anthropic().models.list())
			ids.push(model.id);
		assert.ok(ids.includes('fast'));
	});

	test(`${name}: a message`, async () => {
		const answer = await anthropic().messages.create(ask('fast'));

		assert.equal(answer.type, 'message');
		assert.ok(answer.content[0].text.endsWith(LAST));
		assert.equal(answer.usage.output_tokens, WORDS);
	});

	test(`${name}: a message of the beta interface`, async () => {
		const answer = await anthropic().beta.messages.create(
			ask('fast', { betas: ['one-2026-01-01'] }));

		assert.ok(answer.content[0].text.endsWith(LAST));
	});

	test(`${name}: a streamed message`, async () => {
		const stream = await anthropic().messages.create(
			ask('demo', { stream: true }));
		const types = new Set();
		let text = '';

		for await (const event of stream) {
			types.add(event.type);
			if (event.type === 'content_block_delta')
				text += event.delta.text;
		}
		assert.ok(text.endsWith(LAST));
		assert.ok(types.has('message_delta'));
		assert.ok(types.has('message_stop'));
	});

	test(`${name}: the stream helper`, async () => {
		const message = await anthropic().messages.stream(ask('bytes1'))
			.finalMessage();

		assert.ok(message.content[0].text.endsWith(LAST));
		assert.equal(message.usage.output_tokens, WORDS);
		assert.equal(message.stop_reason, 'end_turn');
	});

	test(`${name}: a wrong key is an AuthenticationError`, async () => {
		const counter = counting();
		const client = anthropic({
			apiKey: 'sk-wrong', fetch: counter.fetch,
		});

		await assert.rejects(client.messages.create(ask('fast')),
			(error) => error instanceof Client.AuthenticationError &&
			    error.error.error.type === 'authentication_error');
		assert.equal(counter.calls, 1);
	});

	test(`${name}: no money is a 402, told once`, async () => {
		const counter = counting();
		const client = anthropic({
			apiKey: POOR_KEY, fetch: counter.fetch,
		});

		for (const stream of [false, true]) {
			await assert.rejects(
				client.messages.create(ask('fast', { stream })),
				(error) => error instanceof Client.APIError &&
				    error.status === 402 &&
				    error.error.error.type === 'billing_error');
		}
		assert.equal(counter.calls, 2);
	});

	test(`${name}: an unknown model is a NotFoundError`, async () => {
		await assert.rejects(
			anthropic().messages.create(ask('no-such-model')),
			Client.NotFoundError);
	});

	test(`${name}: a bad body is a BadRequestError`, async () => {
		await assert.rejects(
			anthropic().messages.create(ask(7)),
			Client.BadRequestError);
	});

	test(`${name}: a busy upstream is a RateLimitError`, async () => {
		await assert.rejects(
			anthropic({ maxRetries: 0 }).messages.create(
				ask('status-429')),
			(error) => error instanceof Client.RateLimitError &&
			    error.headers.get('retry-after') === '7');
	});

	test(`${name}: a failing upstream is an InternalServerError`,
	    async () => {
		await assert.rejects(
			anthropic({ maxRetries: 0 }).messages.create(ask('reset')),
			Client.InternalServerError);
	});

	test(`${name}: a cut stream throws`, async () => {
		const stream = await anthropic().messages.create(
			ask('cut-mid-stream', { stream: true }));
		let seen = 0;

		await assert.rejects(async () => {
			for await (const _ of stream)
				seen++;
		}, Client.APIError);
		assert.ok(seen > 1);
	});
}
