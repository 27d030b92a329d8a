/* SPDX-License-Identifier: MIT
 * needs.h - CPU features this translation unit was allowed to use, by the compiler's own word.
 *
 * Every kernel row records NEEDS, so a file can never be compiled with more than is checked
 * before it is called: a SIGILL from drift is impossible by construction. */
#ifndef ASSAY_NEEDS_H
#define ASSAY_NEEDS_H
#include "kernels/cpu.h"

enum {
    NEEDS = 0
#ifdef __AVX__
            | CPU_AVX
#endif
#ifdef __AVX2__
            | CPU_AVX2
#endif
#ifdef __FMA__
            | CPU_FMA
#endif
#ifdef __F16C__
            | CPU_F16C
#endif
#ifdef __AVXVNNI__
            | CPU_AVXVNNI
#endif
#ifdef __AVX512F__
            | CPU_AVX512F
#endif
#ifdef __AVX512DQ__
            | CPU_AVX512DQ
#endif
#ifdef __AVX512BW__
            | CPU_AVX512BW
#endif
#ifdef __AVX512VL__
            | CPU_AVX512VL
#endif
#ifdef __AVX512VNNI__
            | CPU_AVX512VNNI
#endif
#ifdef __AVX512VBMI__
            | CPU_AVX512VBMI
#endif
#ifdef __AVX512VPOPCNTDQ__
            | CPU_AVX512VPOPCNTDQ
#endif
#ifdef __AVX512BF16__
            | CPU_AVX512BF16
#endif
#ifdef __AVX512FP16__
            | CPU_AVX512FP16
#endif
#if defined(__AMX_TILE__) || defined(__AMXTILE__) /* gcc, clang 14 */
            | CPU_AMXTILE
#endif
#if defined(__AMX_INT8__) || defined(__AMXINT8__)
            | CPU_AMXINT8
#endif
#if defined(__AMX_BF16__) || defined(__AMXBF16__)
            | CPU_AMXBF16
#endif
#ifdef __ARM_NEON
            | CPU_NEON
#endif
#ifdef __ARM_FEATURE_DOTPROD
            | CPU_DOTPROD
#endif
#ifdef __ARM_FEATURE_MATMUL_INT8
            | CPU_I8MM
#endif
};
#endif
