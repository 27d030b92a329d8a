/* SPDX-License-Identifier: MIT
 * amx_model.h - the tile instructions of AMX in plain C, for tests on machines without them.
 *
 * A kernel of AMX that is compiled with AMX_MODEL includes this in place of the compiler's intrinsics; everything else of
 * its source is what ships.  As the hardware does, this refuses (assert) a tile that no configuration has, and operands
 * whose shapes do not fit each other (Intel's architecture manual, TDPBSSD).  One thread at a time. */
#ifndef ASSAY_AMX_MODEL_H
#define ASSAY_AMX_MODEL_H
#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { MODEL_TILES = 8, MODEL_ROWS = 16, MODEL_BYTES = 64 };
static struct { unsigned rows, bytes; uint8_t at[MODEL_ROWS][MODEL_BYTES]; } model_tile[MODEL_TILES];

static inline void model_config(const void *config)
{
    const uint8_t *c = config;
    assert(c[0] == 1 && c[1] == 0);
    memset(model_tile, 0, sizeof model_tile);
    for (int t = 0; t < MODEL_TILES; t++) {
        uint16_t wide;
        memcpy(&wide, c + 16 + 2 * t, sizeof wide);
        assert(wide <= MODEL_BYTES && c[48 + t] <= MODEL_ROWS && wide % 4 == 0);
        model_tile[t].rows = c[48 + t], model_tile[t].bytes = wide;
    }
}
static inline void model_release(void) { memset(model_tile, 0, sizeof model_tile); }

static inline void model_zero(int t)
{
    assert(model_tile[t].rows > 0);
    memset(model_tile[t].at, 0, sizeof model_tile[t].at);
}
static inline void model_load(int t, const void *from, size_t stride)
{
    assert(model_tile[t].rows > 0);
    for (unsigned r = 0; r < model_tile[t].rows; r++)
        memcpy(model_tile[t].at[r], (const uint8_t *)from + r * stride, model_tile[t].bytes);
}
static inline void model_store(int t, void *to, size_t stride)
{
    assert(model_tile[t].rows > 0);
    for (unsigned r = 0; r < model_tile[t].rows; r++)
        memcpy((uint8_t *)to + r * stride, model_tile[t].at[r], model_tile[t].bytes);
}

/* c[m][n] += the sum over k of a[m][k] * b[k / 4][4 n + k % 4], signed bytes; wraps at 32 bits.
 * Without sanitizers, for which this is most of a test's time: after its assertions it touches tiles alone. */
__attribute__((no_sanitize("address", "undefined"))) static inline void model_dpbssd(int c, int a, int b)
{
    const unsigned rows = model_tile[c].rows, columns = model_tile[c].bytes / 4, deep = model_tile[a].bytes / 4;
    assert(rows > 0 && model_tile[a].rows == rows && model_tile[b].rows == deep && model_tile[b].bytes == 4 * columns);
    for (unsigned m = 0; m < rows; m++)
        for (unsigned k = 0; k < deep; k++)
            for (unsigned n = 0; n < columns; n++) {
                uint32_t sum;
                memcpy(&sum, model_tile[c].at[m] + 4 * n, sizeof sum);
                for (unsigned i = 0; i < 4; i++)
                    sum += (uint32_t)((int8_t)model_tile[a].at[m][4 * k + i] * (int8_t)model_tile[b].at[k][4 * n + i]);
                memcpy(model_tile[c].at[m] + 4 * n, &sum, sizeof sum);
            }
}

/* c[m][n] += a[m][k] * b[k / 2][2 n + k % 2], k ascending, bfloat16 to float, each step rounded once; what is below 2^-126
 * counts as 0, on both sides of it (Intel's manual, TDPBF16PS). */
__attribute__((no_sanitize("address", "undefined"))) static inline float model_wide(const uint8_t *at)
{
    uint16_t half;
    memcpy(&half, at, sizeof half);
    const uint32_t bits = half & 0x7f80 ? (uint32_t)half << 16 : (uint32_t)(half & 0x8000) << 16;
    float wide;
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}
__attribute__((no_sanitize("address", "undefined"))) static inline void model_dpbf16ps(int c, int a, int b)
{
    const unsigned rows = model_tile[c].rows, columns = model_tile[c].bytes / 4, deep = model_tile[a].bytes / 4;
    assert(rows > 0 && model_tile[a].rows == rows && model_tile[b].rows == deep && model_tile[b].bytes == 4 * columns);
    for (unsigned m = 0; m < rows; m++)
        for (unsigned k = 0; k < 2 * deep; k++)
            for (unsigned n = 0; n < columns; n++) {
                float sum;
                memcpy(&sum, model_tile[c].at[m] + 4 * n, sizeof sum);
                const double product = (double)model_wide(model_tile[a].at[m] + 2 * k) *
                                       (double)model_wide(model_tile[b].at[k / 2] + 4 * n + 2 * (k % 2));
                sum = (float)((double)sum + product); /* a product of 16 bits is exact, their sum rounded twice at most */
                if (sum > -0x1p-126f && sum < 0x1p-126f) sum = 0;
                memcpy(model_tile[c].at[m] + 4 * n, &sum, sizeof sum);
            }
}

/* The compiler's, where its header came first, are macros or functions. */
#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbssd
#undef _tile_dpbf16ps
#define _tile_dpbf16ps model_dpbf16ps
#define _tile_loadconfig model_config
#define _tile_release model_release
#define _tile_zero model_zero
#define _tile_loadd model_load
#define _tile_stored model_store
#define _tile_dpbssd model_dpbssd
#endif
