/* SPDX-License-Identifier: Apache-2.0 */
/* Machines from text in memory, and what the tests of the importers ask of them. */
#ifndef TEST_IMPORT_MAKE_H
#define TEST_IMPORT_MAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <math.h>
#include <cmocka.h>
#include <pbit/pbit.h>

static inline struct pbit_bm *load_text(const char *text, const char *format,
					struct pbit_bm_info *info)
{
	struct pbit_bm *bm = NULL;
	int rc = pbit_bm_from_memory(text, strlen(text), format, &bm, info);

	if (rc) {
		char line[1024];

		pbit_format_error(line, sizeof(line));
		fail_msg("%s", line);
	}
	assert_non_null(bm);
	return bm;
}

/* J_ij of the machine, 0 where there is none; h_i where i == j. */
static inline double value_of(struct pbit_bm *bm, uint32_t i, uint32_t j)
{
	struct pbit_bm_view view = PBIT_INIT(view);

	assert_int_equal(pbit_bm_view(bm, &view), 0);
	assert_true(i < view.n && j < view.n);
	if (i == j)
		return view.h[i];
	for (uint64_t k = view.row[i]; k < view.row[i + 1]; k++)
		if (view.col[k] == j)
			return view.J[k];
	return 0;
}

#endif
