/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints: the life of a job. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pbit

#if !defined(PBIT_CORE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PBIT_CORE_TRACE_H

#include <linux/tracepoint.h>
#include "internal.h"

TRACE_EVENT(pbit_submit,
	TP_PROTO(struct pbit_device *pdev, u64 job, u32 commands, u32 priority),
	TP_ARGS(pdev, job, commands, priority),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u64, job)
		__field(u32, commands)
		__field(u32, priority)
	),
	TP_fast_assign(
		__entry->device = pdev->index;
		__entry->job = job;
		__entry->commands = commands;
		__entry->priority = priority;
	),
	TP_printk("pbit%d job=%llu commands=%u priority=%u", __entry->device, __entry->job,
		  __entry->commands, __entry->priority)
);

TRACE_EVENT(pbit_start,
	TP_PROTO(struct pbit_device *pdev, u64 job, u32 command, u32 queue),
	TP_ARGS(pdev, job, command, queue),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u64, job)
		__field(u32, command)
		__field(u32, queue)
	),
	TP_fast_assign(
		__entry->device = pdev->index;
		__entry->job = job;
		__entry->command = command;
		__entry->queue = queue;
	),
	TP_printk("pbit%d job=%llu command=%u queue=%u", __entry->device, __entry->job,
		  __entry->command, __entry->queue)
);

TRACE_EVENT(pbit_done,
	TP_PROTO(struct pbit_device *pdev, u64 job, u32 command, u32 status),
	TP_ARGS(pdev, job, command, status),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u64, job)
		__field(u32, command)
		__field(u32, status)
	),
	TP_fast_assign(
		__entry->device = pdev->index;
		__entry->job = job;
		__entry->command = command;
		__entry->status = status;
	),
	TP_printk("pbit%d job=%llu command=%u status=%u", __entry->device, __entry->job,
		  __entry->command, __entry->status)
);

TRACE_EVENT(pbit_end,
	TP_PROTO(struct pbit_device *pdev, u64 job, int status),
	TP_ARGS(pdev, job, status),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u64, job)
		__field(int, status)
	),
	TP_fast_assign(
		__entry->device = pdev->index;
		__entry->job = job;
		__entry->status = status;
	),
	TP_printk("pbit%d job=%llu status=%d", __entry->device, __entry->job, __entry->status)
);

TRACE_EVENT(pbit_reset,
	TP_PROTO(struct pbit_device *pdev, int status),
	TP_ARGS(pdev, status),
	TP_STRUCT__entry(
		__field(int, device)
		__field(int, status)
	),
	TP_fast_assign(
		__entry->device = pdev->index;
		__entry->status = status;
	),
	TP_printk("pbit%d status=%d", __entry->device, __entry->status)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
