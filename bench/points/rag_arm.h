/* SPDX-License-Identifier: MIT
 * rag_arm.h - one pipeline point at work, and what was found out about it. */
#ifndef ASSAY_RAG_ARM_H
#define ASSAY_RAG_ARM_H
#include "bench/points/ann.h"
#include "bench/points/rag_set.h"
#include "bench/rows/point.h"
#include "pipeline/graph.h"

/* What expansion to some depth brings in: means a question. */
struct rag_hop {
    double entities, relevant; /* new in the pool; of those relevant */
    double edges;              /* neighbours looked at */
    double us;                 /* of the expand stage */
};

struct rag_arm {
    struct rag_point point;
    struct kernel_set kernels;
    struct pipeline *pipeline;
    double build_s; /* 0: the index was in the file beside the database */
    struct calls calls;
    struct quality quality;
    int64_t *answers; /* queries.count x k; owned */
    double *scores;   /* of the answers, combined; owned */
    size_t *answer_count;
    struct ann_read read;
    struct rag_hop hops[GRAPH_DEPTH_MAX + 1]; /* by depth */
    int depth; /* of expand=bfs; 0: hops were not looked at */
    double stage_us[SLOT_COUNT], out[SLOT_COUNT]; /* means over the timed calls: time, items handed on */
    double fetch_us;
    uint64_t steal_ms;
};
#endif
