/* SPDX-License-Identifier: MIT
 * peer_faiss.cpp - FAISS (arXiv 2401.08281) behind index.h: peer:faiss:(IVF512,PQ192x4fs;nprobe=8).  What stands
 * before ';' goes to its index_factory, what follows to its ParameterSpace, both verbatim.
 *
 * Debian's 1.7.3 is compiled without any AVX: what it finds is right, how long it takes is not the library's
 * fault.  Its rows say peer_isa=generic and figures mark them; FAISS=PREFIX links a build of one's own.
 * It runs on the thread that calls it, and allocates while it searches.
 *
 * links: -lfaiss -fopenmp
 * package: libfaiss-dev */
#include <faiss/AutoTune.h>
#include <faiss/IndexFlatCodes.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <faiss/impl/io.h>
#include <faiss/utils/utils.h>
#include <omp.h>
#include <memory>
#include "bench/peers/peer.h"

extern "C" void openblas_set_num_threads(int) __attribute__((weak)); /* the program's, where FAISS uses OpenBLAS */

namespace {

struct wrapped {
    struct index base; /* first: the rest of the program sees only this */
    std::unique_ptr<faiss::Index> index;
    std::vector<int64_t> id_of; /* of FAISS's own row numbers */
    std::unordered_set<int64_t> ids;
    uint64_t empty_bytes, bytes; /* as a file, trained and now */
    std::string query_params;
};

wrapped *of(struct index *ix) { return reinterpret_cast<wrapped *>(ix); }
const wrapped *of(const struct index *ix) { return reinterpret_cast<const wrapped *>(ix); }

void destroy(struct index *ix)
{
    if (ix) delete of(ix);
}

/* One line of what FAISS says: its messages span several and name its source files. */
std::string first_line(const char *what)
{
    const std::string text = what;
    const size_t at = text.rfind("Error: ");
    return text.substr(at == std::string::npos ? 0 : at, text.find('\n', at == std::string::npos ? 0 : at) - at);
}

int failed(const struct index *ix, const std::exception &problem, int status, struct err *e)
{
    return err_set(e, status, "faiss (%s): %s", params_text(ix->params, "lib"), first_line(problem.what()).c_str());
}

int create(struct index **out, const struct index *base, struct err *e)
try {
    auto x = std::make_unique<wrapped>();
    const std::string args = peer::args_of(base->params);
    const size_t cut = args.find(';');
    x->base = *base;
    if (cut != std::string::npos) x->query_params = args.substr(cut + 1);
    x->index.reset(faiss::index_factory(int(base->config.dim), args.substr(0, cut).c_str(),
                                        base->config.metric == METRIC_L2 ? faiss::METRIC_L2
                                                                         : faiss::METRIC_INNER_PRODUCT));
    if (!x->query_params.empty()) faiss::ParameterSpace().set_index_parameters(x->index.get(), x->query_params.c_str());
    *out = &x.release()->base;
    return ERR_OK;
} catch (const std::exception &problem) {
    return failed(base, problem, ERR_ARG, e);
}

struct counter : faiss::IOWriter {
    uint64_t bytes = 0;
    size_t operator()(const void *, size_t size, size_t count) override
    {
        bytes += size * count;
        return count;
    }
};

uint64_t file_bytes(const faiss::Index *index)
{
    counter c;
    faiss::write_index(index, &c);
    return c.bytes;
}

void use_threads(int threads)
{
    omp_set_num_threads(threads);
    if (openblas_set_num_threads) openblas_set_num_threads(1);
}

int add(struct index *ix, struct rows rows, const int64_t *ids, struct err *e)
try {
    wrapped *x = of(ix);
    if (size_t(x->index->ntotal) != x->id_of.size())
        return err_set(e, ERR_UNSUPPORTED, "faiss (%s): an earlier add failed half way", params_text(ix->params, "lib"));
    std::vector<int64_t> fresh;
    const int status = peer::new_ids(x->ids, ids, rows.count, fresh, "faiss", e);
    if (status != ERR_OK) return status;
    use_threads(ix->config.threads);
    std::vector<float> all(rows.count * rows.dim), unit;
    for (size_t r = 0; r < rows.count; r++) {
        const float *row = peer::prepared(ix, rows_at(rows, r), unit);
        std::copy(row, row + rows.dim, all.begin() + long(r * rows.dim));
    }
    if (!x->index->is_trained) x->index->train(int64_t(rows.count), all.data());
    if (x->id_of.empty()) x->empty_bytes = file_bytes(x->index.get());
    x->id_of.reserve(x->id_of.size() + fresh.size());
    try {
        x->ids.insert(fresh.begin(), fresh.end());
        x->index->add(int64_t(rows.count), all.data());
        x->bytes = file_bytes(x->index.get());
    } catch (...) { /* its rows have no ids, and search leaves them out */
        for (const int64_t id : fresh) x->ids.erase(id);
        if (x->id_of.empty()) x->index->reset();
        throw;
    }
    x->id_of.insert(x->id_of.end(), fresh.begin(), fresh.end());
    return ERR_OK;
} catch (const std::bad_alloc &problem) {
    return failed(ix, problem, ERR_MEM, e);
} catch (const std::exception &problem) {
    return failed(ix, problem, ERR_ARG, e);
}

size_t scratch_bytes(const struct index *, size_t, size_t) { return 0; }

/* All queries in one call, as its users would.  A search cannot fail: what FAISS throws ends the program with its
 * message, for to pass through our C would be undefined. */
void search(const struct index *ix, struct rows queries, size_t k, void *, struct hit *hits, size_t *counts) noexcept
{
    const wrapped *x = of(ix);
    const size_t n = queries.count;
    std::vector<float> all(n * queries.dim), scores(n * k), unit;
    std::vector<int64_t> rows(n * k);
    use_threads(1);
    for (size_t q = 0; q < n; q++) {
        const float *query = peer::prepared(ix, rows_at(queries, q), unit);
        std::copy(query, query + queries.dim, all.begin() + long(q * queries.dim));
    }
    if (!x->id_of.empty()) x->index->search(int64_t(n), all.data(), int64_t(k), scores.data(), rows.data());
    for (size_t q = 0; q < n; q++) {
        counts[q] = 0;
        for (size_t i = q * k; i < (q + 1) * k && !x->id_of.empty(); i++)
            if (rows[i] >= 0 && size_t(rows[i]) < x->id_of.size())
                hits[q * k + counts[q]++] = { x->id_of[size_t(rows[i])],
                                              ix->config.metric == METRIC_L2 ? -scores[i] : scores[i] };
        hits_sort(hits + q * k, counts[q]);
    }
}

void kernels(const struct index *, struct text *out)
{
    const std::string built = faiss::get_compile_options();
    const char *isa = built.find("AVX512") != std::string::npos ? "avx512"
                      : built.find("AVX2") != std::string::npos ? "avx2"
                      : built.find("NEON") != std::string::npos ? "neon"
                                                                : "generic";
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", FAISS_VERSION_MAJOR, FAISS_VERSION_MINOR, FAISS_VERSION_PATCH);
    peer::describe(out, isa, version, built.c_str());
}

/* Per row: what its file grew by when rows were added, of which codes what the index calls a code. */
void stats(const struct index *ix, struct index_stats *out)
{
    const wrapped *x = of(ix);
    const uint64_t rows = x->id_of.size(), grown = rows ? x->bytes - x->empty_bytes : 0;
    const auto *hnsw = dynamic_cast<const faiss::IndexHNSW *>(x->index.get());
    const faiss::Index *index = hnsw ? hnsw->storage : x->index.get();
    const auto *ivf = dynamic_cast<const faiss::IndexIVF *>(index);
    const auto *flat = dynamic_cast<const faiss::IndexFlatCodes *>(index);
    const uint64_t codes = rows * (ivf ? ivf->code_size : flat ? flat->code_size : 0);
    *out = { rows, codes && codes < grown ? codes : grown, codes && codes < grown ? grown - codes : 0,
             sizeof *x + x->empty_bytes + rows * sizeof(int64_t) };
}

} // namespace

extern "C" {
extern const struct index_ops peer_faiss;
const struct index_ops peer_faiss = {
    .name = "faiss",
    .summary = "what FAISS's index_factory makes", /* params: those of index_peer.c */
    .create = create,
    .add = add,
    .scratch_bytes = scratch_bytes,
    .search = search,
    .kernels = kernels,
    .stats = stats,
    .destroy = destroy,
};
}
