/* SPDX-License-Identifier: MIT
 * index_binary.c - one bit a coordinate on both sides: the score is one minus twice the share of signs that
 * differ (times the norms), which is Hamming distance.  What `turboquant:bits=1` keeps beyond it is the query's
 * magnitudes. */
#include "index/rotated.h"

static const struct param table[] = {
    { "rotation", PARAM_CHOICE, 0, 0, "fht", "", ROTATION_CHOICES, "random rotation before quantising" },
    { "rounds", PARAM_INT, 1, ROTATION_ROUNDS_MAX, "2", "", NULL, "rounds of the fht rotation" },
    { 0 }
};

static struct affine choose(const struct rotated *t, const float *u, uint8_t *codes, float *spare)
{
    const size_t dim = t->base.config.dim;
    (void)spare;
    for (size_t i = 0; i < t->groups * CODES_DIMS; i++) codes[i] = i < dim && u[i] > 0;
    return (struct affine){ 1 / (float)dim, 0 };
}

static int create(struct index **out, const struct index *base, struct err *e)
{
    static const int8_t signs[2] = { -1, 1 };
    struct rotated *t;
    int status = rotated_create(&t, base, e);
    if (status != ERR_OK) return status;
    t->choose = choose;
    t->estimator = EST_MSE;
    t->query = QUERY_SIGN;
    rotated_add_levels(t, 1, 1, signs, NULL);
    status = rotated_finish(t, LAYOUT_BLOCKED, (enum rotation_kind)params_int(base->params, "rotation"),
                            (int)params_int(base->params, "rounds"), e);
    if (status == ERR_OK) *out = &t->base;
    else rotated_destroy(&t->base);
    return status;
}

const struct index_ops index_binary = {
    .name = "binary",
    .summary = "signs of the rotated row against signs of the query (Hamming)",
    .params = table,
    .create = create,
    ROTATED_OPS
};
