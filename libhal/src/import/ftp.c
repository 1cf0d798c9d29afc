/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ising programs in ferrotherm's .ftp, version 1, after its specification of 2026-08-06 (spec/ftp-v1.md
 * of ferrotherm 0.19.0): E = -sum w prod s - sum h s, terms that meet are summed. Taken over:
 * spins, bias, factors of one and two spins, stages, name. Colours are a hint that a reader may
 * replace by its own; they, encodings, the penalties of stages, observe, target and price are checked and
 * left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "import/format.h"

enum once {
	ONCE_FTP = 1,
	ONCE_NAME = 2,
	ONCE_SPINS = 4,
	ONCE_TARGET = 8,
	ONCE_PRICE = 16,
};

struct ftp {
	struct pbit__reader *reader;
	struct pbit__draft *draft;
	unsigned int seen; /* enum once */
};

static int take_once(struct ftp *f, enum once which)
{
	if (f->seen & which)
		return pbit__reader_fail(f->reader, -EINVAL, NULL,
					 "a second \"%s\", one is allowed", f->reader->word);
	f->seen |= which;
	return 0;
}

static int need_spins(struct ftp *f)
{
	if (f->seen & ONCE_SPINS)
		return 0;
	return pbit__reader_fail(f->reader, -EINVAL, NULL,
				 "\"%s\" before \"spins\", which must precede what names a spin",
				 f->reader->word);
}

static int check_spin(struct ftp *f, uint64_t i)
{
	if (i < f->draft->n)
		return 0;
	return pbit__reader_fail(f->reader, -EINVAL, NULL,
				 "spin %s is out of range, the program has %llu",
				 PBIT__SHOW(f->reader->word), (unsigned long long)f->draft->n);
}

static int next_spin(struct ftp *f, uint64_t *i)
{
	int err = pbit__reader_next_whole(f->reader, "the spin", UINT64_MAX, i);

	return err ? err : check_spin(f, *i);
}

/* A word that is left out of the machine. */
static int skip_word(struct ftp *f, const char *name)
{
	int token = pbit__reader_next(f->reader);

	if (token < 0)
		return token;
	if (token != PBIT__WORD)
		return pbit__reader_fail(f->reader, -EINVAL, NULL,
					 "the line ends where %s is expected", name);
	return pbit__reader_end_line(f->reader);
}

static int read_ftp(struct ftp *f)
{
	uint64_t version;
	int err = take_once(f, ONCE_FTP);

	if (!err)
		err = pbit__reader_next_whole(f->reader, "the version", UINT64_MAX, &version);
	if (!err && version != 1)
		err = pbit__reader_fail(f->reader, -EINVAL, NULL,
					"version %s of the format, version 1 is supported",
					PBIT__SHOW(f->reader->word));
	return err ? err : pbit__reader_end_line(f->reader);
}

static int read_name(struct ftp *f)
{
	int err = take_once(f, ONCE_NAME);
	int token = err ? err : pbit__reader_next(f->reader);

	if (token < 0)
		return token;
	if (token != PBIT__WORD)
		return pbit__reader_fail(f->reader, -EINVAL, NULL,
					 "the line ends where a name is expected");
	if (!pbit__is_utf8_text(f->reader->word))
		return pbit__reader_fail(f->reader, -EINVAL, NULL, "the name is not UTF-8 text");
	f->draft->name = strdup(f->reader->word);
	if (!f->draft->name)
		return pbit__reader_fail_memory(f->reader);
	return pbit__reader_end_line(f->reader);
}

static int read_spins(struct ftp *f)
{
	int err = take_once(f, ONCE_SPINS);

	if (!err)
		err = pbit__reader_next_whole(f->reader, "the number of spins", UINT64_MAX,
					      &f->draft->n);
	if (!err)
		err = pbit__draft_check_size(f->reader, f->draft->n);
	return err ? err : pbit__reader_end_line(f->reader);
}

static int read_bias(struct ftp *f)
{
	uint64_t i, line = f->reader->word_line;
	double h;
	int err = need_spins(f);

	if (!err)
		err = next_spin(f, &i);
	if (!err)
		err = pbit__reader_next_real(f->reader, "the field", &h);
	if (!err)
		err = pbit__reader_end_line(f->reader);
	return err ? err : pbit__draft_add(f->draft, f->reader, i, i, h, line);
}

static int fail_arity(const struct ftp *f)
{
	return pbit__reader_fail(f->reader, -EOPNOTSUPP,
				 "reduce it to pairs with auxiliary spins before",
				 "a factor of more than two spins; couplings are between pairs");
}

static int read_factor(struct ftp *f)
{
	uint64_t spin[2], line = f->reader->word_line;
	int arity = 0, token, err = need_spins(f);
	double w;

	if (!err)
		err = pbit__reader_next_real(f->reader, "the weight", &w);
	if (err)
		return err;
	while ((token = pbit__reader_next(f->reader)) == PBIT__WORD) {
		if (arity == 2)
			return fail_arity(f);
		err = pbit__reader_whole(f->reader, "the spin", UINT64_MAX, &spin[arity]);
		if (!err)
			err = check_spin(f, spin[arity]);
		if (!err && arity && spin[1] == spin[0])
			err = pbit__reader_fail(f->reader, -EINVAL, NULL,
						"spin %llu is in the factor twice",
						(unsigned long long)spin[0]);
		if (err)
			return err;
		arity++;
	}
	if (token < 0)
		return token;
	if (!arity)
		return pbit__reader_fail(f->reader, -EINVAL, NULL, "a factor of no spin");
	return pbit__draft_add(f->draft, f->reader, spin[0], spin[arity - 1], w, line);
}

static int read_color(struct ftp *f)
{
	uint64_t i;
	int token, err = need_spins(f);

	if (!err)
		err = pbit__reader_next_whole(f->reader, "the colour", f->draft->n - 1, &i);
	if (err)
		return err;
	while ((token = pbit__reader_next(f->reader)) == PBIT__WORD) {
		err = pbit__reader_whole(f->reader, "the spin", UINT64_MAX, &i);
		if (!err)
			err = check_spin(f, i);
		if (err)
			return err;
	}
	return token < 0 ? token : 0;
}

static uint64_t width_of(const char *kind, uint64_t k)
{
	if (!strcmp(kind, "binary"))
		return 64 - (uint64_t)__builtin_clzll(k - 1);
	return strcmp(kind, "onehot") ? k - 1 : k;
}

static int read_encode(struct ftp *f)
{
	uint64_t base, k;
	const char *kind = f->reader->word;
	int token, err = need_spins(f);

	if (!err)
		err = next_spin(f, &base);
	if (!err)
		err = pbit__reader_next_whole(f->reader, "the number of values", UINT64_MAX - 1,
					      &k);
	if (!err && k < 2)
		err = pbit__reader_fail(f->reader, -EINVAL, NULL,
					"a variable of %llu values, two are the least",
					(unsigned long long)k);
	token = err ? err : pbit__reader_next(f->reader);
	if (token < 0)
		return token;
	if (strcmp(kind, "onehot") && strcmp(kind, "binary") && strcmp(kind, "domainwall"))
		return pbit__reader_fail(f->reader, -EINVAL, NULL,
					 "encoding \"%s\", expected onehot, binary or domainwall",
					 PBIT__SHOW(kind));
	if (width_of(kind, k) > f->draft->n - base)
		return pbit__reader_fail(f->reader, -EINVAL, NULL,
					 "the variable at spin %llu goes beyond the last spin",
					 (unsigned long long)base);
	return pbit__reader_end_line(f->reader);
}

static int read_stage(struct ftp *f)
{
	double beta, penalty;
	uint64_t sweeps;
	int err = pbit__reader_next_real(f->reader, "beta", &beta);

	if (!err)
		err = pbit__reader_next_whole(f->reader, "the number of sweeps", UINT64_MAX - 1,
					      &sweeps);
	if (!err)
		err = pbit__reader_next_real(f->reader, "the domain-wall penalty", &penalty);
	if (!err)
		err = pbit__reader_next_real(f->reader, "the copy penalty", &penalty);
	if (!err)
		err = pbit__reader_end_line(f->reader);
	return err ? err : pbit__draft_add_stage(f->draft, f->reader, beta, sweeps);
}

static int read_observe(struct ftp *f)
{
	return skip_word(f, "a quantity");
}

static int read_target(struct ftp *f)
{
	int err = take_once(f, ONCE_TARGET);

	return err ? err : skip_word(f, "a target");
}

static int read_price(struct ftp *f)
{
	int err = take_once(f, ONCE_PRICE);

	return err ? err : skip_word(f, "a price table");
}

static const struct directive {
	const char *name;
	int (*read)(struct ftp *f);
} directives[] = {
	{"factor", read_factor}, {"bias", read_bias},	  {"color", read_color},
	{"stage", read_stage},	 {"encode", read_encode}, {"observe", read_observe},
	{"spins", read_spins},	 {"name", read_name},	  {"target", read_target},
	{"price", read_price},	 {"ftp", read_ftp},
};

static int read_directive(struct ftp *f)
{
	const char *word = f->reader->word;

	if (!(f->seen & ONCE_FTP) && strcmp(word, "ftp"))
		return pbit__reader_fail(f->reader, -EINVAL, NULL,
					 "\"%s\" comes before \"ftp 1\", which must be first",
					 PBIT__SHOW(word));
	for (size_t k = 0; k < sizeof(directives) / sizeof(directives[0]); k++)
		if (!strcmp(word, directives[k].name))
			return directives[k].read(f);
	return pbit__reader_fail(f->reader, -EINVAL, NULL, "unknown directive \"%s\"",
				 PBIT__SHOW(word));
}

int pbit__import_ftp(struct pbit__reader *reader, struct pbit__draft *draft)
{
	struct ftp f = {.reader = reader, .draft = draft};
	int token, err = 0;

	reader->comment = '#';
	draft->repeat = PBIT__REPEAT_ADD;
	draft->place_name = "line";
	while (!err && (token = pbit__reader_next(reader)) != PBIT__END) {
		if (token < 0)
			return token;
		if (token == PBIT__WORD)
			err = read_directive(&f);
	}
	if (err)
		return err;
	if (!(f.seen & ONCE_FTP))
		return pbit__reader_fail_whole(reader, -EINVAL, NULL,
					       "the program is empty: \"ftp 1\" is missing");
	if (!(f.seen & ONCE_SPINS))
		return pbit__reader_fail(reader, -EINVAL, "the file may be truncated",
					 "the program ends without \"spins\"");
	return 0;
}
