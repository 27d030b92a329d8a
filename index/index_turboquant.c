/* SPDX-License-Identifier: MIT
 * index_turboquant.c - TurboQuant (arXiv 2504.19874): rotate a unit vector, round every coordinate to the
 * Lloyd-Max levels of its density, keep b bits a coordinate.
 *
 * With u the rotated unit row, v its decoded levels and q the rotated query, the inner product is
 *     mse            |x| <q, v>                                   Q_mse: biased by 1 - D
 *     rescaled       |x| <q, v> / <u, v>                          unbiased, variance D/(1-D) (1-rho^2)/d
 *     prod           |x| (<q, v> + sqrt(pi/2)/d      g <S q, s>)  Q_prod: b-1 bits, S Gaussian
 *     prod_orth      |x| (<q, v> + sqrt(pi/2)/sqrt d g <S q, s>)  the same with orthogonal S
 *     prod_released  as prod_orth with one g = sqrt(D(b-1)) for all rows: what the authors' code does
 * with s = sign(S (u - v)) and g = |u - v|, kept per row.  At equal bits `rescaled` has the lowest
 * variance, most of all for near neighbours (at rho = .9 and 4 bits 29 times lower than prod).
 *
 * query: what a query is rounded to.  On the clustered set (100k x 384, 1,000 queries, seed 1; layout=blocked) at
 * 2 / 3 / 4 bits, recall@10 and microseconds a query alone (Zen 4, busy machine: to be compared with each other only):
 *     int8   .7700 / .8643 / .9251    318 / 582 / 440    bytes against levels (kernel scan_lut)
 *     u8     .7720 / .8622 / .9213    225 / 484 / 663    a byte for what a nibble or a pair adds (scan_sign, scan_pair)
 *     f32    .7712 / .8643 / .9253    twenty times as long: the reference
 * So u8 is for 2 bits, where one lookup adds two dimensions, and costs .004 at 4 bits, where 255 steps span the
 * widest coordinate times the outermost levels.  layout=split (auto, from 2 bits up) needs int8 and is faster than all.
 *
 * center and calibrate, both off as the paper has them, are in adapt.h with what they gain. */
#include <math.h>
#include "index/rotated.h"

static const struct param table[] = {
    { "bits", PARAM_INT, 1, 8, "3", "bits", NULL, "code width of a coordinate" },
    { "rotation", PARAM_CHOICE, 0, 0, "fht", "", ROTATION_CHOICES,
      "random rotation before quantising" },
    { "rounds", PARAM_INT, 1, ROTATION_ROUNDS_MAX, "2", "", NULL, "rounds of the fht rotation" },
    { "estimator", PARAM_CHOICE, 0, 0, "rescaled", "", ESTIMATOR_CHOICES,
      "how a score is made of codes" },
    { "query", PARAM_CHOICE, 0, 0, "int8", "", QUERY_CHOICES, QUERY_HELP },
    { "layout", PARAM_CHOICE, 0, 0, "auto", "", LAYOUT_CHOICES,
      "split: the other bits only where the signs promise enough" },
    { "eps0", PARAM_REAL, 0, 10, "1.9", "", NULL, "split: deviations that a promise may be off" },
    ADAPT_PARAM_CENTER,
    { "calibrate", PARAM_FLAG, 0, 0, "false", "", NULL,
      "fit every rotated coordinate to the codebook by its own spread" },
    { 0 }
};

/* At 8 bits the levels are even steps over what the row spans (codec.h). */
static struct affine choose(const struct rotated *t, const float *u, uint8_t *codes, float *spare)
{
    const size_t dim = t->base.config.dim;
    const float largest = t->codec.is_even ? codec_largest(u, dim) : 1, scale = largest > 0 ? 1 / largest : 0;
    for (size_t i = 0; i < dim && t->codec.is_even; i++) spare[i] = u[i] * scale;
    codec_encode(&t->codec, &t->base.kernels, t->codec.is_even ? spare : u, codes);
    return (struct affine){ largest, 0 };
}

static int create(struct index **out, const struct index *base, struct err *e)
{
    const struct params *p = base->params;
    struct rotated *t;
    int status = rotated_create(&t, base, e);
    if (status != ERR_OK) return status;
    t->choose = choose;
    t->estimator = (enum estimator)params_int(p, "estimator");
    t->query = (int)params_int(p, "query");
    t->eps0 = params_real(p, "eps0");
    t->fixed_residual = 1;
    const int bits = (int)params_int(p, "bits") - (t->estimator >= EST_PROD);
    if (bits > 0) {
        struct codebook book;
        codebook_design(&book, base->config.dim, bits);
        codec_init(&t->codec, &book, base->config.dim, t->query == QUERY_INT8);
        t->fixed_residual = (float)sqrt(book.distortion);
        rotated_add_levels(t, bits, t->codec.step, t->codec.table, t->query == QUERY_INT8 ? NULL : t->codec.levels);
    }
    status = rotated_finish(t, (int)params_int(p, "layout"), (enum rotation_kind)params_int(p, "rotation"),
                            (int)params_int(p, "rounds"), e);
    if (status == ERR_OK) *out = &t->base;
    else rotated_destroy(&t->base);
    return status;
}

const struct index_ops index_turboquant = {
    .name = "turboquant",
    .summary = "random rotation, then b bits a coordinate (arXiv 2504.19874)",
    .params = table,
    .create = create,
    .frame = rotated_frame,
    .codes = rotated_codes,
    ROTATED_OPS
};
