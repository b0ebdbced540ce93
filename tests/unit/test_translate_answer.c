/*
 * test_translate_answer.c: answers of each upstream protocol for each client
 * protocol, whole and streamed, however cut.  In these texts ' stands for ".
 */
#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/run.h"
#include "translate/translate.h"

#define CHAT		TRANSLATE_CHAT
#define MESSAGES	TRANSLATE_MESSAGES
#define RESPONSES	TRANSLATE_RESPONSES
#define GEMINI		TRANSLATE_GEMINI

static struct translate_answer_options options = {
	.id = "r1", .model = "asked", .created_s = 7, .include_usage = true
};

static char *
quoted(const char *text)
{
	char *copy = strdup(text), *p;

	ck_assert_ptr_nonnull(copy);
	for (p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

static void
pair(enum translate_protocol client, enum translate_protocol upstream)
{
	options.client = client;
	options.upstream = upstream;
}

/* A stream in pieces, into out as a string. */
static enum translate_result
run_stream(const char *in, size_t len, size_t step, struct buf *out)
{
	struct translate_stream *stream = translate_stream_new(&options);
	enum translate_result result = TRANSLATE_OK;
	size_t at, n;

	ck_assert_ptr_nonnull(stream);
	buf_init(out, 8u << 20);
	for (at = 0; at < len && result == TRANSLATE_OK; at += n) {
		n = len - at < step ? len - at : step;
		result = translate_stream_feed(stream, in + at, n, out);
	}
	if (result == TRANSLATE_OK)
		result = translate_stream_end(stream, out);
	translate_stream_free(stream);
	ck_assert(buf_append(out, "", 1));
	return result;
}

/* The stream gives exactly this, in pieces of every size. */
static void
streams(const char *in, const char *want, enum translate_result result)
{
	char *text = quoted(in), *wanted = quoted(want);
	size_t step, len = strlen(text);
	struct buf out;

	for (step = 1; step <= len; step = step < 10 ? step + 1 : step * 3) {
		ck_assert_int_eq(run_stream(text, len, step, &out), result);
		ck_assert_str_eq(buf_head(&out), wanted);
		buf_free(&out);
	}
	ck_assert_int_eq(run_stream(text, len, len, &out), result);
	ck_assert_str_eq(buf_head(&out), wanted);
	buf_free(&out);
	free(text);
	free(wanted);
}

static void
answers(const char *in, const char *want)
{
	char *text = quoted(in), *wanted = quoted(want);
	struct json_object *a, *b = json_tokener_parse(wanted);
	struct buf out;

	ck_assert_msg(b != NULL, "the test is not JSON: %s", wanted);
	buf_init(&out, 1u << 20);
	ck_assert_int_eq(translate_answer(&options, text, strlen(text), &out),
	    TRANSLATE_OK);
	ck_assert(buf_append(&out, "", 1));
	a = json_tokener_parse(buf_head(&out));
	ck_assert_msg(a != NULL && json_object_equal(a, b),
	    "got  %s\nwant %s", buf_head(&out), wanted);
	json_object_put(a);
	json_object_put(b);
	buf_free(&out);
	free(text);
	free(wanted);
}

#define CHUNK(delta) "data: {'id':'c','object':'chat.completion.chunk'," \
	"'created':1,'model':'up','choices':[{'index':0,'delta':" delta "," \
	"'finish_reason':null}]}\n\n"
#define CHUNK_STOP(reason) "data: {'id':'c','model':'up','choices':[" \
	"{'index':0,'delta':{},'finish_reason':'" reason "'}]}\n\n"
#define CHUNK_USAGE "data: {'id':'c','model':'up','choices':[],'usage':" \
	"{'prompt_tokens':10,'completion_tokens':5,'total_tokens':15," \
	"'prompt_tokens_details':{'cached_tokens':4}," \
	"'completion_tokens_details':{'reasoning_tokens':2}}}\n\n"
#define DONE "data: [DONE]\n\n"

#define EVENT(name, rest) "event: " name "\ndata: {'type':'" name "'" rest \
	"}\n\n"
#define MESSAGE_START EVENT("message_start", ",'message':{'id':'msg_r1'," \
	"'type':'message','role':'assistant','model':'up','content':[]," \
	"'stop_reason':null,'stop_sequence':null,'usage':{'input_tokens':0," \
	"'cache_creation_input_tokens':0,'cache_read_input_tokens':0," \
	"'output_tokens':0}}")
#define MESSAGE_END(reason) EVENT("message_delta", ",'delta':{" \
	"'stop_reason':'" reason "','stop_sequence':null},'usage':{" \
	"'input_tokens':6,'cache_creation_input_tokens':0," \
	"'cache_read_input_tokens':4,'output_tokens':5," \
	"'output_tokens_details':{'thinking_tokens':2}}") \
	EVENT("message_stop", "")
#define BLOCK(i, block) EVENT("content_block_start", ",'index':" i \
	",'content_block':" block)
#define DELTA(i, delta) EVENT("content_block_delta", ",'index':" i \
	",'delta':" delta)
#define STOP(i) EVENT("content_block_stop", ",'index':" i)

START_TEST(test_chat_text_streams_as_messages)
{
	pair(MESSAGES, CHAT);
	streams(": hello\n\n" CHUNK("{'role':'assistant','content':''}")
	    CHUNK("{'reasoning_content':'Hm'}") CHUNK("{'reasoning':'m.'}")
	    CHUNK("{'content':'H\xc3\xa4 \\u00e4\\n\\ud83d\\ude00'}")
	    CHUNK("{'content':null}") CHUNK("{'content':'\\\\!'}")
	    CHUNK_STOP("stop") CHUNK_USAGE DONE,
	    MESSAGE_START BLOCK("0", "{'type':'thinking','thinking':'',"
	    "'signature':''}")
	    DELTA("0", "{'type':'thinking_delta','thinking':'Hm'}")
	    DELTA("0", "{'type':'thinking_delta','thinking':'m.'}")
	    STOP("0") BLOCK("1", "{'type':'text','text':''}")
	    DELTA("1", "{'type':'text_delta','text':'H\xc3\xa4 \xc3\xa4\\n"
	    "\xf0\x9f\x98\x80'}")
	    DELTA("1", "{'type':'text_delta','text':'\\\\!'}") STOP("1")
	    MESSAGE_END("end_turn"), TRANSLATE_OK);
}
END_TEST

#define CHAT_CALLS CHUNK("{'content':'so'}") CHUNK("{'tool_calls':[{" \
	"'index':0,'id':'c1','type':'function','function':{'name':'f'," \
	"'arguments':''}}]}") CHUNK("{'tool_calls':[{'index':0,'function':{" \
	"'arguments':'{\\'a\\':'}}]}") CHUNK("{'tool_calls':[{'index':0," \
	"'id':'c1','function':{'name':null,'arguments':'1}'}}]}") \
	CHUNK("{'tool_calls':[{'index':1,'id':'c2','type':'function'," \
	"'function':{'name':'g'}}]}")

START_TEST(test_chat_calls_stream_as_messages)
{
	pair(MESSAGES, CHAT);
	streams(CHAT_CALLS CHUNK_STOP("tool_calls") CHUNK_USAGE DONE,
	    MESSAGE_START BLOCK("0", "{'type':'text','text':''}")
	    DELTA("0", "{'type':'text_delta','text':'so'}") STOP("0")
	    BLOCK("1", "{'type':'tool_use','id':'c1','name':'f','input':{}}")
	    DELTA("1", "{'type':'input_json_delta','partial_json':"
	    "'{\\'a\\':'}")
	    DELTA("1", "{'type':'input_json_delta','partial_json':'1}'}")
	    STOP("1")
	    BLOCK("2", "{'type':'tool_use','id':'c2','name':'g','input':{}}")
	    DELTA("2", "{'type':'input_json_delta','partial_json':'{}'}")
	    STOP("2") MESSAGE_END("tool_use"), TRANSLATE_OK);
	/* Calls that share an index are told apart by their ids, and "stop"
	 * behind a call is a call's. */
	streams(CHUNK("{'tool_calls':[{'index':0,'id':'a','function':{'name':"
	    "'f','arguments':'{}'}},{'index':0,'id':'b','function':{'name':"
	    "'f','arguments':'{}'}}]}") CHUNK_STOP("stop") CHUNK_USAGE DONE,
	    MESSAGE_START
	    BLOCK("0", "{'type':'tool_use','id':'a','name':'f','input':{}}")
	    DELTA("0", "{'type':'input_json_delta','partial_json':'{}'}")
	    STOP("0")
	    BLOCK("1", "{'type':'tool_use','id':'b','name':'f','input':{}}")
	    DELTA("1", "{'type':'input_json_delta','partial_json':'{}'}")
	    STOP("1") MESSAGE_END("tool_use"), TRANSLATE_OK);
}
END_TEST

START_TEST(test_usage_is_found_wherever_chat_upstreams_put_it)
{
	static const char *const chunks[] = {
		/* With the stop, and without [DONE]. */
		"data: {'model':'up','choices':[{'index':0,'delta':{"
		"'content':'x'},'finish_reason':'stop'}],'usage':{"
		"'prompt_tokens':10,'completion_tokens':5,"
		"'prompt_cache_hit_tokens':4,'completion_tokens_details':{"
		"'reasoning_tokens':2}}}\n\n",
		/* On every chunk; the last counts. */
		"data: {'model':'up','choices':[{'index':0,'delta':{"
		"'content':'x'}}],'usage':{'prompt_tokens':1,"
		"'completion_tokens':1}}\n\n"
		"data: {'model':'up','choices':[{'index':0,'delta':{},"
		"'finish_reason':'stop'}],'x_groq':{'usage':{"
		"'prompt_tokens':10,'completion_tokens':5,'cached_tokens':4,"
		"'completion_tokens_details':{'reasoning_tokens':2}}}}\n\n"
		"data: {'choices':[],'usage':null}\r\n\r\n" DONE,
		/* The end without a blank line. */
		"data: {'model':'up','choices':[{'index':0,'delta':{"
		"'content':'x'},'finish_reason':'stop'}]}\n\n"
		"data: {'choices':[],'usage':{'prompt_tokens':10,"
		"'completion_tokens':5,'num_cached_tokens':4,"
		"'completion_tokens_details':{'reasoning_tokens':2}}}",
	};
	size_t i;

	pair(MESSAGES, CHAT);
	for (i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++)
		streams(chunks[i], MESSAGE_START
		    BLOCK("0", "{'type':'text','text':''}")
		    DELTA("0", "{'type':'text_delta','text':'x'}") STOP("0")
		    MESSAGE_END("end_turn"), TRANSLATE_OK);
}
END_TEST

START_TEST(test_reasons_to_stop_cross)
{
	static const struct {
		const char *chat, *messages;
	} reasons[] = {
		{ "stop", "end_turn" }, { "length", "max_tokens" },
		{ "tool_calls", "tool_use" }, { "content_filter", "refusal" },
		{ "eos", "end_turn" },
	};
	char in[1024], want[4096];
	size_t i;

	pair(MESSAGES, CHAT);
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		snprintf(in, sizeof(in), "data: {'model':'up','choices':[{"
		    "'index':0,'delta':{},'finish_reason':'%s'}]}\n\n"
		    CHUNK_USAGE DONE, reasons[i].chat);
		snprintf(want, sizeof(want), MESSAGE_START MESSAGE_END("%s"),
		    reasons[i].messages);
		streams(in, want, TRANSLATE_OK);
	}
	/* One that names the sequence. */
	answers("{'id':'c','model':'up','choices':[{'index':0,'message':{"
	    "'role':'assistant','content':'x'},'finish_reason':'stop',"
	    "'stop_reason':'END'}],'usage':{'prompt_tokens':1,"
	    "'completion_tokens':2}}",
	    "{'id':'msg_r1','type':'message','role':'assistant','model':'up',"
	    "'content':[{'type':'text','text':'x'}],'stop_reason':"
	    "'stop_sequence','stop_sequence':'END','usage':{'input_tokens':1,"
	    "'cache_creation_input_tokens':0,'cache_read_input_tokens':0,"
	    "'output_tokens':2}}");
}
END_TEST

#define OUT_CHUNK(delta) "data: {'id':'chatcmpl-r1','object':" \
	"'chat.completion.chunk','created':7,'model':'up','choices':[{" \
	"'index':0,'delta':" delta ",'finish_reason':null}]}\n\n"
#define OUT_END(reason, usage) "data: {'id':'chatcmpl-r1','object':" \
	"'chat.completion.chunk','created':7,'model':'up','choices':[{" \
	"'index':0,'delta':{},'finish_reason':'" reason "'}]}\n\n" \
	"data: {'id':'chatcmpl-r1','object':'chat.completion.chunk'," \
	"'created':7,'model':'up','choices':[],'usage':" usage "}\n\n" DONE
#define OUT_USAGE "{'prompt_tokens':16,'completion_tokens':9," \
	"'total_tokens':25,'prompt_tokens_details':{'cached_tokens':4," \
	"'cache_write_tokens':2},'completion_tokens_details':{" \
	"'reasoning_tokens':3}}"
#define UP_START EVENT("message_start", ",'message':{'id':'m','model':" \
	"'up','usage':{'input_tokens':10,'cache_creation_input_tokens':2," \
	"'cache_read_input_tokens':4,'output_tokens':1}}")
#define UP_END(reason) EVENT("message_delta", ",'delta':{'stop_reason':'" \
	reason "','stop_sequence':null},'usage':{'output_tokens':9," \
	"'output_tokens_details':{'thinking_tokens':3}}") \
	EVENT("message_stop", "")

START_TEST(test_messages_stream_as_chat)
{
	pair(CHAT, MESSAGES);
	streams(UP_START EVENT("ping", "")
	    BLOCK("0", "{'type':'thinking','thinking':'','signature':''}")
	    DELTA("0", "{'type':'thinking_delta','thinking':'Hm'}")
	    DELTA("0", "{'type':'signature_delta','signature':'S'}") STOP("0")
	    BLOCK("1", "{'type':'redacted_thinking','data':'R'}") STOP("1")
	    BLOCK("2", "{'type':'server_tool_use','id':'s','name':'w',"
	    "'input':{}}")
	    DELTA("2", "{'type':'input_json_delta','partial_json':'{}'}")
	    STOP("2") BLOCK("3", "{'type':'text','text':''}")
	    DELTA("3", "{'type':'text_delta','text':'so'}")
	    DELTA("3", "{'type':'citations_delta','citation':{}}") STOP("3")
	    BLOCK("4", "{'type':'tool_use','id':'t','name':'f','input':{}}")
	    DELTA("4", "{'type':'input_json_delta','partial_json':''}")
	    DELTA("4", "{'type':'input_json_delta','partial_json':"
	    "'{\\'a\\':1}'}") STOP("4")
	    BLOCK("5", "{'type':'tool_use','id':'t2','name':'g','input':{}}")
	    STOP("5") UP_END("tool_use"),
	    OUT_CHUNK("{'role':'assistant','content':''}") ": ping\n\n"
	    OUT_CHUNK("{'reasoning_content':'Hm','reasoning_details':[{"
	    "'type':'reasoning.text','format':'anthropic-claude-v1','index':"
	    "0,'text':'Hm'}]}")
	    OUT_CHUNK("{'reasoning_details':[{'type':'reasoning.text',"
	    "'format':'anthropic-claude-v1','index':0,'signature':'S'}]}")
	    OUT_CHUNK("{'reasoning_details':[{'type':'reasoning.encrypted',"
	    "'format':'anthropic-claude-v1','index':1,'data':'R'}]}")
	    OUT_CHUNK("{'content':'so'}")
	    OUT_CHUNK("{'tool_calls':[{'index':0,'id':'t','type':'function',"
	    "'function':{'name':'f','arguments':''}}]}")
	    OUT_CHUNK("{'tool_calls':[{'index':0,'function':{'arguments':"
	    "'{\\'a\\':1}'}}]}")
	    OUT_CHUNK("{'tool_calls':[{'index':1,'id':'t2','type':'function',"
	    "'function':{'name':'g','arguments':''}}]}")
	    OUT_CHUNK("{'tool_calls':[{'index':1,'function':{'arguments':"
	    "'{}'}}]}")
	    OUT_END("tool_calls", OUT_USAGE), TRANSLATE_OK);
}
END_TEST

START_TEST(test_usage_is_sent_to_chat_clients_that_asked)
{
	pair(CHAT, MESSAGES);
	options.include_usage = false;
	streams(UP_START UP_END("max_tokens"),
	    OUT_CHUNK("{'role':'assistant','content':''}")
	    "data: {'id':'chatcmpl-r1','object':'chat.completion.chunk',"
	    "'created':7,'model':'up','choices':[{'index':0,'delta':{},"
	    "'finish_reason':'length'}]}\n\n" DONE, TRANSLATE_OK);
	options.include_usage = true;
}
END_TEST

START_TEST(test_messages_answer_chat)
{
	pair(CHAT, MESSAGES);
	answers("{'id':'m','type':'message','role':'assistant','model':'up',"
	    "'content':[{'type':'thinking','thinking':'Hm','signature':'S'},"
	    "{'type':'redacted_thinking','data':'R'},{'type':'text','text':"
	    "'so'},{'type':'text','text':'.'},{'type':'tool_use','id':'t',"
	    "'name':'f','input':{'a':[1.50]}},{'type':'tool_use','id':'u',"
	    "'name':'g','input':{}}],'stop_reason':'tool_use','usage':"
	    "{'input_tokens':10,'cache_creation_input_tokens':2,"
	    "'cache_read_input_tokens':4,'output_tokens':9,"
	    "'output_tokens_details':{'thinking_tokens':3}}}",
	    "{'id':'chatcmpl-r1','object':'chat.completion','created':7,"
	    "'model':'up','choices':[{'index':0,'message':{'role':"
	    "'assistant','content':'so.','refusal':null,'reasoning_content':"
	    "'Hm','reasoning_details':[{'type':'reasoning.text','format':"
	    "'anthropic-claude-v1','index':0,'text':'Hm','signature':'S'},"
	    "{'type':'reasoning.encrypted','format':'anthropic-claude-v1',"
	    "'index':1,'data':'R'}],'tool_calls':[{'id':'t','type':"
	    "'function','function':{'name':'f','arguments':"
	    "'{\\'a\\':[1.50]}'}},{'id':'u','type':'function','function':"
	    "{'name':'g','arguments':'{}'}}]},'logprobs':null,"
	    "'finish_reason':'tool_calls'}],'usage':" OUT_USAGE "}");
}
END_TEST

START_TEST(test_chat_answers_messages)
{
	pair(MESSAGES, CHAT);
	answers("{'id':'c','model':'up','choices':[{'index':0,'message':{"
	    "'role':'assistant','content':'so','reasoning':'Hm',"
	    "'tool_calls':[{'id':'c1','type':'function','function':{'name':"
	    "'f','arguments':'{\\'a\\':1}'}},{'id':'c2','type':'function',"
	    "'function':{'name':'g','arguments':'{oops'}}]},'finish_reason':"
	    "'tool_calls'}],'usage':{'prompt_tokens':10,'completion_tokens':"
	    "5,'prompt_tokens_details':{'cached_tokens':4}}}",
	    "{'id':'msg_r1','type':'message','role':'assistant','model':'up',"
	    "'content':[{'type':'thinking','thinking':'Hm','signature':''},"
	    "{'type':'text','text':'so'},{'type':'tool_use','id':'c1',"
	    "'name':'f','input':{'a':1}},{'type':'tool_use','id':'c2',"
	    "'name':'g','input':{'invalid_json':'{oops'}}],'stop_reason':"
	    "'tool_use','stop_sequence':null,'usage':{'input_tokens':6,"
	    "'cache_creation_input_tokens':0,'cache_read_input_tokens':4,"
	    "'output_tokens':5}}");
}
END_TEST

#define UP_GEMINI(parts, more) "data: {'candidates':[{'content':{'role':" \
	"'model','parts':[" parts "]}" more ",'index':0}],'usageMetadata':" \
	"{'promptTokenCount':16,'cachedContentTokenCount':4," \
	"'candidatesTokenCount':6,'thoughtsTokenCount':3},'modelVersion':" \
	"'up','responseId':'g'}\r\n\r\n"
#define GEMINI_USAGE "{'prompt_tokens':16,'completion_tokens':9," \
	"'total_tokens':25,'prompt_tokens_details':{'cached_tokens':4}," \
	"'completion_tokens_details':{'reasoning_tokens':3}}"

START_TEST(test_gemini_streams_as_chat)
{
	pair(CHAT, GEMINI);
	streams(UP_GEMINI("{'text':'Hm','thought':true}", "")
	    UP_GEMINI("{'text':'so'},{'text':''}", "")
	    UP_GEMINI("{'functionCall':{'name':'f','args':{'a':1}},"
	    "'thoughtSignature':'G'},{'functionCall':{'id':'i','name':'g'}}",
	    ",'finishReason':'STOP'"),
	    OUT_CHUNK("{'role':'assistant','content':''}")
	    OUT_CHUNK("{'reasoning_content':'Hm'}")
	    OUT_CHUNK("{'content':'so'}")
	    OUT_CHUNK("{'tool_calls':[{'index':0,'id':'call_yy_r1_0','type':"
	    "'function','extra_content':{'google':{'thought_signature':'G'}},"
	    "'function':{'name':'f','arguments':''}}]}")
	    OUT_CHUNK("{'tool_calls':[{'index':0,'function':{'arguments':"
	    "'{\\'a\\':1}'}}]}")
	    OUT_CHUNK("{'tool_calls':[{'index':1,'id':'i','type':'function',"
	    "'function':{'name':'g','arguments':''}}]}")
	    OUT_CHUNK("{'tool_calls':[{'index':1,'function':{'arguments':"
	    "'{}'}}]}")
	    OUT_END("tool_calls", GEMINI_USAGE), TRANSLATE_OK);
	streams(UP_GEMINI("", ",'finishReason':'MALFORMED_FUNCTION_CALL'"),
	    OUT_CHUNK("{'role':'assistant','content':''}")
	    OUT_END("content_filter", GEMINI_USAGE), TRANSLATE_OK);
}
END_TEST

START_TEST(test_gemini_answers_messages)
{
	pair(MESSAGES, GEMINI);
	answers("{'candidates':[{'content':{'parts':[{'text':'so'},"
	    "{'functionCall':{'name':'f','args':{}},'thoughtSignature':'G'}"
	    "]},'finishReason':'STOP'}],'usageMetadata':{'promptTokenCount':"
	    "16,'toolUsePromptTokenCount':1,'candidatesTokenCount':6}}",
	    "{'id':'msg_r1','type':'message','role':'assistant','model':"
	    "'asked','content':[{'type':'text','text':'so'},{'type':"
	    "'thinking','thinking':'','signature':'gemini:G'},{'type':"
	    "'tool_use','id':'call_yy_r1_0','name':'f','input':{}}],"
	    "'stop_reason':'tool_use','stop_sequence':null,'usage':"
	    "{'input_tokens':17,'cache_creation_input_tokens':0,"
	    "'cache_read_input_tokens':0,'output_tokens':6}}");
	answers("{'promptFeedback':{'blockReason':'SAFETY'}}",
	    "{'id':'msg_r1','type':'message','role':'assistant','model':"
	    "'asked','content':[],'stop_reason':'refusal','stop_sequence':"
	    "null,'usage':{'input_tokens':0,'cache_creation_input_tokens':0,"
	    "'cache_read_input_tokens':0,'output_tokens':0}}");
}
END_TEST

#define RESPONSE(status, details, output, usage) "{'id':'resp_r1'," \
	"'object':'response','created_at':7,'status':'" status "'," \
	"'background':false,'error':null,'incomplete_details':" details "," \
	"'instructions':null,'max_output_tokens':null,'metadata':{}," \
	"'model':'up','output':[" output "],'parallel_tool_calls':true," \
	"'previous_response_id':null,'reasoning':{'effort':null,'summary':" \
	"null},'store':false,'temperature':null,'text':{'format':{'type':" \
	"'text'}},'tool_choice':'auto','tools':[],'top_p':null," \
	"'truncation':'disabled','usage':" usage ",'user':null}"
#define RESPONSE_USAGE "{'input_tokens':16,'input_tokens_details':{" \
	"'cached_tokens':4,'cache_write_tokens':2},'output_tokens':9," \
	"'output_tokens_details':{'reasoning_tokens':3},'total_tokens':25}"
#define R_EVENT(name, n, rest) "event: " name "\ndata: {'type':'" name \
	"','sequence_number':" n rest "}\n\n"
#define R_ITEM(i, prefix) ",'output_index':" i ",'item_id':'" prefix "_r1_" \
	i "'"
#define R_PART ",'part':{'type':'output_text','annotations':[],'logprobs':" \
	"[],'text':'"
#define ITEM_RS "{'id':'rs_r1_0','type':'reasoning','summary':[{'type':" \
	"'summary_text','text':'Hm'}],'encrypted_content':'anthropic:S'}"
#define ITEM_MSG "{'id':'msg_r1_1','type':'message','status':'completed'," \
	"'role':'assistant','content':[{'type':'output_text','annotations':" \
	"[],'logprobs':[],'text':'s\\'o'}]}"
#define ITEM_FC "{'id':'fc_r1_2','type':'function_call','status':" \
	"'completed','call_id':'t','name':'f','arguments':'{}'}"

START_TEST(test_messages_stream_as_responses)
{
	pair(RESPONSES, MESSAGES);
	streams(UP_START
	    BLOCK("0", "{'type':'thinking','thinking':'','signature':''}")
	    DELTA("0", "{'type':'thinking_delta','thinking':'Hm'}")
	    DELTA("0", "{'type':'signature_delta','signature':'S'}") STOP("0")
	    BLOCK("1", "{'type':'text','text':''}")
	    DELTA("1", "{'type':'text_delta','text':'s\\''}")
	    DELTA("1", "{'type':'text_delta','text':'o'}") STOP("1")
	    BLOCK("2", "{'type':'tool_use','id':'t','name':'f','input':{}}")
	    STOP("2") UP_END("tool_use"),
	    R_EVENT("response.created", "0", ",'response':"
	    RESPONSE("in_progress", "null", "", "null"))
	    R_EVENT("response.in_progress", "1", ",'response':"
	    RESPONSE("in_progress", "null", "", "null"))
	    R_EVENT("response.output_item.added", "2", ",'output_index':0,"
	    "'item':{'id':'rs_r1_0','type':'reasoning','summary':[]}")
	    R_EVENT("response.reasoning_summary_part.added", "3",
	    R_ITEM("0", "rs") ",'summary_index':0,'part':{'type':"
	    "'summary_text','text':''}")
	    R_EVENT("response.reasoning_summary_text.delta", "4",
	    R_ITEM("0", "rs") ",'summary_index':0,'delta':'Hm'")
	    R_EVENT("response.reasoning_summary_text.done", "5",
	    R_ITEM("0", "rs") ",'summary_index':0,'text':'Hm'")
	    R_EVENT("response.reasoning_summary_part.done", "6",
	    R_ITEM("0", "rs") ",'summary_index':0,'part':{'type':"
	    "'summary_text','text':'Hm'}")
	    R_EVENT("response.output_item.done", "7", ",'output_index':0,"
	    "'item':" ITEM_RS)
	    R_EVENT("response.output_item.added", "8", ",'output_index':1,"
	    "'item':{'id':'msg_r1_1','type':'message','status':"
	    "'in_progress','role':'assistant','content':[]}")
	    R_EVENT("response.content_part.added", "9", R_ITEM("1", "msg")
	    ",'content_index':0" R_PART "'}")
	    R_EVENT("response.output_text.delta", "10", R_ITEM("1", "msg")
	    ",'content_index':0,'delta':'s\\'','logprobs':[]")
	    R_EVENT("response.output_text.delta", "11", R_ITEM("1", "msg")
	    ",'content_index':0,'delta':'o','logprobs':[]")
	    R_EVENT("response.output_text.done", "12", R_ITEM("1", "msg")
	    ",'content_index':0,'logprobs':[],'text':'s\\'o'")
	    R_EVENT("response.content_part.done", "13", R_ITEM("1", "msg")
	    ",'content_index':0" R_PART "s\\'o'}")
	    R_EVENT("response.output_item.done", "14", ",'output_index':1,"
	    "'item':" ITEM_MSG)
	    R_EVENT("response.output_item.added", "15", ",'output_index':2,"
	    "'item':{'id':'fc_r1_2','type':'function_call','status':"
	    "'in_progress','call_id':'t','name':'f','arguments':''}")
	    R_EVENT("response.function_call_arguments.delta", "16",
	    R_ITEM("2", "fc") ",'delta':'{}'")
	    R_EVENT("response.function_call_arguments.done", "17",
	    R_ITEM("2", "fc") ",'name':'f','arguments':'{}'")
	    R_EVENT("response.output_item.done", "18", ",'output_index':2,"
	    "'item':" ITEM_FC)
	    R_EVENT("response.completed", "19", ",'response':"
	    RESPONSE("completed", "null", ITEM_RS "," ITEM_MSG "," ITEM_FC,
	    RESPONSE_USAGE)), TRANSLATE_OK);
}
END_TEST

#define ITEM_CTC "{'id':'ctc_r1_0','type':'custom_tool_call','status':" \
	"'completed','call_id':'c','name':'patch','input':'a\\nb'}"

START_TEST(test_calls_of_free_text_come_as_text)
{
	pair(RESPONSES, CHAT);
	options.custom_tools = "say\npatch\n";
	streams(CHUNK("{'tool_calls':[{'index':0,'id':'c','function':{'name':"
	    "'patch','arguments':'{\\'input\\':'}}]}")
	    CHUNK("{'tool_calls':[{'index':0,'function':{'arguments':"
	    "'\\'a\\\\nb\\'}'}}]}") CHUNK_STOP("tool_calls") DONE,
	    R_EVENT("response.created", "0", ",'response':"
	    RESPONSE("in_progress", "null", "", "null"))
	    R_EVENT("response.in_progress", "1", ",'response':"
	    RESPONSE("in_progress", "null", "", "null"))
	    R_EVENT("response.output_item.added", "2", ",'output_index':0,"
	    "'item':{'id':'ctc_r1_0','type':'custom_tool_call','status':"
	    "'in_progress','call_id':'c','name':'patch','input':''}")
	    R_EVENT("response.custom_tool_call_input.delta", "3",
	    R_ITEM("0", "ctc") ",'delta':'a\\nb'")
	    R_EVENT("response.custom_tool_call_input.done", "4",
	    R_ITEM("0", "ctc") ",'input':'a\\nb'")
	    R_EVENT("response.output_item.done", "5", ",'output_index':0,"
	    "'item':" ITEM_CTC)
	    R_EVENT("response.completed", "6", ",'response':"
	    RESPONSE("completed", "null", ITEM_CTC, "{'input_tokens':0,"
	    "'input_tokens_details':{'cached_tokens':0},'output_tokens':0,"
	    "'output_tokens_details':{'reasoning_tokens':0},'total_tokens':"
	    "0}")), TRANSLATE_OK);
	answers("{'model':'up','choices':[{'message':{'tool_calls':[{'id':"
	    "'c','function':{'name':'say','arguments':'oops'}}]}}]}",
	    RESPONSE("completed", "null", "{'id':'ctc_r1_0','type':"
	    "'custom_tool_call','status':'completed','call_id':'c','name':"
	    "'say','input':'oops'}", "{'input_tokens':0,"
	    "'input_tokens_details':{'cached_tokens':0},'output_tokens':0,"
	    "'output_tokens_details':{'reasoning_tokens':0},'total_tokens':"
	    "0}"));
	options.custom_tools = NULL;
}
END_TEST

START_TEST(test_chat_and_gemini_answer_responses)
{
	pair(RESPONSES, CHAT);
	answers("{'id':'c','model':'up','choices':[{'index':0,'message':{"
	    "'role':'assistant','content':'so'},'finish_reason':'length'}],"
	    "'usage':{'prompt_tokens':16,'completion_tokens':9,"
	    "'prompt_tokens_details':{'cached_tokens':4,'cache_write_tokens':"
	    "2},'completion_tokens_details':{'reasoning_tokens':3}}}",
	    RESPONSE("incomplete", "{'reason':'max_output_tokens'}",
	    "{'id':'msg_r1_0','type':'message','status':'incomplete','role':"
	    "'assistant','content':[{'type':'output_text','annotations':[],"
	    "'logprobs':[],'text':'so'}]}", RESPONSE_USAGE));
	pair(RESPONSES, GEMINI);
	answers("{'candidates':[{'content':{'parts':[{'functionCall':{'id':"
	    "'i','name':'f','args':{'a':'\\u00e4'}},'thoughtSignature':'G'}]}"
	    ",'finishReason':'STOP'}],'modelVersion':'up','usageMetadata':"
	    "{'promptTokenCount':1,'candidatesTokenCount':2}}",
	    RESPONSE("completed", "null", "{'id':'rs_r1_0','type':"
	    "'reasoning','summary':[],'encrypted_content':'gemini:G'},"
	    "{'id':'fc_r1_1','type':'function_call','status':'completed',"
	    "'call_id':'i','name':'f','arguments':'{\\'a\\':\\'\xc3\xa4\\'}'}",
	    "{'input_tokens':1,'input_tokens_details':{'cached_tokens':0},"
	    "'output_tokens':2,'output_tokens_details':{'reasoning_tokens':"
	    "0},'total_tokens':3}"));
}
END_TEST

#define G_EVENT(parts, more) "{'candidates':[{'content':{'role':'model'," \
	"'parts':[" parts "]}" more ",'modelVersion':'up','responseId':'r1'}"
#define G_PART(part) G_EVENT(part, ",'index':0}]")
#define G_END(parts) G_EVENT(parts, ",'finishReason':'STOP','index':0}]," \
	"'usageMetadata':{'promptTokenCount':16,'candidatesTokenCount':6," \
	"'thoughtsTokenCount':3,'cachedContentTokenCount':4," \
	"'totalTokenCount':25}")
#define G_THOUGHT "{'text':'Hm','thought':true}"
#define G_SIGNED "{'text':'','thought':true,'thoughtSignature':" \
	"'YW50aHJvcGljOlM='}"
#define G_CALL "{'functionCall':{'id':'t','name':'f','args':{'a':1}}}"

START_TEST(test_messages_stream_as_gemini)
{
	static const char in[] = UP_START EVENT("ping", "")
	    BLOCK("0", "{'type':'thinking','thinking':'','signature':''}")
	    DELTA("0", "{'type':'thinking_delta','thinking':'Hm'}")
	    DELTA("0", "{'type':'signature_delta','signature':'S'}") STOP("0")
	    BLOCK("1", "{'type':'text','text':''}")
	    DELTA("1", "{'type':'text_delta','text':'so'}") STOP("1")
	    BLOCK("2", "{'type':'tool_use','id':'t','name':'f','input':{}}")
	    DELTA("2", "{'type':'input_json_delta','partial_json':'{'}")
	    DELTA("2", "{'type':'input_json_delta','partial_json':"
	    "'\\'a\\':1}'}") STOP("2") UP_END("tool_use");

	pair(GEMINI, MESSAGES);
	streams(in, ": ping\n\ndata: " G_PART(G_THOUGHT) "\n\ndata: "
	    G_PART(G_SIGNED) "\n\ndata: " G_PART("{'text':'so'}")
	    "\n\ndata: " G_PART(G_CALL) "\n\ndata: " G_END("") "\n\n",
	    TRANSLATE_OK);
	options.as_array = true;
	streams(in, "[" G_PART(G_THOUGHT) ",\r\n" G_PART(G_SIGNED) ",\r\n"
	    G_PART("{'text':'so'}") ",\r\n" G_PART(G_CALL) ",\r\n"
	    G_END("") "]", TRANSLATE_OK);
	streams(UP_START EVENT("error", ",'error':{'type':"
	    "'overloaded_error','message':'no'}"), "[{'error':{'code':529,"
	    "'message':'no','status':'UNAVAILABLE','details':[]}}]",
	    TRANSLATE_FAILED);
	options.as_array = false;
}
END_TEST

START_TEST(test_messages_answer_gemini)
{
	pair(GEMINI, MESSAGES);
	answers("{'id':'m','model':'up','content':[{'type':'thinking',"
	    "'thinking':'Hm','signature':'S'},{'type':'text','text':'so'},"
	    "{'type':'tool_use','id':'t','name':'f','input':{'a':1}}],"
	    "'stop_reason':'tool_use','usage':{'input_tokens':12,"
	    "'cache_read_input_tokens':4,'output_tokens':9,"
	    "'output_tokens_details':{'thinking_tokens':3}}}",
	    G_END(G_THOUGHT "," G_SIGNED ",{'text':'so'}," G_CALL));
}
END_TEST

START_TEST(test_an_error_in_a_stream_is_passed_on_and_ends_it)
{
	pair(CHAT, MESSAGES);
	streams(UP_START EVENT("error", ",'error':{'type':'overloaded_error',"
	    "'message':'Over\\'loaded'}") UP_END("end_turn"),
	    OUT_CHUNK("{'role':'assistant','content':''}")
	    "data: {'error':{'message':'Over\\'loaded','type':"
	    "'server_error','param':null,'code':null}}\n\n",
	    TRANSLATE_FAILED);
	pair(MESSAGES, CHAT);
	streams("data: {'error':{'message':'slow down','type':'x','code':"
	    "429}}\n\n", "event: error\ndata: {'type':'error','error':{"
	    "'type':'rate_limit_error','message':'slow down'},'request_id':"
	    "'r1'}\n\n", TRANSLATE_FAILED);
	pair(RESPONSES, GEMINI);
	streams("data: {'error':{'message':'quota','status':"
	    "'RESOURCE_EXHAUSTED','code':429}}\n\n",
	    R_EVENT("error", "0", ",'code':null,'message':'quota','param':"
	    "null"), TRANSLATE_FAILED);
}
END_TEST

START_TEST(test_a_stream_that_is_cut_or_broken_is_told_of)
{
	pair(CHAT, MESSAGES);
	streams(UP_START BLOCK("0", "{'type':'text','text':'x'}"),
	    OUT_CHUNK("{'role':'assistant','content':''}")
	    OUT_CHUNK("{'content':'x'}"), TRANSLATE_CUT);
	streams("", "", TRANSLATE_CUT);
	streams("data: {oops}\n\n", "", TRANSLATE_BAD);
	/* What an event leads to is sent whole, or not at all. */
	pair(MESSAGES, CHAT);
	streams(CHUNK("{'content':'a','tool_calls':[{'index':3,'function':{"
	    "'arguments':'x'}}]}"), "", TRANSLATE_BAD);
	/* A piece of a call that is over cannot be placed. */
	streams(CHUNK("{'tool_calls':[{'index':0,'id':'a','function':{'name':"
	    "'f','arguments':'{'}}]}") CHUNK("{'tool_calls':[{'index':1,"
	    "'id':'b','function':{'name':'g','arguments':'{}'}}]}")
	    CHUNK("{'tool_calls':[{'index':0,'function':{'arguments':'}'}}"
	    "]}"), MESSAGE_START
	    BLOCK("0", "{'type':'tool_use','id':'a','name':'f','input':{}}")
	    DELTA("0", "{'type':'input_json_delta','partial_json':'{'}")
	    STOP("0")
	    BLOCK("1", "{'type':'tool_use','id':'b','name':'g','input':{}}")
	    DELTA("1", "{'type':'input_json_delta','partial_json':'{}'}"),
	    TRANSLATE_BAD);
}
END_TEST

START_TEST(test_our_own_error_ends_a_stream_once)
{
	static const char message[] = "cut";
	struct translate_stream *stream;
	enum translate_result result;
	struct buf out;

	pair(MESSAGES, CHAT);
	stream = translate_stream_new(&options);
	ck_assert_ptr_nonnull(stream);
	buf_init(&out, 4096);
	result = translate_stream_feed(stream, "data: {}", 8, &out);
	ck_assert_int_eq(result, TRANSLATE_OK);
	ck_assert(translate_stream_fail(stream, 502, message, &out));
	ck_assert(translate_stream_fail(stream, 502, message, &out));
	ck_assert(buf_append(&out, "", 1));
	ck_assert_str_eq(buf_head(&out), "event: error\ndata: {\"type\":"
	    "\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"cut\"},"
	    "\"request_id\":\"r1\"}\n\n");
	result = translate_stream_feed(stream, "x", 1, &out);
	ck_assert_int_eq(result, TRANSLATE_FAILED);
	translate_stream_free(stream);
	buf_free(&out);
}
END_TEST

START_TEST(test_an_event_beyond_the_bound_ends_the_stream)
{
	struct translate_stream *stream;
	static char piece[65536];
	enum translate_result result;
	struct buf out;
	int i;

	memset(piece, 'x', sizeof(piece));
	memcpy(piece, "data: ", 6);
	pair(MESSAGES, CHAT);
	stream = translate_stream_new(&options);
	ck_assert_ptr_nonnull(stream);
	buf_init(&out, 4096);
	result = translate_stream_feed(stream, piece, sizeof(piece), &out);
	for (i = 0; i < 16 && result == TRANSLATE_OK; i++)
		result = translate_stream_feed(stream, piece + 6,
		    sizeof(piece) - 6, &out);
	ck_assert_int_eq(result, TRANSLATE_LONG);
	ck_assert_uint_eq(out.len, 0);
	ck_assert(translate_stream_fail(stream, 502, "too long", &out));
	translate_stream_free(stream);
	buf_free(&out);
}
END_TEST

START_TEST(test_no_room_leaves_whole_events)
{
	char *text = quoted(CHUNK("{'content':'a'}") CHUNK("{'content':'b'}")
	    CHUNK_STOP("stop") DONE);
	size_t limit, len = strlen(text);
	struct translate_stream *stream;
	enum translate_result result;
	struct buf out;

	pair(MESSAGES, CHAT);
	for (limit = 0; limit < 2048; limit++) {
		stream = translate_stream_new(&options);
		ck_assert_ptr_nonnull(stream);
		buf_init(&out, limit);
		result = translate_stream_feed(stream, text, len, &out);
		ck_assert(result == TRANSLATE_NO_ROOM ||
		    result == TRANSLATE_OK);
		ck_assert(out.len == 0 || memcmp(buf_head(&out) + out.len - 2,
		    "\n\n", 2) == 0);
		translate_stream_free(stream);
		buf_free(&out);
	}
	free(text);
}
END_TEST

/* A long answer: what a stream keeps does not grow, but for responses, which
 * has a bound. */
START_TEST(test_long_answers_stream_to_the_end)
{
	enum translate_result result = TRANSLATE_OK;
	struct translate_stream *stream;
	char *chunk = quoted(CHUNK("{'content':'0123456789 0123456789'}"));
	char *end = quoted(CHUNK_STOP("stop") DONE);
	struct buf out;
	int i;

	pair(MESSAGES, CHAT);
	stream = translate_stream_new(&options);
	ck_assert_ptr_nonnull(stream);
	buf_init(&out, 65536);
	for (i = 0; i < 300000 && result == TRANSLATE_OK; i++) {
		buf_consume(&out, out.len);
		result = translate_stream_feed(stream, chunk, strlen(chunk),
		    &out);
	}
	ck_assert_int_eq(result, TRANSLATE_OK);
	result = translate_stream_feed(stream, end, strlen(end), &out);
	ck_assert_int_eq(result, TRANSLATE_OK);
	translate_stream_free(stream);
	pair(RESPONSES, CHAT);
	stream = translate_stream_new(&options);
	ck_assert_ptr_nonnull(stream);
	for (i = 0; i < 300000 && result == TRANSLATE_OK; i++) {
		buf_consume(&out, out.len);
		result = translate_stream_feed(stream, chunk, strlen(chunk),
		    &out);
	}
	ck_assert_int_eq(result, TRANSLATE_LONG);
	ck_assert_int_gt(i, 190000);
	translate_stream_free(stream);
	buf_free(&out);
	free(chunk);
	free(end);
}
END_TEST

START_TEST(test_broken_utf8_is_mended)
{
	pair(MESSAGES, CHAT);
	streams(CHUNK("{'content':'a\xff\xc3'}") CHUNK_STOP("stop")
	    CHUNK_USAGE DONE,
	    MESSAGE_START BLOCK("0", "{'type':'text','text':''}")
	    DELTA("0", "{'type':'text_delta','text':'a\xef\xbf\xbd"
	    "\xef\xbf\xbd'}") STOP("0") MESSAGE_END("end_turn"),
	    TRANSLATE_OK);
}
END_TEST

START_TEST(test_what_is_no_answer_is_bad)
{
	static const char *const bad[] = {
		"", "[]", "{}", "{\"error\":{}}", "{\"choices\":[]}", "x",
	};
	struct buf out;
	size_t i;

	pair(MESSAGES, CHAT);
	buf_init(&out, 4096);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(translate_answer(&options, bad[i],
		    strlen(bad[i]), &out), TRANSLATE_BAD);
	pair(CHAT, MESSAGES);
	ck_assert_int_eq(translate_answer(&options, "{}", 2, &out),
	    TRANSLATE_BAD);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

static void
error_gives(int status, const char *in, const char *want)
{
	char *text = quoted(in), *wanted = quoted(want);
	struct buf out;

	buf_init(&out, 4096);
	ck_assert(translate_error(&options, status, text, strlen(text),
	    &out));
	ck_assert(buf_append(&out, "", 1));
	ck_assert_str_eq(buf_head(&out), wanted);
	buf_free(&out);
	free(text);
	free(wanted);
}

START_TEST(test_errors_take_the_clients_shape)
{
	pair(CHAT, MESSAGES);
	error_gives(400, "{'type':'error','error':{'type':"
	    "'invalid_request_error','message':'no'}}",
	    "{'error':{'message':'no','type':'invalid_request_error',"
	    "'param':null,'code':null}}");
	pair(MESSAGES, CHAT);
	error_gives(429, "{'error':{'message':'slow','type':'x','code':"
	    "'rate_limit_exceeded'}}",
	    "{'type':'error','error':{'type':'rate_limit_error','message':"
	    "'slow'},'request_id':'r1'}");
	error_gives(413, "<html>", "{'type':'error','error':{'type':"
	    "'request_too_large','message':'The provider of"
	    " the model answered with an error.'},'request_id':'r1'}");
	pair(GEMINI, CHAT);
	error_gives(429, "{'error':{'message':'slow'}}", "{'error':{'code':"
	    "429,'message':'slow','status':'RESOURCE_EXHAUSTED','details':[]"
	    "}}");
	/* Its type would say 400. */
	error_gives(404, "{'error':{'message':'gone','type':"
	    "'invalid_request_error'}}", "{'error':{'code':404,'message':"
	    "'gone','status':'NOT_FOUND','details':[]}}");
	pair(RESPONSES, GEMINI);
	error_gives(404, "{'error':{'code':404,'message':'gone','status':"
	    "'NOT_FOUND'}}",
	    "{'error':{'message':'gone','type':'invalid_request_error',"
	    "'param':null,'code':null}}");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("translate/answer");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_chat_text_streams_as_messages);
	tcase_add_test(tc, test_chat_calls_stream_as_messages);
	tcase_add_test(tc, test_usage_is_found_wherever_chat_upstreams_put_it);
	tcase_add_test(tc, test_reasons_to_stop_cross);
	tcase_add_test(tc, test_messages_stream_as_chat);
	tcase_add_test(tc, test_usage_is_sent_to_chat_clients_that_asked);
	tcase_add_test(tc, test_messages_answer_chat);
	tcase_add_test(tc, test_chat_answers_messages);
	tcase_add_test(tc, test_gemini_streams_as_chat);
	tcase_add_test(tc, test_gemini_answers_messages);
	tcase_add_test(tc, test_messages_stream_as_responses);
	tcase_add_test(tc, test_calls_of_free_text_come_as_text);
	tcase_add_test(tc, test_chat_and_gemini_answer_responses);
	tcase_add_test(tc, test_messages_stream_as_gemini);
	tcase_add_test(tc, test_messages_answer_gemini);
	tcase_add_test(tc, test_an_error_in_a_stream_is_passed_on_and_ends_it);
	tcase_add_test(tc, test_a_stream_that_is_cut_or_broken_is_told_of);
	tcase_add_test(tc, test_our_own_error_ends_a_stream_once);
	tcase_add_test(tc, test_an_event_beyond_the_bound_ends_the_stream);
	tcase_add_test(tc, test_no_room_leaves_whole_events);
	tcase_add_test(tc, test_long_answers_stream_to_the_end);
	tcase_add_test(tc, test_broken_utf8_is_mended);
	tcase_add_test(tc, test_what_is_no_answer_is_bad);
	tcase_add_test(tc, test_errors_take_the_clients_shape);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
