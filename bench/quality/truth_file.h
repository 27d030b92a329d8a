/* SPDX-License-Identifier: MIT
 * truth_file.h - truth that takes hours: kept while it is made, made in shards, merged.
 *
 * Answers are appended to a work file as they come; a run that was killed goes on where it stood, whatever its number
 * of threads.  The file knows the content of what it answers (hashes of base, queries, filter; metric, k), never
 * names, and refuses to go on with anything else.  Shard i of n is the queries count i / n .. count (i + 1) / n - 1.
 *
 *   FILE.part               of the only shard; becomes FILE (.ivecs) and goes when it is whole
 *   FILE.shard-I-of-N       I from 0; stays, for truth_merge
 *
 * Layout, little-endian: a head of uint64 (magic, base, query, filter, metric, k, queries, shard, shards), records of
 * uint32 first query, count; int32 ids[count x k]; uint32 CRC-32 of all that. */
#ifndef ASSAY_TRUTH_FILE_H
#define ASSAY_TRUTH_FILE_H
#include "bench/quality/truth.h"

struct truth_key { uint64_t base, query, filter; }; /* content hashes; filter 0: none */
struct truth_done { size_t found, computed, tied, scanned, by_coarse, rescored, k; }; /* queries: in the work file, and now */

/* job: all but from, to, have, save, context.  ERR_ARG: the work file is of other content, or shard >= shards;
 * ERR_FORMAT, ERR_IO, ERR_MEM, ERR_BUSY: another process is at it. */
int truth_to_file(const char *path, const struct truth_job *job, const struct truth_key *key, size_t shard,
                  size_t shards,
                  struct truth_done *done, struct err *e);
/* Joins PATH.shard-0-of-N ... into PATH.  ERR_NOT_FOUND, ERR_ARG: a shard is of other content, or lacks queries. */
int truth_merge(const char *path, size_t shards, struct truth_done *done, struct err *e);
#endif
