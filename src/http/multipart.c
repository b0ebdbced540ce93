#include "http/multipart.h"

#include <string.h>
#include <strings.h>

enum state {
	STATE_START,		/* the very first boundary, without its CRLF */
	STATE_CONTENT,
	STATE_BOUNDARY,		/* behind one: "--" or the line's end */
	STATE_HEAD,
	STATE_BAD
};

/* RFC 2046, 5.1.1. */
static bool
is_boundary_char(char c)
{
	static const char extra[] = "'()+_,-./:=? ";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr(extra, c) != NULL);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * One parameter of a header's value: `name=token` or `name="text"`, after any
 * semicolon and blanks.  Moves *p past it.  False: none, or nothing that two
 * readers would read alike (a backslash, for one).
 */
static bool
next_parameter(const char **p, const char *end, struct span *name_r,
    struct span *value_r)
{
	const char *at = *p;

	while (at < end && (is_blank(*at) || *at == ';'))
		at++;
	name_r->p = at;
	while (at < end && *at != '=' && *at != ';' && !is_blank(*at))
		at++;
	name_r->len = (size_t)(at - name_r->p);
	if (name_r->len == 0 || at == end || *at != '=')
		return false;
	at++;
	if (at < end && *at == '"') {
		value_r->p = ++at;
		while (at < end && *at != '"' && *at != '\\')
			at++;
		value_r->len = (size_t)(at - value_r->p);
		if (at == end || *at != '"')
			return false;
		at++;
		if (at < end && *at != ';' && !is_blank(*at))
			return false;
	} else {
		value_r->p = at;
		while (at < end && *at != ';' && !is_blank(*at))
			at++;
		value_r->len = (size_t)(at - value_r->p);
	}
	*p = at;
	return true;
}

static bool
is(struct span name, const char *text)
{
	return name.len == strlen(text) &&
	    strncasecmp(name.p, text, name.len) == 0;
}

/* The rest has only blanks and semicolons. */
static bool
is_over(const char *p, const char *end)
{
	while (p < end && (is_blank(*p) || *p == ';'))
		p++;
	return p == end;
}

static bool
take_boundary(struct multipart *m, struct span value)
{
	if (m->delimiter_len > 0 || value.len == 0 ||
	    value.len > MULTIPART_BOUNDARY_BYTES ||
	    value.p[value.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < value.len; i++)
		if (!is_boundary_char(value.p[i]))
			return false;
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, value.p, value.len);
	m->delimiter_len = 4 + value.len;
	return true;
}

bool
multipart_init(struct multipart *m, struct span content_type)
{
	const char *p = content_type.p, *end = p + content_type.len;
	struct span name, value;

	memset(m, 0, sizeof(*m));
	while (p < end && *p != ';')
		p++;
	while (!is_over(p, end)) {
		if (!next_parameter(&p, end, &name, &value))
			return false;
		if (is(name, "boundary") && !take_boundary(m, value))
			return false;
	}
	/* As if the CRLF of the first boundary had been read. */
	m->matched = 2;
	return m->delimiter_len > 0;
}

size_t
multipart_delimiter_bytes(const struct multipart *m)
{
	return m->delimiter_len;
}

static bool
take_disposition(struct multipart *m, const char *p, const char *end)
{
	struct span name, value;

	/* Once a part, and for forms alone. */
	if (m->any_name || !is((struct span){ p, strcspn(p, "; \t") },
	    "form-data"))
		return false;
	p += strlen("form-data");
	while (!is_over(p, end)) {
		if (!next_parameter(&p, end, &name, &value))
			return false;
		if (is(name, "name")) {
			if (m->any_name)
				return false;
			m->any_name = true;
			if (value.len < sizeof(m->name) &&
			    memchr(value.p, '\0', value.len) == NULL) {
				memcpy(m->name, value.p, value.len);
				m->name[value.len] = '\0';
			}
		} else if (is(name, "filename") || is(name, "filename*"))
			m->is_file = true;
		else if (is(name, "name*"))
			return false;
	}
	return m->any_name;
}

/* One line of a part's head, without its end, 0-terminated in m->line. */
static bool
take_line(struct multipart *m)
{
	char *end = m->line + m->line_len, *p;
	struct span name;

	if (memchr(m->line, '\0', m->line_len) != NULL)
		return false;
	*end = '\0';
	p = strchr(m->line, ':');
	/* A continued line begins with a blank. */
	if (p == NULL || p == m->line || is_blank(m->line[0]) ||
	    is_blank(p[-1]))
		return false;
	name = (struct span){ m->line, (size_t)(p - m->line) };
	for (p++; is_blank(*p); p++)
		;
	if (is(name, "Content-Disposition"))
		return take_disposition(m, p, end);
	if (is(name, "Content-Transfer-Encoding"))
		return strcasecmp(p, "binary") == 0 ||
		    strcasecmp(p, "7bit") == 0 || strcasecmp(p, "8bit") == 0;
	return true;
}

static enum multipart_item
bad(struct multipart *m)
{
	m->state = STATE_BAD;
	return MULTIPART_BAD;
}

static enum multipart_item
take_head_byte(struct multipart *m, char c)
{
	if (++m->head_bytes > MULTIPART_HEAD_BYTES)
		return bad(m);
	if (c != '\n') {
		/* Room for a 0 is kept; a CR comes before its LF only. */
		if (m->line_len + 1 >= sizeof(m->line) || (m->line_len > 0 &&
		    m->line[m->line_len - 1] == '\r'))
			return bad(m);
		m->line[m->line_len++] = c;
		return MULTIPART_MORE;
	}
	if (m->line_len == 0 || m->line[m->line_len - 1] != '\r')
		return bad(m);
	m->line_len--;
	if (m->line_len > 0) {
		if (!take_line(m))
			return bad(m);
		m->line_len = 0;
		return MULTIPART_MORE;
	}
	if (!m->any_name)
		return bad(m);
	m->state = STATE_CONTENT;
	/* Content may be empty: the CRLF of the head is not the delimiter's. */
	m->matched = 0;
	return MULTIPART_PART;
}

static enum multipart_item
take_boundary_byte(struct multipart *m, char c)
{
	static const char line_end[] = "\r\n", last[] = "--";
	const char *want = m->tail_at < 2 ? line_end : last;

	/* tail_at: 0 nothing yet, 1 behind CR, 3 behind the first dash. */
	if (m->tail_at == 0 && c == '-') {
		m->tail_at = 3;
		return MULTIPART_MORE;
	}
	if (c != want[m->tail_at & 1])
		return bad(m);
	if (m->tail_at == 3)
		return MULTIPART_DONE;
	if (m->tail_at == 0) {
		m->tail_at = 1;
		return MULTIPART_MORE;
	}
	m->state = STATE_HEAD;
	m->name[0] = '\0';
	m->is_file = m->any_name = false;
	m->line_len = m->head_bytes = 0;
	return MULTIPART_MORE;
}

/* A boundary holds no CR, so a delimiter begins nowhere within another. */
static enum multipart_item
take_content(struct multipart *m, const char *in, size_t len, size_t *used_r,
    struct span *data_r)
{
	const char *cr;
	size_t n = 0;

	while (m->matched > 0 && n < len &&
	    in[n] == m->delimiter[m->matched]) {
		n++;
		if (++m->matched < m->delimiter_len)
			continue;
		*used_r = n;
		m->matched = 0;
		m->tail_at = 0;
		n = m->state == STATE_START;
		m->state = STATE_BOUNDARY;
		return n > 0 ? MULTIPART_MORE : MULTIPART_END;
	}
	*used_r = n;
	if (n == len)
		return MULTIPART_MORE;
	if (m->state == STATE_START)
		return bad(m);
	if (m->matched > 0) {
		/* It wasn't one: what matched is content. */
		*data_r = (struct span){ m->delimiter, m->matched };
		m->matched = 0;
		return MULTIPART_DATA;
	}
	cr = memchr(in, '\r', len);
	if (cr == in) {
		*used_r = 1;
		m->matched = 1;
		return MULTIPART_MORE;
	}
	*used_r = cr != NULL ? (size_t)(cr - in) : len;
	*data_r = (struct span){ in, *used_r };
	return MULTIPART_DATA;
}

enum multipart_item
multipart_next(struct multipart *m, const char *in, size_t len,
    size_t *used_r, struct span *data_r)
{
	*data_r = (struct span){ NULL, 0 };
	*used_r = 0;
	if (len == 0)
		return MULTIPART_MORE;
	switch ((enum state)m->state) {
	case STATE_START:
	case STATE_CONTENT:
		return take_content(m, in, len, used_r, data_r);
	case STATE_BOUNDARY:
		*used_r = 1;
		return take_boundary_byte(m, in[0]);
	case STATE_HEAD:
		*used_r = 1;
		return take_head_byte(m, in[0]);
	case STATE_BAD:
		break;
	}
	return MULTIPART_BAD;
}
