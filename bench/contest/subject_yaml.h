/* SPDX-License-Identifier: MIT
 * subject_yaml.h - a sweep's YAML file of one point as a subject. */
#ifndef ASSAY_SUBJECT_YAML_H
#define ASSAY_SUBJECT_YAML_H
#include "bench/contest/subject.h"

enum { SUBJECT_YAML_TEXTS = 4 };
/* Reads the file (sweep.h) and appends the spec of its only point; its data go into *d, whose texts
 * then belong to *kept.  When *d already names data, they must be the same: arms answer the same
 * questions.  ERR_ARG for several points, or settings that a subject cannot have (rerank, threads,
 * batch); ERR_UNSUPPORTED in a WORKER build. */
int subject_from_yaml(const char *path, struct subject_data *d, struct text *spec,
                      struct text kept[SUBJECT_YAML_TEXTS], struct err *e);
#endif
