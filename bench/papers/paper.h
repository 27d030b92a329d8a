/* SPDX-License-Identifier: MIT
 * paper.h - a paper's tables and figures, recomputed: what a plug-in bench/papers/paper_<name>.c is.
 *
 * Numbers of the paper stand in bench/papers/<name>.tsv alone (published.h), which the plug-in carries as `table`. The
 * plug-in measures and hands findings in; which number a finding meets, and what that says of it, the frame decides
 * (judge.h) from the finding's interval. README.md in this folder says how to add a paper. */
#ifndef ASSAY_PAPER_H
#define ASSAY_PAPER_H
#include "kernels/base/err.h"
#include <stddef.h>
#include <stdint.h>

/* What the user asks for. */
struct paper_asked {
    const char *base, *query;    /* vectors of the user's own; NULL: none */
    const char *const *kbs;      /* knowledge bases of the user's own */
    size_t kb_count, seeds;      /* seeds: draws of what is random, 2..PAPER_SEEDS_MAX */
    int quick, threads;
    const char *out;  /* folder for run and qrels files; NULL: none wanted */
    const char *data; /* folder of published sets, a folder each */
    struct progress *progress; /* of items, `done` so far; NULL: nobody looks */
    size_t done;
};
enum { PAPER_SEEDS_MAX = 100, PAPER_CELL_MAX = 256 };

/* One number of ours. */
struct finding {
    char cell[PAPER_CELL_MAX]; /* "quantity=D_mse;bits=2;dim=384": meets every line whose keys are all here with equal values */
    const char *index;         /* spec, or NULL */
    size_t n, seeds;           /* rows, questions or pairs a draw; draws */
    double ours, lo, hi;       /* with the interval that the verdict is taken from: finding_of_seeds, or lo = hi = ours
                                  where nothing is random */
    double theory;             /* NaN: none */
    double p;                  /* of a paired randomization test; NaN: none */
    size_t wins, ties, losses; /* over questions; all 0: none */
    const char *against;       /* whose questions wins, ties, losses and p are against, where `ours` is a mean; or NULL */
    /* Where something was tuned: which questions chose, and which the number is over, a byte each. */
    const uint8_t *tuned, *reported;
    size_t questions;
    const char *note;          /* what explains it where it deviates and no line says so; or NULL */
};
/* Empty but for the cell, printed so. */
struct finding finding_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* ours, lo, hi and seeds of `count` draws: their mean and Student's interval at 99.9 %, so that of a hundred cells none
 * is expected to deviate by luck.  count >= 2. */
void finding_of_seeds(struct finding *f, const double *draws, size_t count);
/* The same of rounds of a clock, whose tails are long: their median and its exact interval, by the sign test (Dixon & Mood
 * 1946).  Of fewer than 11 there is none. */
void finding_of_rounds(struct finding *f, double *rounds, size_t count);
/* a - b of two means, 0 where only rounding tells them apart: a mean depends in its last digits on the order of what it is
 * of, and that is no win, no loss, and no verdict. */
double finding_difference(double a, double b);
/* The same of paired differences over questions: mean, 99.9 % bootstrap interval, wins, ties, losses and p. */
void finding_of_pairs(struct finding *f, const double *a, const double *b, size_t count);
/* Wins, ties, losses and p of questions whose mean `ours` is, against those of another: what stands beside every mean of
 * questions.  `against` names it; NULL, and b too: this is the one that others are set against. */
void finding_against(struct finding *f, const double *a, const double *b, size_t count, const char *against);
double student_quantile(size_t degrees, double p); /* p in (0.5, 1) */
double student_tail(size_t degrees, double t);     /* P(T > t), t >= 0 */

/* An item on its way: what was asked, and where findings go. */
struct paper_run {
    struct paper_asked asked;
    struct judge *judge; /* the frame's */
    const char *paper, *item;
};
int paper_found(struct paper_run *r, const struct finding *f, struct err *e); /* ERR_MEM */
/* Lines whose cell has all keys of `cell` ("" : all) cannot be had here: `lacks` says which file is missing. */
int paper_skip(struct paper_run *r, const char *cell, struct err *e, const char *lacks, ...)
    __attribute__((format(printf, 4, 5)));
/* <data>/<name> when it is there: 1; else 0, and the message is "<name> lies in no <data>". */
int paper_data(const struct paper_run *r, const char *name, char *path, size_t size);

/* <out>/trec/<paper>_<item>_<data>_<arm>.run, or without an arm <paper>_<item>_<data>.qrels, into *path; blanks and marks
 * become '_'.  asked.out is there. */
struct text;
void paper_trec_path(const struct paper_run *r, const char *data, const char *arm, struct text *path);

/* How an item is drawn; x NULL: not at all. */
struct paper_figure {
    const char *x;      /* key of the cell along x */
    const char *panel;  /* "a+b;c": a figure for each pair of values of the keys a and b, of rows that have the key c; "": all
                           in one.  The other keys name the lines */
    const char *x_label;
    const char *y_label; /* "a|variance=b": b in the figure of the panel whose value that is, else a */
    int log_x, y;        /* y: PAPER_LINEAR, PAPER_LOG, or PAPER_SHARE, which nothing is above 1 of */
};
enum paper_scale { PAPER_LINEAR, PAPER_LOG, PAPER_SHARE };
struct paper_item {
    const char *name, *summary;
    int (*run)(struct paper_run *r, struct err *e);
    struct paper_figure figure;
};
struct paper_ops {
    const char *name, *reference, *summary;
    const char *table;               /* <name>.tsv */
    const struct paper_item *items;  /* ends at a NULL name; those of class X stand in the table alone */
    int (*page)(const char *dir, struct err *e); /* <dir>/<name>.md and what it shows, of the CSV files there; or NULL */
};
const struct paper_ops *paper_at(size_t i); /* every registered paper; NULL past the last */
#endif
