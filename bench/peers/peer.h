/* SPDX-License-Identifier: MIT
 * peer.h - what the adaptors of other libraries share.  C++ only, and each adaptor is its own .so.
 *
 * In an adaptor, "links: FLAGS" in a comment names what it is linked with and "package: NAME" the Debian package of
 * its library; the Makefile and scripts/setup.sh --peers read both.  NAME=PREFIX to make (FAISS=/opt/faiss) builds
 * the adaptor peer_name against one's own library; PEER_VERSION and PEER_FLAGS are the build's. */
#ifndef ASSAY_PEER_H
#define ASSAY_PEER_H
#include <cmath>
#include <string>
#include <unordered_set>
#include <vector>
#include "index/index.h"
#include "index/peer_layout.h"
#include "kernels/base/topk.h"

extern "C" {
extern const size_t peer_layout[PEER_LAYOUT_SIZES];
const size_t peer_layout[PEER_LAYOUT_SIZES] = PEER_LAYOUT; /* for index_peer.c */
}

namespace peer {

/* "a=1" of "name:(a=1)". */
inline std::string args_of(const struct params *p)
{
    std::string text = params_text(p, "lib");
    const size_t colon = text.find(':');
    if (colon == std::string::npos) return "";
    text = text.substr(colon + 1);
    return text.size() >= 2 && text.front() == '(' ? text.substr(1, text.size() - 2) : text;
}

/* What the library is given: by cosine unit vectors (of zero zeros), otherwise x itself. */
inline const float *prepared(const struct index *ix, const float *x, std::vector<float> &unit)
{
    if (ix->config.metric != METRIC_COSINE) return x;
    double square = 0;
    for (size_t i = 0; i < ix->config.dim; i++) square += double(x[i]) * x[i];
    const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
    unit.resize(ix->config.dim);
    for (size_t i = 0; i < ix->config.dim; i++) unit[i] = float(x[i] * scale);
    return unit.data();
}

/* The ids that new rows get; ERR_ARG where one is in use or given twice. */
inline int new_ids(const std::unordered_set<int64_t> &used, const int64_t *ids, size_t count, std::vector<int64_t> &out,
                   const char *who, struct err *e)
{
    std::unordered_set<int64_t> given;
    for (size_t r = 0; r < count; r++) {
        const int64_t id = ids ? ids[r] : int64_t(used.size() + r);
        if (used.count(id) || !given.insert(id).second)
            return err_set(e, ERR_ARG, "%s: row %zu: id %lld is in use", who, r, (long long)id);
        out.push_back(id);
    }
    return ERR_OK;
}

/* Into every row of results: what the library is and what its own code was compiled for. */
inline void describe(struct text *out, const char *isa, const char *version, const char *flags)
{
    text_add(out, "%speer_isa=%s;peer_version=%s;peer_flags=%s", out->size ? ";" : "", isa, version, flags);
}

} // namespace peer
#endif
