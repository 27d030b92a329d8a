/* SPDX-License-Identifier: MIT
 * kb_build.h - a source of entities, relations and queries becomes a folder:
 *
 *   kb.sqlite                 the knowledge base; vectors as delivered, or made from the texts; the user's ids
 *   queries.jsonl, query.fvecs, qrels.txt    kb_files.h
 *
 * Nothing appears before all of it is
 * whole: what exists in the folder already - a base, queries of another one, the very file that queries are
 * read from - is refused, not overwritten. */
#ifndef ASSAY_KB_BUILD_H
#define ASSAY_KB_BUILD_H
#include "datasets/dataset.h"

struct kb_build;
enum { KB_BUILD_DIM = 384 };
struct kb_build_options {
    const char *folder; /* of the query files; made where it is missing */
    const char *db;     /* path of the base; NULL: <folder>/kb.sqlite */
    int existing;       /* the base exists and is added to, all or nothing */
    const char *what;   /* for the progress line and provenance: "wordnet" */
    const char *embed;  /* "rp", "lsa" or "http": how texts become vectors; NULL: as those of the base were, or rp */
    const char *embed_url, *embed_model; /* http: as embed_http's parameters; NULL: the base's, or their defaults */
    int trust; /* the base's own embed_url may be asked; otherwise it counts only where embed_url repeats it */
    size_t dim;         /* of those vectors; 0: those of the base, or KB_BUILD_DIM */
    uint64_t seed;      /* of the projection, unless the base has words already */
    int threads;
    int own_vectors;    /* texts become vectors by `embed` even where the source brings some */
    int drop_unjudgeable; /* labels of absent documents and questions without a text; else they are kept */
    const struct kb_wishes *wishes; /* for the source; NULL: none */
};
struct kb_build_counts { uint64_t entities, vectors, relations, queries, words; };

/* ERR_ARG: an unknown embedder, the base exists (or, with `existing`, does not: ERR_NOT_FOUND); ERR_IO, ERR_BUSY. */
int kb_build_open(struct kb_build **out, const struct kb_build_options *options, struct err *e);
struct kb_sink kb_build_sink(struct kb_build *b);
struct tally;
const struct tally *kb_build_notes(const struct kb_build *b); /* what was left out or added, as the base keeps it */
struct store *kb_build_store(struct kb_build *b);
/* Embeds what came as text where no vectors came: by the service, or with the words that the base has, or in a base
 * without vectors with the words of these texts.  ERR_ARG: the base has vectors that were made in another way.
 * While a service is asked, a base that exists is not locked.
 * Then puts the query files in place and commits the knowledge base; when that fails, they are removed. */
int kb_build_commit(struct kb_build *b, struct kb_build_counts *counts, struct err *e);
void kb_build_close(struct kb_build *b); /* NULL is allowed; uncommitted, leaves nothing */
int make_folder(const char *path, struct err *e); /* and its parents */
#endif
