/* SPDX-License-Identifier: MIT
 * rag_trec.c - answers and labels as TREC files. */
#include "bench/points/rag_trec.h"
#include "bench/rows/output.h"
#include "kernels/base/text.h"

int rag_write_run(const char *path, const struct rag_set *s, const struct rag_arm *a, struct err *e)
{
    struct text out = { 0 };
    const size_t k = a->point.k;
    for (size_t i = 0; i < s->queries.count; i++)
        for (size_t j = 0; j < a->answer_count[i]; j++)
            text_add(&out, "%s Q0 %lld %zu %zu assay\n", s->queries.names[i], (long long)a->answers[i * k + j], j + 1,
                     k - j);
    const int status = output_write(path, &out, e);
    text_free(&out);
    return status;
}

int rag_write_qrels(const char *path, const struct rag_set *s, struct err *e)
{
    struct text out = { 0 };
    for (size_t i = 0; i < s->queries.count; i++) {
        size_t count;
        const struct label *labels = queries_labels(&s->queries, i, &count);
        for (size_t j = 0; j < count; j++)
            text_add(&out, "%s 0 %lld %lld\n", s->queries.names[i], (long long)labels[j].id,
                     (long long)labels[j].grade);
    }
    const int status = output_write(path, &out, e);
    text_free(&out);
    return status;
}
