/*
 * test_translate_request.c: requests of each client protocol for each upstream
 * protocol, and what is refused.  In these texts ' stands for ".
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

static struct translate_refusal refusal;
static struct translate_wish wish;

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

static enum translate_result
run(enum translate_protocol client, enum translate_protocol upstream,
    const char *model, const char *in, struct buf *out)
{
	const struct translate_request_options options = { .model = model };
	char *body = quoted(in);
	enum translate_result result;

	buf_init(out, 1u << 20);
	result = translate_request(client, upstream, body, strlen(body),
	    &options, out, &wish, &refusal);
	free(body);
	return result;
}

/* The upstream's body says the same as want, in any order of members. */
static void
gives(enum translate_protocol client, enum translate_protocol upstream,
    const char *model, const char *in, const char *want)
{
	char *text = quoted(want), why[512];
	struct json_object *wanted = json_tokener_parse(text), *got;
	enum translate_result result;
	struct buf out;

	ck_assert_msg(wanted != NULL, "the test is not JSON: %s", text);
	result = run(client, upstream, model, in, &out);
	ck_assert_msg(result == TRANSLATE_OK, "%s: %s", in,
	    translate_refusal_text(&refusal, why, sizeof(why)));
	ck_assert(buf_append(&out, "", 1));
	got = json_tokener_parse(buf_head(&out));
	ck_assert_msg(got != NULL && json_object_equal(got, wanted),
	    "got  %s\nwant %s", buf_head(&out), text);
	json_object_put(got);
	json_object_put(wanted);
	buf_free(&out);
	free(text);
}

static void
refuses(enum translate_protocol client, enum translate_protocol upstream,
    const char *in, enum translate_reason reason, const char *member)
{
	struct buf out;

	ck_assert_msg(run(client, upstream, "m", in, &out) ==
	    TRANSLATE_REFUSED, "not refused: %s", in);
	ck_assert_str_eq(refusal.member, member);
	ck_assert_int_eq(refusal.reason, reason);
	ck_assert_uint_eq(out.len, 0);
	buf_free(&out);
}

START_TEST(test_chat_text_becomes_messages)
{
	gives(CHAT, MESSAGES, "m", "{'model':'x','messages':["
	    "{'role':'system','content':'Be brief.'},"
	    "{'role':'developer','content':[{'type':'text','text':'And"
	    " kind.'}]},"
	    "{'role':'user','content':'Hi'},"
	    "{'role':'assistant','content':'Hello'},"
	    "{'role':'user','content':[{'type':'text','text':'A'},"
	    "{'type':'text','text':'B'}]}],"
	    "'max_tokens':1,'max_completion_tokens':9,'temperature':0.5,"
	    "'top_p':0.9,'stop':'END','user':'u','metadata':{'a':'b'},"
	    "'store':true,'n':1,'presence_penalty':0,'logprobs':false,"
	    "'service_tier':'auto','seed':null}",
	    "{'model':'m','max_tokens':9,'system':'Be brief.\\n\\nAnd kind.',"
	    "'messages':[{'role':'user','content':[{'type':'text','text':"
	    "'Hi'}]},{'role':'assistant','content':[{'type':'text','text':"
	    "'Hello'}]},{'role':'user','content':[{'type':'text','text':'A'},"
	    "{'type':'text','text':'B'}]}],'temperature':0.5,'top_p':0.9,"
	    "'stop_sequences':['END']}");
	ck_assert(!wish.streamed);
}
END_TEST

START_TEST(test_a_limit_is_given_where_the_upstream_must_be_told_one)
{
	gives(CHAT, MESSAGES, "m", "{'messages':[{'role':'user','content':"
	    "'Hi'}],'stream':true,'stream_options':{'include_usage':true}}",
	    "{'model':'m','max_tokens':4096,'messages':[{'role':'user',"
	    "'content':[{'type':'text','text':'Hi'}]}],'stream':true}");
	ck_assert(wish.streamed && wish.include_usage);
}
END_TEST

#define CHAT_TOOLS "'tools':[{'type':'function','function':{'name':'f'," \
	"'description':'d','parameters':{'type':'object','properties':" \
	"{'a':{'type':'integer'}}},'strict':true}},{'type':'function'," \
	"'function':{'name':'g'}}]"
#define CHAT_TOOL_TURNS "{'role':'user','content':'Go'}," \
	"{'role':'assistant','content':null,'tool_calls':[" \
	"{'id':'c1','type':'function','function':{'name':'f'," \
	"'arguments':'{\\'a\\':1}'}}," \
	"{'id':'c.2','type':'function','function':{'name':'g'," \
	"'arguments':''}}]}," \
	"{'role':'tool','tool_call_id':'c.2','content':'two'}," \
	"{'role':'tool','tool_call_id':'c1','content':[{'type':'text'," \
	"'text':'one'}]},{'role':'user','content':'on'}"

START_TEST(test_chat_tools_become_messages)
{
	struct buf out;

	gives(CHAT, MESSAGES, "m", "{'messages':["
	    "{'role':'user','content':'Go'},{'role':'assistant',"
	    "'content':'so','tool_calls':[{'id':'c1','type':'function',"
	    "'function':{'name':'f','arguments':'{\\'a\\':1}'}},"
	    "{'id':'c2','type':'function','function':{'name':'g',"
	    "'arguments':'{oops'}}]},"
	    "{'role':'tool','tool_call_id':'c2','content':'two'},"
	    "{'role':'tool','tool_call_id':'c1','content':'one'}],"
	    CHAT_TOOLS ",'tool_choice':'required','parallel_tool_calls':false}",
	    "{'model':'m','max_tokens':4096,'messages':[{'role':'user',"
	    "'content':[{'type':'text','text':'Go'}]},{'role':'assistant',"
	    "'content':[{'type':'text','text':'so'},{'type':'tool_use',"
	    "'id':'c1','name':'f','input':{'a':1}},{'type':'tool_use','id':"
	    "'c2','name':'g','input':{'invalid_json':'{oops'}}]},"
	    "{'role':'user','content':[{'type':'tool_result','tool_use_id':"
	    "'c2','content':[{'type':'text','text':'two'}]},{'type':"
	    "'tool_result','tool_use_id':'c1','content':[{'type':'text',"
	    "'text':'one'}]}]}],'tools':[{'name':'f','description':'d',"
	    "'input_schema':{'type':'object','properties':{'a':{'type':"
	    "'integer'}}},'strict':true},{'name':'g','input_schema':{'type':"
	    "'object'}}],'tool_choice':{'type':'any',"
	    "'disable_parallel_tool_use':true}}");
	/* An id that is none there is renamed, and its result alike. */
	ck_assert_int_eq(run(CHAT, MESSAGES, "m", "{'messages':["
	    CHAT_TOOL_TURNS "]}", &out), TRANSLATE_OK);
	ck_assert(buf_append(&out, "", 1));
	ck_assert_ptr_null(strstr(buf_head(&out), "c.2"));
	ck_assert_ptr_nonnull(strstr(buf_head(&out),
	    "\"tool_use_id\":\"call_"));
	ck_assert_ptr_nonnull(strstr(buf_head(&out), "\"id\":\"call_"));
	ck_assert(memcmp(strstr(buf_head(&out), "\"id\":\"call_") + 6,
	    strstr(buf_head(&out), "\"tool_use_id\":\"call_") + 15, 37) == 0);
	buf_free(&out);
}
END_TEST

START_TEST(test_results_lead_their_message)
{
	gives(CHAT, MESSAGES, "m", "{'messages':[{'role':'assistant',"
	    "'tool_calls':[{'id':'c1','function':{'name':'f','arguments':"
	    "'{}'}}]},{'role':'user','content':'wait'},{'role':'tool',"
	    "'tool_call_id':'c1','content':'one'}]}",
	    "{'model':'m','max_tokens':4096,'messages':[{'role':'assistant',"
	    "'content':[{'type':'tool_use','id':'c1','name':'f','input':{}}]},"
	    "{'role':'user','content':[{'type':'tool_result','tool_use_id':"
	    "'c1','content':[{'type':'text','text':'one'}]},{'type':'text',"
	    "'text':'wait'}]}]}");
}
END_TEST

START_TEST(test_blank_text_is_left_out_where_it_is_refused)
{
	gives(CHAT, MESSAGES, "m", "{'messages':[{'role':'system','content':"
	    "' '},{'role':'user','content':'x'},{'role':'assistant','content':"
	    "'\\n ','tool_calls':[{'id':'c1','function':{'name':'f',"
	    "'arguments':'{}'}}]},{'role':'tool','tool_call_id':'c1',"
	    "'content':''}]}",
	    "{'model':'m','max_tokens':4096,'messages':[{'role':'user',"
	    "'content':[{'type':'text','text':'x'}]},{'role':'assistant',"
	    "'content':[{'type':'tool_use','id':'c1','name':'f','input':{}}]},"
	    "{'role':'user','content':[{'type':'tool_result','tool_use_id':"
	    "'c1'}]}]}");
}
END_TEST

START_TEST(test_images_and_files_cross)
{
	gives(CHAT, MESSAGES, "m", "{'messages':[{'role':'user','content':["
	    "{'type':'image_url','image_url':{'url':'data:image/png;base64,"
	    "AAAA','detail':'low'}},{'type':'image_url','image_url':{'url':"
	    "'https://e.example/a.jpg'}},{'type':'file','file':{'filename':"
	    "'a.pdf','file_data':'data:application/pdf;base64,BBBB'}}]}]}",
	    "{'model':'m','max_tokens':4096,'messages':[{'role':'user',"
	    "'content':[{'type':'image','source':{'type':'base64',"
	    "'media_type':'image/png','data':'AAAA'}},{'type':'image',"
	    "'source':{'type':'url','url':'https://e.example/a.jpg'}},"
	    "{'type':'document','title':'a.pdf','source':{'type':'base64',"
	    "'media_type':'application/pdf','data':'BBBB'}}]}]}");
	gives(CHAT, GEMINI, "m", "{'messages':[{'role':'user','content':["
	    "{'type':'image_url','image_url':{'url':'data:image/png;base64,"
	    "AAAA'}},{'type':'image_url','image_url':{'url':"
	    "'https://e.example/a.jpg?x=.png'}},{'type':'input_audio',"
	    "'input_audio':{'data':'CC','format':'wav'}}]}]}",
	    "{'contents':[{'role':'user','parts':[{'inlineData':{'mimeType':"
	    "'image/png','data':'AAAA'}},{'fileData':{'mimeType':'image/jpeg',"
	    "'fileUri':'https://e.example/a.jpg?x=.png'}},{'inlineData':"
	    "{'mimeType':'audio/wav','data':'CC'}}]}]}");
	gives(MESSAGES, CHAT, "m", "{'messages':[{'role':'user','content':["
	    "{'type':'text','text':'see'},{'type':'image','source':{'type':"
	    "'base64','media_type':'image/png','data':'AAAA'}},{'type':"
	    "'image','source':{'type':'url','url':'https://e.example/a'}},"
	    "{'type':'document','title':'t','source':{'type':'base64',"
	    "'media_type':'application/pdf','data':'BB'}},{'type':'document',"
	    "'source':{'type':'text','media_type':'text/plain','data':"
	    "'words'}}]}]}",
	    "{'model':'m','messages':[{'role':'user','content':[{'type':"
	    "'text','text':'see'},{'type':'image_url','image_url':{'url':"
	    "'data:image/png;base64,AAAA'}},{'type':'image_url','image_url':"
	    "{'url':'https://e.example/a'}},{'type':'file','file':"
	    "{'filename':'t','file_data':'data:application/pdf;base64,BB'}},"
	    "{'type':'text','text':'words'}]}]}");
	gives(RESPONSES, CHAT, "m", "{'input':[{'role':'user','content':["
	    "{'type':'input_image','image_url':'data:image/png;base64,AA',"
	    "'detail':'auto'},{'type':'input_file','filename':'f','file_data':"
	    "'data:application/pdf;base64,BB'}]}]}",
	    "{'model':'m','messages':[{'role':'user','content':[{'type':"
	    "'image_url','image_url':{'url':'data:image/png;base64,AA'}},"
	    "{'type':'file','file':{'filename':'f','file_data':"
	    "'data:application/pdf;base64,BB'}}]}]}");
}
END_TEST

START_TEST(test_json_formats_cross)
{
	gives(CHAT, MESSAGES, "m", "{'messages':[{'role':'user','content':"
	    "'x'}],'response_format':{'type':'json_schema','json_schema':"
	    "{'name':'n','strict':true,'schema':{'type':'object'}}}}",
	    "{'model':'m','max_tokens':4096,'messages':[{'role':'user',"
	    "'content':[{'type':'text','text':'x'}]}],'output_config':"
	    "{'format':{'type':'json_schema','schema':{'type':'object'}}}}");
	gives(CHAT, MESSAGES, "m", "{'messages':[{'role':'user','content':"
	    "'x'}],'response_format':{'type':'json_object'}}",
	    "{'model':'m','max_tokens':4096,'system':[{'type':'text','text':"
	    "'Answer with one valid JSON object and nothing else.'}],"
	    "'messages':[{'role':'user','content':[{'type':'text','text':"
	    "'x'}]}]}");
	gives(CHAT, GEMINI, "m", "{'messages':[{'role':'user','content':"
	    "'x'}],'response_format':{'type':'json_schema','json_schema':"
	    "{'name':'n','schema':{'type':'object'}}}}",
	    "{'contents':[{'role':'user','parts':[{'text':'x'}]}],"
	    "'generationConfig':{'responseMimeType':'application/json',"
	    "'responseJsonSchema':{'type':'object'}}}");
	gives(MESSAGES, CHAT, "m", "{'messages':[{'role':'user','content':"
	    "'x'}],'output_config':{'format':{'type':'json_schema','schema':"
	    "{'type':'object'}}}}",
	    "{'model':'m','messages':[{'role':'user','content':'x'}],"
	    "'response_format':{'type':'json_schema','json_schema':{'name':"
	    "'answer','schema':{'type':'object'},'strict':true}}}");
	gives(RESPONSES, CHAT, "m", "{'input':'x','text':{'format':{'type':"
	    "'json_schema','name':'n','schema':{'type':'object'},'strict':"
	    "true},'verbosity':'low'}}",
	    "{'model':'m','messages':[{'role':'user','content':'x'}],"
	    "'verbosity':'low','response_format':{'type':'json_schema',"
	    "'json_schema':{'name':'n','schema':{'type':'object'},'strict':"
	    "true}}}");
}
END_TEST

START_TEST(test_effort_becomes_what_the_model_takes)
{
	static const char in[] = "{'messages':[{'role':'user','content':'x'}],"
	    "'reasoning_effort':'high','max_tokens':40000}";

	gives(CHAT, MESSAGES, "claude-sonnet-4-5", in,
	    "{'model':'claude-sonnet-4-5','max_tokens':40000,'messages':"
	    "[{'role':'user','content':[{'type':'text','text':'x'}]}],"
	    "'thinking':{'type':'enabled','budget_tokens':24576}}");
	gives(CHAT, MESSAGES, "claude-opus-5", in,
	    "{'model':'claude-opus-5','max_tokens':40000,'messages':"
	    "[{'role':'user','content':[{'type':'text','text':'x'}]}],"
	    "'thinking':{'type':'adaptive','display':'summarized'},"
	    "'output_config':{'effort':'high'}}");
	gives(CHAT, GEMINI, "gemini-2.5-pro", in,
	    "{'contents':[{'role':'user','parts':[{'text':'x'}]}],"
	    "'generationConfig':{'maxOutputTokens':40000,'thinkingConfig':"
	    "{'includeThoughts':true,'thinkingBudget':24576}}}");
	gives(RESPONSES, GEMINI, "gemini-3-pro", "{'input':'x','reasoning':"
	    "{'effort':'xhigh','summary':'auto'}}",
	    "{'contents':[{'role':'user','parts':[{'text':'x'}]}],"
	    "'generationConfig':{'thinkingConfig':{'includeThoughts':true,"
	    "'thinkingLevel':'high'}}}");
	gives(CHAT, GEMINI, "gemini-2.5-pro", "{'messages':[{'role':'user',"
	    "'content':'x'}],'reasoning_effort':'none'}",
	    "{'contents':[{'role':'user','parts':[{'text':'x'}]}],"
	    "'generationConfig':{'thinkingConfig':{'thinkingBudget':128}}}");
	/* A budget leaves room for the answer, and is not below the least. */
	gives(CHAT, MESSAGES, "claude-3-7-sonnet", "{'messages':[{'role':"
	    "'user','content':'x'}],'reasoning_effort':'high','max_tokens':"
	    "1000}",
	    "{'model':'claude-3-7-sonnet','max_tokens':1000,'messages':"
	    "[{'role':'user','content':[{'type':'text','text':'x'}]}]}");
}
END_TEST

START_TEST(test_budget_becomes_effort)
{
	gives(CHAT, MESSAGES, "claude-sonnet-4-5", "{'max_tokens':9000,"
	    "'messages':[{'role':'user','content':'x'}],'thinking':{'type':"
	    "'enabled','budget_tokens':3000}}",
	    "{'model':'claude-sonnet-4-5','max_tokens':9000,'messages':"
	    "[{'role':'user','content':[{'type':'text','text':'x'}]}],"
	    "'thinking':{'type':'enabled','budget_tokens':3000}}");
	gives(MESSAGES, CHAT, "gpt-5", "{'max_tokens':50000,'messages':"
	    "[{'role':'user','content':'x'}],'thinking':{'type':'enabled',"
	    "'budget_tokens':10000}}",
	    "{'model':'gpt-5','messages':[{'role':'user','content':'x'}],"
	    "'max_completion_tokens':50000,'reasoning_effort':'medium'}");
	gives(MESSAGES, CHAT, "m", "{'max_tokens':50,'messages':"
	    "[{'role':'user','content':'x'}],'thinking':{'type':'adaptive'},"
	    "'output_config':{'effort':'low'}}",
	    "{'model':'m','messages':[{'role':'user','content':'x'}],"
	    "'max_tokens':50,'reasoning_effort':'low'}");
	gives(MESSAGES, CHAT, "m", "{'max_tokens':50,'messages':"
	    "[{'role':'user','content':'x'}],'thinking':{'type':'disabled'},"
	    "'output_config':{'effort':'low'}}",
	    "{'model':'m','messages':[{'role':'user','content':'x'}],"
	    "'max_tokens':50}");
	gives(MESSAGES, GEMINI, "gemini-2.5-flash", "{'max_tokens':50,"
	    "'messages':[{'role':'user','content':'x'}],'thinking':{'type':"
	    "'enabled','budget_tokens':10000}}",
	    "{'contents':[{'role':'user','parts':[{'text':'x'}]}],"
	    "'generationConfig':{'maxOutputTokens':50,'thinkingConfig':"
	    "{'includeThoughts':true,'thinkingBudget':10000}}}");
}
END_TEST

#define THOUGHT_TURNS(details) "{'messages':[{'role':'user','content':'x'}," \
	"{'role':'assistant','reasoning_content':'ab'," details \
	"'tool_calls':[{'id':'c1','function':{'name':'f','arguments':'{}'}}" \
	"]},{'role':'tool','tool_call_id':'c1','content':'one'}]," \
	"'reasoning_effort':'low','max_tokens':9000}"
#define THOUGHT_WANT(thinking, config) "{'model':'claude-opus-4-1'," \
	"'max_tokens':9000,'messages':[{'role':'user','content':[{'type':" \
	"'text','text':'x'}]},{'role':'assistant','content':[" thinking \
	"{'type':'tool_use','id':'c1','name':'f','input':{}}]},{'role':" \
	"'user','content':[{'type':'tool_result','tool_use_id':'c1'," \
	"'content':[{'type':'text','text':'one'}]}]}]" config "}"

START_TEST(test_thinking_goes_back_to_who_signed_it)
{
	gives(CHAT, MESSAGES, "claude-opus-4-1", THOUGHT_TURNS(
	    "'reasoning_details':[{'type':'reasoning.text','text':'a',"
	    "'format':'anthropic-claude-v1','index':0},{'type':"
	    "'reasoning.text','text':'b','format':'anthropic-claude-v1',"
	    "'index':0},{'type':'reasoning.text','signature':'S','format':"
	    "'anthropic-claude-v1','index':0},{'type':'reasoning.encrypted',"
	    "'data':'R','format':'anthropic-claude-v1','index':1}],"),
	    THOUGHT_WANT("{'type':'thinking','thinking':'ab','signature':'S'},"
	    "{'type':'redacted_thinking','data':'R'},",
	    ",'thinking':{'type':'enabled','budget_tokens':2048}"));
	/* Another's is left out; and without any, a loop goes on without. */
	gives(CHAT, MESSAGES, "claude-opus-4-1", THOUGHT_TURNS(
	    "'reasoning_details':[{'type':'reasoning.text','text':'a',"
	    "'signature':'S','format':'unknown','index':0}],"),
	    THOUGHT_WANT("", ""));
	gives(RESPONSES, MESSAGES, "claude-opus-4-1", "{'input':["
	    "{'role':'user','content':'x'},{'type':'reasoning','id':'r',"
	    "'summary':[{'type':'summary_text','text':'ab'}],"
	    "'encrypted_content':'anthropic:S'},{'type':'reasoning','id':'r2',"
	    "'summary':[],'encrypted_content':'anthropic-redacted:R'},"
	    "{'type':'reasoning','id':'r3','summary':[],'encrypted_content':"
	    "'another'},{'type':'function_call','call_id':'c1','name':'f',"
	    "'arguments':'{}','id':'fc','status':'completed'},{'type':"
	    "'function_call_output','call_id':'c1','output':'one'}],"
	    "'reasoning':{'effort':'low'},'max_output_tokens':9000}",
	    THOUGHT_WANT("{'type':'thinking','thinking':'ab','signature':'S'},"
	    "{'type':'redacted_thinking','data':'R'},",
	    ",'thinking':{'type':'enabled','budget_tokens':2048}"));
}
END_TEST

#define GEMINI_CALLS(first, second) "{'contents':[{'role':'user','parts':" \
	"[{'text':'Go'}]},{'role':'model','parts':[{'functionCall':{'id':" \
	"'c1','name':'f','args':{'a':1}}" first "},{'functionCall':{'name':" \
	"'g','args':{}}" second "}]},{'role':'user','parts':[" \
	"{'functionResponse':{'id':'c1','name':'f','response':{'output':" \
	"'one'}}},{'functionResponse':{'name':'g','response':{'error':" \
	"'two'}}}]}]}"

START_TEST(test_gemini_gets_results_in_the_order_of_calls)
{
	gives(MESSAGES, GEMINI, "m", "{'messages':[{'role':'user','content':"
	    "'Go'},{'role':'assistant','content':[{'type':'thinking',"
	    "'thinking':'t','signature':'gemini:G'},{'type':'tool_use','id':"
	    "'c1','name':'f','input':{'a':1}},{'type':'tool_use','id':"
	    "'call_yy_r_1','name':'g','input':{}}]},{'role':'user','content':["
	    "{'type':'tool_result','tool_use_id':'call_yy_r_1','is_error':"
	    "true,'content':'two'},{'type':'tool_result','tool_use_id':'c1',"
	    "'content':'one'}]}]}",
	    GEMINI_CALLS(",'thoughtSignature':'G'", ""));
	gives(CHAT, GEMINI, "m", "{'messages':[{'role':'user','content':"
	    "'Go'},{'role':'assistant','tool_calls':[{'id':'c1','function':"
	    "{'name':'f','arguments':'{}'},'extra_content':{'google':"
	    "{'thought_signature':'G'}}}]},{'role':'tool','tool_call_id':'c1',"
	    "'content':'one'}]}",
	    "{'contents':[{'role':'user','parts':[{'text':'Go'}]},{'role':"
	    "'model','parts':[{'functionCall':{'id':'c1','name':'f','args':"
	    "{}},'thoughtSignature':'G'}]},{'role':'user','parts':"
	    "[{'functionResponse':{'id':'c1','name':'f','response':"
	    "{'output':'one'}}}]}]}");
	refuses(CHAT, GEMINI, "{'messages':[{'role':'user','content':'x'},"
	    "{'role':'tool','tool_call_id':'c9','content':'one'}]}",
	    TRANSLATE_VALUE, "messages[1]");
}
END_TEST

START_TEST(test_cache_control_reaches_who_knows_it)
{
	static const char in[] = "{'messages':[{'role':'system','content':["
	    "{'type':'text','text':'A'},{'type':'text','text':'B',"
	    "'cache_control':{'type':'ephemeral'}}]},{'role':'user',"
	    "'content':[{'type':'text','text':'x','cache_control':{'type':"
	    "'ephemeral','ttl':'1h'}}]}]}";

	gives(CHAT, MESSAGES, "m", in, "{'model':'m','max_tokens':4096,"
	    "'system':[{'type':'text','text':'A'},{'type':'text','text':'B',"
	    "'cache_control':{'type':'ephemeral'}}],'messages':[{'role':"
	    "'user','content':[{'type':'text','text':'x','cache_control':"
	    "{'type':'ephemeral','ttl':'1h'}}]}]}");
	gives(CHAT, GEMINI, "m", in, "{'systemInstruction':{'parts':[{'text':"
	    "'A\\n\\nB'}]},'contents':[{'role':'user','parts':[{'text':"
	    "'x'}]}]}");
}
END_TEST

START_TEST(test_unsigned_calls_are_marked_for_gemini)
{
	gives(RESPONSES, GEMINI, "m", "{'instructions':'S','input':["
	    "{'role':'user','content':'Go'},{'type':'function_call','call_id':"
	    "'c1','name':'f','arguments':'{}'},{'type':"
	    "'function_call_output','call_id':'c1','output':[{'type':"
	    "'input_text','text':'one'},{'type':'input_image','image_url':"
	    "'data:image/png;base64,AA'}]}],'tools':[{'type':'function',"
	    "'name':'f','parameters':{'type':'object'},'strict':true}],"
	    "'tool_choice':{'type':'function','name':'f'}}",
	    "{'systemInstruction':{'parts':[{'text':'S'}]},'contents':["
	    "{'role':'user','parts':[{'text':'Go'}]},{'role':'model','parts':"
	    "[{'functionCall':{'id':'c1','name':'f','args':{}},"
	    "'thoughtSignature':'skip_thought_signature_validator'}]},"
	    "{'role':'user','parts':[{'functionResponse':{'id':'c1','name':"
	    "'f','response':{'output':'one'}}},{'inlineData':{'mimeType':"
	    "'image/png','data':'AA'}}]}],'tools':[{'functionDeclarations':["
	    "{'name':'f','parametersJsonSchema':{'type':'object'}}]}],"
	    "'toolConfig':{'functionCallingConfig':{'mode':'ANY',"
	    "'allowedFunctionNames':['f']}}}");
}
END_TEST

START_TEST(test_older_models_take_calls_without_a_signature)
{
	gives(CHAT, GEMINI, "gemini-2.5-flash", "{'messages':[{'role':'user',"
	    "'content':'x'},{'role':'assistant','tool_calls':[{'id':'c1',"
	    "'function':{'name':'f','arguments':'{}'}}]},{'role':'tool',"
	    "'tool_call_id':'c1','content':'one'}]}",
	    "{'contents':[{'role':'user','parts':[{'text':'x'}]},{'role':"
	    "'model','parts':[{'functionCall':{'id':'c1','name':'f','args':"
	    "{}}}]},{'role':'user','parts':[{'functionResponse':{'id':'c1',"
	    "'name':'f','response':{'output':'one'}}}]}]}");
}
END_TEST

START_TEST(test_messages_become_chat)
{
	gives(MESSAGES, CHAT, "m", "{'model':'x','max_tokens':9,'system':["
	    "{'type':'text','text':'A','cache_control':{'type':'ephemeral'}},"
	    "{'type':'text','text':'B'}],'messages':[{'role':'user',"
	    "'content':'Hi'},{'role':'assistant','content':[{'type':"
	    "'thinking','thinking':'t','signature':'s'},{'type':'text',"
	    "'text':'so'},{'type':'tool_use','id':'t1','name':'f','input':"
	    "{'x':[1,2.50]}},{'type':'tool_use','id':'t2','name':'g','input':"
	    "{}}]},{'role':'user','content':[{'type':'tool_result',"
	    "'tool_use_id':'t2','is_error':true,'content':'bad'},{'type':"
	    "'tool_result','tool_use_id':'t1','content':[{'type':'text',"
	    "'text':'ok'},{'type':'image','source':{'type':'base64',"
	    "'media_type':'image/png','data':'BB'}}]},{'type':'text','text':"
	    "'now'}]},{'role':'system','content':'C'}],'tools':[{'name':'f',"
	    "'type':'custom','description':'d','input_schema':{'type':"
	    "'object'},'cache_control':{'type':'ephemeral'}}],'tool_choice':"
	    "{'type':'tool','name':'f','disable_parallel_tool_use':true},"
	    "'stop_sequences':['X'],'stream':true,'temperature':1,"
	    "'metadata':{'user_id':'u'},'service_tier':'auto',"
	    "'context_management':{'edits':[{'type':"
	    "'clear_thinking_20251015','keep':'all'}]}}",
	    "{'model':'m','messages':[{'role':'system','content':'A\\n\\nB'},"
	    "{'role':'user','content':'Hi'},{'role':'assistant','content':"
	    "'so','tool_calls':[{'id':'t1','type':'function','function':"
	    "{'name':'f','arguments':'{\\'x\\':[1,2.50]}'}},{'id':'t2','type':"
	    "'function','function':{'name':'g','arguments':'{}'}}]},{'role':"
	    "'tool','tool_call_id':'t2','content':'Error: bad'},{'role':"
	    "'tool','tool_call_id':'t1','content':'ok'},{'role':'user',"
	    "'content':[{'type':'image_url','image_url':{'url':"
	    "'data:image/png;base64,BB'}},{'type':'text','text':'now'}]},"
	    "{'role':'system','content':'C'}],"
	    "'max_tokens':9,'temperature':1,'stop':['X'],'tools':[{'type':"
	    "'function','function':{'name':'f','description':'d',"
	    "'parameters':{'type':'object'}}}],'tool_choice':{'type':"
	    "'function','function':{'name':'f'}},'parallel_tool_calls':false,"
	    "'stream':true,'stream_options':{'include_usage':true}}");
}
END_TEST

START_TEST(test_responses_become_chat)
{
	gives(RESPONSES, CHAT, "o3", "{'model':'x','instructions':'S',"
	    "'input':[{'type':'message','role':'developer','content':'D'},"
	    "{'role':'user','content':[{'type':'input_text','text':'Hi'}]},"
	    "{'type':'message','id':'m','status':'completed','role':"
	    "'assistant','content':[{'type':'output_text','text':'so',"
	    "'annotations':[],'logprobs':[]},{'type':'refusal','refusal':"
	    "'no'}]},{'type':'function_call','call_id':'c1','name':'f',"
	    "'arguments':'{ }'},{'type':'function_call_output','call_id':"
	    "'c1','output':'one'}],'tools':[{'type':'function','name':'f',"
	    "'parameters':{'type':'object'},'strict':false}],'tool_choice':"
	    "'auto','max_output_tokens':7,'store':false,'include':"
	    "['reasoning.encrypted_content'],'truncation':'disabled',"
	    "'service_tier':'flex','parallel_tool_calls':true,"
	    "'previous_response_id':null}",
	    "{'model':'o3','messages':[{'role':'system','content':"
	    "'S\\n\\nD'},{'role':'user','content':'Hi'},{'role':'assistant',"
	    "'content':'so\\n\\nno','tool_calls':[{'id':'c1','type':"
	    "'function','function':{'name':'f','arguments':'{ }'}}]},"
	    "{'role':'tool','tool_call_id':'c1','content':'one'}],"
	    "'max_completion_tokens':7,'service_tier':'flex','tools':"
	    "[{'type':'function','function':{'name':'f','parameters':"
	    "{'type':'object'}}}],'tool_choice':'auto'}");
}
END_TEST

START_TEST(test_custom_tools_become_functions_of_a_string)
{
	gives(RESPONSES, CHAT, "m", "{'input':[{'role':'user','content':'x'},"
	    "{'type':'custom_tool_call','call_id':'c','name':'patch','input':"
	    "'a\\nb','id':'ctc','status':'completed'},{'type':"
	    "'custom_tool_call_output','call_id':'c','output':'ok'}],"
	    "'tools':[{'type':'custom','name':'patch','description':'d',"
	    "'format':{'type':'grammar','syntax':'lark','definition':"
	    "'start: A'}},{'type':'custom','name':'say','format':{'type':"
	    "'text'}}],'tool_choice':{'type':'custom','name':'patch'}}",
	    "{'model':'m','messages':[{'role':'user','content':'x'},{'role':"
	    "'assistant','content':null,'tool_calls':[{'id':'c','type':"
	    "'function','function':{'name':'patch','arguments':"
	    "'{\\'input\\':\\'a\\\\nb\\'}'}}]},{'role':'tool',"
	    "'tool_call_id':'c','content':'ok'}],'tools':[{'type':'function',"
	    "'function':{'name':'patch','description':'d\\n\\nThe input must"
	    " be of this grammar (lark):\\nstart: A','parameters':{'type':"
	    "'object','properties':{'input':{'type':'string'}},'required':"
	    "['input'],'additionalProperties':false}}},{'type':'function',"
	    "'function':{'name':'say','parameters':{'type':'object',"
	    "'properties':{'input':{'type':'string'}},'required':['input'],"
	    "'additionalProperties':false}}}],'tool_choice':{'type':"
	    "'function','function':{'name':'patch'}}}");
	ck_assert_str_eq(wish.custom_tools, "patch\nsay\n");
	refuses(RESPONSES, CHAT, "{'input':'x','tools':[{'type':'custom',"
	    "'name':'a\\nb'}]}", TRANSLATE_VALUE, "tools[0].name");
}
END_TEST

START_TEST(test_chat_becomes_gemini)
{
	gives(CHAT, GEMINI, "m", "{'messages':[{'role':'system','content':"
	    "'S'},{'role':'user','content':'Hi'},{'role':'assistant',"
	    "'content':'so'},{'role':'system','content':'later'}],"
	    "'temperature':2,'top_p':0.1,'top_k':3,'seed':4,'stop':['a','b'],"
	    "'frequency_penalty':0.5,'presence_penalty':0.25,'max_tokens':7,"
	    "'tools':[{'type':'function','function':{'name':'f','description':"
	    "'d','parameters':{'type':'object'}}}],'tool_choice':'none',"
	    "'reasoning_effort':'none'}",
	    "{'systemInstruction':{'parts':[{'text':'S'}]},'contents':["
	    "{'role':'user','parts':[{'text':'Hi'}]},{'role':'model','parts':"
	    "[{'text':'so'}]},{'role':'user','parts':[{'text':'later'}]}],"
	    "'tools':[{'functionDeclarations':[{'name':'f','description':'d',"
	    "'parametersJsonSchema':{'type':'object'}}]}],'toolConfig':"
	    "{'functionCallingConfig':{'mode':'NONE'}},'generationConfig':"
	    "{'maxOutputTokens':7,'temperature':2,'topP':0.1,'topK':3,'seed':"
	    "4,'frequencyPenalty':0.5,'presencePenalty':0.25,'stopSequences':"
	    "['a','b'],'thinkingConfig':{'thinkingLevel':'minimal'}}}");
}
END_TEST

#define GEMINI_IN "{'systemInstruction':{'parts':[{'text':'S'}]},'contents':" \
	"[{'role':'user','parts':[{'text':'Hi'},{'inlineData':{'mimeType':" \
	"'image/png','data':'AAAA'}}]},{'role':'model','parts':[{'text':'H'," \
	"'thought':true},{'text':'m','thought':true,'thoughtSignature':" \
	"'YW50aHJvcGljOlM='},{'functionCall':{'name':'f','args':{'a':1}}}," \
	"{'functionCall':{'name':'f','args':{'a':2}}},{'functionCall':{'id':" \
	"'x','name':'g'}}]},{'parts':[{'functionResponse':{'id':'x','name':" \
	"'g','response':{'a':[1]}}},{'functionResponse':{'name':'f'," \
	"'response':{'output':'one'}}},{'function_response':{'name':'f'," \
	"'response':{'error':'two'}}},{'text':'go'}]}],'tools':[" \
	"{'functionDeclarations':[{'name':'f','description':'d'," \
	"'parameters':{'type':'OBJECT','properties':{'a':{'type':'INTEGER'," \
	"'nullable':true},'l':{'type':'ARRAY','items':{'type':'STRING'}," \
	"'minItems':'1'}},'required':['a'],'propertyOrdering':['a']}}]}]," \
	"'toolConfig':{'functionCallingConfig':{'mode':'AUTO'}}," \
	"'generation_config':{'temperature':0.5,'top_p':0.9," \
	"'maxOutputTokens':9000,'stopSequences':['X'],'candidateCount':1," \
	"'responseMimeType':'application/json','thinkingConfig':{" \
	"'thinkingBudget':2000,'includeThoughts':true}},'safetySettings':[" \
	"{'category':'X','threshold':'BLOCK_NONE'}]}"
#define GEMINI_SCHEMA "{'type':'object','properties':{'a':{'type':" \
	"['integer','null']},'l':{'type':'array','items':{'type':'string'}," \
	"'minItems':1}},'required':['a']}"

START_TEST(test_gemini_becomes_messages)
{
	gives(GEMINI, MESSAGES, "claude-sonnet-4-5", GEMINI_IN,
	    "{'model':'claude-sonnet-4-5','max_tokens':9000,'system':["
	    "{'type':'text','text':'S'},{'type':'text','text':'Answer with"
	    " one valid JSON object and nothing else.'}],'messages':["
	    "{'role':'user','content':[{'type':'text','text':'Hi'},{'type':"
	    "'image','source':{'type':'base64','media_type':'image/png',"
	    "'data':'AAAA'}}]},{'role':'assistant','content':[{'type':"
	    "'thinking','thinking':'Hm','signature':'S'},{'type':'tool_use',"
	    "'id':'call_yy_0','name':'f','input':{'a':1}},{'type':"
	    "'tool_use','id':'call_yy_1','name':'f','input':{'a':2}},"
	    "{'type':'tool_use','id':'x','name':'g','input':{}}]},{'role':"
	    "'user','content':[{'type':'tool_result','tool_use_id':'x',"
	    "'content':[{'type':'text','text':'{\\'a\\':[1]}'}]},{'type':"
	    "'tool_result','tool_use_id':'call_yy_0','content':[{'type':"
	    "'text','text':'one'}]},{'type':'tool_result','tool_use_id':"
	    "'call_yy_1','is_error':true,'content':[{'type':'text','text':"
	    "'two'}]},{'type':'text','text':'go'}]}],'tools':[{'name':'f',"
	    "'description':'d','input_schema':" GEMINI_SCHEMA "}],"
	    "'tool_choice':{'type':'auto'},'stop_sequences':['X'],"
	    "'temperature':0.5,'top_p':0.9,'thinking':{'type':'enabled',"
	    "'budget_tokens':2000}}");
}
END_TEST

START_TEST(test_signatures_are_read_in_either_alphabet)
{
	static const char *const texts[] = {
		/* "anthropic:" and bytes that differ in the alphabets */
		"YW50aHJvcGljOn5-fj8_Pw==", "YW50aHJvcGljOn5-fj8_Pw",
		"YW50aHJvcGljOn5+fj8/Pw==",
	};
	char in[512];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(in, sizeof(in), "{'contents':[{'role':'model',"
		    "'parts':[{'text':'H','thought':true,'thoughtSignature':"
		    "'%s'},{'text':'x'}]}]}", texts[i]);
		gives(GEMINI, MESSAGES, "m", in, "{'model':'m','max_tokens':"
		    "4096,'messages':[{'role':'assistant','content':[{'type':"
		    "'thinking','thinking':'H','signature':'~~~?" "?" "?'},"
		    "{'type':"
		    "'text','text':'x'}]}]}");
	}
	/* Another's is not ours to send, nor what is no text. */
	gives(GEMINI, MESSAGES, "m", "{'contents':[{'role':'model','parts':["
	    "{'text':'H','thought':true,'thoughtSignature':"
	    "'YW50aHJvcGljOv8='},{'text':'x'}]}]}", "{'model':'m',"
	    "'max_tokens':4096,'messages':[{'role':'assistant','content':["
	    "{'type':'text','text':'x'}]}]}");
	gives(GEMINI, MESSAGES, "m", "{'contents':[{'role':'model','parts':["
	    "{'text':'H','thought':true,'thoughtSignature':'!'},{'text':'x'}"
	    "]}]}", "{'model':'m','max_tokens':4096,'messages':[{'role':"
	    "'assistant','content':[{'type':'text','text':'x'}]}]}");
}
END_TEST

START_TEST(test_gemini_becomes_chat)
{
	gives(GEMINI, CHAT, "m", GEMINI_IN, "{'model':'m','messages':["
	    "{'role':'system','content':'S'},{'role':'user','content':["
	    "{'type':'text','text':'Hi'},{'type':'image_url','image_url':"
	    "{'url':'data:image/png;base64,AAAA'}}]},{'role':'assistant',"
	    "'content':null,'tool_calls':[{'id':'call_yy_0','type':"
	    "'function','function':{'name':'f','arguments':"
	    "'{\\'a\\':1}'}},{'id':'call_yy_1','type':'function',"
	    "'function':{'name':'f','arguments':'{\\'a\\':2}'}},{'id':'x',"
	    "'type':'function','function':{'name':'g','arguments':'{}'}}]},"
	    "{'role':'tool','tool_call_id':'x','content':"
	    "'{\\'a\\':[1]}'},{'role':'tool','tool_call_id':'call_yy_0',"
	    "'content':'one'},{'role':'tool','tool_call_id':'call_yy_1',"
	    "'content':'Error: two'},{'role':'user','content':'go'}],"
	    "'max_tokens':9000,'temperature':0.5,'top_p':0.9,'stop':['X'],"
	    "'tools':[{'type':'function','function':{'name':'f',"
	    "'description':'d','parameters':" GEMINI_SCHEMA "}}],"
	    "'tool_choice':'auto','response_format':{'type':'json_object'},"
	    "'reasoning_effort':'low'}");
	gives(GEMINI, CHAT, "m", "{'contents':[{'parts':[{'text':'x'}]}],"
	    "'generationConfig':{'responseSchema':{'type':'OBJECT'},"
	    "'responseMimeType':'application/json','thinkingConfig':{"
	    "'thinkingLevel':'HIGH'}},'toolConfig':{'functionCallingConfig':"
	    "{'mode':'ANY','allowedFunctionNames':['f']}},'tools':[{"
	    "'functionDeclarations':[{'name':'f'}]}]}",
	    "{'model':'m','messages':[{'role':'user','content':'x'}],"
	    "'tools':[{'type':'function','function':{'name':'f'}}],"
	    "'tool_choice':{'type':'function','function':{'name':'f'}},"
	    "'response_format':{'type':'json_schema','json_schema':{'name':"
	    "'answer','schema':{'type':'object'}}},'reasoning_effort':"
	    "'high'}");
}
END_TEST

#define HI "'messages':[{'role':'user','content':'x'}]"

/* Whatever is not known is refused by its name, at every level. */
START_TEST(test_unknown_members_are_refused_by_name)
{
	static const struct {
		enum translate_protocol client;
		const char *in, *member;
	} cases[] = {
		{ CHAT, "{" HI ",'new':1}", "new" },
		{ CHAT, "{" HI ",'new':null}", "new" },
		{ CHAT, "{" HI ",'a b\\u00e4':1}", "a?b??" },
		{ CHAT, "{" HI ",'stream_options':{'new':1}}",
		    "stream_options.new" },
		{ CHAT, "{'messages':[{'role':'user','content':'x','new':1}]}",
		    "messages[0].new" },
		{ CHAT, "{'messages':[{'role':'user','content':[{'type':"
		    "'text','text':'x','new':1}]}]}",
		    "messages[0].content[0].new" },
		{ CHAT, "{'messages':[{'role':'user','content':[{'type':"
		    "'image_url','image_url':{'url':'u','new':1}}]}]}",
		    "messages[0].content[0].image_url.new" },
		{ CHAT, "{'messages':[{'role':'user','content':[{'type':"
		    "'new'}]}]}", "messages[0].content[0].type" },
		{ CHAT, "{'messages':[{'role':'new','content':'x'}]}",
		    "messages[0].role" },
		{ CHAT, "{'messages':[{'role':'assistant','tool_calls':["
		    "{'id':'i','function':{'name':'f','arguments':'','new':1}}"
		    "]}]}", "messages[0].tool_calls[0].function.new" },
		{ CHAT, "{" HI ",'tools':[{'type':'function','function':"
		    "{'name':'f','new':1}}]}", "tools[0].function.new" },
		{ CHAT, "{" HI ",'response_format':{'type':'json_schema',"
		    "'json_schema':{'new':1}}}",
		    "response_format.json_schema.new" },
		{ MESSAGES, "{" HI ",'inference_geo':'eu'}",
		    "inference_geo" },
		{ MESSAGES, "{" HI ",'thinking':{'type':'adaptive','new':1}}",
		    "thinking.new" },
		{ MESSAGES, "{'messages':[{'role':'user','content':[{'type':"
		    "'tool_result','tool_use_id':'t','content':[{'type':"
		    "'text','text':'x','new':1}]}]}]}",
		    "messages[0].content[0].content[0].new" },
		{ MESSAGES, "{" HI ",'tools':[{'name':'f','input_examples':"
		    "[]}]}", "tools[0].input_examples" },
		{ MESSAGES, "{" HI ",'system':[{'type':'text','text':'x',"
		    "'new':1}]}", "system[0].new" },
		{ GEMINI, "{'contents':[],'new':1}", "new" },
		{ GEMINI, "{'contents':[{'parts':[{'text':'x','new':1}]}]}",
		    "contents[0].parts[0].new" },
		{ GEMINI, "{'contents':[{'parts':[{'executableCode':{}}]}]}",
		    "contents[0].parts[0].executableCode" },
		{ GEMINI, "{'contents':[],'tools':[{'googleSearch':{}}]}",
		    "tools[0].googleSearch" },
		{ GEMINI, "{'contents':[],'generationConfig':{'new':1}}",
		    "generationConfig.new" },
		{ RESPONSES, "{'input':'x','new':1}", "new" },
		{ RESPONSES, "{'input':[{'role':'user','content':'x','new':1}"
		    "]}", "input[0].new" },
		{ RESPONSES, "{'input':[{'role':'user','content':[{'type':"
		    "'input_text','text':'x','new':1}]}]}",
		    "input[0].content[0].new" },
		{ RESPONSES, "{'input':'x','text':{'format':{'type':'text',"
		    "'new':1}}}", "text.format.new" },
		{ RESPONSES, "{'input':'x','reasoning':{'mode':'pro'}}",
		    "reasoning.mode" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(cases[i].client, cases[i].client == MESSAGES ? CHAT :
		    MESSAGES, cases[i].in, TRANSLATE_UNKNOWN,
		    cases[i].member);
}
END_TEST

START_TEST(test_what_the_upstream_has_no_word_for_is_refused_by_name)
{
	static const struct {
		enum translate_protocol client, upstream;
		const char *in, *member;
	} cases[] = {
		{ CHAT, MESSAGES, "{" HI ",'seed':1}", "seed" },
		{ CHAT, MESSAGES, "{" HI ",'presence_penalty':0.5}",
		    "presence_penalty" },
		{ CHAT, MESSAGES, "{" HI ",'n':2}", "n" },
		{ CHAT, MESSAGES, "{" HI ",'logprobs':true}", "logprobs" },
		{ CHAT, MESSAGES, "{" HI ",'logit_bias':{'1':1}}",
		    "logit_bias" },
		{ CHAT, MESSAGES, "{" HI ",'verbosity':'low'}", "verbosity" },
		{ CHAT, MESSAGES, "{" HI ",'service_tier':'flex'}",
		    "service_tier" },
		{ CHAT, MESSAGES, "{" HI ",'modalities':['text','audio']}",
		    "modalities[1]" },
		{ CHAT, MESSAGES, "{" HI ",'tools':[{'type':'custom'}]}",
		    "tools[0].type" },
		{ CHAT, MESSAGES, "{'messages':[{'role':'user','content':["
		    "{'type':'input_audio','input_audio':{'data':'A','format':"
		    "'wav'}}]}]}", "messages[0].content[0].input_audio" },
		{ CHAT, MESSAGES, "{'messages':[{'role':'user','content':["
		    "{'type':'file','file':{'file_data':'data:text/csv;base64,"
		    "AA'}}]}]}", "messages[0].content[0].file" },
		{ CHAT, GEMINI, "{" HI ",'parallel_tool_calls':false,'tools':"
		    "[{'type':'function','function':{'name':'f'}}]}",
		    "parallel_tool_calls" },
		{ MESSAGES, CHAT, "{" HI ",'top_k':1}", "top_k" },
		{ MESSAGES, CHAT, "{" HI ",'speed':'fast'}", "speed" },
		{ MESSAGES, CHAT, "{" HI ",'thread':{'type':'create'}}",
		    "thread" },
		{ MESSAGES, CHAT, "{" HI ",'tools':[{'type':"
		    "'web_search_20250305','name':'web_search'}]}",
		    "tools[0].type" },
		{ MESSAGES, CHAT, "{" HI ",'context_management':{'edits':["
		    "{'type':'clear_tool_uses_20250919'}]}}",
		    "context_management.edits[0].type" },
		{ MESSAGES, CHAT, "{'messages':[{'role':'user','content':["
		    "{'type':'image','source':{'type':'file','file_id':'f'}}"
		    "]}]}", "messages[0].content[0].source.type" },
		{ MESSAGES, CHAT, "{'messages':[{'role':'user','content':["
		    "{'type':'document','source':{'type':'url','url':'u'}}"
		    "]}]}", "messages[0].content[0]" },
		{ MESSAGES, CHAT, "{'messages':[{'role':'assistant','content':"
		    "[{'type':'server_tool_use'}]}]}",
		    "messages[0].content[0].type" },
		{ MESSAGES, CHAT, "{'messages':[{'role':'user','content':["
		    "{'type':'tool_result','tool_use_id':'t','content':["
		    "{'type':'tool_use','id':'a','name':'f','input':{}}]}]}]}",
		    "messages[0].content[0].content" },
		{ GEMINI, CHAT, "{'contents':[],'cachedContent':'c'}",
		    "cachedContent" },
		{ GEMINI, CHAT, "{'contents':[],'generationConfig':{"
		    "'responseModalities':['TEXT','IMAGE']}}",
		    "generationConfig.responseModalities[1]" },
		{ GEMINI, CHAT, "{'contents':[],'generationConfig':{"
		    "'candidateCount':2}}",
		    "generationConfig.candidateCount" },
		{ GEMINI, MESSAGES, "{'contents':[{'parts':[{'fileData':{"
		    "'fileUri':'files/x'}}]}]}",
		    "contents[0].parts[0].fileData.fileUri" },
		{ RESPONSES, CHAT, "{'input':'x','previous_response_id':'r'}",
		    "previous_response_id" },
		{ RESPONSES, CHAT, "{'input':'x','conversation':{'id':'c'}}",
		    "conversation" },
		{ RESPONSES, CHAT, "{'input':'x','background':true}",
		    "background" },
		{ RESPONSES, CHAT, "{'input':'x','truncation':'auto'}",
		    "truncation" },
		{ RESPONSES, CHAT, "{'input':'x','include':"
		    "['message.output_text.logprobs']}", "include[0]" },
		{ RESPONSES, CHAT, "{'input':'x','tools':[{'type':"
		    "'web_search'}]}", "tools[0].type" },
		{ RESPONSES, CHAT, "{'input':[{'type':'item_reference','id':"
		    "'i'}]}", "input[0].type" },
		{ RESPONSES, CHAT, "{'input':[{'role':'user','content':["
		    "{'type':'input_image','file_id':'f'}]}]}",
		    "input[0].content[0].file_id" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(cases[i].client, cases[i].upstream, cases[i].in,
		    TRANSLATE_NO_WORD, cases[i].member);
}
END_TEST

START_TEST(test_wrong_and_missing_values_are_refused_by_name)
{
	char text[512];

	refuses(CHAT, MESSAGES, "{'messages':'x'}", TRANSLATE_TYPE,
	    "messages");
	refuses(CHAT, MESSAGES, "{}", TRANSLATE_MISSING, "messages");
	refuses(CHAT, MESSAGES, "{'messages':[1]}", TRANSLATE_TYPE,
	    "messages[0]");
	refuses(CHAT, MESSAGES, "{'messages':[{'content':'x'}]}",
	    TRANSLATE_MISSING, "messages[0].role");
	refuses(CHAT, MESSAGES, "{'messages':[{'role':'user'}]}",
	    TRANSLATE_MISSING, "messages[0].content");
	refuses(CHAT, MESSAGES, "{" HI ",'temperature':1.5}",
	    TRANSLATE_VALUE, "temperature");
	refuses(CHAT, MESSAGES, "{" HI ",'reasoning_effort':'huge'}",
	    TRANSLATE_VALUE, "reasoning_effort");
	refuses(CHAT, MESSAGES, "{" HI ",'tool_choice':'required'}",
	    TRANSLATE_VALUE, "tool_choice");
	refuses(CHAT, MESSAGES, "{" HI ",'stop':['a',1]}", TRANSLATE_TYPE,
	    "stop[1]");
	refuses(RESPONSES, GEMINI, "{}", TRANSLATE_MISSING, "input");
	refuses(GEMINI, CHAT, "{'contents':[{'parts':[{'functionResponse':{"
	    "'name':'f','response':{}}}]}]}", TRANSLATE_VALUE,
	    "contents[0].parts[0].functionResponse.name");
	refuses(MESSAGES, CHAT, "[]", TRANSLATE_NOT_JSON, "");
	refuses(MESSAGES, CHAT, "{'messages':[{'role':'user','content':"
	    "'\xff'}]}", TRANSLATE_NOT_JSON, "");
	refuses(MESSAGES, CHAT, "{'messages':NaN}", TRANSLATE_NOT_JSON, "");
	refuses(CHAT, MESSAGES, "{" HI ",'seed':1}", TRANSLATE_NO_WORD,
	    "seed");
	ck_assert_ptr_nonnull(strstr(translate_refusal_text(&refusal, text,
	    sizeof(text)), "'seed'"));
}
END_TEST

START_TEST(test_a_refusal_takes_the_clients_shape)
{
	struct buf out;
	char text[512];

	refuses(CHAT, MESSAGES, "{" HI ",'seed':1}", TRANSLATE_NO_WORD,
	    "seed");
	buf_init(&out, 4096);
	ck_assert(translate_refusal_body(CHAT, "r1", &refusal, &out));
	ck_assert(buf_append(&out, "", 1));
	ck_assert_ptr_nonnull(strstr(buf_head(&out), "\"param\":\"seed\""));
	ck_assert_ptr_nonnull(strstr(buf_head(&out),
	    translate_refusal_text(&refusal, text, sizeof(text))));
	buf_free(&out);
	/* The official client's threads go on without, if they are told. */
	refuses(MESSAGES, CHAT, "{" HI ",'thread':{'type':'create'}}",
	    TRANSLATE_NO_WORD, "thread");
	buf_init(&out, 4096);
	ck_assert(translate_refusal_body(MESSAGES, "r1", &refusal, &out));
	ck_assert(buf_append(&out, "", 1));
	ck_assert_ptr_nonnull(strstr(buf_head(&out), "\"details\":{"
	    "\"error_code\":\"thread_unsupported_request\""));
	ck_assert_ptr_nonnull(strstr(buf_head(&out),
	    "\"request_id\":\"r1\""));
	buf_free(&out);
}
END_TEST

START_TEST(test_a_deep_path_is_cut_and_refused_all_the_same)
{
	char name[400], in[600];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(in, sizeof(in), "{" HI ",'%s':1}", name);
	name[TRANSLATE_MEMBER_BYTES - 1] = '\0';
	refuses(CHAT, MESSAGES, in, TRANSLATE_UNKNOWN, name);
}
END_TEST

START_TEST(test_more_calls_in_a_turn_than_can_be_searched_are_refused)
{
	static char in[200000];
	size_t at = 0;
	int i;

	at = (size_t)snprintf(in, sizeof(in), "{'messages':[{'role':"
	    "'assistant','tool_calls':[");
	for (i = 0; i <= 1024; i++)
		at += (size_t)snprintf(in + at, sizeof(in) - at, "%s{'id':"
		    "'c%d','function':{'name':'f','arguments':''}}",
		    i > 0 ? "," : "", i);
	snprintf(in + at, sizeof(in) - at, "]}]}");
	refuses(CHAT, GEMINI, in, TRANSLATE_VALUE,
	    "messages[0].tool_calls[1024]");
}
END_TEST

START_TEST(test_only_pairs_that_exist_are_possible)
{
	ck_assert(translate_possible(CHAT, MESSAGES));
	ck_assert(translate_possible(CHAT, GEMINI));
	ck_assert(translate_possible(MESSAGES, CHAT));
	ck_assert(translate_possible(MESSAGES, GEMINI));
	ck_assert(translate_possible(RESPONSES, CHAT));
	ck_assert(translate_possible(RESPONSES, MESSAGES));
	ck_assert(translate_possible(RESPONSES, GEMINI));
	ck_assert(!translate_possible(CHAT, CHAT));
	ck_assert(!translate_possible(CHAT, RESPONSES));
	ck_assert(translate_possible(GEMINI, CHAT));
	ck_assert(translate_possible(GEMINI, MESSAGES));
	ck_assert(!translate_possible(GEMINI, GEMINI));
	ck_assert(!translate_possible(GEMINI, RESPONSES));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("translate/request");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, test_chat_text_becomes_messages);
	tcase_add_test(tc,
	    test_a_limit_is_given_where_the_upstream_must_be_told_one);
	tcase_add_test(tc, test_chat_tools_become_messages);
	tcase_add_test(tc, test_results_lead_their_message);
	tcase_add_test(tc, test_blank_text_is_left_out_where_it_is_refused);
	tcase_add_test(tc, test_images_and_files_cross);
	tcase_add_test(tc, test_json_formats_cross);
	tcase_add_test(tc, test_effort_becomes_what_the_model_takes);
	tcase_add_test(tc, test_budget_becomes_effort);
	tcase_add_test(tc, test_thinking_goes_back_to_who_signed_it);
	tcase_add_test(tc, test_gemini_gets_results_in_the_order_of_calls);
	tcase_add_test(tc, test_cache_control_reaches_who_knows_it);
	tcase_add_test(tc, test_unsigned_calls_are_marked_for_gemini);
	tcase_add_test(tc,
	    test_older_models_take_calls_without_a_signature);
	tcase_add_test(tc, test_messages_become_chat);
	tcase_add_test(tc, test_responses_become_chat);
	tcase_add_test(tc, test_custom_tools_become_functions_of_a_string);
	tcase_add_test(tc, test_chat_becomes_gemini);
	tcase_add_test(tc, test_gemini_becomes_messages);
	tcase_add_test(tc, test_signatures_are_read_in_either_alphabet);
	tcase_add_test(tc, test_gemini_becomes_chat);
	tcase_add_test(tc, test_unknown_members_are_refused_by_name);
	tcase_add_test(tc,
	    test_what_the_upstream_has_no_word_for_is_refused_by_name);
	tcase_add_test(tc, test_wrong_and_missing_values_are_refused_by_name);
	tcase_add_test(tc, test_a_refusal_takes_the_clients_shape);
	tcase_add_test(tc, test_a_deep_path_is_cut_and_refused_all_the_same);
	tcase_add_test(tc,
	    test_more_calls_in_a_turn_than_can_be_searched_are_refused);
	tcase_add_test(tc, test_only_pairs_that_exist_are_possible);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
