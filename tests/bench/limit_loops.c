/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multiply-accumulate loops with operands in registers, one for each instruction set. Each has
 * enough independent sums to hide the latency of an addition; an empty asm statement
 * keeps the compiler from taking work out of the loop.
 */
#include "limit_loops.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define SUMS	8
#define KEEP(x) __asm__ volatile("" : "+m"(x))

static void bits_scalar(uint64_t steps)
{
	uint64_t a = 0x0123456789abcdef, sum[SUMS] = {0};

	for (uint64_t i = 0; i < steps; i++) {
#pragma GCC unroll 8
		for (int j = 0; j < SUMS; j++) {
			__asm__ volatile("" : "+r"(a));
			sum[j] += (uint64_t)__builtin_popcountll(a & (i + (uint64_t)j));
		}
	}
	KEEP(sum);
}

static void bytes_scalar(uint64_t steps)
{
	int32_t a = 3, sum[SUMS] = {0};

	for (uint64_t i = 0; i < steps; i++) {
#pragma GCC unroll 8
		for (int j = 0; j < SUMS; j++) {
			__asm__ volatile("" : "+r"(a));
			sum[j] += a * (int8_t)i;
		}
	}
	KEEP(sum);
}

#ifdef __x86_64__
#define TARGET_POPCNT __attribute__((target("popcnt")))
#define TARGET_AVX2   __attribute__((target("avx2")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512vpopcntdq,avx512vnni")))
#define TARGET_AMX    __attribute__((target("amx-tile,amx-int8")))

static bool has_popcnt(void)
{
	return __builtin_cpu_supports("popcnt");
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool has_avx512_popcnt(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vpopcntdq");
}

static bool has_avx512_vnni(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
}

/* The kernel grants the tile registers to a process that asks. */
static bool has_amx(void)
{
	const long request_permission = 0x1023, tile_data = 18;
	unsigned int a, b, c, d;

	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & 1u << 24) || !(d & 1u << 25))
		return false;
	return !syscall(SYS_arch_prctl, request_permission, tile_data);
}

TARGET_POPCNT static void bits_popcnt(uint64_t steps)
{
	uint64_t a = 0x0123456789abcdef, b[SUMS] = {3, 5, 7, 9, 11, 13, 15, 17}, sum[SUMS] = {0};

	for (uint64_t i = 0; i < steps; i++) {
#pragma GCC unroll 8
		for (int j = 0; j < SUMS; j++) {
			__asm__ volatile("" : "+r"(b[j]));
			sum[j] += (uint64_t)_mm_popcnt_u64(a & b[j]);
		}
	}
	KEEP(sum);
}

/* Population count by table of nibbles (Mula). */
TARGET_AVX2 static void bits_avx2(uint64_t steps)
{
	const __m256i table = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
	const __m256i nibble = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
	__m256i a = _mm256_set1_epi8(0x5a), b = _mm256_set1_epi8(0x3c), sum[SUMS];

	for (int j = 0; j < SUMS; j++)
		sum[j] = zero;
	for (uint64_t i = 0; i < steps; i++) {
#pragma GCC unroll 8
		for (int j = 0; j < SUMS; j++) {
			__m256i both, low, high;

			__asm__ volatile("" : "+x"(a));
			both = _mm256_and_si256(a, b);
			low = _mm256_shuffle_epi8(table, _mm256_and_si256(both, nibble));
			high = _mm256_shuffle_epi8(
				table, _mm256_and_si256(_mm256_srli_epi32(both, 4), nibble));
			sum[j] = _mm256_add_epi64(
				sum[j], _mm256_sad_epu8(_mm256_add_epi8(low, high), zero));
		}
	}
	KEEP(sum);
}

TARGET_AVX512 static void bits_avx512(uint64_t steps)
{
	__m512i a = _mm512_set1_epi8(0x5a), b = _mm512_set1_epi8(0x3c), sum[SUMS];

	for (int j = 0; j < SUMS; j++)
		sum[j] = _mm512_setzero_si512();
	for (uint64_t i = 0; i < steps; i++) {
#pragma GCC unroll 8
		for (int j = 0; j < SUMS; j++) {
			__asm__ volatile("" : "+v"(a));
			sum[j] = _mm512_add_epi64(sum[j],
						  _mm512_popcnt_epi64(_mm512_and_si512(a, b)));
		}
	}
	KEEP(sum);
}

/* A full adder takes two ANDs and the bit left over; only its carry is counted. */
TARGET_AVX512 static void bits_avx512_adder(uint64_t steps)
{
	const int add = 0xf0 ^ (0xcc & 0xaa); /* a + bc without the carry */
	const int pick = 0x74;		      /* b ? not c : a */
	__m512i a = _mm512_set1_epi8(0x5a), b = _mm512_set1_epi8(0x3c), sum[SUMS], one[SUMS];

	for (int j = 0; j < SUMS; j++)
		sum[j] = one[j] = _mm512_setzero_si512();
	for (uint64_t i = 0; i < steps; i++) {
#pragma GCC unroll 8
		for (int j = 0; j < SUMS; j++) {
			__m512i half, both;

			__asm__ volatile("" : "+v"(a));
			half = _mm512_ternarylogic_epi32(one[j], a, b, add);
			both = _mm512_ternarylogic_epi32(half, b, a, add);
			one[j] = _mm512_ternarylogic_epi32(one[j], half, both, pick);
			sum[j] = _mm512_add_epi64(sum[j], _mm512_popcnt_epi64(one[j]));
			one[j] = both;
		}
	}
	KEEP(sum);
	KEEP(one);
}

TARGET_AVX2 static void bytes_avx2(uint64_t steps)
{
	const __m256i ones = _mm256_set1_epi16(1);
	__m256i a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5), sum[SUMS];

	for (int j = 0; j < SUMS; j++)
		sum[j] = _mm256_setzero_si256();
	for (uint64_t i = 0; i < steps; i++) {
#pragma GCC unroll 8
		for (int j = 0; j < SUMS; j++) {
			__asm__ volatile("" : "+x"(a));
			sum[j] = _mm256_add_epi32(
				sum[j], _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
		}
	}
	KEEP(sum);
}

TARGET_AVX512 static void bytes_avx512(uint64_t steps)
{
	__m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-5), sum[SUMS];

	for (int j = 0; j < SUMS; j++)
		sum[j] = _mm512_setzero_si512();
	for (uint64_t i = 0; i < steps; i++) {
#pragma GCC unroll 8
		for (int j = 0; j < SUMS; j++) {
			__asm__ volatile("" : "+v"(a));
			sum[j] = _mm512_dpbusd_epi32(sum[j], a, b);
		}
	}
	KEEP(sum);
}

TARGET_AMX static void prepare_amx(void)
{
	uint8_t operand[1024];
	struct {
		uint8_t palette, start_row, reserved[14];
		uint16_t bytes[16];
		uint8_t rows[16];
	} config = {.palette = 1};

	for (int i = 0; i < 8; i++) {
		config.bytes[i] = 64;
		config.rows[i] = 16;
	}
	for (int i = 0; i < 1024; i++)
		operand[i] = (uint8_t)(5 * i);
	/* The intrinsics do not tell the compiler how much they read. */
	__asm__ volatile("" : : "m"(config), "m"(operand) : "memory");
	_tile_loadconfig(&config);
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	_tile_loadd(4, operand, 64);
	_tile_loadd(5, operand, 64);
	_tile_loadd(6, operand, 64);
	_tile_loadd(7, operand, 64);
	__asm__ volatile("" : : "m"(config), "m"(operand) : "memory");
}

TARGET_AMX static void bytes_amx(uint64_t steps)
{
	for (uint64_t i = 0; i < steps; i++) {
		_tile_dpbusd(0, 4, 6);
		_tile_dpbusd(1, 4, 7);
		_tile_dpbusd(2, 5, 6);
		_tile_dpbusd(3, 5, 7);
	}
}

/* Two streams keep more lines in flight than one. */
TARGET_AVX512 static void read_avx512(const uint64_t *memory, size_t bytes)
{
	size_t half = bytes / 16;
	__m512i sum[SUMS];

	for (int j = 0; j < SUMS; j++)
		sum[j] = _mm512_setzero_si512();
	for (size_t i = 0; i < half; i += 4 * SUMS) {
#pragma GCC unroll 4
		for (size_t j = 0; j < SUMS / 2; j++) {
			const uint64_t *at = &memory[i + 8 * j];

			sum[2 * j] = _mm512_or_si512(sum[2 * j], _mm512_load_si512(at));
			sum[2 * j + 1] =
				_mm512_or_si512(sum[2 * j + 1], _mm512_load_si512(at + half));
		}
	}
	KEEP(sum);
}

TARGET_AVX2 static void read_avx2(const uint64_t *memory, size_t bytes)
{
	__m256i sum[SUMS];

	for (int j = 0; j < SUMS; j++)
		sum[j] = _mm256_setzero_si256();
	for (size_t i = 0; i < bytes / 8; i += 4 * SUMS)
#pragma GCC unroll 8
		for (size_t j = 0; j < SUMS; j++)
			sum[j] = _mm256_or_si256(
				sum[j], _mm256_load_si256((const __m256i *)&memory[i + 4 * j]));
	KEEP(sum);
}
#endif

static void read_scalar(const uint64_t *memory, size_t bytes)
{
	uint64_t sum[SUMS] = {0};

	for (size_t i = 0; i < bytes / 8; i += SUMS)
		for (size_t j = 0; j < SUMS; j++)
			sum[j] |= memory[i + j];
	KEEP(sum);
}

void limit_read(const uint64_t *memory, size_t bytes)
{
#ifdef __x86_64__
	if (has_avx512_popcnt()) {
		read_avx512(memory, bytes);
		return;
	}
	if (has_avx2()) {
		read_avx2(memory, bytes);
		return;
	}
#endif
	read_scalar(memory, bytes);
}

const struct limit_loop limit_loops[] = {
#ifdef __x86_64__
	{LIMIT_BITS, "avx512-vpopcntdq", SUMS * 512, has_avx512_popcnt, NULL, bits_avx512},
	{LIMIT_BITS, "avx512-adder", 2 * SUMS * 512, has_avx512_popcnt, NULL, bits_avx512_adder},
	{LIMIT_BITS, "avx2", SUMS * 256, has_avx2, NULL, bits_avx2},
	{LIMIT_BITS, "popcnt", SUMS * 64, has_popcnt, NULL, bits_popcnt},
	{LIMIT_BYTES, "amx", 4 * 16 * 16 * 64, has_amx, prepare_amx, bytes_amx},
	{LIMIT_BYTES, "avx512-vnni", SUMS * 64, has_avx512_vnni, NULL, bytes_avx512},
	{LIMIT_BYTES, "avx2", SUMS * 32, has_avx2, NULL, bytes_avx2},
#endif
	{LIMIT_BITS, "scalar", SUMS * 64, NULL, NULL, bits_scalar},
	{LIMIT_BYTES, "scalar", SUMS, NULL, NULL, bytes_scalar},
};

const size_t limit_n_loops = sizeof(limit_loops) / sizeof(limit_loops[0]);
