/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For authors of backends. A backend is a constant descriptor and a table of operations, built
 * in or loaded from a shared object `pbit-NAME.so` that exports
 *
 *     PBIT_EXPORT const struct pbit_backend pbit_backend_entry = { ... };
 *
 * The least an existing Boltzmann machine offers is enough: open, close, get_caps, program,
 * clamp, update, read. Whatever else it offers natively (layers) is used where its operation is
 * there.
 *
 * Rules for every operation: returns 0 or a negative errno, having called pbit_fail(); never
 * prints, exits or aborts; keeps no pointer it was given unless stated. The library serialises
 * the operations on one device; those of different devices run at the same time. The library has
 * validated arguments against the device's capabilities before an operation is called.
 */
#ifndef PBIT_BACKEND_H
#define PBIT_BACKEND_H

#include <pbit/pbit.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Version of this interface, major << 16 | minor. Minor grows when members are appended
 * or functions added, major when something changes its meaning. The library accepts from
 * PBIT_ABI_OLDEST up to its own PBIT_ABI; of an older table the missing tail counts as NULL.
 */
#define PBIT_ABI_MAJOR	1u
#define PBIT_ABI_MINOR	1u /* 1: replicas, clamp_each, update_each, seek, rebias */
#define PBIT_ABI	(PBIT_ABI_MAJOR << 16 | PBIT_ABI_MINOR)
#define PBIT_ABI_OLDEST (PBIT_ABI_MAJOR << 16)

/* Marks what a plugin exports, also where it is compiled with hidden visibility. */
#if defined(__GNUC__)
#define PBIT_EXPORT __attribute__((visibility("default")))
#else
#define PBIT_EXPORT
#endif

/* A parsed address, decoded. */
struct pbit_param {
	const char *key;
	const char *value;
};

struct pbit_uri {
	uint32_t struct_size;
	uint32_t n_params;
	const char *text; /* as given */
	const char *scheme;
	const char *target; /* "" where left out */
	const char *inner;  /* stacked address, "" where there is none */
	const struct pbit_param *params;
};

/* Value of a parameter, NULL where it is not given. */
PBIT_API const char *pbit_uri_param(const struct pbit_uri *uri, const char *key);

/*
 * Value of a whole-number parameter in *value, unchanged where it is not given. -EINVAL with a
 * record for anything but a number in [min, max].
 */
PBIT_API PBIT_CHECK int pbit_uri_number(const struct pbit_uri *uri, const char *key, uint64_t min,
					uint64_t max, uint64_t *value);

/*
 * Refuses parameters outside a NULL-terminated list of names with -EINVAL and a record that lists
 * what is known.
 */
PBIT_API PBIT_CHECK int pbit_uri_only(const struct pbit_uri *uri, const char *const *known);

/*
 * A running call, as seen by the backend: has the caller lost interest? Long operations call
 * pbit_ctl_check() at least every few milliseconds, or poll pbit_ctl_fd().
 */
struct pbit_ctl;

/* 0 to go on, -ECANCELED, -ETIMEDOUT. Does not set a record. NULL is allowed (0). */
PBIT_API int pbit_ctl_check(struct pbit_ctl *ctl);

/* Descriptor that polls readable once cancelled, -1 where this call cannot be. */
PBIT_API int pbit_ctl_fd(struct pbit_ctl *ctl);

/* Absolute CLOCK_MONOTONIC nanoseconds, PBIT_FOREVER for none. */
PBIT_API int64_t pbit_ctl_deadline(struct pbit_ctl *ctl);

/*
 * Records a failure in the calling thread and returns code (negative errno).
 * Strings are copied. where and hint may be NULL.
 */
PBIT_API int pbit_fail(int code, uint32_t error_class, const char *what, const char *where,
		       const char *hint, const char *why, ...) PBIT_PRINTF(6, 7);

/* Sets `native` of the record just made. */
PBIT_API void pbit_fail_native(int native);

/* Writes a log line; costs one load where the level is off. */
PBIT_API void pbit_log(int level, const char *fmt, ...) PBIT_PRINTF(2, 3);

/*
 * Factors of CONTRACT.md's z = S*a + c for all n_out neurons of a dense or conv2d layer, for a
 * window of the kernel that lies inside the input map: rows ky0 <= ky < ky1, columns kx0 <= kx <
 * kx1 (0, 1, 0, 1 and so on; ignored for a dense layer). The window may be empty. -EINVAL.
 */
PBIT_API PBIT_CHECK int pbit_layer_affine(const struct pbit_model *model, uint32_t layer,
					  uint32_t ky0, uint32_t ky1, uint32_t kx0, uint32_t kx1,
					  float *a, float *c);

/* Words (64 bits) of the packed state of one output of a layer, MODEL.md's order of k. */
PBIT_API size_t pbit_layer_state_words(const struct pbit_layer *layer);

/*
 * Where in CONTRACT.md's space of random bits an update draws. In Boltzmann mode domain is 2,
 * layer 0, counter 1 the sweep, counter 2 the chain. The library also lowers layers onto
 * Boltzmann mode; it then asks for the layer's own draws: domain 1, its layer, counter 1 the
 * sample, counter 2 the image.
 */
struct pbit_stream {
	uint32_t struct_size;
	uint32_t domain; /* key 1 */
	uint64_t layer;	 /* key 2 */
	uint64_t sweep;	 /* counter 1 of the next sweep; the one after it has sweep + 1 */
	uint64_t chain;	 /* counter 2 of replica 0; replica r has chain + r */
	uint64_t
		first_pbit; /* p-bit i of the machine draws as p-bit first_pbit + i; a multiple of 128 */
};

struct pbit_backend;

struct pbit_backend_ops {
	uint32_t struct_size;
	uint32_t reserved;

	/*
	 * Reports devices that open() would accept, and those seen but unusable with their
	 * reason (NULL: usable; found.backend is filled in by the library). Must not open or
	 * disturb them. Stops when fn returns non-zero. Optional.
	 */
	int (*scan)(const struct pbit_backend *self, pbit_found_fn *fn, void *user);

	/* Opens; *priv is given to every other operation. May block while the device answers. */
	int (*open)(const struct pbit_uri *uri, const struct pbit_open_opts *opts, void **priv);

	/* No other operation is running or will follow. Must leave the device quiet. */
	void (*close)(void *priv);

	/*
	 * caps is cleared and has struct_size set. May run while another operation
	 * does. Must not block on the device.
	 */
	int (*get_caps)(void *priv, struct pbit_caps *caps);

	/*
	 * Boltzmann mode: see boltzmann.h. view is valid during the call only; order is one of
	 * the orders the device states, 0 only where it states none. A device that draws as
	 * CONTRACT.md computes with view->Jq, hq and step; one with registers of its own
	 * converts view->J and h, which fit what it states (pbit_to_fixed()). Masks and states
	 * have the bits past n clear, value lies within mask, a mask comes only to devices with
	 * PBIT_FLAG_CLAMP; the library clears the tail of what read() gives. An update() that is
	 * interrupted leaves the state behind its last whole sweep.
	 */
	int (*program)(void *priv, const struct pbit_bm_view *view, uint32_t order, uint64_t seed);
	int (*clamp)(void *priv, const uint64_t *mask, const uint64_t *value); /* mask NULL: none */
	int (*set_state)(void *priv, const uint64_t *state);		       /* optional */
	int (*update)(void *priv, double beta, uint64_t sweeps, struct pbit_ctl *ctl);
	int (*read)(void *priv, uint64_t *state);

	/*
	 * Layer mode, optional, all three or none. net_load() takes layers first ... first + n -
	 * 1 of a model that stays alive until net_unload(). -EOPNOTSUPP for what the device does
	 * not run natively, -E2BIG for what does not fit, the record naming the limit.
	 */
	int (*net_load)(void *priv, const struct pbit_model *model, uint32_t first, uint32_t n,
			void **net);
	void (*net_unload)(void *priv, void *net);
	/* May be interrupted by ctl; then outputs are undefined and the device stays usable. */
	int (*net_run)(void *priv, void *net, const struct pbit_layers_req *req,
		       struct pbit_ctl *ctl);

	/*
	 * Since 1.1, optional. Replicas, all three or none, caps.replicas stated: opts is
	 * complete (order one of the device's, replicas >= 1); afterwards states are
	 * opts->replicas packed states, clamp() clamps all replicas alike, update() updates all
	 * at one beta.
	 */
	int (*program_replicas)(void *priv, const struct pbit_bm_view *view,
				const struct pbit_program_opts *opts);
	int (*clamp_each)(void *priv, const uint64_t *mask, const uint64_t *values);
	int (*update_each)(void *priv, const double *beta, uint64_t sweeps, struct pbit_ctl *ctl);

	/*
	 * Names the draws of the updates that follow. Called where the device at hand states
	 * PBIT_FLAG_CONTRACT: other devices of the same table may lack it.
	 */
	int (*seek)(void *priv, const struct pbit_stream *stream);

	/*
	 * Replaces the biases: view is that of the machine programmed with another h and hq; J,
	 * Jq and step are as they were. State, clamps and position stay. Where it is missing the
	 * library programs anew.
	 */
	int (*rebias)(void *priv, const struct pbit_bm_view *view);
};

/* Ranks for the choice of a device when no address is given: the lowest wins. */
#define PBIT_RANK_HARDWARE 0u
#define PBIT_RANK_EMULATOR 100u
#define PBIT_RANK_SOFTWARE 200u
#define PBIT_RANK_NEVER	   1000u /* only when named */

struct pbit_backend {
	uint32_t struct_size;
	uint32_t abi; /* PBIT_ABI; a plugin may state the lowest version whose members it uses */
	const char *name; /* also the NAME of pbit-NAME.so */
	const char *scheme;
	const char *description;
	const char *version;
	uint32_t rank;
	uint32_t reserved;
	const struct pbit_backend_ops *ops;
};

#ifdef __cplusplus
}
#endif
#endif
