/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libpbit: p-bit (Boltzmann-machine) accelerators behind one interface. For applications;
 * authors of backends include pbit/backend.h as well.
 *
 * Unless a function says otherwise: it returns 0 or a negative errno and leaves a record for
 * pbit_last_error(); it may be called from any thread; handles from *_new(), *_open() and the
 * like belong to the caller.
 */
#ifndef PBIT_PBIT_H
#define PBIT_PBIT_H

#include <pbit/boltzmann.h>
#include <pbit/caps.h>
#include <pbit/check.h>
#include <pbit/contract.h>
#include <pbit/device.h>
#include <pbit/error.h>
#include <pbit/import.h>
#include <pbit/job.h>
#include <pbit/lower.h>
#include <pbit/model.h>
#include <pbit/run.h>
#include <pbit/solve.h>
#include <pbit/types.h>

#endif
