/*
 * result.h: what an incremental parser answers.
 * Layer: http.  Values only; spans are base/bytes.h's.
 * Written by: nobody.
 */
#ifndef HTTP_RESULT_H
#define HTTP_RESULT_H

enum http_result {
	HTTP_MORE,	/* all bytes taken or a span given; feed more */
	HTTP_DONE,	/* complete; bytes after *used_r are not ours */
	HTTP_BAD	/* not the protocol; close the connection */
};

#endif
