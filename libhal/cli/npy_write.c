/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a float64 array in the .npy format, version 1.0, little-endian. */
#include "npy_write.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define HEADER_SIZE 128 /* with magic string; a multiple of 64 */
#define PIECE	    512

static int write_values(struct output_file *file, const double *data, uint64_t n)
{
	uint64_t piece[PIECE];
	int err;

	while (n > 0) {
		size_t part = n < PIECE ? (size_t)n : PIECE;

		memcpy(piece, data, part * sizeof(*data));
		for (size_t i = 0; i < part; i++)
			piece[i] = htole64(piece[i]);
		err = output_file_write(file, piece, part * sizeof(*piece));
		if (err)
			return err;
		data += part;
		n -= part;
	}
	return 0;
}

int npy_write(struct output_file *file, const double *data, uint64_t rows, uint64_t columns)
{
	/* Magic string, version, and the length of what follows these ten bytes. */
	char header[HEADER_SIZE + 1] = "\x93NUMPY\x01\x00\x76\x00";
	int err;

	memset(header + 10, ' ', HEADER_SIZE - 10);
	header[10 + snprintf(header + 10, HEADER_SIZE - 10,
			     "{'descr': '<f8', 'fortran_order': False, 'shape': (%llu, %llu), }",
			     (unsigned long long)rows, (unsigned long long)columns)] = ' ';
	header[HEADER_SIZE - 1] = '\n';
	err = output_file_write(file, header, HEADER_SIZE);
	return err ? err : write_values(file, data, rows * columns);
}
