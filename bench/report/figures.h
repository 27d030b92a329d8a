/* SPDX-License-Identifier: MIT
 * figures.h - the figures of a folder on a page: in which section, with which caption, which three carry the answer. */
#ifndef ASSAY_FIGURES_H
#define ASSAY_FIGURES_H
#include "bench/report/results.h"
#include "kernels/base/text.h"

/* Sections of a page, in order. */
enum figure_section { SECTION_RECALL, SECTION_PIPELINE, SECTION_GRAPH, SECTION_SPEED, SECTION_PAPER, SECTION_OTHER, SECTIONS };
extern const char *const figure_sections[SECTIONS];

/* A figure of a folder: NAME.svg, and beside it NAME.narrow.svg where gnuplot made one. */
struct report_figure {
    struct text path, narrow, name; /* narrow: empty where there is none */
    enum figure_section section;
    int rank;      /* of its kind: the lower, the more it says */
    size_t group;  /* whose points it shows: of all groups of the page in order; their count: of none */
    size_t marks;  /* hidden marks over points; of very many none has a tooltip, for a page that still opens */
    int carries;   /* one of the three at the top */
};

struct report_figures {
    struct report_figure *at; /* in the order of the sections, then of their ranks, then by name */
    size_t count;
    const struct results *results; /* of the page's tables in order; outlive it */
    size_t result_count;
};
/* name: of the file in the folder, "clustered/recall_bits.svg".  ERR_MEM; ERR_NOT_FOUND. */
int figures_add(struct report_figures *f, const char *dir, const char *name, struct err *e);
/* When all are added: their order, and which carry the answer.  ERR_IO, ERR_NOT_FOUND. */
int figures_arrange(struct report_figures *f, const struct results *results, size_t result_count, struct err *e);
void figures_free(struct report_figures *f);

/* ERR_FORMAT: no SVG file. */
int figures_write_carrying(struct text *out, const struct report_figures *f, struct err *e);
/* Adds nothing where the section is empty. */
int figures_write_section(struct text *out, const struct report_figures *f, enum figure_section section, struct err *e);
size_t figures_in(const struct report_figures *f, enum figure_section section);
/* One figure alone, wide and narrow; prefix: of its ids. */
int figures_write_one(struct text *out, const struct report_figures *f, const struct report_figure *one, const char *prefix,
                      struct err *e);
#endif
