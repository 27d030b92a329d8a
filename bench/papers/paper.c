/* SPDX-License-Identifier: MIT
 * paper.c - the list of papers that the build makes, and the verdict of a finding. */
#include "bench/papers/paper.h"
#include <math.h>

#define PLUGIN(f) extern const struct paper_ops f;
#include "gen/papers.inc"
#undef PLUGIN
static const struct paper_ops *const all[] = {
#define PLUGIN(f) &f,
#include "gen/papers.inc"
#undef PLUGIN
    NULL
};

const struct paper_ops *paper_at(size_t i) { return i < sizeof all / sizeof *all ? all[i] : NULL; }

const char *finding_verdict(const struct finding *f)
{
    const double slack = 4 * f->ours_error;
    const int off_theory =
        isfinite(f->theory) && fabs(f->ours - f->theory) > slack + 1e-3 * fabs(f->theory);
    const int off_paper =
        isfinite(f->published) && fabs(f->ours - f->published) > f->published_unit + slack;
    return off_theory || off_paper || !isfinite(f->ours) ? "differs" : "reproduced";
}
