/* SPDX-License-Identifier: Apache-2.0 */
#include "data.h"

#include "privilege.h"
#include "server/store/store.h"

int data_make(const char *folder, struct error *ret_error)
{
	unsigned int uid, gid;

	if (!folder)
		return 0;
	privilege_account(&uid, &gid);
	return store_make_folder(folder, uid, gid, ret_error);
}

int data_open(struct server *server, const struct arguments *a, const char *folder,
	      struct error *ret_error)
{
	const struct store_config config = {
		.folder = folder, .bytes_max = a->data_max, .retain_ns = a->retain_ns};

	return folder ? server_keep(server, &config, ret_error) : 0;
}
