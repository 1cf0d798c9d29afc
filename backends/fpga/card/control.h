/* SPDX-License-Identifier: Apache-2.0 */
/* Faults set in mid-job: a socket of packets, "NAME VALUE" or "status" in, "ok..." or "error: ..." out. */
#ifndef PBIT_CARD_CONTROL_H
#define PBIT_CARD_CONTROL_H

#include "card.h"

/* A listening socket at a path; what lies there already is only replaced where it is a dead socket. -errno. */
int socket_listen(const char *path, int type);

/* Answers one caller, in a second at most. */
void control_serve(struct card *card, int listener);

/* The other side: sends words, prints the answer into text. 0, 1 (refused), or a negative errno. */
int control_tell(const char *path, const char *words, char *text, size_t size);

#endif
