/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities: what a device can do, as data, asked before anything is promised.
 * A value counts only where its bit in `stated` is set; an unstated limit promises nothing.
 */
#ifndef PBIT_CAPS_H
#define PBIT_CAPS_H

#include <pbit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bits of struct pbit_caps.stated, one per value below. */
#define PBIT_CAP_PBITS		  (1ull << 0)
#define PBIT_CAP_FAN_IN		  (1ull << 1)
#define PBIT_CAP_TOPOLOGY	  (1ull << 2)
#define PBIT_CAP_COUPLING	  (1ull << 3)
#define PBIT_CAP_BIAS		  (1ull << 4)
#define PBIT_CAP_BETA		  (1ull << 5)
#define PBIT_CAP_ORDERS		  (1ull << 6)
#define PBIT_CAP_RANDOM_BITS	  (1ull << 7)
#define PBIT_CAP_RANDOM_SOURCE	  (1ull << 8)
#define PBIT_CAP_SAMPLE_MEMORY	  (1ull << 9)
#define PBIT_CAP_SAMPLE_INTERVAL  (1ull << 10)
#define PBIT_CAP_CORRELATION_TIME (1ull << 11)
#define PBIT_CAP_BATCH		  (1ull << 12)
#define PBIT_CAP_COST_UPDATE_NS	  (1ull << 13)
#define PBIT_CAP_COST_UPDATE_PJ	  (1ull << 14)
#define PBIT_CAP_COST_READ_NS	  (1ull << 15)
#define PBIT_CAP_COST_READ_PJ	  (1ull << 16)
#define PBIT_CAP_COST_WRITE_NS	  (1ull << 17)
#define PBIT_CAP_COST_WRITE_PJ	  (1ull << 18)
#define PBIT_CAP_CALIBRATED	  (1ull << 19)
#define PBIT_CAP_COLOURS	  (1ull << 20)
#define PBIT_CAP_WEIGHT_BITS	  (1ull << 21)
#define PBIT_CAP_MEMORY		  (1ull << 22)
#define PBIT_CAP_REPLICAS	  (1ull << 23)

/* Facts that are always stated. */
#define PBIT_FLAG_LAYERS    (1u << 0) /* runs p-DNN layers natively */
#define PBIT_FLAG_BOLTZMANN (1u << 1) /* program, clamp, update, read */
#define PBIT_FLAG_DIRECTED  (1u << 2) /* couplings may be directed */
#define PBIT_FLAG_CLAMP	    (1u << 3) /* has a real clamp mask */
#define PBIT_FLAG_SEEDABLE  (1u << 4) /* the same seed gives the same bits */
#define PBIT_FLAG_CONTRACT  (1u << 5) /* draws exactly as CONTRACT.md, Randomness */
#define PBIT_FLAG_SIMULATED (1u << 6) /* software or emulator, no physical p-bit */
#define PBIT_FLAG_REPORTS   (1u << 7) /* returns each sample, not only sums */

enum pbit_topology {
	PBIT_TOPOLOGY_ALL = 0,	     /* every pair may be coupled */
	PBIT_TOPOLOGY_BIPARTITE = 1, /* two sides, couplings between them only */
	PBIT_TOPOLOGY_GRID = 2,
	PBIT_TOPOLOGY_LISTED = 3, /* a list of pairs, given by the board description */
};

/* Update orders, a bit mask. */
#define PBIT_ORDER_SEQUENTIAL	(1u << 0)
#define PBIT_ORDER_CHROMATIC	(1u << 1)
#define PBIT_ORDER_SYNCHRONOUS	(1u << 2)
#define PBIT_ORDER_ASYNCHRONOUS (1u << 3)

enum pbit_random_source {
	PBIT_RANDOM_COUNTER = 0,    /* counter-based, CONTRACT.md */
	PBIT_RANDOM_SEQUENTIAL = 1, /* seeded, order of draws matters (LFSR, xoshiro) */
	PBIT_RANDOM_PHYSICAL = 2,
};

/* Number format and range. integer_bits 255: binary32, fraction_bits ignored. */
struct pbit_format {
	uint8_t integer_bits;  /* I of s{I}{F} */
	uint8_t fraction_bits; /* F of s{I}{F} */
	uint8_t reserved[6];
	double min;
	double max;
};

struct pbit_caps {
	uint32_t struct_size;
	uint32_t flags;	  /* PBIT_FLAG_* */
	uint64_t stated;  /* PBIT_CAP_* */
	char name[64];	  /* the device's own name */
	char serial[64];  /* "" where it has none */
	char version[64]; /* firmware, driver or kernel variant */
	uint64_t pbits;
	uint64_t fan_in;   /* couplings per p-bit (degree in Boltzmann mode) */
	uint64_t memory;   /* bytes for weights */
	uint32_t topology; /* enum pbit_topology */
	uint32_t orders;   /* PBIT_ORDER_* */
	uint32_t colours;  /* 0: as many as the graph needs */
	uint32_t
		weight_bits; /* layer mode: mask, bit b-1 set where weights of b bits run natively */
	uint32_t layer_types; /* mask of 1 << enum pbit_layer_type */
	uint32_t activations; /* mask of 1 << enum pbit_activation */
	struct pbit_format coupling;
	struct pbit_format bias;
	struct pbit_format beta;
	uint32_t random_bits;	/* width of u */
	uint32_t random_source; /* enum pbit_random_source */
	uint64_t sample_memory; /* samples the device can hold */
	uint64_t batch;		/* largest batch of one request */
	double sample_interval_ns;
	double correlation_time_ns;
	double cost_update_ns, cost_update_pj; /* per p-bit update */
	double cost_read_ns, cost_read_pj;     /* per bit read */
	double cost_write_ns, cost_write_pj;   /* per weight bit written */
	int64_t calibrated;		       /* seconds since 1970 of the calibration in use */
	uint64_t replicas;		       /* independent chains of one machine, at most */
};

#ifdef __cplusplus
}
#endif
#endif
