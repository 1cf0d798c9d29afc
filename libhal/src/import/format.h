/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formats of machine files, inside the library. Each takes the reader behind the spaces and the
 * draft cleared, and leaves the draft complete, or fails with a record.
 */
#ifndef PBIT_SRC_IMPORT_FORMAT_H
#define PBIT_SRC_IMPORT_FORMAT_H

#include "import/draft.h"

int pbit__import_gset(struct pbit__reader *reader, struct pbit__draft *draft);
int pbit__import_ising(struct pbit__reader *reader, struct pbit__draft *draft);
int pbit__import_qubo(struct pbit__reader *reader, struct pbit__draft *draft);
int pbit__import_ftp(struct pbit__reader *reader, struct pbit__draft *draft);
int pbit__import_dimod(struct pbit__reader *reader, struct pbit__draft *draft);

/* Numbers, two or three, on one line, and more lines below: gset or ising, told apart by the first. */
int pbit__import_edges(struct pbit__reader *reader, struct pbit__draft *draft);

#endif
