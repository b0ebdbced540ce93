#include "flusher/accounts.h"

#include <stdlib.h>

#include "shm/directory.h"

#define FIRST_SIZE 1024

struct entry {
	uint64_t customer_id;	/* 0: free */
	uint32_t slot;
	uint32_t reserved;
};

struct accounts {
	struct entry *entry;
	uint32_t size;		/* a power of two */
	uint32_t used;
};

struct accounts *
accounts_open(void)
{
	struct accounts *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->size = FIRST_SIZE;
	a->entry = calloc(a->size, sizeof(*a->entry));
	if (a->entry == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

void
accounts_close(struct accounts **accounts)
{
	if (*accounts == NULL)
		return;
	free((*accounts)->entry);
	free(*accounts);
	*accounts = NULL;
}

static struct entry *
place(struct entry *entry, uint32_t size, uint64_t customer_id)
{
	uint64_t hash = customer_id * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t at = (uint32_t)(hash >> 32) & (size - 1);

	while (entry[at].customer_id != 0 &&
	    entry[at].customer_id != customer_id)
		at = (at + 1) & (size - 1);
	return &entry[at];
}

uint32_t
accounts_find(const struct accounts *a, uint64_t customer_id)
{
	const struct entry *e = place(a->entry, a->size, customer_id);

	return customer_id != 0 && e->customer_id == customer_id ? e->slot :
	    ACCOUNT_NONE;
}

static bool
grow(struct accounts *a)
{
	struct entry *bigger = calloc(2 * (size_t)a->size, sizeof(*bigger));
	uint32_t i;

	if (bigger == NULL)
		return false;
	for (i = 0; i < a->size; i++)
		if (a->entry[i].customer_id != 0)
			*place(bigger, 2 * a->size, a->entry[i].customer_id) =
			    a->entry[i];
	free(a->entry);
	a->entry = bigger;
	a->size *= 2;
	return true;
}

bool
accounts_add(struct accounts *a, uint64_t customer_id, uint32_t slot)
{
	struct entry *e;

	if (a->used >= a->size / 2 && !grow(a))
		return false;
	e = place(a->entry, a->size, customer_id);
	if (e->customer_id == 0)
		a->used++;
	e->customer_id = customer_id;
	e->slot = slot;
	return true;
}
