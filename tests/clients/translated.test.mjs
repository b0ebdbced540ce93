// The official clients read translated answers, and what they send can be
// translated.  A server here stands for the gateway: it translates a client's
// request, answers as an upstream of another protocol would, and translates
// that back, by the program TRANSLATE.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import OlderAnthropic from 'anthropic-sdk-0';
import { betaTool as olderBetaTool } from
    'anthropic-sdk-0/helpers/beta/json-schema';
import { jsonSchemaOutputFormat as olderFormat } from
    'anthropic-sdk-0/helpers/json-schema';
import OpenAI from 'openai';

// Only where it is installed.
const { GoogleGenAI } = await import('@google/genai').catch(() => ({}));

const { TRANSLATE } = process.env;
const CITY = { city: 'Zürich', n: [1, 2.5] };
const words = ['Zwölf ', 'Boxkämpfer ', '十二 😀 ', '"so" \\ ', 'end.\n'];

// What the upstreams say.
const said = {
	tools: {
		thinking: 'Hm, well.', signature: 'EqMB+/==',
		text: words.join(''), stop: 'tool',
		calls: [['call_a', 'weather', CITY], ['call_b', 'time', {}]],
	},
	text: { text: words.join(''), calls: [], stop: 'end' },
	custom: { text: 'so', stop: 'tool',
	    calls: [['call_c', 'patch', { input: 'a "b"\n十' }]] },
	json: { text: JSON.stringify(CITY), calls: [], stop: 'end' },
	long: { text: words.join('').repeat(2000), calls: [], stop: 'length' },
};

function pieces(text, size) {
	const letters = [...text];
	const all = [];

	for (let i = 0; i < letters.length; i += size)
		all.push(letters.slice(i, i + size).join(''));
	return all;
}

const sse = (data) => `data: ${JSON.stringify(data)}\n\n`;
const size = (answer) => answer.text.length > 1000 ? 200 : 5;

// Each upstream's way to say it.
const upstreams = {
	chat: {
		whole: (a) => JSON.stringify({
			id: 'c', object: 'chat.completion', model: 'up',
			choices: [{ index: 0, message: {
				role: 'assistant', content: a.text,
				reasoning_content: a.thinking,
				tool_calls: a.calls.length === 0 ? undefined :
				    a.calls.map(([id, name, args]) => ({
					id, type: 'function', function: {
					name, arguments: JSON.stringify(args),
				} })),
			}, finish_reason: { tool: 'tool_calls', end: 'stop',
			    length: 'length' }[a.stop] }],
			usage: { prompt_tokens: 20, completion_tokens: 9,
			    prompt_tokens_details: { cached_tokens: 5 } },
		}),
		stream: (a) => {
			const chunk = (delta, finish_reason = null) => sse({
				id: 'c', model: 'up', choices: [
				{ index: 0, delta, finish_reason }] });

			return chunk({ role: 'assistant', content: '' }) +
			    pieces(a.thinking ?? '', 3).map((text) =>
			    chunk({ reasoning: text })).join('') +
			    pieces(a.text, size(a)).map((content) =>
			    chunk({ content })).join('') +
			    a.calls.map(([id, name, args], index) =>
			    chunk({ tool_calls: [{ index, id, function:
			    { name, arguments: '' } }] }) +
			    pieces(JSON.stringify(args), 4).map((text) =>
			    chunk({ tool_calls: [{ index, function:
			    { arguments: text } }] })).join('')).join('') +
			    chunk({}, { tool: 'tool_calls', end: 'stop',
				length: 'length' }[a.stop]) +
			    sse({ choices: [], usage: { prompt_tokens: 20,
				completion_tokens: 9, prompt_tokens_details:
				{ cached_tokens: 5 } } }) +
			    'data: [DONE]\n\n';
		},
		error: '{"error":{"message":"sorry","type":"x","code":"y"}}',
	},
	messages: {
		whole: (a) => JSON.stringify({
			id: 'm', type: 'message', role: 'assistant',
			model: 'up', content: [
				...a.thinking ? [{ type: 'thinking',
				    thinking: a.thinking,
				    signature: a.signature }] : [],
				{ type: 'text', text: a.text },
				...a.calls.map(([id, name, input]) => ({
				    type: 'tool_use', id, name, input })),
			],
			stop_reason: { tool: 'tool_use', end: 'end_turn',
			    length: 'max_tokens' }[a.stop],
			usage: { input_tokens: 15, output_tokens: 9,
			    cache_read_input_tokens: 5 },
		}),
		stream: (a) => {
			let index = 0;
			const event = (type, rest) =>
			    `event: ${type}\n${sse({ type, ...rest })}`;
			const block = (content_block, deltas) =>
			    event('content_block_start',
				{ index, content_block }) +
			    deltas.map((delta) => event('content_block_delta',
				{ index, delta })).join('') +
			    event('content_block_stop', { index: index++ });

			return event('message_start', { message: { id: 'm',
				model: 'up', usage: { input_tokens: 15,
				cache_read_input_tokens: 5,
				output_tokens: 1 } } }) +
			    event('ping', {}) +
			    (a.thinking ? block({ type: 'thinking',
				thinking: '', signature: '' }, [
				...pieces(a.thinking, 3).map((thinking) => ({
				type: 'thinking_delta', thinking })),
				{ type: 'signature_delta',
				signature: a.signature }]) : '') +
			    block({ type: 'text', text: '' },
				pieces(a.text, size(a)).map((text) => ({
				type: 'text_delta', text }))) +
			    a.calls.map(([id, name, args]) => block({
				type: 'tool_use', id, name, input: {} },
				pieces(JSON.stringify(args), 4).map((text) => ({
				type: 'input_json_delta',
				partial_json: text })))).join('') +
			    event('message_delta', { delta: { stop_reason: {
				tool: 'tool_use', end: 'end_turn',
				length: 'max_tokens' }[a.stop],
				stop_sequence: null },
				usage: { output_tokens: 9 } }) +
			    event('message_stop', {});
		},
		error: '{"type":"error","error":{"type":"api_error",' +
		    '"message":"sorry"}}',
	},
	gemini: {
		body: (parts, finishReason) => ({
			candidates: [{ content: { role: 'model', parts },
			    finishReason }],
			usageMetadata: { promptTokenCount: 20,
			    cachedContentTokenCount: 5,
			    candidatesTokenCount: 9 },
			modelVersion: 'up', responseId: 'g',
		}),
		calls: (a) => a.calls.map(([, name, args], i) => ({
			functionCall: { name, args },
			thoughtSignature: i === 0 ? a.signature : undefined,
		})),
		stop: (a) => a.stop === 'length' ? 'MAX_TOKENS' : 'STOP',
		whole: (a) => JSON.stringify(upstreams.gemini.body([
			...a.thinking ? [{ text: a.thinking,
			    thought: true }] : [],
			{ text: a.text }, ...upstreams.gemini.calls(a),
		], upstreams.gemini.stop(a))),
		stream: (a) => [
			...pieces(a.thinking ?? '', 3).map((text) =>
			    upstreams.gemini.body([{ text, thought: true }])),
			...pieces(a.text, size(a)).map((text) =>
			    upstreams.gemini.body([{ text }])),
			upstreams.gemini.body(upstreams.gemini.calls(a),
			    upstreams.gemini.stop(a)),
		].map(sse).join(''),
		error: '{"error":{"code":500,"message":"sorry",' +
		    '"status":"INTERNAL"}}',
	},
};

function translate(args, input, { tools = [], stream } = {}) {
	const custom = tools.filter((tool) => tool.type === 'custom');
	const done = spawnSync(TRANSLATE, args, { input,
	    maxBuffer: 1 << 28, env: { ...process.env,
	    CUSTOM_TOOLS: custom.map(({ name }) => `${name}\n`).join(''),
	    ...stream ? { STREAMED: '1' } : {} } });

	assert.equal(done.error, undefined);
	return { status: done.status, out: done.stdout,
	    why: done.stderr.toString().trim() };
}

const servers = [];
after(() => servers.forEach((server) => server.close()));

// The gateway of a client protocol in front of an upstream.  The model's name
// says what is answered; a call that brings results is answered with text.
async function gateway(client, upstream) {
	const state = { requests: [] };
	const server = createServer((request, response) => {
		const chunks = [];

		request.on('data', (chunk) => chunks.push(chunk));
		request.on('end', () => {
			const { status, type, body } = answer(client, upstream,
			    state, request.url, Buffer.concat(chunks));

			response.writeHead(status, { 'content-type': type,
			    'x-should-retry': 'false' });
			response.end(body);
		});
	});

	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	servers.push(server);
	state.url = `http://127.0.0.1:${server.address().port}`;
	return state;
}

// Gemini's path says what others say in the body.
function asked(url, body) {
	const path = /models\/(\w+):(\w+)/.exec(url);

	return path === null ? JSON.parse(body) : { model: path[1],
	    stream: path[2] === 'streamGenerateContent' };
}

function answer(client, upstream, state, url, body) {
	const { model, stream, tools } = asked(url, body);
	const request = translate(['request', client, upstream], body,
	    { stream });
	const type = stream ? 'text/event-stream' : 'application/json';
	let what = said[model];

	if (request.status !== 0)
		return { status: 400, type: 'application/json',
		    body: request.out };
	state.requests.push(JSON.parse(request.out));
	if (model === 'error')
		return { status: 500, type: 'application/json',
		    body: translate(['error', client, upstream],
			upstreams[upstream].error).out };
	if (/"tool_result"|"role":"tool"|"functionResponse"/.test(request.out))
		what = said.text;
	if (model === 'cut')
		return { status: 200, type, body: translate(['stream', client,
		    upstream], upstreams[upstream].stream(said.text)
		    .slice(0, 400)).out };
	const done = translate([stream ? 'stream' : 'answer', client,
	    upstream], upstreams[upstream][stream ? 'stream' : 'whole'](what),
	    { tools });

	assert.equal(done.status, 0, done.why);
	return { status: 200, type, body: done.out };
}

const hello = [{ role: 'user', content: 'Hello' }];
const schema = { type: 'object', additionalProperties: false,
    required: ['city'], properties: { city: { type: 'string' } } };
const openai = (state) => new OpenAI({ apiKey: 'k',
    baseURL: `${state.url}/v1` });

function sameCalls(upstream, model, calls) {
	const want = said[model].calls;

	assert.deepEqual(calls.map(([, name, args]) => [name, args]),
	    want.map(([, name, args]) => [name, args]));
	assert.equal(new Set(calls.map(([id]) => id)).size, want.length);
	if (upstream !== 'gemini')
		assert.deepEqual(calls.map(([id]) => id),
		    want.map(([id]) => id));
}

for (const upstream of ['messages', 'gemini']) {
	const check = (model, completion) => {
		const [choice] = completion.choices;

		assert.equal(choice.message.content, said[model].text);
		assert.equal(choice.finish_reason, { tool: 'tool_calls',
		    end: 'stop', length: 'length' }[said[model].stop]);
		sameCalls(upstream, model, (choice.message.tool_calls ?? [])
		    .map((call) => [call.id, call.function.name,
			JSON.parse(call.function.arguments)]));
		assert.equal(completion.usage.prompt_tokens, 20);
		assert.equal(completion.usage.prompt_tokens_details
		    .cached_tokens, 5);
		assert.equal(completion.usage.completion_tokens, 9);
		if (said[model].thinking)
			assert.equal(choice.message.reasoning_content,
			    said[model].thinking);
	};

	test(`chat on ${upstream}: whole answers`, async () => {
		const state = await gateway('chat', upstream);

		for (const model of ['tools', 'text', 'long'])
			check(model, await openai(state).chat.completions
			    .create({ model, messages: hello }));
	});

	test(`chat on ${upstream}: the stream helper`, async () => {
		const state = await gateway('chat', upstream);

		for (const model of ['text', 'long', 'tools']) {
			const runner = openai(state).chat.completions.stream({
				model, messages: hello,
				stream_options: { include_usage: true },
			});
			let thinking = '';

			runner.on('chunk', (chunk) => thinking +=
			    chunk.choices[0]?.delta.reasoning_content ?? '');
			const completion = await runner
			    .finalChatCompletion();

			completion.choices[0].message.reasoning_content =
			    thinking;
			check(model, completion);
		}
	});

	test(`chat on ${upstream}: tools are run and answered`, async () => {
		const state = await gateway('chat', upstream);
		const ran = [];
		const tool = (name) => ({ type: 'function', function: {
			name, parameters: { type: 'object' }, parse: JSON.parse,
			function: (args) => {
				ran.push([name, args]);
				return `result of ${name}`;
			},
		} });

		for (const stream of [false, true]) {
			const runner = openai(state).chat.completions
			    .runTools({ model: 'tools', messages: hello, stream,
				tools: [tool('weather'), tool('time')] });

			assert.equal(await runner.finalContent(),
			    said.text.text);
		}
		assert.deepEqual(ran, [['weather', CITY], ['time', {}],
		    ['weather', CITY], ['time', {}]]);
		// What went up the second time has both results.
		for (const name of ['weather', 'time'])
			for (const i of [1, 3])
				assert.match(JSON.stringify(state.requests[i]),
				    new RegExp(`result of ${name}`));
	});

	test(`chat on ${upstream}: what was signed comes back`, async () => {
		const state = await gateway('chat', upstream);
		const first = await openai(state).chat.completions.create({
			model: 'tools', messages: hello });
		const { message } = first.choices[0];

		await openai(state).chat.completions.create({ model: 'tools',
			messages: [...hello, message,
			...message.tool_calls.map((call) => ({ role: 'tool',
			tool_call_id: call.id, content: 'x' }))] });
		assert.match(JSON.stringify(state.requests[1]),
		    /EqMB\+\/==/);
	});

	test(`chat on ${upstream}: a schema's answer is parsed`, async () => {
		const state = await gateway('chat', upstream);
		const completion = await openai(state).chat.completions.parse({
			model: 'json', messages: hello, response_format: {
				type: 'json_schema', json_schema: {
				name: 'city', strict: true, schema } },
		});

		assert.equal(JSON.parse(completion.choices[0].message.content)
		    .city, CITY.city);
		assert.match(JSON.stringify(state.requests[0]),
		    /"additionalProperties":false/);
	});

	test(`chat on ${upstream}: errors, refusals and cuts`, async () => {
		const state = await gateway('chat', upstream);
		const create = (body) => openai(state).chat.completions
		    .create({ model: 'text', messages: hello, ...body });

		await assert.rejects(create({ model: 'error' }), (error) =>
		    error instanceof OpenAI.InternalServerError &&
		    /sorry/.test(error.message));
		await assert.rejects(create({ logprobs: true }), (error) =>
		    error instanceof OpenAI.BadRequestError &&
		    /'logprobs'/.test(error.message));
		await assert.rejects(async () => {
			for await (const chunk of await create({
			    model: 'cut', stream: true }))
				assert.ok(chunk.choices);
		}, /broke the answer off/);
	});
}

for (const sdk of [
	{ version: '1', Client: Anthropic, tool: betaTool,
	    format: jsonSchemaOutputFormat },
	{ version: '0', Client: OlderAnthropic, tool: olderBetaTool,
	    format: olderFormat },
])
	for (const upstream of ['chat', 'gemini'])
		messagesTests(sdk, upstream);

function messagesTests({ version, Client, tool, format }, upstream) {
	const anthropic = (state) => new Client({ apiKey: 'k',
	    baseURL: state.url });
	const title = `messages ${version} on ${upstream}`;
	const check = (model, message) => {
		const of = (type) => message.content.filter((block) =>
		    block.type === type);

		assert.equal(of('text').map((block) => block.text).join(''),
		    said[model].text);
		assert.equal(of('thinking').map((block) => block.thinking)
		    .join(''), said[model].thinking ?? '');
		assert.equal(message.stop_reason, { tool: 'tool_use',
		    end: 'end_turn', length: 'max_tokens' }[said[model].stop]);
		sameCalls(upstream, model, of('tool_use').map((block) =>
		    [block.id, block.name, block.input]));
		assert.equal(message.usage.input_tokens, 15);
		assert.equal(message.usage.cache_read_input_tokens, 5);
		assert.equal(message.usage.output_tokens, 9);
	};

	test(`${title}: whole answers`, async () => {
		const state = await gateway('messages', upstream);

		for (const model of ['tools', 'text', 'long'])
			check(model, await anthropic(state).messages.create({
				model, max_tokens: 100, messages: hello }));
	});

	test(`${title}: the stream helper`, async () => {
		const state = await gateway('messages', upstream);

		for (const model of ['tools', 'text', 'long'])
			check(model, await anthropic(state).messages.stream({
				model, max_tokens: 100, messages: hello,
			}).finalMessage());
	});

	test(`${title}: a tool loop`, async () => {
		const state = await gateway('messages', upstream);
		const first = await anthropic(state).messages.stream({
			model: 'tools', max_tokens: 100, messages: hello,
		}).finalMessage();
		const results = first.content.filter((block) =>
		    block.type === 'tool_use').map((block) => ({
			type: 'tool_result', tool_use_id: block.id,
			content: `result of ${block.name}`,
		})).reverse();
		const last = await anthropic(state).messages.create({
			model: 'tools', max_tokens: 100, messages: [...hello,
			{ role: 'assistant', content: first.content },
			{ role: 'user', content: results }],
		});

		check('text', last);
		for (const name of ['weather', 'time'])
			assert.match(JSON.stringify(state.requests[1]),
			    new RegExp(`result of ${name}`));
		if (upstream === 'gemini')
			assert.match(JSON.stringify(state.requests[1]),
			    /"thoughtSignature":"EqMB\+\/=="/);
	});

	test(`${title}: tools are run and answered`, async () => {
		const state = await gateway('messages', upstream);
		const ran = [];
		const tools = ['weather', 'time'].map((name) => tool({
			name, description: name,
			inputSchema: { type: 'object', properties: {} },
			run: (input) => {
				ran.push([name, input]);
				return `result of ${name}`;
			},
		}));

		for (const stream of [false, true]) {
			const runner = anthropic(state).beta.messages
			    .toolRunner({ model: 'tools', max_tokens: 100,
				messages: hello, tools, stream });

			check('text', await runner.runUntilDone());
		}
		assert.deepEqual(ran, [['weather', CITY], ['time', {}],
		    ['weather', CITY], ['time', {}]]);
		for (const name of ['weather', 'time'])
			for (const i of [1, 3])
				assert.match(JSON.stringify(state.requests[i]),
				    new RegExp(`result of ${name}`));
	});

	test(`${title}: a schema's answer is parsed`, async () => {
		const state = await gateway('messages', upstream);
		const message = await anthropic(state).messages.parse({
			model: 'json', max_tokens: 100, messages: hello,
			output_config: { format: format(schema) },
		});

		assert.equal(message.parsed_output.city, CITY.city);
		assert.match(JSON.stringify(state.requests[0]),
		    /"additionalProperties":false/);
	});

	test(`${title}: errors, refusals and cuts`, async () => {
		const state = await gateway('messages', upstream);
		const create = (body) => anthropic(state).messages.create({
			model: 'text', max_tokens: 9, messages: hello, ...body,
		});

		await assert.rejects(create({ model: 'error' }), (error) =>
		    error instanceof Client.InternalServerError &&
		    /sorry/.test(error.message));
		await assert.rejects(create({ inference_geo: 'eu' }),
		    /'inference_geo'/);
		await assert.rejects(async () => {
			for await (const event of await create({
			    model: 'cut', stream: true }))
				assert.ok(event.type);
		}, /broke the answer off/);
	});
}

for (const upstream of ['chat', 'messages', 'gemini']) {
	const check = (model, response) => {
		const of = (type) => response.output.filter((item) =>
		    item.type === type);

		assert.equal(response.output_text, said[model].text);
		assert.equal(response.status, said[model].stop === 'length' ?
		    'incomplete' : 'completed');
		assert.equal(of('reasoning').map((item) => item.summary.map(
		    (part) => part.text).join('')).join(''),
		    said[model].thinking ?? '');
		sameCalls(upstream, model, of('function_call').map((item) =>
		    [item.call_id, item.name, JSON.parse(item.arguments)]));
		assert.equal(response.usage.input_tokens, 20);
		assert.equal(response.usage.input_tokens_details
		    .cached_tokens, 5);
		assert.equal(response.usage.output_tokens, 9);
	};

	test(`responses on ${upstream}: whole answers`, async () => {
		const state = await gateway('responses', upstream);

		for (const model of ['tools', 'text', 'long'])
			check(model, await openai(state).responses.create({
				model, input: 'Hello' }));
	});

	test(`responses on ${upstream}: the stream helper`, async () => {
		const state = await gateway('responses', upstream);

		for (const model of ['tools', 'text', 'long']) {
			const stream = openai(state).responses.stream({
				model, input: 'Hello' });
			let text = '';

			stream.on('response.output_text.delta', (event) =>
			    text += event.delta);
			check(model, await stream.finalResponse());
			assert.equal(text, said[model].text);
		}
	});

	test(`responses on ${upstream}: a tool loop`, async () => {
		const state = await gateway('responses', upstream);
		const first = await openai(state).responses.stream({
			model: 'tools', input: 'Hello', store: false,
			include: ['reasoning.encrypted_content'],
		}).finalResponse();
		const input = [...hello, ...first.output];

		for (const item of first.output)
			if (item.type === 'function_call')
				input.push({ type: 'function_call_output',
				    call_id: item.call_id,
				    output: `result of ${item.name}` });
		check('text', await openai(state).responses.create({
			model: 'tools', input, store: false }));
		for (const name of ['weather', 'time'])
			assert.match(JSON.stringify(state.requests[1]),
			    new RegExp(`result of ${name}`));
		if (upstream !== 'chat')
			assert.match(JSON.stringify(state.requests[1]),
			    /EqMB\+\/==/);
	});

	test(`responses on ${upstream}: a tool of free text`, async () => {
		const state = await gateway('responses', upstream);
		const body = { model: 'custom', input: 'Hello',
		    tools: [{ type: 'custom', name: 'patch' }] };
		const whole = await openai(state).responses.create(body);
		const streamed = await openai(state).responses.stream(body)
		    .finalResponse();

		for (const response of [whole, streamed]) {
			const [call] = response.output.slice(-1);

			assert.equal(call.type, 'custom_tool_call');
			assert.equal(call.name, 'patch');
			assert.equal(call.input, 'a "b"\n十');
		}
		const [call] = streamed.output.slice(-1);
		const last = await openai(state).responses.create({ ...body,
			input: [...hello, ...streamed.output, {
			type: 'custom_tool_call_output',
			call_id: call.call_id, output: 'done' }] });

		assert.equal(last.output_text, said.text.text);
	});

	test(`responses on ${upstream}: a schema's answer is parsed`,
	    async () => {
		const state = await gateway('responses', upstream);
		const response = await openai(state).responses.parse({
			model: 'json', input: 'Hello', text: { format: {
				type: 'json_schema', name: 'city',
				strict: true, schema } },
		});

		assert.equal(JSON.parse(response.output_text).city,
		    CITY.city);
	});

	test(`responses on ${upstream}: errors, refusals and cuts`,
	    async () => {
		const state = await gateway('responses', upstream);
		const create = (body) => openai(state).responses.create({
			model: 'text', input: 'Hello', ...body });

		await assert.rejects(create({ model: 'error' }), /sorry/);
		await assert.rejects(create({ previous_response_id: 'r' }),
		    /'previous_response_id'/);
		await assert.rejects(async () => {
			for await (const event of await create({
			    model: 'cut', stream: true }))
				if (event.type === 'error')
					throw new Error(event.message);
		}, /broke the answer off/);
	});
}

for (const upstream of GoogleGenAI ? ['chat', 'messages'] : []) {
	const gemini = (state) => new GoogleGenAI({ apiKey: 'k',
	    httpOptions: { baseUrl: state.url } });
	const tools = [{ functionDeclarations: ['weather', 'time'].map(
	    (name) => ({ name, description: name, parameters: {
		type: 'OBJECT', properties: { city: { type: 'STRING',
		nullable: true } } } })) }];
	const partsOf = (chunks) => chunks.flatMap((chunk) =>
	    chunk.candidates?.[0].content?.parts ?? []);
	const check = (model, chunks) => {
		const parts = partsOf(chunks);
		const last = chunks.at(-1);
		const text = (thought) => parts.filter((part) =>
		    !!part.thought === thought).map((part) => part.text ?? '')
		    .join('');

		assert.equal(text(false), said[model].text);
		assert.equal(text(true), said[model].thinking ?? '');
		sameCalls(upstream, model, parts.filter((part) =>
		    part.functionCall).map(({ functionCall: call }) =>
		    [call.id, call.name, call.args]));
		assert.equal(last.candidates[0].finishReason,
		    said[model].stop === 'length' ? 'MAX_TOKENS' : 'STOP');
		assert.equal(last.usageMetadata.promptTokenCount, 20);
		assert.equal(last.usageMetadata.cachedContentTokenCount, 5);
		assert.equal(last.usageMetadata.candidatesTokenCount, 9);
	};

	test(`gemini on ${upstream}: whole and streamed`, async () => {
		const state = await gateway('gemini', upstream);

		for (const model of ['tools', 'text', 'long']) {
			check(model, [await gemini(state).models
			    .generateContent({ model, contents: 'Hello' })]);
			const chunks = [];

			for await (const chunk of await gemini(state).models
			    .generateContentStream({ model,
				contents: 'Hello' }))
				chunks.push(chunk);
			check(model, chunks);
		}
		assert.equal(state.requests[1].stream, true);
	});

	test(`gemini on ${upstream}: a tool loop`, async () => {
		const state = await gateway('gemini', upstream);
		const first = await gemini(state).models.generateContent({
			model: 'tools', contents: 'Hello', config: { tools } });
		// Without ids, and not in the order of the calls.
		const contents = [
			{ role: 'user', parts: [{ text: 'Hello' }] },
			first.candidates[0].content,
			{ role: 'user', parts: first.functionCalls.map(
			    ({ name }) => ({ functionResponse: { name,
			    response: { output: `result of ${name}` } } }))
			    .reverse() },
		];

		check('text', [await gemini(state).models.generateContent({
			model: 'tools', contents, config: { tools } })]);
		for (const name of ['weather', 'time'])
			assert.match(JSON.stringify(state.requests[1]),
			    new RegExp(`result of ${name}`));
		if (upstream === 'messages')
			assert.match(JSON.stringify(state.requests[1]),
			    /"thinking":"Hm, well.","signature":"EqMB\+\/=="/);
	});

	test(`gemini on ${upstream}: errors, refusals and cuts`, async () => {
		const state = await gateway('gemini', upstream);
		const create = (body) => gemini(state).models
		    .generateContent({ model: 'text', contents: 'Hello',
			...body });

		await assert.rejects(create({ model: 'error' }), /sorry/);
		await assert.rejects(create({ config: { candidateCount: 2 } }),
		    /'generationConfig.candidateCount'/);
		await assert.rejects(async () => {
			for await (const chunk of await gemini(state).models
			    .generateContentStream({ model: 'cut',
				contents: 'Hello' }))
				assert.ok(chunk);
		}, /broke the answer off/);
	});
}
