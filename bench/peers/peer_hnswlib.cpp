/* SPDX-License-Identifier: MIT
 * peer_hnswlib.cpp - hnswlib's graph (arXiv 1603.09320) behind index.h: peer:hnswlib:(M=16,ef=50).
 * Rows go in one after the other on one thread, so that the graph is the same every time.  It allocates while
 * it searches, as its users live with.
 *
 * package: libhnswlib-dev */
#include <hnswlib/hnswlib.h>
#include <cstring>
#include <memory>
#include "bench/peers/peer.h"

namespace {

const struct param table[] = {
    { "M", PARAM_INT, 2, 512, "16", "", nullptr, "neighbours of a node" },
    { "ef", PARAM_INT, 1, 100000, "50", "", nullptr, "candidates of a search, at least k" },
    { "ef_build", PARAM_INT, 1, 100000, "200", "", nullptr, "candidates when a row is added" },
    { nullptr, PARAM_INT, 0, 0, nullptr, nullptr, nullptr, nullptr }
};

struct hnsw {
    struct index base; /* first: the rest of the program sees only this */
    struct params *own;
    std::unique_ptr<hnswlib::SpaceInterface<float>> space;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;
    std::unordered_set<int64_t> ids;
};

hnsw *of(struct index *ix) { return reinterpret_cast<hnsw *>(ix); }
const hnsw *of(const struct index *ix) { return reinterpret_cast<const hnsw *>(ix); }
/* The one that has the graph. */
const hnsw *whole(const struct index *ix) { return of(ix->model ? ix->model : ix); }

void destroy(struct index *ix)
{
    if (!ix) return;
    params_destroy(of(ix)->own);
    delete of(ix);
}

int create(struct index **out, const struct index *base, struct err *e)
try {
    auto x = std::make_unique<hnsw>();
    x->base = *base;
    const int status = params_create(&x->own, table, "hnswlib", peer::args_of(base->params).c_str(), e);
    if (status != ERR_OK) return status;
    const size_t dim = base->config.dim;
    if (base->config.metric == METRIC_L2) x->space = std::make_unique<hnswlib::L2Space>(dim);
    else x->space = std::make_unique<hnswlib::InnerProductSpace>(dim);
    x->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(x->space.get(), 1024, params_int(x->own, "M"),
                                                                 params_int(x->own, "ef_build"), base->config.seed);
    x->graph->setEf(size_t(params_int(x->own, "ef")));
    *out = &x.release()->base;
    return ERR_OK;
} catch (const std::exception &problem) {
    return err_set(e, ERR_MEM, "hnswlib: %s", problem.what());
}

int add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
try {
    hnsw *x = of(ix);
    const size_t first = x->graph->cur_element_count;
    std::vector<int64_t> fresh;
    std::vector<float> unit;
    const int status = peer::new_ids(x->ids, ids, rows.count, fresh, "hnswlib", e);
    if (status != ERR_OK) return status;
    if (first + rows.count > x->graph->max_elements_) x->graph->resizeIndex(std::max(first + rows.count, 2 * first));
    size_t added = 0;
    try {
        x->ids.insert(fresh.begin(), fresh.end());
        for (; added < rows.count; added++)
            x->graph->addPoint(peer::prepared(ix, rows_at(rows, added), unit), size_t(fresh[added]));
    } catch (...) { /* a graph gives no node back: those that are in it are passed over */
        for (const int64_t id : fresh) x->ids.erase(id);
        while (added-- > 0) x->graph->markDelete(size_t(fresh[added]));
        throw;
    }
    return ERR_OK;
} catch (const std::exception &problem) {
    return err_set(e, ERR_MEM, "hnswlib: %s", problem.what());
}

size_t scratch_bytes(const struct index *, size_t, size_t) { return 0; }

/* A search cannot fail: what the library throws ends the program with its message, for to pass through our C would be
 * undefined. */
void search(const struct index *ix, struct rows queries, size_t k, void *, struct hit *hits, size_t *counts) noexcept
{
    auto &graph = *whole(ix)->graph;
    std::vector<float> unit;
    /* The library keeps ef with the graph, of which there may be views: written only where it is another, so that threads
     * of one view do not write at all once one of its searches has gone before. */
    const size_t ef = size_t(params_int(of(ix)->own, "ef"));
    if (graph.ef_ != ef) graph.setEf(ef);
    for (size_t q = 0; q < queries.count; q++) {
        auto found = graph.searchKnn(peer::prepared(ix, rows_at(queries, q), unit), k);
        counts[q] = found.size();
        for (size_t i = found.size(); i-- > 0; found.pop()) {
            const float distance = found.top().first;
            hits[q * k + i] = { int64_t(found.top().second), ix->config.metric == METRIC_L2 ? -distance : 1 - distance };
        }
        hits_sort(hits + q * k, counts[q]);
    }
}

void kernels(const struct index *, struct text *out)
{
#if defined(__AVX512F__)
    const char *isa = "avx512";
#elif defined(__AVX2__)
    const char *isa = "avx2";
#else
    const char *isa = "generic";
#endif
    peer::describe(out, isa, PEER_VERSION, PEER_FLAGS);
}

void stats(const struct index *ix, struct index_stats *out)
{
    const hnsw *x = whole(ix);
    const uint64_t rows = x->ids.size(), vectors = ix->config.dim * sizeof(float);
    *out = { rows, rows * vectors, rows * (x->graph->size_data_per_element_ - vectors), sizeof *x };
}

int view(struct index **out, const struct index *model, const struct index *base, struct err *e)
try {
    auto x = std::make_unique<hnsw>();
    x->base = *base;
    const int status = params_create(&x->own, table, "hnswlib", peer::args_of(base->params).c_str(), e);
    if (status != ERR_OK) return status;
    if (strncmp(params_text(base->params, "lib"), "hnswlib", 7) != 0 || !params_equal_but(of(model)->own, x->own, "ef")) {
        params_destroy(x->own);
        return err_set(e, ERR_UNSUPPORTED, "hnswlib: another graph");
    }
    *out = &x.release()->base;
    return ERR_OK;
} catch (const std::exception &problem) {
    return err_set(e, ERR_MEM, "hnswlib: %s", problem.what());
}

} // namespace

extern "C" {
extern const struct index_ops peer_hnswlib;
const struct index_ops peer_hnswlib = {
    .name = "hnswlib",
    .summary = "hnswlib's HNSW graph", /* params: those of index_peer.c */
    .create = create,
    .add = add,
    .scratch_bytes = scratch_bytes,
    .search = search,
    .kernels = kernels,
    .stats = stats,
    .view = view,
    .destroy = destroy,
};
}
