/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common definitions: versions, symbol visibility, shapes, encodings.
 *
 * Every public struct begins with struct_size, set by the caller to sizeof() of
 * the struct it was compiled with. The library never reads or writes past it,
 * and treats absent members as zero. PBIT_INIT() sets it and clears the rest.
 */
#ifndef PBIT_TYPES_H
#define PBIT_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the programming interface; the shared library's SONAME is libpbit.so.0. */
#define PBIT_VERSION_MAJOR 0
#define PBIT_VERSION_MINOR 1
#define PBIT_VERSION_PATCH 0

#if defined(PBIT_BUILDING) && defined(__GNUC__)
#define PBIT_API __attribute__((visibility("default")))
#else
#define PBIT_API
#endif

#if defined(__GNUC__)
#define PBIT_CHECK	       __attribute__((warn_unused_result))
#define PBIT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PBIT_CHECK
#define PBIT_PRINTF(fmt, args)
#endif

/* A cleared struct with its size set: struct pbit_run_opts o = PBIT_INIT(o); */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define PBIT_INIT(var) (pbit_cxx_init<decltype(var)>::make())
#elif defined(__cplusplus)
#define PBIT_INIT(var)                \
	{                             \
		(uint32_t)sizeof(var) \
	}
#else
#define PBIT_INIT(var)                               \
	{                                            \
		.struct_size = (uint32_t)sizeof(var) \
	}
#endif

#if defined(__cplusplus) && __cplusplus >= 201103L
/* C++ warns about the members that a braced list leaves out; this names none. */
extern "C++" {
template <class T> struct pbit_cxx_init {
	static T make()
	{
		T t = T();

		t.struct_size = (uint32_t)sizeof(t);
		return t;
	}
};
template <class T> struct pbit_cxx_init<const T> : pbit_cxx_init<T> {
};
}
#endif

/* Opaque handles. */
struct pbit_device;
struct pbit_model;
struct pbit_session;
struct pbit_result;
struct pbit_job;
struct pbit_bm;

/* Values of a stored bit (CONTRACT.md, Encodings). */
enum pbit_encoding {
	PBIT_BIPOLAR = 0, /* bit 0 is -1, bit 1 is +1 (tanh p-bit) */
	PBIT_BINARY = 1,  /* bit 0 is 0, bit 1 is 1 (sigmoid p-bit) */
	PBIT_CODES = 2,	  /* unsigned integer codes of a real value: the input of a model */
};

enum pbit_layer_type {
	PBIT_DENSE = 0,
	PBIT_CONV2D = 1,
	PBIT_MAXPOOL = 2,
};

enum pbit_activation {
	PBIT_ACT_PBIT = 0,    /* stochastic bit */
	PBIT_ACT_LINEAR = 1,  /* read-out */
	PBIT_ACT_SIGMOID = 2, /* continuous read-out */
	PBIT_ACT_NONE = 3,    /* max-pool */
};

/* Channels, height, width; a vector of n values is {n, 1, 1}. */
struct pbit_shape {
	uint32_t channels;
	uint32_t height;
	uint32_t width;
};

/*
 * Version of the library at run time, "0.1.0". Static string; never fails; any thread.
 */
PBIT_API const char *pbit_version(void);

#ifdef __cplusplus
}
#endif
#endif
