/* SPDX-License-Identifier: MIT
 * paper_nn_rag.c - NN-RAG (arXiv 2512.04329): quality over quantity.  It mines code, and runs what it mines; here a gate of
 * quality is a least cosine, and what it costs and brings is measured over the turns of LoCoMo. */
#include "bench/papers/gate.h"

static const char table[] =
#include "gen/nn_rag.tsv.inc"
    ;

static const struct paper_item items[] = {
    { .name = "gate", .summary = "precision, recall and coverage of a least cosine", .run = gate_sweep },
    { 0 },
};

const struct paper_ops paper_nn_rag = {
    .name = "nn_rag", .reference = "arXiv 2512.04329 (the engine cites 2511.20333, which holds it as one of five pipelines)", .summary = "a validator before what is mined is kept",
    .table = table, .items = items,
};
