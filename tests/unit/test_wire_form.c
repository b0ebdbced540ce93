/*
 * test_wire_form.c: what of a form costs money, and what is refused.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"
#include "wire/form.h"
#include "wire/splice.h"

#define TYPE "multipart/form-data; boundary=B"
#define FIELD(name, content) "--B\r\nContent-Disposition: form-data; " \
	"name=\"" name "\"\r\n\r\n" content "\r\n"
#define FILE_PART(content) "--B\r\nContent-Disposition: form-data; " \
	"name=\"file\"; filename=\"a\"\r\n\r\n" content "\r\n"
#define END "--B--\r\n"

static struct wire_form form;
static struct wire_request req;
static struct wire_fault fault;

static bool
read_form(enum wire_route route, const char *body, size_t len, size_t step)
{
	size_t at, n;

	if (!wire_form_init(&form, route, (struct span){ TYPE,
	    sizeof(TYPE) - 1 }, &req, &fault))
		return false;
	for (at = 0; at < len; at += n) {
		n = len - at < step ? len - at : step;
		if (!wire_form_feed(&form, body + at, n, &req, &fault))
			return false;
	}
	return wire_form_finish(&form, &req, &fault);
}

START_TEST(test_form_reads_what_costs_wherever_it_stands)
{
	static const char body[] = FILE_PART("model=x\r\n-B-\r\n")
	    FIELD("n", "3") FIELD("model", "gpt-image-1")
	    FIELD("size", "1024x1536") FIELD("quality", "high")
	    FIELD("prompt", "name=\"n\"\r\n\r\n9") END;
	size_t len = sizeof(body) - 1, step;

	for (step = 1; step <= len; step++) {
		ck_assert(read_form(WIRE_ROUTE_IMAGE_EDITS, body, len, step));
		ck_assert_str_eq(req.model, "gpt-image-1");
		ck_assert_uint_eq(req.n, 3);
		ck_assert_uint_eq(req.image_width, 1024);
		ck_assert_uint_eq(req.image_height, 1536);
		ck_assert_uint_eq(req.image_quality, IMAGE_QUALITY_HIGH);
		ck_assert_uint_eq(form.file_bytes, 14);
		ck_assert_uint_eq(req.body_bytes, len);
		ck_assert(memcmp(body + req.model_value.start, "gpt-image-1",
		    req.model_value.end - req.model_value.start) == 0);
	}
}
END_TEST

START_TEST(test_form_model_is_replaced_as_it_stands)
{
	static const char body[] = FIELD("model", "mine") FILE_PART("x") END;
	static const char want[] = FIELD("model", "the \"other\"")
	    FILE_PART("x") END;
	struct wire_splice splice;
	char up[1024];
	size_t n = 0;

	ck_assert(read_form(WIRE_ROUTE_TRANSCRIPTIONS, body, sizeof(body) - 1,
	    9));
	ck_assert(wire_splice_build(&splice, &req, body, "the \"other\"",
	    false));
	for (size_t i = 0; i < splice.pieces; i++) {
		memcpy(up + n, splice.piece[i].p, splice.piece[i].len);
		n += splice.piece[i].len;
	}
	ck_assert_uint_eq(n, sizeof(want) - 1);
	ck_assert_mem_eq(up, want, n);
}
END_TEST

static void
check_fault(const char *body, enum wire_error error, const char *param)
{
	ck_assert_msg(!read_form(WIRE_ROUTE_IMAGE_EDITS, body, strlen(body),
	    5), "%s", body);
	ck_assert_msg(fault.error == error, "%s: %d", body, fault.error);
	ck_assert_str_eq(fault.param, param);
}

START_TEST(test_form_refuses_what_could_be_read_in_two_ways)
{
	check_fault(FIELD("model", "a") FIELD("model", "a") END,
	    WIRE_ERROR_DUPLICATE_PARAM, "model");
	check_fault(FIELD("model", "a") FIELD("Model", "a") END,
	    WIRE_ERROR_DUPLICATE_PARAM, "model");
	check_fault(FIELD("model", "a") FIELD("n", "2") FIELD("n", "2") END,
	    WIRE_ERROR_DUPLICATE_PARAM, "n");
	check_fault("--B\r\nContent-Disposition: form-data; name=\"model\"; "
	    "filename=\"m\"\r\n\r\na\r\n" END, WIRE_ERROR_BAD_PARAM, "model");
	check_fault(FIELD("model", "a") FIELD("n", "0") END,
	    WIRE_ERROR_BAD_PARAM, "n");
	check_fault(FIELD("model", "a") FIELD("n", "1e1") END,
	    WIRE_ERROR_BAD_PARAM, "n");
	check_fault(FIELD("model", "") END, WIRE_ERROR_BAD_PARAM, "model");
	check_fault(FIELD("prompt", "a") END, WIRE_ERROR_MISSING_PARAM,
	    "model");
	check_fault(FIELD("model", "a"), WIRE_ERROR_BAD_FORM, "");
	check_fault(FIELD("model", "a") END FIELD("model", "b"),
	    WIRE_ERROR_BAD_FORM, "");
	check_fault("{\"model\":\"a\"}", WIRE_ERROR_BAD_FORM, "");
}
END_TEST

START_TEST(test_form_measures_recordings)
{
	char body[512];
	int n;

	/* 16000 samples a second of 16 bits: 32000 bytes. */
	n = snprintf(body, sizeof(body), "%s", FIELD("model", "a")
	    "--B\r\nContent-Disposition: form-data; name=\"file\"; "
	    "filename=\"a\"\r\n\r\nRIFF....WAVEfmt ");
	memcpy(body + n, "\x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0", 16);
	memcpy(body + n + 16, "\r\n" END, strlen("\r\n" END));
	ck_assert(read_form(WIRE_ROUTE_TRANSCRIPTIONS, body,
	    (size_t)n + 16 + strlen("\r\n" END), 7));
	ck_assert_uint_eq(form.file_bytes, 32);
	ck_assert_uint_eq(wire_form_audio_ms(&form, 64000, true), 2000);
	ck_assert_uint_eq(wire_form_audio_ms(&form, 64000, false), 2000);
	ck_assert(read_form(WIRE_ROUTE_TRANSCRIPTIONS, FIELD("model", "a")
	    FILE_PART("ID3") END, strlen(FIELD("model", "a") FILE_PART("ID3")
	    END), 7));
	ck_assert_uint_gt(wire_form_audio_ms(&form, 64000, true),
	    wire_form_audio_ms(&form, 64000, false));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wire/form");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_form_reads_what_costs_wherever_it_stands);
	tcase_add_test(tcase, test_form_model_is_replaced_as_it_stands);
	tcase_add_test(tcase,
	    test_form_refuses_what_could_be_read_in_two_ways);
	tcase_add_test(tcase, test_form_measures_recordings);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
