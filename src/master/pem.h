/*
 * pem.h: the server's certificate and key, read as root, checked, handed on.
 * Layer: master.
 * Written by: the master at its start and at each reload.
 */
#ifndef MASTER_PEM_H
#define MASTER_PEM_H

#include <stdbool.h>

struct conf_report;
struct settings;

/* 0-terminated texts; the key is scrubbed when it is freed. */
struct pem_pair {
	char *certificate;
	char *key;
};

/*
 * Reads both files; the first certificate must be one, and the key must be
 * its own.  False: *report says what is wrong; nothing is returned.
 */
bool	pem_read(const struct settings *settings, const char *file,
	    struct pem_pair *pair_r, struct conf_report *report)
	    __attribute__((warn_unused_result));
void	pem_free(struct pem_pair *pair);
bool	pem_equal(const struct pem_pair *a, const struct pem_pair *b);

/*
 * A file of text, 0-terminated, returned, the caller frees.  secret: others
 * must not be able to read it.  NULL: *why_r says why.
 */
char	*pem_read_text(const char *path, bool secret, const char **why_r)
	    __attribute__((warn_unused_result));

#endif
