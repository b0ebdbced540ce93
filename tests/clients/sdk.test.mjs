// The official clients against a running gateway.
//   BASE_URL   https://127.0.0.1:PORT
//   KEY        of a customer with money
//   POOR_KEY   of one without
//   NODE_EXTRA_CA_CERTS   the authority of the gateway's certificate
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OlderAnthropic from 'anthropic-sdk-0';
import OpenAI, { toFile } from 'openai';

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

test('openai: the receipt of a streamed completion', async () => {
	const stream = await openai().chat.completions.create(
		{ model: 'fast', messages: hello, stream: true },
		{ headers: { 'X-Youyun-Receipt': 'yes' } });
	const fees = [];
	let text = '';

	for await (const chunk of stream) {
		text += chunk.choices[0]?.delta.content ?? '';
		if (chunk.usage)
			fees.push(chunk.usage.fee);
	}
	assert.ok(text.endsWith(LAST));
	assert.equal(fees.length, 1);
	assert.match(fees[0], /^0\.\d{2,9}$/);
});

test('openai: the receipt of a completion', async () => {
	const { data, response } = await openai().chat.completions.create({
		model: 'fast', messages: hello,
	}).withResponse();

	assert.ok(data.choices[0].message.content.endsWith(LAST));
	assert.match(response.headers.get('x-youyun-fee'), /^0\.\d{2,9}$/);
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

	test(`${name}: the receipt of a streamed message`, async () => {
		const options = { headers: { 'X-Youyun-Receipt': 'yes' } };
		const stream = await anthropic().messages.create(
			ask('fast', { stream: true }), options);
		const fees = [];

		for await (const event of stream)
			if (event.type === 'message_delta')
				fees.push(event.usage.fee);
		assert.equal(fees.length, 1);
		assert.match(fees[0], /^0\.\d{2,9}$/);
		const message = await anthropic().messages.stream(
			ask('fast'), options).finalMessage();
		assert.ok(message.content[0].text.endsWith(LAST));
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

test('openai: completions that are no chat', async () => {
	const client = openai();
	const body = { model: 'fast', prompt: 'Hi' };
	const answer = await client.completions.create(body);
	let text = '';

	assert.equal(answer.usage.total_tokens, 42);
	for await (const chunk of await client.completions.create({
		...body, stream: true,
	}))
		text += chunk.choices[0].text;
	assert.equal(text, 'Hello');
});

test('openai: responses, kept, continued and in the background', async () => {
	const client = openai();
	const body = { model: 'fast', input: 'Hi' };
	const made = await client.responses.create(body);
	const types = [];

	assert.equal(made.output_text, 'Hello there');
	assert.equal(made.usage.total_tokens, 264);
	for await (const event of await client.responses.create({
		...body, stream: true,
	}))
		types.push(event.type);
	assert.equal(types.at(-1), 'response.completed');
	assert.equal((await client.responses.create({
		...body, previous_response_id: made.id,
	})).status, 'completed');
	assert.equal((await client.responses.retrieve(made.id)).status,
	    'completed');
	assert.deepEqual((await client.responses.inputItems.list(made.id,
	    { limit: 2 })).data, []);
	assert.equal((await client.responses.cancel(made.id)).status,
	    'cancelled');
	await client.responses.delete(made.id);
	await assert.rejects(client.responses.retrieve('resp_elses'),
	    OpenAI.NotFoundError);
	const later = await client.responses.create({
		...body, background: true,
	});
	assert.equal(later.status, 'queued');
	assert.ok(['in_progress', 'completed'].includes(
	    (await client.responses.retrieve(later.id)).status));
});

test('openai: embeddings, moderations, one model', async () => {
	const client = openai();
	const list = await client.embeddings.create({
		model: 'fast', input: 'Hi', encoding_format: 'float',
	});

	assert.deepEqual(list.data[0].embedding, [0.5, -0.25]);
	assert.equal((await client.moderations.create({
		model: 'fast', input: 'Hi',
	})).results[0].flagged, false);
	assert.equal((await client.models.retrieve('fast')).id, 'fast');
	const ranked = await fetch(`${BASE_URL}/v1/rerank`, {
		method: 'POST',
		headers: {
			authorization: `Bearer ${KEY}`,
			'content-type': 'application/json',
		},
		body: JSON.stringify({
			model: 'fast', query: 'q', documents: ['a', 'b'],
		}),
	});
	assert.equal((await ranked.json()).results[0].index, 1);
});

test('openai: images and audio, made and given', async () => {
	const client = openai();
	const file = await toFile(Buffer.alloc(300000, 1), 'a.mp3');
	const image = await toFile(Buffer.alloc(1000, 1), 'a.png');
	const model = 'fast';

	assert.equal((await client.images.generate({
		model, prompt: 'x', n: 2,
	})).data.length, 2);
	assert.equal((await client.images.edit({
		model, image, prompt: 'x',
	})).data.length, 2);
	assert.equal((await client.images.createVariation({
		image, model,
	})).data.length, 2);
	/* In either order. */
	assert.equal((await client.audio.transcriptions.create({
		file, model,
	})).text, 'Hello');
	assert.equal((await client.audio.translations.create({
		model, file,
	})).text, 'Hello');
	const types = [];
	for await (const event of await client.audio.transcriptions.create({
		model, file, stream: true,
	}))
		types.push(event.type);
	assert.equal(types.at(-1), 'transcript.text.done');
	const speech = await client.audio.speech.create({
		model, voice: 'alloy', input: 'Hi',
	});
	assert.equal(Buffer.from(await speech.arrayBuffer()).subarray(0, 3)
		.toString(), 'ID3');
});

for (const [name, Client] of [['1', Anthropic], ['0', OlderAnthropic]])
	test(`anthropic ${name}: counts and models`, async () => {
		const client = new Client({ apiKey: KEY, baseURL: BASE_URL });

		assert.equal((await client.messages.countTokens({
			model: 'fast', messages: hello,
		})).input_tokens, 2095);
		assert.equal((await client.models.retrieve('fast')).id,
		    'fast');
		await assert.rejects(client.messages.batches.list(),
		    Client.NotFoundError);
	});

for (const apiVersion of ['v1', 'v1beta'])
	test(`gemini ${apiVersion}: every call`, async () => {
		const { models, interactions } = new GoogleGenAI({
			apiKey: KEY,
			httpOptions: { baseUrl: BASE_URL, apiVersion },
		});
		const body = { model: 'fast', contents: 'Hi' };
		const answer = await models.generateContent(body);
		const names = [];
		let text = '', usage;

		assert.equal(answer.text, 'Hello');
		assert.equal(answer.usageMetadata.totalTokenCount, 331);
		for await (const chunk of
		    await models.generateContentStream(body)) {
			text += chunk.text;
			usage = chunk.usageMetadata;
		}
		assert.equal(text, 'Hello');
		assert.equal(usage.candidatesTokenCount, 17);
		assert.equal((await models.countTokens(body)).totalTokens, 71);
		assert.deepEqual((await models.embedContent(body))
			.embeddings[0].values, [0.5]);
		for await (const model of await models.list())
			names.push(model.name);
		assert.ok(names.includes('models/fast'));
		assert.equal((await models.get({ model: 'fast' })).name,
		    'models/fast');
		const made = await interactions.create({
			model: 'fast', input: 'Hi',
		});
		assert.equal(made.usage.total_tokens, 153);
	});

test('gemini: refusals', async () => {
	const poor = new GoogleGenAI({
		apiKey: POOR_KEY, httpOptions: { baseUrl: BASE_URL },
	});

	await assert.rejects(poor.models.generateContent({
		model: 'fast', contents: 'Hi',
	}), (error) => error.status === 402);
	await assert.rejects(poor.models.generateContent({
		model: 'nothing', contents: 'Hi',
	}), (error) => error.status === 404);
});

// Models by a channel of another protocol alone: what each says, and counts.
const others = {
	'only-openai': [LAST, WORDS], 'only-anthropic': [LAST, WORDS],
	'only-gemini': ['Hel', 24],
};
const says = (model, text) => text.includes(others[model][0]);

for (const model of ['only-anthropic', 'only-gemini']) {
	test(`openai: chat completions of ${model}`, async () => {
		const { chat } = openai();
		const answer = await chat.completions.create({
			model, messages: hello,
		});
		const runner = chat.completions.stream({
			model, messages: hello,
			stream_options: { include_usage: true },
		});
		const made = await runner.finalChatCompletion();

		for (const { choices, usage } of [answer, made]) {
			assert.ok(says(model, choices[0].message.content));
			assert.equal(choices[0].finish_reason, 'stop');
			assert.equal(usage.completion_tokens,
			    others[model][1]);
		}
	});

	test(`openai: responses of ${model}`, async () => {
		const { responses } = openai();
		const answer = await responses.create({ model, input: 'Hi' });
		const made = await responses.stream({ model, input: 'Hi' })
			.finalResponse();

		for (const { output_text, status, usage } of [answer, made]) {
			assert.ok(says(model, output_text));
			assert.equal(status, 'completed');
			assert.equal(usage.output_tokens, others[model][1]);
		}
	});

	test(`openai: what ${model} has no word for`, async () => {
		const counter = counting();
		const client = openai({ fetch: counter.fetch });

		await assert.rejects(client.chat.completions.create({
			model, messages: hello, logit_bias: { 1: 2 },
		}), (error) => error instanceof OpenAI.BadRequestError &&
		    error.message.includes('logit_bias'));
		assert.equal(counter.calls, 1);
	});
}

for (const [name, Client] of [['1', Anthropic], ['0', OlderAnthropic]])
	for (const model of ['only-openai', 'only-gemini'])
		test(`anthropic ${name}: messages of ${model}`, async () => {
			const { messages } = new Client({
				apiKey: KEY, baseURL: BASE_URL,
			});
			const body = { model, max_tokens: 500, messages: hello };
			const answer = await messages.create(body);
			const made = await messages.stream(body).finalMessage();

			for (const { content, stop_reason, usage } of
			    [answer, made]) {
				assert.ok(says(model, content[0].text));
				assert.equal(stop_reason, 'end_turn');
				assert.equal(usage.output_tokens,
				    others[model][1]);
			}
			await assert.rejects(messages.create({
				...body, top_k: model === 'only-openai' ? 1 : [],
			}), Client.BadRequestError);
		});

for (const model of ['only-openai', 'only-anthropic'])
	test(`gemini: content of ${model}`, async () => {
		const { models } = new GoogleGenAI({
			apiKey: KEY, httpOptions: { baseUrl: BASE_URL },
		});
		const body = { model, contents: 'Hi' };
		const answer = await models.generateContent(body);
		let text = '', last;

		assert.ok(says(model, answer.text));
		for await (last of await models.generateContentStream(body))
			text += last.text ?? '';
		assert.ok(says(model, text));
		for (const { usageMetadata } of [answer, last])
			assert.equal(usageMetadata.candidatesTokenCount, WORDS);
	});
