#include "db/fetch.h"
#include "db/queries.h"

enum db_result
q_channel_proxy_set(struct db *db, int64_t id, const char *host, int64_t port,
    const void *sealed, size_t sealed_bytes)
{
	struct db_param p[] = { db_int(id), db_text(host), db_int(port),
		db_bytes(sealed_bytes > 0 ? sealed : "", sealed_bytes) };

	if (host == NULL)
		return db_query(db, "DELETE FROM youyun.channel_proxy"
		    " WHERE channel_id = $1", p, 1, NULL);
	return db_change(db,
	    "INSERT INTO youyun.channel_proxy AS x (channel_id, host, port,"
	    " credential) VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT (channel_id) DO UPDATE SET host = excluded.host,"
	    " port = excluded.port, credential = excluded.credential"
	    " RETURNING x.id", p, 4);
}
