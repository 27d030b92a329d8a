/* SPDX-License-Identifier: MIT
 * test_hdf5.c - the reader on files that the HDF5 library writes here as ann-benchmarks does. */
#include "datasets/dataset.h"
#include "kernels/base/faults.h"
#include "kernels/base/test.h"
#include <errno.h>
#include <hdf5.h>
#include <math.h>
#include <sys/stat.h>

static char folder[] = "/tmp/assay-test-XXXXXX";
static char path[128];

static void put(hid_t file, const char *name, int rank, const hsize_t *shape, hid_t stored, hid_t given, const void *data)
{
    const hid_t space = H5Screate_simple(rank, shape, NULL);
    const hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (set < 0 || H5Dwrite(set, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) abort();
    H5Dclose(set);
    H5Sclose(space);
}

static void make_file(void)
{
    const float train[6] = { 1, 2, 3, 4, 5, 6.5f }, nan[2] = { 1, NAN };
    const double test[4] = { 0.5, -1, 2, 1e30 }, big[2] = { 1, 1e300 };
    const int ids[4] = { 3, 0, 1, 2147483647 };
    const hsize_t three_two[2] = { 3, 2 }, two_two[2] = { 2, 2 }, one_two[2] = { 1, 2 }, wide[2] = { 1, 70000 }, none[2] = { 0, 2 };
    snprintf(path, sizeof path, "%s/a.hdf5", folder);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    static const char zeros[70000];
    put(file, "train", 2, three_two, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, train);
    put(file, "test", 2, two_two, H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, test);
    put(file, "neighbors", 2, two_two, H5T_STD_I64LE, H5T_NATIVE_INT, ids);
    put(file, "unsigned", 2, two_two, H5T_STD_U32LE, H5T_NATIVE_UINT, (const unsigned[4]){ 3, 0xffffffffu, 3000000000u, 0 });
    put(file, "unsigned64", 2, one_two, H5T_STD_U64LE, H5T_NATIVE_ULLONG, (const unsigned long long[2]){ 7, ~0ull });
    put(file, "bytes", 2, two_two, H5T_STD_U8LE, H5T_NATIVE_INT, (const int[4]){ 0, 1, 128, 255 });
    put(file, "line", 1, three_two, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, train);
    put(file, "nan", 2, one_two, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, nan);
    put(file, "big", 2, one_two, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, big);
    put(file, "wide", 2, wide, H5T_STD_U8LE, H5T_NATIVE_UCHAR, zeros);
    put(file, "none", 2, none, H5T_STD_U8LE, H5T_NATIVE_UCHAR, zeros);
    put(file, "times", 2, one_two, H5T_UNIX_D32LE, H5T_UNIX_D32LE, train);
    H5Fclose(file);
}

static int open_part(struct dataset *d, const char *part, struct err *e)
{
    char name[160];
    snprintf(name, sizeof name, "%s%s", path, part);
    return dataset_open(d, name, e);
}

static void parts_are_read(void)
{
    struct dataset d = { 0 }, again = { 0 };
    struct err e = { 0 };
    CHECK(open_part(&d, "", &e) == ERR_OK && d.rows.count == 3 && d.rows.dim == 2 && rows_at(d.rows, 2)[1] == 6.5f, "%s", e.text);
    CHECK(open_part(&again, ":train", &e) == ERR_OK && d.content_hash == again.content_hash, "the same by name: %s", e.text);
    dataset_close(&again);
    CHECK(open_part(&again, ":test", &e) == ERR_OK && d.content_hash != again.content_hash, "%s", e.text);
    CHECK(again.element == ELEMENT_F64 && again.rows.at[1] == -1 && again.rows.at[3] == 1e30f, "converted");
    dataset_close(&again);
    dataset_close(&d);
    CHECK(open_part(&d, ":neighbors", &e) == ERR_OK && d.ids[3] == 2147483647 && !d.rows.at, "%s", e.text);
    dataset_close(&d);
    CHECK(open_part(&d, ":unsigned", &e) == ERR_OK && d.element == ELEMENT_U32 && d.ids[0] == 3 && d.ids[1] == -1 &&
          d.ids[2] == 3000000000 && d.ids[3] == 0, "%s %lld %lld", e.text, (long long)d.ids[1], (long long)d.ids[2]);
    dataset_close(&d);
    CHECK(open_part(&d, ":unsigned64", &e) == ERR_OK && d.element == ELEMENT_U64 && d.ids[0] == 7 && d.ids[1] == -1, "%s", e.text);
    dataset_close(&d);
    CHECK(open_part(&d, ":bytes", &e) == ERR_OK && d.rows.at[3] == 255 && d.element == ELEMENT_U8, "%s", e.text);
    dataset_close(&d);
}

/* A file of two vectors with the attributes of ann-benchmarks; text of fixed or variable length. */
static int open_described(const char *distance, int variable, int dimension, struct dataset *d, struct err *e)
{
    const hsize_t one_two[2] = { 1, 2 };
    char described[160];
    snprintf(described, sizeof described, "%s/described.hdf5", folder);
    const hid_t file = H5Fcreate(described, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
    const hid_t scalar = H5Screate(H5S_SCALAR);
    put(file, "train", 2, one_two, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, (const float[2]){ 1, 2 });
    H5Tset_size(type, variable ? H5T_VARIABLE : strlen(distance));
    const hid_t at = H5Acreate2(file, "distance", type, scalar, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t kind = H5Acreate2(file, "type", type, scalar, H5P_DEFAULT, H5P_DEFAULT);
    if (H5Awrite(kind, type, variable ? (const void *)&distance : distance) < 0) abort(); /* any word */
    H5Aclose(kind);
    const hid_t wide = H5Acreate2(file, "dimension", H5T_STD_I64LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
    if (H5Awrite(at, type, variable ? (const void *)&distance : distance) < 0 || H5Awrite(wide, H5T_NATIVE_INT, &dimension) < 0) abort();
    H5Aclose(at);
    H5Aclose(wide);
    H5Sclose(scalar);
    H5Tclose(type);
    H5Fclose(file);
    return dataset_open(d, described, e);
}

static void attributes_are_read(void)
{
    static const struct { const char *word, *metric; } cases[] = {
        { "angular", "cosine" }, { "euclidean", "l2" }, { "ip", "dot" }, { "hamming", NULL },
    };
    struct err e = { 0 };
    for (int i = 0; i < 8; i++) {
        struct dataset d = { 0 };
        const char *word = cases[i / 2].word, *metric = metric_of_distance(word);
        CHECK(open_described(word, i % 2, 2, &d, &e) == ERR_OK && strcmp(d.metric, word) == 0, "%s: %s", d.metric, e.text);
        CHECK(strcmp(d.type, word) == 0 && d.said_dimension == 2, "%s %d", d.type, d.said_dimension);
        CHECK(metric ? cases[i / 2].metric && strcmp(metric, cases[i / 2].metric) == 0 : !cases[i / 2].metric, "%s", word);
        dataset_close(&d);
    }
    struct dataset d = { 0 };
    CHECK(open_described("sparse", 0, 2, &d, &e) == ERR_UNSUPPORTED && strstr(e.text, "'type' is sparse"), "%s", e.text);
    CHECK(open_described("angular", 0, 3, &d, &e) == ERR_FORMAT && strstr(e.text, "'dimension' is 3, 'train' has 2"), "%s", e.text);
}

/* Attributes that are lists, with letters that a terminal obeys; numbers that are elsewhere, or nowhere. */
static void strangers(void)
{
    enum { LIST = 4000 };
    static const char *words[LIST];
    static int numbers[LIST];
    const hsize_t one_two[2] = { 1, 2 }, many[1] = { LIST }, huge[2] = { 40000000, 384 }, chunk[2] = { 1024, 384 };
    char evil[160], name[200];
    struct dataset d = { 0 };
    struct err e = { 0 };
    snprintf(evil, sizeof evil, "%s/evil.hdf5", folder);
    const hid_t file = H5Fcreate(evil, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
    const hid_t list = H5Screate_simple(1, many, NULL), scalar = H5Screate(H5S_SCALAR), much = H5Screate_simple(2, huge, NULL);
    put(file, "train", 2, one_two, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, (const float[2]){ 1, 2 });
    H5Tset_size(type, H5T_VARIABLE);
    for (int i = 0; i < LIST; i++) words[i] = "angular", numbers[i] = 2;
    const hid_t at = H5Acreate2(file, "distance", type, list, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t kind = H5Acreate2(file, "type", type, scalar, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t wide = H5Acreate2(file, "dimension", H5T_STD_I64LE, list, H5P_DEFAULT, H5P_DEFAULT);
    const char *colour = "a\x1b[2J\n\x9b";
    if (H5Awrite(at, type, words) < 0 || H5Awrite(kind, type, &colour) < 0 || H5Awrite(wide, H5T_NATIVE_INT, numbers) < 0) abort();
    const hid_t away = H5Pcreate(H5P_DATASET_CREATE), thin = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(away, "/dev/zero", 0, H5F_UNLIMITED);
    H5Pset_chunk(thin, 2, chunk);
    const hid_t pair = H5Screate_simple(2, one_two, NULL);
    H5Dclose(H5Dcreate2(file, "away", H5T_IEEE_F32LE, pair, H5P_DEFAULT, away, H5P_DEFAULT));
    H5Dclose(H5Dcreate2(file, "thin", H5T_IEEE_F32LE, much, H5P_DEFAULT, thin, H5P_DEFAULT));
    H5Lcreate_external(path, "train", file, "link", H5P_DEFAULT, H5P_DEFAULT);
    H5Pclose(away), H5Pclose(thin), H5Aclose(at), H5Aclose(kind), H5Aclose(wide);
    H5Sclose(list), H5Sclose(scalar), H5Sclose(much), H5Sclose(pair), H5Tclose(type), H5Fclose(file);
    CHECK(dataset_open(&d, evil, &e) == ERR_OK && d.rows.count == 1 && !*d.metric && d.said_dimension == 0, "%s", e.text);
    CHECK(strcmp(d.type, "a?[2J??") == 0, "%s", d.type);
    dataset_close(&d);
    static const struct { const char *part; int code; const char *words; } cases[] = {
        { "away", ERR_UNSUPPORTED, "other files" }, { "thin", ERR_FORMAT, "61440000000 bytes" }, { "link", ERR_NOT_FOUND, "no 'link'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(name, sizeof name, "%s:%s", evil, cases[i].part);
        CHECK(dataset_open(&d, name, &e) == cases[i].code && strstr(e.text, cases[i].words), "%s", e.text);
    }
}

static void bad_ones_are_refused(void)
{
    static const struct { const char *part; int code; const char *words; } cases[] = {
        { ":nothing", ERR_NOT_FOUND, "no 'nothing'" }, { ":line", ERR_FORMAT, "1 axes" },
        { ":nan", ERR_FORMAT, "row 0, column 1" },     { ":big", ERR_FORMAT, "row 0, column 1" },
        { ":wide", ERR_FORMAT, "1 x 70000" },          { ":none", ERR_FORMAT, "0 x 2" },
        { ":times", ERR_FORMAT, "neither floats nor integers" },
    };
    struct dataset d = { 0 };
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int status = open_part(&d, cases[i].part, &e);
        CHECK(status == cases[i].code && strstr(e.text, cases[i].words) && strstr(e.text, path), "%s: %d %s", cases[i].part,
              status, e.text);
    }
    fault_after(FAULT_MEMORY, 1, ENOMEM);
    CHECK(open_part(&d, "", &e) == ERR_MEM, "%s", e.text);
    fault_after(FAULT_NONE, 0, 0);
    struct stat st;
    CHECK(stat(path, &st) == 0 && truncate(path, st.st_size / 2) == 0, "cut in half");
    CHECK(open_part(&d, "", &e) == ERR_FORMAT && strstr(e.text, "cut short"), "%s", e.text);
    FILE *f = fopen(path, "wb");
    CHECK(f && fputs("not HDF5 at all", f) >= 0 && fclose(f) == 0, "written");
    CHECK(open_part(&d, "", &e) == ERR_FORMAT && strstr(e.text, "not an HDF5 file"), "%s", e.text);
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    make_file();
    test_case("what a stranger's file may say", strangers);
    test_case("distance and dimension, as ann-benchmarks has them", attributes_are_read);
    test_case("parts by name, any width and byte order", parts_are_read);
    test_case("bad ones are refused by name and reason", bad_ones_are_refused);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
