/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Registers, descriptors and completions of a p-bit card: the one specification that the driver,
 * the virtual card, the user-space backend and the hardware share. REGISTERS.md is its text.
 *
 * Everything is little-endian. Registers are 32 bits wide at naturally aligned offsets of BAR 0
 * (PCIe) or of the first "reg" (device tree). No register is cleared by reading it. Unknown
 * offsets read as all ones and ignore writes; reserved bits read as zero. All ones from
 * PBIT_REG_ID: the card is gone.
 */
#ifndef _UAPI_PBIT_CARD_H
#define _UAPI_PBIT_CARD_H

#include <linux/types.h>

#define PBIT_PCI_VENDOR_ID	0x1d6b /* Linux Foundation: no card has an id of its own yet */
#define PBIT_PCI_DEVICE_ID	0x7062
#define PBIT_PCI_CLASS		0x120000 /* processing accelerator */

/* BAR 0: registers, 64 KiB. BAR 2: card memory, 64 bits, prefetchable. */
#define PBIT_BAR_REGISTERS	0
#define PBIT_BAR_MEMORY		2
#define PBIT_REGISTERS_SIZE	0x10000

/*
 * Register	Access	Meaning
 * RO read only; RW; W1S writing 1 starts, reads as 0; W1C writing 1 clears.
 */
#define PBIT_REG_ID		0x0000	/* RO  PBIT_CARD_ID */
#define PBIT_REG_VERSION	0x0004	/* RO  major << 16 | minor; refuse an unknown major */
#define PBIT_REG_ROM_SIZE	0x0008	/* RO  bytes of the feature ROM at PBIT_REG_ROM */
#define PBIT_REG_CONTROL	0x0010	/* W1S PBIT_CONTROL_* */
#define PBIT_REG_STATUS		0x0014	/* RO  PBIT_STATUS_* */
#define PBIT_REG_FAULT		0x0018	/* RO  PBIT_FAULT_*, kept until reset */
#define PBIT_REG_SCRATCH	0x001c	/* RW */
#define PBIT_REG_IRQ_STATUS	0x0020	/* W1C bit q: queue q completed; bits 24...: PBIT_IRQ_* */
#define PBIT_REG_IRQ_ENABLE	0x0024	/* RW  cause = status & enable; an event beats a clear in the same cycle */
#define PBIT_REG_IRQ_TEST	0x0028	/* W1S ORs into status */
#define PBIT_REG_CYCLES_LO	0x0030	/* RO  free-running; read HI, LO, HI until HI agrees */
#define PBIT_REG_CYCLES_HI	0x0034
#define PBIT_REG_TEMPERATURE	0x0040	/* RO  signed, 1/1000 degree C */
#define PBIT_REG_TEMP_CRITICAL	0x0044	/* RO */
#define PBIT_REG_POWER		0x0048	/* RO  microwatts */
#define PBIT_REG_ENERGY_LO	0x004c	/* RO  microjoules since reset, monotone; HI, LO, HI */
#define PBIT_REG_ENERGY_HI	0x0050
#define PBIT_REG_UPDATES_LO	0x0054	/* RO  p-bit updates since reset; HI, LO, HI */
#define PBIT_REG_UPDATES_HI	0x0058
#define PBIT_REG_ROM		0x1000	/* RO  struct pbit_card_rom */
#define PBIT_REG_QUEUE(q)	(0x4000 + 0x100 * (q))

#define PBIT_CARD_ID		0x54494250 /* "PBIT" in memory order */
#define PBIT_CARD_MAJOR		1
#define PBIT_CARD_MINOR		0
#define PBIT_CARD_MAX_QUEUES	16

/*
 * Soft reset: queues off, jobs dropped without completion, IRQ_ENABLE 0, card memory undefined.
 * At most 100 ms.
 */
#define PBIT_CONTROL_RESET	(1u << 0)

#define PBIT_STATUS_READY	(1u << 0)
#define PBIT_STATUS_RESETTING	(1u << 1)
#define PBIT_STATUS_FAULT	(1u << 2) /* see PBIT_REG_FAULT; queues are halted */
#define PBIT_STATUS_HOT		(1u << 3)

#define PBIT_FAULT_NONE		0
#define PBIT_FAULT_MEMORY	1 /* uncorrectable error of the card memory */
#define PBIT_FAULT_BUS		2 /* the host refused a transfer of a ring */
#define PBIT_FAULT_CLOCK	3
#define PBIT_FAULT_HOT		4
#define PBIT_FAULT_RANDOM	5 /* noise source failed its health test */

#define PBIT_IRQ_FAULT		(1u << 24)
#define PBIT_IRQ_HOT		(1u << 25)

/*
 * MSI-X: vector 0 for bits 24..., vector 1 + q for queue q; MSI and INTx: one for all. An edge
 * is made anew where cause is not 0 after a write to IRQ_STATUS, so that none is lost.
 */

/* A queue's page. */
#define PBIT_Q_SQ_BASE_LO	0x00	/* RW while disabled: address of the ring of descriptors, 256-byte aligned */
#define PBIT_Q_SQ_BASE_HI	0x04
#define PBIT_Q_CQ_BASE_LO	0x08	/* RW while disabled: of the ring of completions, 64-byte aligned */
#define PBIT_Q_CQ_BASE_HI	0x0c
#define PBIT_Q_SIZE		0x10	/* RW while disabled: log2 of entries in both rings, 1 ... 12 */
#define PBIT_Q_CONTROL		0x14	/* RW  bit 0 ENABLE; W1S bit 1 ABORT */
#define PBIT_Q_STATUS		0x18	/* RO  PBIT_Q_STATUS_* */
#define PBIT_Q_SQ_TAIL		0x1c	/* RW  doorbell: free-running count of descriptors written */
#define PBIT_Q_SQ_HEAD		0x20	/* RO  free-running count of descriptors finished */
#define PBIT_Q_CQ_HEAD		0x24	/* RW  free-running count of completions taken by the host */
#define PBIT_Q_PROGRESS		0x28	/* RO  samples or sweeps done of the running descriptor */
#define PBIT_Q_COALESCE		0x2c	/* RW  interrupt after bits 0-7 completions or bits 8-31 microseconds; 0: each */

#define PBIT_Q_ENABLE		(1u << 0)
/*
 * Ends the running descriptor and all queued ones; each gets a completion with
 * PBIT_DONE_ABORTED, with 0 cycles where it had not begun (it may then be queued again). Idle:
 * no operation. Reads as 1 until the queue is empty.
 */
#define PBIT_Q_ABORT		(1u << 1)

#define PBIT_Q_STATUS_ENABLED	(1u << 0)
#define PBIT_Q_STATUS_BUSY	(1u << 1)
#define PBIT_Q_STATUS_HALTED	(1u << 2) /* a ring could not be read or written; reset */

/* Address of card memory rather than of the host. */
#define PBIT_CARD_LOCAL		(1ull << 63)

/* Flags of a card. */
#define PBIT_CARD_LAYER		(1u << 0) /* PBIT_OP_LAYER */
#define PBIT_CARD_BOLTZMANN	(1u << 1) /* PBIT_OP_SWEEP */
#define PBIT_CARD_DIRECTED	(1u << 2)
#define PBIT_CARD_CLAMP		(1u << 3)
#define PBIT_CARD_CONTRACT	(1u << 4) /* draws and decides as CONTRACT.md */
#define PBIT_CARD_SEEDABLE	(1u << 5)
#define PBIT_CARD_SIMULATED	(1u << 6)
#define PBIT_CARD_COPY		(1u << 7) /* PBIT_OP_COPY reaches host memory */

/* Values are those of enum pbit_random_source. */
#define PBIT_CARD_RANDOM_COUNTER    0
#define PBIT_CARD_RANDOM_SEQUENTIAL 1
#define PBIT_CARD_RANDOM_PHYSICAL   2

/* Sizes of windows and limits are read from here, never compiled in. */
struct pbit_card_rom {
	__le32 id;		/* PBIT_CARD_ID */
	__le32 version;		/* as PBIT_REG_VERSION */
	__le32 size;		/* of this struct, as PBIT_REG_ROM_SIZE */
	__le32 crc32;		/* IEEE 802.3, of the ROM with this word 0 */
	__le32 flags;		/* PBIT_CARD_* */
	__le32 n_queues;	/* 1 ... 16 */
	__le64 memory_size;	/* bytes of card memory, a multiple of 4096 */
	__le32 max_inputs;	/* of a layer */
	__le32 max_outputs;
	__le32 max_pbits;	/* of a Boltzmann machine */
	__le32 max_degree;
	__le32 max_samples;	/* n_images * n_samples of one descriptor, and replicas * sweeps */
	__le32 weight_bits;	/* mask: bit b-1 for weights of b bits */
	__le32 code_bits;	/* likewise for input codes */
	__le32 orders;		/* 1 sequential, 2 chromatic, 4 synchronous */
	__le32 coupling_bits;	/* two's complement integers of PBIT_OP_SWEEP: width, 2 ... 32 */
	__le32 random_source;	/* PBIT_CARD_RANDOM_* */
	__le32 random_bits;
	__le32 clock_khz;
	__le64 max_work;	/* of one descriptor, in multiply-accumulates: longer ones are refused */
	__le32 update_fs;	/* femtoseconds a p-bit update takes, 0: not stated */
	__le32 update_aj;	/* attojoules */
	__le32 mac_fs;		/* a multiply-accumulate */
	__le32 mac_aj;
	__le32 transfer_fs;	/* a bit between host and card */
	__le32 transfer_aj;
	char name[32];		/* NUL-padded */
	char serial[32];
	__le32 reserved[20];
};

/* Operations. */
#define PBIT_OP_NOP	0
#define PBIT_OP_COPY	1
#define PBIT_OP_LAYER	2
#define PBIT_OP_SWEEP	3
#define PBIT_OP_CLEAR	4	/* struct pbit_card_copy, from 0: zeroes; card memory only */

#define PBIT_DESC_IRQ	(1u << 0) /* interrupt when done */

/* Input of a layer. */
#define PBIT_IN_BITS	0 /* packed, bit i of a state in byte i/8 at position i%8; [image][sample][in_stride] */
#define PBIT_IN_CODE8	1 /* unsigned; [image][in_stride], the same for all samples */
#define PBIT_IN_CODE16	2

/* Output of a layer. */
#define PBIT_OUT_BITS	0 /* packed; [image][sample][out_stride] */
#define PBIT_OUT_SUM	1 /* S of CONTRACT.md, signed 64 bits; [image][sample][n_outputs] */
#define PBIT_OUT_LEVEL	2 /* t(z), likewise */
#define PBIT_OUT_TOTAL	0x80 /* with SUM or LEVEL: summed over samples, [image][n_outputs] */

struct pbit_card_copy {
	__le64 from;
	__le64 to;
	__le64 size;
};

/*
 * One dense layer, T samples of a batch. Weights lie as MODEL.md packs them, 64-byte aligned;
 * factors are a[0] ... a[N-1], c[0] ... c[N-1] in binary32, N = n_outputs rounded up to 16.
 * Output o draws as p-bit first_output + o.
 */
struct pbit_card_layer {
	__le64 weights;
	__le64 factors;		/* unused by PBIT_OUT_SUM */
	__le64 input;
	__le64 output;
	__le64 image_numbers;	/* 64-bit numbers of the images, or 0: first_image, first_image + 1 ... */
	__le64 seed;
	__le64 first_image;
	__le64 first_sample;
	__le32 n_inputs;	/* real ones; the packed fan-in is this rounded up to 32 */
	__le32 n_outputs;
	__le32 n_images;
	__le32 n_samples;
	__le32 in_stride;	/* bytes */
	__le32 out_stride;	/* bytes, PBIT_OUT_BITS only; whole multiples of 4 */
	__le32 layer;		/* of the draws' key */
	__le32 first_output;	/* multiple of 128 */
	__u8 weight_bits;
	__u8 in_kind;
	__u8 out_kind;
	__u8 reserved[5];
};

/*
 * Sweeps of a Boltzmann machine, `replicas` chains of it. Input of p-bit i: K = sum of value[k]
 * * m[col[k]], row[i] <= k < row[i + 1], + bias[i]; z = fl32(fl64(scale) * K), scale = 2 beta
 * step (CONTRACT.md, Fixed-point input).
 */
struct pbit_card_sweep {
	__le64 rows;		/* 32-bit, n + 1 */
	__le64 columns;		/* 32-bit */
	__le64 values;		/* signed 32-bit */
	__le64 bias;		/* signed 32-bit, n */
	__le64 visits;		/* 32-bit, n: order of the updates; 0: by index */
	__le64 clamp;		/* packed mask, ceil(n / 64) words of 64 bits; 0: none */
	__le64 state;		/* [replica][ceil(n / 64)] words, read and written */
	__le64 output;		/* [k][replica][words]: states after every `interval` sweeps; 0: none */
	__le64 scale;		/* binary64 */
	__le64 seed;
	__le64 layer;		/* of the draws' key, with domain */
	__le64 first_sweep;
	__le64 first_chain;
	__le64 first_pbit;	/* multiple of 128 */
	__le32 n_values;	/* entries of columns and values; indices are checked against this and n */
	__le32 n;
	__le32 replicas;
	__le32 sweeps;
	__le32 interval;
	__le32 domain;
	__u8 synchronous;	/* all from the state at the start of the sweep */
	__u8 reserved[7];
};

/* An entry of a submission ring. */
struct pbit_card_desc {
	__le16 op;
	__le16 flags;		/* PBIT_DESC_* */
	__le32 cookie;		/* given back in the completion */
	__le32 watchdog_us;	/* ends with PBIT_DONE_WATCHDOG after that; 0: never */
	__le32 reserved;
	union {
		struct pbit_card_copy copy;
		struct pbit_card_layer layer;
		struct pbit_card_sweep sweep;
		__le64 raw[30];
	};
};

/* How a descriptor ended. */
#define PBIT_DONE_OK		0
#define PBIT_DONE_BAD_OP	1
#define PBIT_DONE_BAD_SIZE	2	/* a number outside the ROM's limits, or reserved bits set */
#define PBIT_DONE_BAD_ADDRESS	3	/* outside the card memory, misaligned, or an index that is not below its bound */
#define PBIT_DONE_BUS		4	/* the host refused a transfer */
#define PBIT_DONE_WATCHDOG	5
#define PBIT_DONE_ABORTED	6
#define PBIT_DONE_MEMORY	7	/* uncorrectable error of the card memory */
#define PBIT_DONE_RANDOM	8	/* the noise source failed its health test */

/*
 * An entry of a completion ring. phase is 1 in the first lap, then 0, then 1 ...; the card
 * writes data, then the completion, then interrupts. Descriptors of one queue complete in order;
 * a failed one does not stop those behind it.
 */
struct pbit_card_done {
	__le32 cookie;
	__le16 status;		/* PBIT_DONE_* */
	__le16 phase;
	__le32 progress;	/* samples or sweeps finished */
	__le32 reserved;
	__le64 cycles;
	__le64 energy_pj;
};

#endif
