/* SPDX-License-Identifier: MIT
 * row.c - the columns of results, and rows of them as CSV and JSON, one write a row. */
#define _GNU_SOURCE /* memrchr */
#include "bench/rows/row.h"
#include "bench/quality/metric.h"
#include "kernels/base/mem.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NUMBER(name, unit, meaning) { name, unit, meaning, COLUMN_NUMBER, 0 },
#define WORD(name, meaning) { name, "", meaning, COLUMN_TEXT, 0 },
#define SET_NUMBER(name, unit, meaning) { name, unit, meaning, COLUMN_NUMBER, 1 },
#define SET_WORD(name, meaning) { name, "", meaning, COLUMN_TEXT, 1 },

static const struct column before_metrics[] = {
    NUMBER("schema", "", "version of this table of columns")
    WORD("run_id", "one start of the program")
    WORD("point_id", "hash of parameters, data and schema: equal points have equal ids on every machine")
    NUMBER("rep", "", "repetition of the point, from 0")
    WORD("status", "ok, or error: TEXT, or signal:NUMBER")
    SET_WORD("machine", "hash of host and CPU: rows of different machines are never ranked")
    WORD("binary", "hash of the program that measured")
    SET_WORD("dataset", "folder and file of the base vectors, or of the knowledge base")
    WORD("data", "hash of what is in it, and of queries and labels: rows of other data are not comparable")
    SET_WORD("metric", "cosine, dot or l2")
    SET_NUMBER("n", "vectors", "base vectors")
    SET_NUMBER("dim", "", "dimensions of a vector")
    SET_NUMBER("queries", "queries", "different queries")
    SET_NUMBER("k", "", "results asked for")
    SET_NUMBER("seed", "", "seed of index and pipeline")
    SET_WORD("index", "canonical spec of the index")
    NUMBER("bits", "bits", "code bits a dimension")
    WORD("layout", "order of the codes in memory")
    SET_NUMBER("threads", "", "threads that search at a time")
    SET_NUMBER("batch", "queries", "queries in one timed call")
    SET_WORD("kernel_asked", "--kernel")
    WORD("kernel_used", "op=isa/variant of every operation that a query runs")
};

static const struct column after_metrics[] = {
    NUMBER("lat_n", "", "timed calls")
    NUMBER("lat_mean_us", "us", "mean service time of a call (of a batch where batch > 1)")
    NUMBER("lat_mean_lo_us", "us", "lower end of the 95 % interval of the mean: bootstrap over calls")
    NUMBER("lat_mean_hi_us", "us", "upper end")
    NUMBER("lat_p50_us", "us", "median service time of a call")
    NUMBER("lat_p50_lo_us", "us", "lower end of the 95 % interval of the median, by order statistics")
    NUMBER("lat_p50_hi_us", "us", "upper end")
    NUMBER("lat_p95_us", "us", "95th percentile")
    NUMBER("lat_p99_us", "us", "99th percentile; empty below 500 calls")
    NUMBER("lat_p99_lo_us", "us", "lower end of the 95 % interval of p99, by order statistics")
    NUMBER("lat_p99_hi_us", "us", "upper end")
    NUMBER("qps", "1/s", "queries a second of wall time, over all threads")
    NUMBER("qps_lo", "1/s", "lower end of its 95 % interval: qps as the mean of a call has it")
    NUMBER("qps_hi", "1/s", "upper end")
    NUMBER("ns_per_vector", "ns", "median service time / (batch * n)")
    NUMBER("t_embed_us", "us", "mean time of the stage")
    NUMBER("t_retrieve_us", "us", "mean time of the stage")
    NUMBER("t_rerank_us", "us", "mean time of the stage (an index: of exact re-scoring)")
    NUMBER("t_expand_us", "us", "mean time of the stage")
    NUMBER("t_score_us", "us", "mean time of the stage")
    NUMBER("t_filter_us", "us", "mean time of the stage")
    NUMBER("t_context_us", "us", "mean time of the stage")
    NUMBER("t_fetch_us", "us", "mean time to read the text of results and context from the database")
    NUMBER("t_other_us", "us", "mean time of a call that belongs to no stage: stages, fetch and other make lat_mean_us")
    NUMBER("hop_edges", "", "neighbours that the last hop of the expansion looks at, a question")
    NUMBER("hop_relevant", "", "relevant entities that the last hop brings in, a question")
    NUMBER("yield_per_edge", "", "hop_relevant / hop_edges")
    NUMBER("yield_per_us", "1/us", "hop_relevant / time that the last hop adds to the expansion")
    NUMBER("survivors_mean", "vectors", "rows a query that pass 1 of a two-pass scan let through")
    NUMBER("hops_mean", "vectors", "nodes of a graph that a query visited")
    NUMBER("scored_mean", "vectors", "neighbours of those nodes whose score was estimated, or taken")
    NUMBER("rescored_mean", "vectors", "rows of a graph that a query read for a score of their own")
    NUMBER("bytes_touched_per_query", "bytes", "bytes of codes and side data read for one query")
    NUMBER("bytes_per_vector", "bytes", "codes and all side data of one vector")
    NUMBER("bytes_total", "bytes", "index, and the original vectors where exact re-scoring reads them")
    NUMBER("index_bytes", "bytes", "codes, side data and what the index holds once")
    NUMBER("peak_rss_bytes", "bytes", "most memory that the measuring process held")
    NUMBER("t_add_us", "us", "mean time to add a row to a built index (assay churn)")
    NUMBER("t_remove_us", "us", "mean time to remove a row")
    NUMBER("t_replace_us", "us", "mean time to replace a row by another vector")
    NUMBER("build_s", "s", "time to train and add, not to read the data; empty: loaded from a file")
    NUMBER("steal_ms", "ms", "CPU time that the hypervisor gave to others while measuring")
};

enum {
    BEFORE = sizeof before_metrics / sizeof *before_metrics,
    AFTER = sizeof after_metrics / sizeof *after_metrics
};

/* A metric and the ends of its interval: three columns. */
static void metric_columns(size_t i, struct column out[3])
{
    const struct metric_ops *m = metric_at(i);
    const char *unit = m->unit ? m->unit : "";
    out[0] = (struct column){ m->name, unit, m->summary, COLUMN_NUMBER, 0 };
    out[1] = (struct column){ metric_lo(i), unit, "lower end of its 95 % interval over queries", COLUMN_NUMBER, 0 };
    out[2] = (struct column){ metric_hi(i), unit, "upper end", COLUMN_NUMBER, 0 };
}

static int is_of_metric(const char *name)
{
    for (size_t i = 0; i < metric_count(); i++)
        if (strcmp(metric_at(i)->name, name) == 0 || strcmp(metric_lo(i), name) == 0 || strcmp(metric_hi(i), name) == 0)
            return 1;
    return 0;
}

static const struct column *core_column(const char *name)
{
    for (size_t i = 0; i < BEFORE; i++)
        if (strcmp(before_metrics[i].name, name) == 0) return &before_metrics[i];
    for (size_t i = 0; i < AFTER; i++)
        if (strcmp(after_metrics[i].name, name) == 0) return &after_metrics[i];
    return NULL;
}

enum column_role column_role(const char *name)
{
    const struct column *core = core_column(name);
    if (core) return core->is_setting ? COLUMN_SETTING : COLUMN_MEASUREMENT;
    return is_of_metric(name) ? COLUMN_MEASUREMENT : COLUMN_OTHER;
}

int column_is_number(const char *name)
{
    const struct column *core = core_column(name);
    return core ? core->type == COLUMN_NUMBER : is_of_metric(name);
}

int layout_init(struct layout *l, struct err *e)
{
    const size_t metrics = metric_count(), count = BEFORE + 3 * metrics + AFTER;
    struct column *columns = mem_alloc(count, sizeof *columns);
    if (!columns) return FAIL(e, ERR_MEM, "no memory for %zu columns", count);
    memcpy(columns, before_metrics, sizeof before_metrics);
    for (size_t i = 0; i < metrics; i++) metric_columns(i, &columns[BEFORE + 3 * i]);
    memcpy(columns + BEFORE + 3 * metrics, after_metrics, sizeof after_metrics);
    *l = (struct layout){ columns, count };
    return ERR_OK;
}

int layout_add(struct layout *l, const struct param *table, struct err *e)
{
    for (const struct param *p = table; p && p->name; p++) {
        if (layout_find(l, p->name) >= 0) continue;
        struct column *columns = mem_grow(l->columns, l->count, l->count + 1, sizeof *columns);
        if (!columns) return FAIL(e, ERR_MEM, "no memory for a column %s", p->name);
        const int number = p->type == PARAM_INT || p->type == PARAM_REAL;
        columns[l->count] = (struct column){ p->name, p->unit, p->help, number ? COLUMN_NUMBER : COLUMN_TEXT, 1 };
        l->columns = columns;
        l->count++;
    }
    return ERR_OK;
}

void layout_fini(struct layout *l)
{
    mem_free(l->columns);
    *l = (struct layout){ 0 };
}

int layout_find(const struct layout *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->columns[i].name, name) == 0) return (int)i;
    return -1;
}

int row_init(struct row *r, const struct layout *l, struct err *e)
{
    char **values = mem_zero(l->count, sizeof *values);
    if (!values) return FAIL(e, ERR_MEM, "no memory for a row of %zu columns", l->count);
    *r = (struct row){ .layout = l, .values = values };
    return ERR_OK;
}

void row_fini(struct row *r)
{
    for (size_t i = 0; r->values && i < r->layout->count; i++) mem_free(r->values[i]);
    mem_free(r->values);
    *r = (struct row){ 0 };
}

/* A row is a line, so that half a one can be told, and it is read on terminals: a control character becomes a blank. */
static void set(struct row *r, int column, const char *value)
{
    const size_t size = value ? strlen(value) : 0;
    char *copy = size ? mem_alloc(size + 1, 1) : NULL;
    if (copy) memcpy(copy, value, size + 1);
    r->failed |= size && !copy;
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' ';
    mem_free(r->values[column]);
    r->values[column] = copy;
}

void row_hash(struct row *r, const char *name, uint64_t value)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, value);
    row_text(r, name, text);
}

void row_try(struct row *r, const char *name, const char *value)
{
    const int column = layout_find(r->layout, name);
    if (column >= 0) set(r, column, value);
}

void row_text(struct row *r, const char *name, const char *value)
{
    const int column = layout_find(r->layout, name);
    assert(column >= 0);
    set(r, column, value);
}

void row_int(struct row *r, const char *name, int64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, value);
    row_text(r, name, number);
}

void row_real(struct row *r, const char *name, double value)
{
    char number[32] = "";
    if (isfinite(value)) snprintf(number, sizeof number, "%.9g", value);
    row_text(r, name, number);
}

const char *row_get(const struct row *r, const char *name)
{
    const int column = layout_find(r->layout, name);
    assert(column >= 0);
    return r->values[column] ? r->values[column] : "";
}

/* --- writing ------------------------------------------------------------------------------- */
void csv_add(struct text *out, const char *value)
{
    if (!value[strcspn(value, ",\"\n\r")]) {
        text_add_bytes(out, value, strlen(value));
        return;
    }
    text_add_bytes(out, "\"", 1);
    for (const char *c = value; *c; c++) {
        if (*c == '"') text_add_bytes(out, c, 1);
        text_add_bytes(out, c, 1);
    }
    text_add_bytes(out, "\"", 1);
}

void layout_csv(const struct layout *l, struct text *out)
{
    for (size_t i = 0; i < l->count; i++) text_add(out, "%s%s", i ? "," : "", l->columns[i].name);
    text_add(out, "\n");
}

void row_csv(const struct row *r, struct text *out)
{
    out->failed |= r->failed;
    for (size_t i = 0; i < r->layout->count; i++) {
        if (i) text_add_bytes(out, ",", 1);
        if (r->values[i]) csv_add(out, r->values[i]);
    }
    text_add_bytes(out, "\n", 1);
}

void row_json(const struct row *r, struct text *out)
{
    out->failed |= r->failed;
    for (size_t i = 0; i < r->layout->count; i++) {
        const struct column *c = &r->layout->columns[i];
        const char *value = r->values[i];
        double number;
        text_add(out, "%s\"%s\":", i ? "," : "{", c->name);
        if (!value) text_add_bytes(out, "null", 4);
        /* A parameter may be infinite, which JSON has no number for. */
        else if (c->type == COLUMN_NUMBER && text_to_f64(value, &number) && isfinite(number))
            text_add_bytes(out, value, strlen(value));
        else text_add_json(out, value);
    }
    text_add_bytes(out, "}\n", 2);
}

/* Cuts off what follows the last LF of the file: half a row that could not be taken back when it was written. */
static int cut_torn(int fd)
{
    char block[4096];
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return 1;
    for (off_t end = st.st_size; end > 0;) {
        const size_t size = end < (off_t)sizeof block ? (size_t)end : end == st.st_size ? 1 : sizeof block;
        if (pread(fd, block, size, end - (off_t)size) != (ssize_t)size) return 0;
        const char *lf = memrchr(block, '\n', size);
        end = lf ? end - (off_t)size + (lf - block) + 1 : end - (off_t)size;
        if (lf && end == st.st_size) return 1;
        if (lf || end == 0) return ftruncate(fd, end) == 0;
    }
    return 1;
}

int row_append(int fd, const struct text *line, const char *path, struct err *e)
{
    enum { TRIES = 2 }; /* a disk that was full for a moment */
    if (line->failed) return FAIL(e, ERR_MEM, "%s: no memory for a row", path);
    for (int i = 0;; i++) {
        ssize_t written = -1;
        if (cut_torn(fd)) do written = write(fd, line->at, line->size);
            while (written < 0 && errno == EINTR);
        if (written == (ssize_t)line->size) return ERR_OK;
        const int why = errno, whole = written <= 0 || cut_torn(fd);
        if (written > 0 && i + 1 < TRIES) continue;
        return FAIL(e, ERR_IO, "%s: %s%s", path,
                    written < 0 ? strerror(why) : "a row could only be written in part: is the disk full?",
                    whole ? "" : "; the part is cut off when the next row comes");
    }
}

/* Moves what follows the last LF of the file to <path>.torn. */
static int repair(const char *path, int fd, struct err *e)
{
    struct mem_map map;
    int status = mem_map_open(&map, path, e);
    if (status != ERR_OK) return status;
    size_t whole = map.size;
    while (whole && map.at[whole - 1] != '\n') whole--;
    if (whole < map.size) {
        struct text torn_path = { 0 };
        text_add(&torn_path, "%s.torn", path);
        FILE *torn = torn_path.failed ? NULL : fopen(text_of(&torn_path), "a");
        const int kept = torn && fwrite(map.at + whole, map.size - whole, 1, torn) == 1 && fputc('\n', torn) != EOF;
        if ((torn && fclose(torn) != 0) || !kept)
            status = FAIL(e, ERR_IO, "%s: %s", text_of(&torn_path), strerror(errno));
        else if (ftruncate(fd, (off_t)whole) != 0) status = FAIL(e, ERR_IO, "%s: %s", path, strerror(errno));
        text_free(&torn_path);
    }
    mem_map_close(&map);
    return status;
}

/* 0 when the first line that is no comment is `header`; 1 when there is none yet. */
static int check_header(const char *path, const struct text *header, int *missing, struct err *e)
{
    struct mem_map map;
    const int status = mem_map_open(&map, path, e);
    if (status != ERR_OK) return status;
    const char *at = (const char *)map.at, *end = at + map.size;
    while (at < end && *at == '#') {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        at = lf ? lf + 1 : end;
    }
    *missing = at == end;
    const int same = (size_t)(end - at) >= header->size && memcmp(at, header->at, header->size) == 0;
    mem_map_close(&map);
    if (!*missing && !same)
        return FAIL(e, ERR_FORMAT, "%s has other columns than this run: give another --out", path);
    return ERR_OK;
}

/* One writer a file, until the descriptor is closed: two would measure every point twice, beside each
 * other.  The workers of a sweep that was killed hold on for a moment.  No lock on a file system without. */
static int lock(const char *path, int fd, struct err *e)
{
    const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
    for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; tries++) {
        if (tries == 40)
            return FAIL(e, ERR_BUSY, "%s: another process is writing it; wait for it, or give another --out", path);
        nanosleep(&pause, NULL);
    }
    return ERR_OK;
}

int row_open(int *fd_out, const char *path, const struct layout *l, const char *notes, struct err *e)
{
    struct text header = { 0 };
    layout_csv(l, &header);
    const int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int missing = 0;
    int status = fd < 0 ? FAIL(e, ERR_IO, "%s: %s", path, strerror(errno)) : ERR_OK;
    if (status == ERR_OK) status = lock(path, fd, e);
    if (status == ERR_OK) status = repair(path, fd, e);
    if (status == ERR_OK) status = check_header(path, &header, &missing, e);
    if (status == ERR_OK && missing) {
        struct text top = { 0 };
        text_add(&top, "%s%s", notes, text_of(&header));
        if (ftruncate(fd, 0) != 0) status = FAIL(e, ERR_IO, "%s: %s", path, strerror(errno));
        if (status == ERR_OK) status = row_append(fd, &top, path, e);
        text_free(&top);
    }
    text_free(&header);
    if (status == ERR_OK) *fd_out = fd;
    else if (fd >= 0) close(fd);
    return status;
}
