/* SPDX-License-Identifier: MIT
 * rival_simsimd.c - SimSIMD's products, timed beside ours: where its headers are installed, or `make SIMSIMD=PREFIX` names them.
 *
 * A call is one pair, as its users make it; which of its kernels that is, it says itself, once.  f16 and bf16 queries are
 * rounded once a call, for it takes no others; its sums may be in f16, so its rows state what they may be off by. */
#include "kernels/half.h"
#include "kernels/kernel.h"
#if __has_include(<simsimd/simsimd.h>)
#define SIMSIMD_NATIVE_F16 0 /* bits, as ours */
#define SIMSIMD_NATIVE_BF16 0
#define SIMSIMD_TARGET_HASWELL 1 /* whatever this file is compiled for, all of its kernels, to choose from */
#define SIMSIMD_TARGET_SKYLAKE 1
#define SIMSIMD_TARGET_ICE 1
#define SIMSIMD_TARGET_GENOA 1
#define SIMSIMD_TARGET_SAPPHIRE 1
#pragma GCC diagnostic ignored "-Wunused-function" /* it declares those of other CPUs too */
#include <simsimd/simsimd.h>

enum { DIM_MOST = 65536 };

/* Asked once, for CPUID takes a virtual machine microseconds. */
static simsimd_metric_dense_punned_t chosen(simsimd_datatype_t type, simsimd_metric_dense_punned_t *kept)
{
    simsimd_capability_t which;
    if (!*kept)
        simsimd_find_kernel_punned(simsimd_metric_dot_k, type, simsimd_capabilities(), simsimd_cap_any_k,
                                   (simsimd_kernel_punned_t *)kept, &which);
    return *kept;
}

static void floats(simsimd_metric_dense_punned_t dot, size_t width, const void *query, const void *rows, size_t stride,
                   const uint32_t *pick, size_t count, size_t dim, float *scores)
{
    for (size_t r = 0; r < count; r++) {
        simsimd_distance_t sum = 0;
        dot(query, (const char *)rows + (pick ? pick[r] : r) * stride * width, dim, &sum);
        scores[r] = (float)sum;
    }
}

static void dot_f32(const float *query, const float *rows, size_t stride, const uint32_t *pick, size_t count, size_t dim,
                    float *scores)
{
    static simsimd_metric_dense_punned_t kept;
    floats(chosen(simsimd_datatype_f32_k, &kept), 4, query, rows, stride, pick, count, dim, scores);
}

static void dot_f16(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick, size_t count, size_t dim,
                    float *scores)
{
    static simsimd_metric_dense_punned_t kept;
    static uint16_t rounded[DIM_MOST];
    for (size_t i = 0; i < dim && i < DIM_MOST; i++) rounded[i] = f16_of_f32(query[i]);
    floats(chosen(simsimd_datatype_f16_k, &kept), 2, rounded, rows, stride, pick, count, dim, scores);
}

static void dot_bf16(const float *query, const uint16_t *rows, size_t stride, const uint32_t *pick, size_t count, size_t dim,
                     float *scores)
{
    static simsimd_metric_dense_punned_t kept;
    static uint16_t rounded[DIM_MOST];
    for (size_t i = 0; i < dim && i < DIM_MOST; i++) rounded[i] = bf16_of_f32(query[i]);
    floats(chosen(simsimd_datatype_bf16_k, &kept), 2, rounded, rows, stride, pick, count, dim, scores);
}

static void dot_i8(const int8_t *query, const int8_t *rows, size_t stride, const uint32_t *pick, size_t count, size_t dim,
                   int32_t *scores)
{
    static simsimd_metric_dense_punned_t kept;
    const simsimd_metric_dense_punned_t dot = chosen(simsimd_datatype_i8_k, &kept);
    for (size_t r = 0; r < count; r++) {
        simsimd_distance_t sum = 0;
        dot(query, rows + (pick ? pick[r] : r) * stride, dim, &sum);
        scores[r] = (int32_t)sum;
    }
}

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define VERSION "simsimd-" TEXT(SIMSIMD_VERSION_MAJOR) "." TEXT(SIMSIMD_VERSION_MINOR) "." TEXT(SIMSIMD_VERSION_PATCH)
#define ROW(op_, of_sums)                                                                                                \
    { .op = OP_##op_, .isa = ISA_scalar, .kind = KERNEL_BASELINE, .variant = VERSION, .note = "a call a row", .cost = "",    \
      .fn = { .op_ = op_ }, .own = { .products = of_sums } }
#endif

const struct kernel rival_simsimd[] = {
#ifdef ROW
    ROW(dot_f32, 0), ROW(dot_f16, 0x1p-5), ROW(dot_bf16, 0x1p-7), ROW(dot_i8, 0),
#endif
    KERNEL_END
};
