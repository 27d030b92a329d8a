/* SPDX-License-Identifier: MIT
 * index_sq.c - scalar quantisation with a range per row (LVQ, arXiv 2304.04759): every row spans its own
 * minimum to maximum with 2^bits even steps, kept as a step and a middle beside the codes. */
#include "index/rotated.h"

static const struct param table[] = {
    { "bits", PARAM_INT, 1, 8, "8", "bits", NULL, "code width of a coordinate" },
    { "rotation", PARAM_CHOICE, 0, 0, "none", "", ROTATION_CHOICES, "random rotation before quantising" },
    { "rounds", PARAM_INT, 1, ROTATION_ROUNDS_MAX, "2", "", NULL, "rounds of the fht rotation" },
    ADAPT_PARAM_CENTER,
    { 0 }
};

/* Level of a code: code - half, so x = middle + step (level + 1/2). */
static struct affine choose(const struct rotated *t, const float *u, uint8_t *codes, float *spare)
{
    const size_t dim = t->base.config.dim;
    const int bits = t->planes[0].bits, most = (1 << bits) - 1;
    float low = u[0], high = u[0];
    (void)spare;
    for (size_t i = 1; i < dim; i++) {
        low = u[i] < low ? u[i] : low;
        high = u[i] > high ? u[i] : high;
    }
    const float step = (high - low) / (float)most, scale = step > 0 ? 1 / step : 0;
    for (size_t i = 0; i < t->groups * CODES_DIMS; i++) {
        const float at = i < dim ? (u[i] - low) * scale + 0.5f : 0;
        codes[i] = (uint8_t)(at < (float)most ? at : (float)most);
    }
    return (struct affine){ step, low + step * (float)(1 << (bits - 1)) };
}

static int create(struct index **out, const struct index *base, struct err *e)
{
    struct rotated *t;
    int8_t levels[256];
    int status = rotated_create(&t, base, e);
    if (status != ERR_OK) return status;
    const int bits = (int)params_int(base->params, "bits");
    for (int code = 0; code < 1 << bits; code++) levels[code] = (int8_t)(code - (1 << (bits - 1)));
    t->choose = choose;
    t->estimator = EST_MSE;
    t->is_affine = 1;
    rotated_add_levels(t, bits, 1, levels, NULL);
    status = rotated_finish(t, LAYOUT_BLOCKED, (enum rotation_kind)params_int(base->params, "rotation"),
                            (int)params_int(base->params, "rounds"), e);
    if (status == ERR_OK) *out = &t->base;
    else rotated_destroy(&t->base);
    return status;
}

const struct index_ops index_sq = {
    .name = "sq",
    .summary = "even steps between each row's minimum and maximum (LVQ)",
    .params = table,
    .create = create,
    ROTATED_OPS
};
