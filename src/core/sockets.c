#include "sockets.h"

#include <stdio.h>
#include <string.h>

#define SCHEME "unix://"

static bool add(struct sockets *s, const char *root, size_t root_len, const char *path, size_t len)
{
	int n;

	if (s->n == SOCKETS_MAX || len < 2 || len >= SOCKETS_PATH_MAX || path[0] != '/')
		return false;
	for (size_t i = 0; i < len; i++)
		if (path[i] <= ' ' || path[i] > '~')
			return false;
	n = snprintf(s->path[s->n], SOCKETS_PATH_MAX, "%.*s%.*s", (int)root_len, root, (int)len,
		     path);
	if (n >= SOCKETS_PATH_MAX)
		return false;
	s->n++;
	return true;
}

bool sockets_parse(const char *list, const char *root, struct sockets *out)
{
	size_t root_len = strlen(root), len;

	*out = (struct sockets){ 0 };
	if (*list == '\0' || strcmp(list, SOCKETS_NONE) == 0)
		return true;
	while (root_len > 0 && root[root_len - 1] == '/')
		root_len--;
	if (root_len >= SOCKETS_PATH_MAX)
		return false;
	for (;; list += len + 1) {
		if (strncmp(list, SCHEME, strlen(SCHEME)) == 0)
			list += strlen(SCHEME);
		len = strcspn(list, ",");
		if (!add(out, root, root_len, list, len))
			return false;
		if (list[len] == '\0')
			return true;
	}
}
