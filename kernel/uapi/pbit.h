/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Interface between user space and the pbit driver: /dev/pbitN.
 *
 * Each open file is a *context*: buffers, jobs and limits belong to it and go with it. A job is
 * a list of commands; those of one file run in order. When it ends, an event can be read from
 * the file, which then polls readable. After a reset or a removal every older file answers
 * ENODEV for ever.
 *
 * Rules of every struct: size first, set by the caller to sizeof(); fields are naturally
 * aligned, no padding; a shorter struct of an older program is accepted (missing fields are
 * zero), of a longer one the tail must be zero (E2BIG); reserved fields and unknown flags must
 * be zero (EINVAL). What goes wrong is told by errno and, where the struct has them, by reason
 * (enum pbit_reason) and reason_arg. An unknown request is ENOTTY.
 *
 * Feature level, PBIT_UAPI_LEVEL:
 *	1	first
 */
#ifndef _UAPI_PBIT_H
#define _UAPI_PBIT_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PBIT_UAPI_MAJOR 1 /* another major: do not use the device */
#define PBIT_UAPI_LEVEL 1

/**
 * enum pbit_reason - why a request failed
 * @PBIT_REASON_NONE: no more than errno says
 * @PBIT_REASON_SIZE: the size field is smaller than the first version of the struct
 * @PBIT_REASON_RESERVED: a reserved field or an unknown flag is set; arg: offset in the struct
 * @PBIT_REASON_RANGE: a number is outside the device's limits; arg: offset in the command
 * @PBIT_REASON_HANDLE: no buffer has this handle; arg: offset in the command
 * @PBIT_REASON_EXTENT: a buffer is too small for what the command reads or writes; arg: offset in the command
 * @PBIT_REASON_ALIGN: an offset or stride is not aligned; arg: offset in the command
 * @PBIT_REASON_PLACE: the buffer is on the wrong side (host, device); arg: offset in the command
 * @PBIT_REASON_OP: the device does not have this operation
 * @PBIT_REASON_WORK: one command would hold the device for too long: split it
 * @PBIT_REASON_PINNED: limit of pinned host memory; arg: the limit in bytes
 * @PBIT_REASON_DEVICE_MEMORY: the device's memory is full; arg: bytes that are free
 * @PBIT_REASON_JOBS: limit of unfinished jobs and unread events; arg: the limit
 * @PBIT_REASON_BUSY: the buffer is in use by an unfinished job
 * @PBIT_REASON_DETACHED: the device was removed
 * @PBIT_REASON_RESET: the device was reset after this file was opened
 * @PBIT_REASON_DEADLINE: the deadline has passed
 * @PBIT_REASON_JOB: no such job
 * @PBIT_REASON_PRIVILEGE: needs CAP_SYS_ADMIN or CAP_SYS_NICE
 */
enum pbit_reason {
	PBIT_REASON_NONE = 0,
	PBIT_REASON_SIZE = 1,
	PBIT_REASON_RESERVED = 2,
	PBIT_REASON_RANGE = 3,
	PBIT_REASON_HANDLE = 4,
	PBIT_REASON_EXTENT = 5,
	PBIT_REASON_ALIGN = 6,
	PBIT_REASON_PLACE = 7,
	PBIT_REASON_OP = 8,
	PBIT_REASON_WORK = 9,
	PBIT_REASON_PINNED = 10,
	PBIT_REASON_DEVICE_MEMORY = 11,
	PBIT_REASON_JOBS = 12,
	PBIT_REASON_BUSY = 13,
	PBIT_REASON_DETACHED = 14,
	PBIT_REASON_RESET = 15,
	PBIT_REASON_DEADLINE = 16,
	PBIT_REASON_JOB = 17,
	PBIT_REASON_PRIVILEGE = 18,
};

/**
 * struct pbit_ioc_info - what the device is and what this file may use
 * @size: of this struct
 * @flags: must be 0
 * @uapi_major: out, PBIT_UAPI_MAJOR
 * @uapi_level: out, PBIT_UAPI_LEVEL
 * @generation: out, number of resets so far
 * @rom_size: in: room at @rom; out: size of the device's ROM
 * @bus: out, 0 PCI, 1 platform, 2 sim
 * @rom: in, address for a copy of struct pbit_card_rom (uapi/pbit_card.h), or 0
 * @device_memory: out, bytes
 * @device_memory_free: out, bytes
 * @pinned_limit: out, bytes of host buffers this file may have
 * @pinned: out, bytes it has
 * @max_jobs: out, unfinished jobs and unread events it may have
 * @max_commands: out, commands of one job
 * @max_work: out, multiply-accumulates of one command
 * @max_host_buffer: out, bytes of one host buffer
 * @name: out, name of the device node without /dev/
 */
struct pbit_ioc_info {
	__u32 size;
	__u32 flags;
	__u32 uapi_major;
	__u32 uapi_level;
	__u64 generation;
	__u32 rom_size;
	__u32 bus;
	__u64 rom;
	__u64 device_memory;
	__u64 device_memory_free;
	__u64 pinned_limit;
	__u64 pinned;
	__u32 max_jobs;
	__u32 max_commands;
	__u64 max_work;
	__u64 max_host_buffer;
	char name[32];
};

#define PBIT_BUFFER_HOST   0 /* host memory, pinned, mapped by mmap(2), reached by the device directly */
#define PBIT_BUFFER_DEVICE 1 /* the device's own memory, filled and read by PBIT_CMD_COPY */

/**
 * struct pbit_ioc_buffer_create - a buffer of this file
 * @size: of this struct
 * @place: PBIT_BUFFER_*
 * @bytes: 1 or more, rounded up to pages
 * @handle: out, not 0
 * @reason: out
 * @reason_arg: out
 * @map_offset: out, offset for mmap(2) of a host buffer. A mapping keeps the memory, not the buffer.
 */
struct pbit_ioc_buffer_create {
	__u32 size;
	__u32 place;
	__u64 bytes;
	__u32 handle;
	__u32 reason;
	__u64 reason_arg;
	__u64 map_offset;
};

/**
 * struct pbit_ioc_buffer_destroy - gives a buffer back
 * @size: of this struct
 * @handle: EBUSY while an unfinished job uses it
 * @reason: out
 * @reserved: 0
 */
struct pbit_ioc_buffer_destroy {
	__u32 size;
	__u32 handle;
	__u32 reason;
	__u32 reserved;
};

/**
 * struct pbit_ref - a place in a buffer
 * @handle: 0: none, where a command allows it; @offset is then 0
 * @reserved: 0
 * @offset: bytes
 */
struct pbit_ref {
	__u32 handle;
	__u32 reserved;
	__u64 offset;
};

/* Commands: PBIT_OP_* of uapi/pbit_card.h, with places in buffers where the card has addresses. */

/**
 * struct pbit_cmd_copy - between buffers of either kind
 * @from: source
 * @to: destination; must not overlap the source
 * @bytes: 1 or more
 */
struct pbit_cmd_copy {
	struct pbit_ref from;
	struct pbit_ref to;
	__u64 bytes;
};

/**
 * struct pbit_cmd_layer - one dense layer, samples of a batch: struct pbit_card_layer has the meaning
 * @weights: in device memory, 64-byte aligned
 * @factors: in device memory, 4-byte aligned
 * @input: 8-byte aligned
 * @output: 8-byte aligned
 * @image_numbers: 8-byte aligned, or none
 * @seed: key of the draws
 * @first_image: number of the first image
 * @first_sample: number of the first sample
 * @n_inputs: fan-in
 * @n_outputs: outputs
 * @n_images: images
 * @n_samples: samples of each image
 * @in_stride: bytes
 * @out_stride: bytes
 * @layer: of the draws' key
 * @first_output: multiple of 128
 * @weight_bits: 1, 2, 4, 8
 * @in_kind: PBIT_IN_*
 * @out_kind: PBIT_OUT_*
 * @reserved: 0
 */
struct pbit_cmd_layer {
	struct pbit_ref weights;
	struct pbit_ref factors;
	struct pbit_ref input;
	struct pbit_ref output;
	struct pbit_ref image_numbers;
	__u64 seed;
	__u64 first_image;
	__u64 first_sample;
	__u32 n_inputs;
	__u32 n_outputs;
	__u32 n_images;
	__u32 n_samples;
	__u32 in_stride;
	__u32 out_stride;
	__u32 layer;
	__u32 first_output;
	__u8 weight_bits;
	__u8 in_kind;
	__u8 out_kind;
	__u8 reserved[5];
};

/**
 * struct pbit_cmd_sweep - sweeps of a Boltzmann machine: struct pbit_card_sweep has the meaning
 * @rows: device memory
 * @columns: device memory; the device refuses an index that is not below n
 * @values: device memory
 * @bias: 4-byte aligned
 * @visits: device memory, or none
 * @clamp: or none
 * @state: 8-byte aligned
 * @output: or none
 * @scale: bits of a binary64 number
 * @seed: key of the draws
 * @layer: of the draws' key
 * @first_sweep: number of the first sweep
 * @first_chain: number of replica 0's chain
 * @first_pbit: multiple of 128
 * @n_values: entries at @columns and @values
 * @n: p-bits
 * @replicas: chains
 * @sweeps: sweeps
 * @interval: sweeps from an output state to the next, 0 where @output is none
 * @domain: of the draws' key
 * @synchronous: 0 or 1
 * @reserved: 0
 */
struct pbit_cmd_sweep {
	struct pbit_ref rows;
	struct pbit_ref columns;
	struct pbit_ref values;
	struct pbit_ref bias;
	struct pbit_ref visits;
	struct pbit_ref clamp;
	struct pbit_ref state;
	struct pbit_ref output;
	__u64 scale;
	__u64 seed;
	__u64 layer;
	__u64 first_sweep;
	__u64 first_chain;
	__u64 first_pbit;
	__u32 n_values;
	__u32 n;
	__u32 replicas;
	__u32 sweeps;
	__u32 interval;
	__u32 domain;
	__u8 synchronous;
	__u8 reserved[7];
};

/**
 * struct pbit_cmd - one command
 * @op: PBIT_OP_*
 * @flags: must be 0
 * @copy: PBIT_OP_COPY
 * @layer: PBIT_OP_LAYER
 * @sweep: PBIT_OP_SWEEP
 * @raw: what the operation does not use must be 0
 */
struct pbit_cmd {
	__u32 op;
	__u32 flags;
	union {
		struct pbit_cmd_copy copy;
		struct pbit_cmd_layer layer;
		struct pbit_cmd_sweep sweep;
		__u64 raw[31];
	};
};

#define PBIT_PRIORITY_LOW    0
#define PBIT_PRIORITY_NORMAL 1
#define PBIT_PRIORITY_HIGH   2 /* CAP_SYS_NICE */

/**
 * struct pbit_ioc_submit - queues a job
 * @size: of this struct
 * @flags: must be 0
 * @commands: address of an array
 * @n_commands: 1 or more
 * @command_size: distance of two commands in the array, sizeof(struct pbit_cmd)
 * @deadline_ns: CLOCK_MONOTONIC, the job is ended then; 0: none
 * @user: given back in the event
 * @priority: PBIT_PRIORITY_*
 * @reason: out
 * @reason_arg: out, see enum pbit_reason
 * @reason_command: out, index of the command that was refused
 * @reserved: 0
 * @job: out, its number in this file, not 0
 */
struct pbit_ioc_submit {
	__u32 size;
	__u32 flags;
	__u64 commands;
	__u32 n_commands;
	__u32 command_size;
	__u64 deadline_ns;
	__u64 user;
	__u32 priority;
	__u32 reason;
	__u64 reason_arg;
	__u32 reason_command;
	__u32 reserved;
	__u64 job;
};

/**
 * struct pbit_event - what read(2) gives: the end of a job; whole events only
 * @job: its number
 * @user: as submitted
 * @status: 0, or negative errno: -ECANCELED, -ETIMEDOUT (deadline), -ETIME (watchdog), -EINVAL (the device found
 *	    a bad index or number), -EIO, -ENODEV
 * @card_status: PBIT_DONE_* of the command that failed
 * @command: its index, n_commands where all ended well
 * @progress: samples or sweeps finished of it
 * @cycles: device time of the job
 * @energy_pj: as measured or estimated by the device
 * @queued_ns: CLOCK_MONOTONIC of submit
 * @started_ns: of the first command's start, 0: never
 * @ended_ns: of the end
 */
struct pbit_event {
	__u64 job;
	__u64 user;
	__s32 status;
	__u32 card_status;
	__u32 command;
	__u32 progress;
	__u64 cycles;
	__u64 energy_pj;
	__u64 queued_ns;
	__u64 started_ns;
	__u64 ended_ns;
};

/**
 * struct pbit_ioc_wait - waits for a job and takes its event
 * @size: of this struct
 * @flags: must be 0
 * @job: its number
 * @deadline_ns: CLOCK_MONOTONIC, ETIMEDOUT from then on (0: only look); ~0: none. The job goes on.
 * @reason: out
 * @reserved: 0
 * @event: out
 */
struct pbit_ioc_wait {
	__u32 size;
	__u32 flags;
	__u64 job;
	__u64 deadline_ns;
	__u32 reason;
	__u32 reserved;
	struct pbit_event event;
};

/**
 * struct pbit_ioc_cancel - ends a job early; its event says -ECANCELED unless it had ended
 * @size: of this struct
 * @flags: must be 0
 * @job: its number; 0: all of this file
 * @reason: out
 * @reserved: 0
 */
struct pbit_ioc_cancel {
	__u32 size;
	__u32 flags;
	__u64 job;
	__u32 reason;
	__u32 reserved;
};

/**
 * struct pbit_ioc_reset - resets the device (CAP_SYS_ADMIN)
 * @size: of this struct
 * @flags: must be 0
 * @reason: out
 * @reserved: 0
 *
 * All jobs of all files end with -ENODEV; every file but this one answers ENODEV from then on, this one
 * has lost its buffers in device memory.
 */
struct pbit_ioc_reset {
	__u32 size;
	__u32 flags;
	__u32 reason;
	__u32 reserved;
};

#define PBIT_IOC_MAGIC 0xb7

#define PBIT_IOC_INFO		_IOWR(PBIT_IOC_MAGIC, 0x00, struct pbit_ioc_info)
#define PBIT_IOC_BUFFER_CREATE	_IOWR(PBIT_IOC_MAGIC, 0x01, struct pbit_ioc_buffer_create)
#define PBIT_IOC_BUFFER_DESTROY	_IOWR(PBIT_IOC_MAGIC, 0x02, struct pbit_ioc_buffer_destroy)
#define PBIT_IOC_SUBMIT		_IOWR(PBIT_IOC_MAGIC, 0x03, struct pbit_ioc_submit)
#define PBIT_IOC_WAIT		_IOWR(PBIT_IOC_MAGIC, 0x04, struct pbit_ioc_wait)
#define PBIT_IOC_CANCEL		_IOWR(PBIT_IOC_MAGIC, 0x05, struct pbit_ioc_cancel)
#define PBIT_IOC_RESET		_IOWR(PBIT_IOC_MAGIC, 0x06, struct pbit_ioc_reset)

#endif
