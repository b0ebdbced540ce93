/* Buffers, hex, comparison. */
#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"

START_TEST(test_buffer_keeps_bytes_in_order_while_it_grows)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 5000; i++) {
		char text[16];
		int n = snprintf(text, sizeof(text), "%d,", i);

		ck_assert(buf_append(&b, text, (size_t)n));
	}
	for (int i = 0; i < 5000; i++) {
		char text[16];
		size_t n = (size_t)snprintf(text, sizeof(text), "%d,", i);

		ck_assert_mem_eq(buf_head(&b), text, n);
		buf_consume(&b, n);
	}
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
}
END_TEST

START_TEST(test_buffer_takes_its_limit_and_not_a_byte_more)
{
	char eight[8] = "abcdefgh";
	struct buf b;

	buf_init(&b, 8);
	ck_assert(buf_append(&b, eight, 8));
	ck_assert(!buf_append(&b, "x", 1));
	ck_assert(!buf_printf(&b, "%d", 1));
	ck_assert_ptr_null(buf_room(&b, 1));
	ck_assert_uint_eq(b.len, 8);
	ck_assert_mem_eq(buf_head(&b), "abcdefgh", 8);
	buf_consume(&b, 3);
	ck_assert(buf_printf(&b, "%s", "ijk"));
	ck_assert_mem_eq(buf_head(&b), "defghijk", 8);
	buf_free(&b);
	ck_assert_uint_eq(b.limit, 8);
	ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(test_buffer_formats_up_to_exactly_its_limit)
{
	struct buf b;

	buf_init(&b, 5);
	ck_assert(!buf_printf(&b, "%s", "sixsix"));
	ck_assert_uint_eq(b.len, 0);
	ck_assert(buf_printf(&b, "%s", "fives"));
	ck_assert_uint_eq(b.len, 5);
	ck_assert_mem_eq(buf_head(&b), "fives", 5);
	buf_free(&b);
}
END_TEST

START_TEST(test_buffer_reuses_the_room_before_its_content)
{
	struct buf b;
	size_t cap;

	buf_init(&b, 1 << 20);
	ck_assert_ptr_nonnull(buf_room(&b, 256));
	buf_added(&b, 256);
	cap = b.cap;
	buf_consume(&b, 250);
	ck_assert_ptr_nonnull(buf_room(&b, 200));
	buf_added(&b, 200);
	ck_assert_uint_eq(b.cap, cap);
	ck_assert_uint_eq(b.len, 206);
	buf_free(&b);
}
END_TEST

START_TEST(test_hex_survives_the_way_there_and_back)
{
	uint8_t bytes[4] = { 0x00, 0xff, 0x1a, 0xb2 }, back[4];
	char hex[9];

	hex_encode(bytes, 4, hex);
	ck_assert_str_eq(hex, "00ff1ab2");
	ck_assert(hex_decode("00FF1aB2", back, 4));
	ck_assert_mem_eq(bytes, back, 4);
}
END_TEST

START_TEST(test_hex_refuses_other_lengths_and_digits)
{
	uint8_t back[4];

	ck_assert(!hex_decode("00ff1ab", back, 4));
	ck_assert(!hex_decode("00ff1ab2c", back, 4));
	ck_assert(!hex_decode("00ff1abg", back, 4));
	ck_assert(!hex_decode("", back, 4));
}
END_TEST

START_TEST(test_secret_comparison_sees_every_byte)
{
	char a[32], b[32];

	memset(a, 7, sizeof(a));
	memcpy(b, a, sizeof(a));
	ck_assert(bytes_equal_secret(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] ^= 1;
		ck_assert(!bytes_equal_secret(a, b, sizeof(a)));
		b[i] ^= 1;
	}
}
END_TEST

START_TEST(test_random_bytes_differ)
{
	uint8_t a[32], b[32];

	bytes_random(a, sizeof(a));
	bytes_random(b, sizeof(b));
	ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/bytes");
	TCase *t = tcase_create("bytes");

	tcase_add_test(t, test_buffer_keeps_bytes_in_order_while_it_grows);
	tcase_add_test(t, test_buffer_takes_its_limit_and_not_a_byte_more);
	tcase_add_test(t, test_buffer_formats_up_to_exactly_its_limit);
	tcase_add_test(t, test_buffer_reuses_the_room_before_its_content);
	tcase_add_test(t, test_hex_survives_the_way_there_and_back);
	tcase_add_test(t, test_hex_refuses_other_lengths_and_digits);
	tcase_add_test(t, test_secret_comparison_sees_every_byte);
	tcase_add_test(t, test_random_bytes_differ);
	suite_add_tcase(s, t);
	return run_suite(s);
}
