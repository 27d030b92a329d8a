/* SPDX-License-Identifier: MIT
 * index_rabitq.c - RaBitQ (arXiv 2405.12497) and its extension to more bits (arXiv 2409.09913): signs, or
 * even steps whose scale is chosen per row to turn the code as close to the row as can be; scores by the unbiased
 * <q, v> / <u, v>.
 *
 *   fit=fast    one scale for all rows: the best on average over a Gaussian coordinate
 *   fit=sweep   the best scale of each row, by passing all scales at which some code changes
 *   fit=authors as RaBitQ-Library (rabitq_impl.hpp) sweeps: from a late start on, where the codes of the largest
 *               coordinates may lie beyond the last level and are credited as if they did not, so that the best scale may
 *               be behind the start.  At 4 bits and 64 dimensions it costs 59 % in variance, at 1536 a few; for comparison
 *               with what they publish
 *   fit=faiss   the same as FAISS (RaBitQuantizerMultiBit.cpp) has it: one over the length of the code is carried from step
 *               to step by 1 - x / 2 / (1 + x / 2), x the share that the square of the length grows by, which is less than
 *               1 / sqrt(1 + x) by x^2 / 8.  Of few dimensions x is large, and the cosine seems to fall sooner than it does:
 *               an earlier scale is taken, which makes up for some of the late start */
#include <math.h>
#include <sleef.h>
#include "index/rotated.h"

static const struct param table[] = {
    { "bits", PARAM_INT, 1, 8, "4", "bits", NULL, "code width of a coordinate" },
    { "rotation", PARAM_CHOICE, 0, 0, "fht", "", ROTATION_CHOICES,
      "random rotation before quantising" },
    { "rounds", PARAM_INT, 1, ROTATION_ROUNDS_MAX, "2", "", NULL, "rounds of the fht rotation" },
    { "fit", PARAM_CHOICE, 0, 0, "fast", "", "fast|sweep|authors|faiss",
      "how the scale of a row's steps is found" },
    { "query", PARAM_CHOICE, 0, 0, "int8", "", QUERY_CHOICES, QUERY_HELP },
    { "layout", PARAM_CHOICE, 0, 0, "auto", "", LAYOUT_CHOICES,
      "split: the other bits only where the signs promise enough" },
    { "eps0", PARAM_REAL, 0, 10, "1.9", "", NULL, "split: deviations that a promise may be off" },
    ADAPT_PARAM_CENTER,
    { 0 }
};

/* Level of rank r in steps: odd numbers, but for 8 bits, whose largest would not fit a signed byte. */
static int level_of(int bits, int rank) { return bits == 8 ? rank : 2 * rank + 1; }

/* Ranks per deviation that bring a Gaussian vector and its codes closest, to one per cent of the scale, where the
 * cosine is flat to 1e-5. */
static double best_scale(int bits)
{
    enum { CELLS = 600 };
    double z[CELLS], density[CELLS], best = 0, best_fit = -1;
    for (int i = 0; i < CELLS; i++) {
        z[i] = (i + 0.5) * 6 / CELLS;
        density[i] = Sleef_cinz_expd1_u10purec(-z[i] * z[i] / 2);
    }
    const int half = 1 << (bits - 1);
    for (double scale = half / 6.0; scale < half; scale *= 1.01) {
        double inner = 0, square = 0;
        for (int i = 0; i < CELLS; i++) {
            const int rank = (int)(z[i] * scale + (bits == 8 ? 0.5 : 0)),
                      level = level_of(bits, rank < half ? rank : half - 1);
            inner += density[i] * z[i] * level;
            square += density[i] * level * level;
        }
        if (inner * inner > best_fit * square) best_fit = inner * inner / square, best = scale;
    }
    return best;
}

static void ranks_at(const struct rotated *t, const float *u, float scale, uint8_t *ranks)
{
    const int bits = t->planes[0].bits;
    const float most = (float)((1 << (bits - 1)) - 1), shift = bits == 8 ? 0.5f : 0;
    for (size_t i = 0; i < t->base.config.dim; i++) {
        const float at = fabsf(u[i]) * scale + shift;
        ranks[i] = (uint8_t)(at < most ? at : most);
    }
}

/* A coordinate and the scale at which its rank next grows; a heap with the least scale at its root. */
struct change {
    float scale;
    uint32_t coordinate;
};

static void sift(struct change *heap, size_t count, size_t at)
{
    const struct change moving = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1].scale < heap[child].scale) child++;
        if (heap[child].scale >= moving.scale) break;
        heap[at] = heap[child];
    }
    heap[at] = moving;
}

/* The scale whose codes have the largest cosine with u.  ranks: dim bytes; heap: dim changes. */
static float sweep(const struct rotated *t, const float *u, uint8_t *ranks, struct change *heap)
{
    const int bits = t->planes[0].bits, most = (1 << (bits - 1)) - 1;
    const float shift = bits == 8 ? 0.5f : 0;
    size_t count = 0;
    double inner = 0, square = 0, best_fit = -1;
    float best = 0;
    for (size_t i = 0; i < t->base.config.dim; i++) {
        ranks[i] = 0;
        inner += fabs((double)u[i]) * level_of(bits, 0);
        square += level_of(bits, 0) * level_of(bits, 0);
        if (fabsf(u[i]) > 1e-6f && most > 0) heap[count++] = (struct change){ (1 - shift) / fabsf(u[i]), (uint32_t)i };
    }
    for (size_t i = count / 2; i-- > 0;) sift(heap, count, i);
    while (count > 0) {
        const uint32_t i = heap[0].coordinate;
        const float scale = heap[0].scale, size = fabsf(u[i]);
        const int before = level_of(bits, ranks[i]), after = level_of(bits, ++ranks[i]);
        inner += (double)size * (after - before);
        square += after * after - before * before;
        heap[0] = ranks[i] < most ? (struct change){ ((float)ranks[i] + 1 - shift) / size, i } : heap[--count];
        sift(heap, count, 0);
        if (inner * inner > best_fit * square) best_fit = inner * inner / square, best = scale;
    }
    return best * (1 + 1e-6f); /* a little past the change, so that rounding does not undo it */
}

/* Where the authors' sweep starts, as a share of the scale at which the largest coordinate has passed the last level by
 * ten; of bits - 1. */
static const double authors_start[] = { 0, 0.15, 0.20, 0.52, 0.59, 0.71, 0.75, 0.77 };

/* The same from their start, with the ranks that it gives, unclamped; a rank grows up to the last level.  By steps: as FAISS
 * carries the length of the code. */
static float sweep_late(const struct rotated *t, const float *u, uint8_t *ranks, struct change *heap, int by_steps)
{
    const int bits = t->planes[0].bits, most = (1 << (bits - 1)) - 1;
    const float shift = bits == 8 ? 0.5f : 0, largest = codec_largest(u, t->base.config.dim);
    const float end = largest > 0 ? (float)(most + 10) / largest : 0, start = end * (float)authors_start[bits - 1];
    size_t count = 0;
    double inner = 0, square = 0, best_fit = -1;
    float best = start;
    for (size_t i = 0; i < t->base.config.dim; i++) {
        const float size = fabsf(u[i]);
        ranks[i] = (uint8_t)(size * start + shift + 1e-5f);
        inner += (double)size * level_of(bits, ranks[i]);
        square += (double)level_of(bits, ranks[i]) * level_of(bits, ranks[i]);
        if (size > 1e-6f) heap[count++] = (struct change){ ((float)ranks[i] + 1 - shift) / size, (uint32_t)i };
    }
    for (size_t i = count / 2; i-- > 0;) sift(heap, count, i);
    double carried = square;
    while (count > 0) {
        const uint32_t i = heap[0].coordinate;
        const float scale = heap[0].scale, size = fabsf(u[i]);
        const int before = level_of(bits, ranks[i]), after = level_of(bits, ++ranks[i]);
        inner += (double)size * (after - before);
        const double grown = (double)after * after - (double)before * before, middle = square + grown / 2;
        carried *= middle / square * middle / square;
        square += grown;
        const float next = ((float)ranks[i] + 1 - shift) / size;
        heap[0] = ranks[i] < most && next < end ? (struct change){ next, i } : heap[--count];
        sift(heap, count, 0);
        const double length = by_steps ? carried : square;
        if (inner * inner > best_fit * length) best_fit = inner * inner / length, best = scale;
    }
    return best * (1 + 1e-6f);
}

static struct affine choose(const struct rotated *t, const float *u, uint8_t *codes, float *spare)
{
    const int bits = t->planes[0].bits, half = 1 << (bits - 1);
    const size_t dim = t->base.config.dim;
    float scale = (float)t->fit;
    const int64_t fit = bits > 1 ? params_int(t->base.params, "fit") : 0;
    if (fit == 1) scale = sweep(t, u, codes, (struct change *)spare);
    if (fit >= 2) scale = sweep_late(t, u, codes, (struct change *)spare, fit == 3);
    ranks_at(t, u, scale, codes);
    for (size_t i = 0; i < dim; i++) codes[i] = (uint8_t)(u[i] > 0 ? half + codes[i] : half - 1 - codes[i]);
    for (size_t i = dim; i < t->groups * CODES_DIMS; i++) codes[i] = 0;
    return (struct affine){ 1, 0 };
}

static int create(struct index **out, const struct index *base, struct err *e)
{
    const struct params *p = base->params;
    struct rotated *t;
    int8_t levels[256];
    int status = rotated_create(&t, base, e);
    if (status != ERR_OK) return status;
    const int bits = (int)params_int(p, "bits"), half = 1 << (bits - 1);
    for (int code = 0; code < 2 * half; code++)
        levels[code] = (int8_t)(code < half ? -level_of(bits, half - 1 - code) : level_of(bits, code - half));
    if (bits == 1) levels[0] = -1, levels[1] = 1;
    t->choose = choose;
    t->estimator = EST_RESCALED;
    t->query = (int)params_int(p, "query");
    t->eps0 = params_real(p, "eps0");
    t->fit = bits > 1 ? best_scale(bits) * sqrt((double)base->config.dim) : 0;
    rotated_add_levels(t, bits, 1, levels, NULL);
    status = rotated_finish(t, (int)params_int(p, "layout"), (enum rotation_kind)params_int(p, "rotation"),
                            (int)params_int(p, "rounds"), e);
    if (status == ERR_OK) *out = &t->base;
    else rotated_destroy(&t->base);
    return status;
}

const struct index_ops index_rabitq = {
    .name = "rabitq",
    .summary = "signs, or even steps of a scale per row (arXiv 2405.12497, 2409.09913)",
    .params = table,
    .create = create,
    ROTATED_OPS
};
