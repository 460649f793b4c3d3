/*
 * sockets - a list of unix sockets, as in the setting: "/run/docker.sock,unix:///run/podman/podman.sock".
 */
#ifndef METER_SOCKETS_H
#define METER_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#define SOCKETS_MAX 8
/* What the kernel takes as the path of one, with the NUL. */
#define SOCKETS_PATH_MAX 108
#define SOCKETS_NONE "none"
#define SOCKETS_RULE "absolute paths of unix sockets, up to 8, separated by commas, or none"

struct sockets {
	size_t n;
	char path[SOCKETS_MAX][SOCKETS_PATH_MAX];
};

/*
 * Each is [unix://]/path, and lies below root when that is not "": the paths that come out have it in
 * front. "" and "none" are an empty list. false: it is none of these, or a path is too long.
 */
bool sockets_parse(const char *list, const char *root, struct sockets *out);

#endif
