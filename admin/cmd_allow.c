/* key allow, customer allow: what they may do, where it is less than all. */
#include "admin/admin.h"

#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/key.h"
#include "admin/report.h"
#include "base/address.h"
#include "db/queries.h"
#include "db/queries_bounds.h"
#include "shm/catalogue.h"

static const struct opt options[] = {
	{ "model", "MODEL", "only this model, or with a * at the end those "
	  "that begin like it; may be repeated", true },
	{ "all-models", NULL, "any model", false },
	{ "address", "NETWORK", "only from this network, such as "
	  "192.0.2.0/24 or 2001:db8::/32; may be repeated", true },
	{ "any-address", NULL, "from anywhere", false },
	{ "region", "REGION", "only by channels of this region; may be "
	  "repeated", true },
	{ "any-region", NULL, "by any channel", false },
	{ NULL, NULL, NULL, false }
};

struct allow {
	enum policy_owner owner;
	int64_t id;
	struct policy_lists lists;
	const char *model[ARGS_MAX], *network[ARGS_MAX], *region[ARGS_MAX];
};

/* They are shown with commas between them. */
static const char *
model_wrong(const char *text)
{
	return strchr(text, ',') != NULL ? "name each model by itself" :
	    check_model(text);
}

static const char *
network_wrong(const char *text)
{
	uint8_t ip[16];
	uint32_t bits;

	return address_network_parse(text, ip, &bits) ? NULL :
	    "allowed are addresses and networks such as 192.0.2.0/24 and "
	    "2001:db8::/32";
}

static const char *
region_wrong(const char *text)
{
	if (text[0] == '\0' || strlen(text) >= CHANNEL_REGION_BYTES)
		return "allowed are 1 to 31 bytes";
	return strchr(text, ',') != NULL ? "name each region by itself" :
	    NULL;
}

/* False: said why.  *n_r stays and *list_r is NULL where nothing was given. */
static bool
take_list(const struct args *args, const char *option, const char *all,
    const char *(*wrong)(const char *), int most, const char *list[ARGS_MAX],
    const char *const **list_r, size_t *n_r)
{
	const char *text, *why;
	bool ok = true;
	int n = 0;

	for (; (text = args_nth(args, option, n)) != NULL; n++) {
		why = wrong(text);
		if (why != NULL)
			complain("--%s %s: %s", option, text, why);
		ok = ok && why == NULL;
		list[n] = text;
	}
	if (n > most) {
		complain("--%s: at most %d", option, most);
		ok = false;
	}
	if (n > 0 && args_has(args, all)) {
		complain("--%s and --%s contradict each other", option, all);
		ok = false;
	}
	if (n > 0 || args_has(args, all))
		*list_r = list;
	*n_r = (size_t)n;
	return ok;
}

static bool
take(const struct args *args, struct allow *a)
{
	struct policy_lists *l = &a->lists;
	bool ok;

	ok = take_list(args, "model", "all-models", model_wrong,
	    POLICY_MODELS, a->model, &l->models, &l->n_models);
	ok = take_list(args, "address", "any-address", network_wrong,
	    POLICY_NETWORKS, a->network, &l->networks, &l->n_networks) && ok;
	return take_list(args, "region", "any-region", region_wrong,
	    POLICY_REGIONS, a->region, &l->regions, &l->n_regions) && ok;
}

static bool
show_row(const struct policy_row *row, void *arg)
{
	struct record *record = arg;

	record_text(record, "models", "Models", row->models[0] != '\0' ?
	    row->models : "all");
	record_text(record, "addresses", "Addresses",
	    row->networks[0] != '\0' ? row->networks : "all");
	record_text(record, "regions", "Regions", row->regions[0] != '\0' ?
	    row->regions : "all");
	return true;
}

static enum admin_exit
show(struct admin *admin, const struct allow *a)
{
	struct record *record = record_open();
	enum admin_exit status;

	record_number(record, "id", a->owner == POLICY_OF_KEY ? "Key" :
	    "Customer", a->id);
	status = admin_database_failed(admin, q_policy(admin->db, a->owner,
	    a->id, show_row, record), "show what is allowed");
	if (status == ADMIN_OK)
		record_print(&record, admin);
	else
		record_discard(&record);
	return status;
}

static enum db_result
set_body(struct db *db, void *arg)
{
	const struct allow *a = arg;

	return q_policy_set(db, a->owner, a->id, &a->lists);
}

static enum admin_exit
run(struct admin *admin, const struct args *args, enum policy_owner owner)
{
	struct allow a = { .owner = owner };
	enum admin_exit status;
	enum db_result result;

	if (!take(args, &a))
		return ADMIN_USAGE;
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = owner == POLICY_OF_KEY ? admin_key(admin,
		    args->word[0], &a.id) : admin_customer(admin,
		    args->word[0], &a.id);
	if (status != ADMIN_OK)
		return status;
	if (a.lists.models != NULL || a.lists.networks != NULL ||
	    a.lists.regions != NULL) {
		result = admin_change(admin, set_body, &a);
		if (result != DB_OK)
			return admin_database_failed(admin, result,
			    "set what is allowed");
	}
	return show(admin, &a);
}

static enum admin_exit
run_key(struct admin *admin, const struct args *args)
{
	return run(admin, args, POLICY_OF_KEY);
}

static enum admin_exit
run_customer(struct admin *admin, const struct args *args)
{
	return run(admin, args, POLICY_OF_CUSTOMER);
}

const struct verb verbs_allow[] = {
	{ "customer", "allow", "CUSTOMER", 1, 1,
	  "set or show which models, networks and regions a customer has",
	  "customer allow acme --region eu", options, run_customer },
	{ "key", "allow", "KEY", 1, 1,
	  "set or show which models, networks and regions a key has",
	  "key allow 7 --model \"gpt-4o*\" --address 192.0.2.0/24", options,
	  run_key },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
