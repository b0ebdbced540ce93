#include "admin/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "admin/check.h"
#include "admin/options.h"

#define LIMIT_USUAL 50

enum admin_exit
page_take(const struct args *args, struct page *page)
{
	memset(page, 0, sizeof *page);
	page->limit = LIMIT_USUAL;
	page->all = args_has(args, "all");
	page->after = args_get(args, "after");
	if (page->all && args_has(args, "limit")) {
		complain("--all and --limit exclude each other");
		return ADMIN_USAGE;
	}
	if (page->all)
		page->limit = 500;
	return option_number(args, "limit", PAGE_MOST, &page->limit);
}

enum admin_exit
page_not_a_cursor(const struct page *page)
{
	complain("--after %s: that isn't what a page of this list ended with",
	    page->after);
	hint("take it from the hint below the page before, or from \"next\" "
	    "in JSON");
	return ADMIN_USAGE;
}

enum admin_exit
page_number(const struct page *page, int64_t *number_r)
{
	*number_r = 0;
	if (page->after == NULL || check_number(page->after, number_r))
		return ADMIN_OK;
	return page_not_a_cursor(page);
}

struct report *
page_row(struct page *page, const char *cursor, ...)
{
	va_list ap;

	if (page->rows == page->limit) {
		page->more = true;
		return NULL;
	}
	page->rows++;
	va_start(ap, cursor);
	vsnprintf(page->next, sizeof page->next, cursor, ap);
	va_end(ap);
	return page->report;
}

/* For a shell, where it isn't plain. */
static void
tell_next(const struct page *page)
{
	char quoted[2 * PAGE_CURSOR_BYTES];
	const char *mark = "";
	size_t n = 0;

	if (strspn(page->next, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@") !=
	    strlen(page->next))
		mark = "'";
	for (const char *c = page->next; *c != '\0' && n + 5 < sizeof quoted;
	    c++) {
		if (*c == '\'') {
			memcpy(quoted + n, "'\\''", 4);
			n += 4;
		} else
			quoted[n++] = *c;
	}
	quoted[n] = '\0';
	hint("there are more: --after %s%s%s for the next page, --all for all",
	    mark, quoted, mark);
}

static enum admin_exit
print_one(struct admin *admin, struct page *page,
    const struct page_list *list)
{
	if (list->newest_last)
		report_reverse(page->report);
	report_print_page(&page->report, admin, page->more ? page->next : NULL,
	    list->empty);
	if (page->more && !admin->json) {
		fflush(stdout);
		tell_next(page);
	}
	return ADMIN_OK;
}

enum admin_exit
page_print(struct admin *admin, struct page *page,
    const struct page_list *list,
    enum admin_exit (*read)(struct admin *, struct page *, void *), void *arg)
{
	struct report_flow flow = { .parts = 0 };
	enum admin_exit status;

	do {
		page->report = report_list(list->name, list->columns);
		page->rows = 0;
		page->more = false;
		status = read(admin, page, arg);
		if (status != ADMIN_OK) {
			report_discard(&page->report);
			return status;
		}
		if (!page->all)
			return print_one(admin, page, list);
		report_print_part(&page->report, admin, &flow, !page->more,
		    list->empty);
		memcpy(page->before, page->next, sizeof page->before);
		page->after = page->before;
	} while (page->more && !ferror(stdout));
	return ADMIN_OK;
}
