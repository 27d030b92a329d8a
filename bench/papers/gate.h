/* SPDX-License-Identifier: MIT
 * gate.h - an item of two papers: precision, recall and coverage when results need a least cosine, against none, over
 * WordNet and the turns of LoCoMo.  Findings: contrast=gate-none;measure=precision|recall|coverage;gate=X;data=wordnet|locomo. */
#ifndef ASSAY_PAPERS_GATE_H
#define ASSAY_PAPERS_GATE_H
#include "bench/papers/retrieval.h"

int gate_sweep(struct paper_run *r, struct err *e);
#endif
