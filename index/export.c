/* SPDX-License-Identifier: MIT
 * export.c - an index in the JSON that the Rust engine keeps in its cache row (sqlite-knowledge-graph 0.11): the
 * rotation as a matrix, the levels, a code a coordinate.  Nine digits give every float back to the bit. */
#include <errno.h>
#include <string.h>
#include "index/persist.h"
#include "kernels/base/mem.h"
#include "kernels/codes/codes.h"

static void put_floats(FILE *out, const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++) fprintf(out, "%c%.9g", i ? ',' : '[', (double)x[i]);
    fputc(']', out);
}

/* Writes a JSON member for every row: its codes, or with `norms` its length. */
static void put_rows(const struct index *ix, uint64_t rows, uint8_t *codes, int norms, FILE *out)
{
    for (size_t row = 0; row < rows; row++) {
        int64_t id;
        float norm;
        ix->ops->codes(ix, row, &id, codes, &norm);
        fprintf(out, "%s\"%lld\":", row ? "," : "", (long long)id);
        if (norms) fprintf(out, "%.9g", (double)norm);
        for (size_t i = 0; !norms && i < ix->config.dim; i++) fprintf(out, "%c%d", i ? ',' : '[', codes[i]);
        if (!norms) fputc(']', out);
    }
}

int index_export_upstream(const struct index *ix, const char *path, FILE *out, struct err *e)
{
    const size_t dim = ix->config.dim;
    struct index_frame frame = { 0 };
    struct index_stats stats;
    if (!ix->ops->frame)
        return FAIL(e, ERR_UNSUPPORTED, "%s: has no codes that the engine could read: turboquant or upstream",
                    ix->ops->name);
    if (ix->config.metric != METRIC_COSINE)
        return FAIL(e, ERR_UNSUPPORTED, "%s: metric=%s: the engine ranks by cosine alone", ix->ops->name,
                    metric_name(ix->config.metric));
    frame.matrix = mem_alloc(dim, dim * sizeof *frame.matrix);
    uint8_t *codes = mem_alloc(codes_groups(dim), CODES_DIMS);
    int status = frame.matrix && codes ? ix->ops->frame(ix, &frame, e) : FAIL(e, ERR_MEM, "%s: no memory", path);
    if (status == ERR_OK) {
        ix->ops->stats(ix, &stats);
        fprintf(out, "{\"config\":{\"dimension\":%zu,\"bit_width\":%d,\"seed\":%llu},\"rotation_matrix\":[", dim,
                frame.bits, (unsigned long long)frame.seed);
        for (size_t r = 0; r < dim; r++) {
            if (r) fputc(',', out);
            put_floats(out, frame.matrix + r * dim, dim);
        }
        fputs("],\"codebook\":", out);
        put_floats(out, frame.levels, (size_t)1 << frame.bits);
        fputs(",\"quantized_vectors\":{", out);
        put_rows(ix, stats.rows, codes, 0, out);
        fputs("},\"vector_norms\":{", out);
        put_rows(ix, stats.rows, codes, 1, out);
        fputs("}}", out);
        if (fflush(out) != 0 || ferror(out)) status = FAIL(e, ERR_IO, "%s: writing failed: %s", path, strerror(errno));
    }
    mem_free(frame.matrix);
    mem_free(codes);
    return status;
}
