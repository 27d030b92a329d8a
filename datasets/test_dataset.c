/* SPDX-License-Identifier: MIT
 * test_dataset.c - readers against files written byte by byte here, and every way to be a bad file:
 * cut at each byte, another dimension in a later row, not finite, too wide, empty, random bytes. */
#include "datasets/dataset.h"
#include "datasets/sha256.h"
#include "kernels/base/faults.h"
#include "kernels/base/test.h"
#include "kernels/base/text.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[] = "/tmp/assay-test-XXXXXX";
static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *put(const char *name, const void *bytes, size_t size)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) abort();
    return path;
}

/* Opening must fail with `code` and a message that holds `path` and `words`. */
static void refused(const char *path, int code, const char *words)
{
    struct dataset d = { .element = ELEMENT_I8 };
    struct err e = { 0 };
    const int status = dataset_open(&d, path, &e);
    CHECK(status == code, "%s: status %d: %s", path, status, e.text);
    CHECK(strstr(e.text, path) && strstr(e.text, words), "'%s' should hold '%s'", e.text, words);
    CHECK(d.element == ELEMENT_I8 && !d.block && !d.map.at, "%s: output touched", path);
    if (status == ERR_OK) dataset_close(&d);
}

struct vecs_row { int32_t dim; float x[3]; };
static const struct vecs_row good[4] = {
    { 3, { 1, 2, 3 } }, { 3, { -4, 5.5f, 6 } }, { 3, { 0, -0.0f, 1e-40f } }, { 3, { 7, 8, 3e38f } },
};

static void fvecs_reads(void)
{
    struct dataset d = { 0 };
    struct err e = { 0 };
    CHECK(dataset_open(&d, put("a.fvecs", good, sizeof good), &e) == ERR_OK, "%s", e.text);
    CHECK(d.rows.count == 4 && d.rows.dim == 3 && d.rows.stride == 4 && !d.block && !d.ids, "a view of the file");
    for (size_t row = 0; row < 4; row++)
        CHECK(memcmp(rows_at(d.rows, row), good[row].x, 12) == 0, "row %zu", row);
    CHECK(d.content_hash == hash64(0, good, sizeof good), "hash of the bytes");
    dataset_close(&d);
    const int32_t ids[8] = { 3, 10, -1, 7, 3, 2147483647, 0, 5 };
    CHECK(dataset_open(&d, put("a.ivecs", ids, sizeof ids), &e) == ERR_OK, "%s", e.text);
    CHECK(d.rows.count == 2 && d.rows.dim == 3 && !d.rows.at && d.element == ELEMENT_I32, "shape");
    CHECK(d.ids[0] == 10 && d.ids[1] == -1 && d.ids[3] == 2147483647, "values");
    dataset_close(&d);
    const unsigned char bytes[12] = { 2, 0, 0, 0, 255, 1, 2, 0, 0, 0, 0, 128 };
    CHECK(dataset_open(&d, put("a.bvecs", bytes, sizeof bytes), &e) == ERR_OK, "%s", e.text);
    CHECK(d.rows.count == 2 && d.rows.at[0] == 255 && d.rows.at[3] == 128, "values");
    dataset_close(&d);
    dataset_close(&d);
}

static void fvecs_refuses(void)
{
    for (size_t size = 0; size < sizeof good; size++) {
        const char *path = put("cut.fvecs", good, size);
        struct dataset d = { 0 };
        struct err e = { 0 };
        const int status = dataset_open(&d, path, &e);
        CHECK((status == ERR_OK) == (size > 0 && size % 16 == 0), "%zu bytes: %d %s", size, status, e.text);
        CHECK(status == ERR_OK || strstr(e.text, path), "%zu bytes: '%s'", size, e.text);
        if (status == ERR_OK) dataset_close(&d);
    }
    struct vecs_row rows[4];
    memcpy(rows, good, sizeof rows);
    rows[2].dim = 2;
    refused(put("dim.fvecs", rows, sizeof rows), ERR_FORMAT, "offset 32: row 2 has dimension 2, row 0 has 3");
    rows[2].dim = -7;
    refused(put("dim.fvecs", rows, sizeof rows), ERR_FORMAT, "offset 32: dimension -7");
    memcpy(rows, good, sizeof rows);
    rows[0].dim = 0;
    refused(put("dim.fvecs", rows, sizeof rows), ERR_FORMAT, "offset 0: dimension 0");
    rows[0].dim = 2000000000;
    refused(put("dim.fvecs", rows, sizeof rows), ERR_FORMAT, "dimension 2000000000");
    const float bad[] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 3; i++) {
        memcpy(rows, good, sizeof rows);
        rows[3].x[1] = bad[i];
        refused(put("nan.fvecs", rows, sizeof rows), ERR_FORMAT, "row 3, column 1 is not a finite");
    }
    refused(put("empty.fvecs", "", 0), ERR_FORMAT, "empty");
    refused(path_of("none.fvecs"), ERR_NOT_FOUND, "No such file");
    refused(put("a.vectors", good, sizeof good), ERR_ARG, ".fvecs|.ivecs|.bvecs");
    mkdir(path_of("folder.fvecs"), 0777);
    refused(path_of("folder.fvecs"), ERR_IO, "not a regular file");
}

/* An npy file of version `major` with the given dict and data. */
static const char *put_npy(int major, const char *dict, const void *data, size_t size)
{
    unsigned char file[1024] = "\x93NUMPY";
    const size_t start = major == 1 ? 10 : 12, header = (start + strlen(dict) + 1 + 63) / 64 * 64 - start;
    file[6] = (unsigned char)major;
    file[8] = (unsigned char)header;
    memset(file + start, ' ', header);
    memcpy(file + start, dict, strlen(dict));
    file[start + header - 1] = '\n';
    memcpy(file + start + header, data, size);
    return put("a.npy", file, start + header + size);
}

static void xbin_reads(void)
{
    const uint32_t head[2] = { 2, 3 };
    struct { uint32_t head[2]; float x[6]; } f = { { 2, 3 }, { 1, -2, 3, 4, 5, 6.5f } };
    struct { uint32_t head[2]; int32_t ids[6]; float distances[6]; } truth = { { 2, 3 }, { 5, 4, 3, 2, 1, 0 }, { 0 } };
    struct dataset d = { 0 };
    struct err e = { 0 };
    CHECK(dataset_open(&d, put("a.fbin", &f, sizeof f), &e) == ERR_OK, "%s", e.text);
    CHECK(d.rows.count == 2 && d.rows.dim == 3 && d.rows.stride == 3 && !d.block && rows_at(d.rows, 1)[2] == 6.5f, "fbin");
    dataset_close(&d);
    CHECK(dataset_open(&d, put("a.ibin", &truth, sizeof head + sizeof truth.ids), &e) == ERR_OK && d.ids[5] == 0, "%s", e.text);
    dataset_close(&d);
    CHECK(dataset_open(&d, put("a.ibin", &truth, sizeof truth), &e) == ERR_OK && d.ids[0] == 5 && d.rows.count == 2, "%s", e.text);
    dataset_close(&d);
    unsigned char bytes[14] = { 2, 0, 0, 0, 3, 0, 0, 0, 255, 128, 1, 2, 3, 4 };
    CHECK(dataset_open(&d, put("a.u8bin", bytes, 14), &e) == ERR_OK && d.rows.at[0] == 255, "%s", e.text);
    dataset_close(&d);
    CHECK(dataset_open(&d, put("a.i8bin", bytes, 14), &e) == ERR_OK && d.rows.at[1] == -128, "%s", e.text);
    dataset_close(&d);
    struct { uint32_t head[2]; uint16_t x[2]; } half = { { 1, 2 }, { 0x3c00, 0xc000 } };
    CHECK(dataset_open(&d, put("a.f16bin", &half, sizeof half), &e) == ERR_OK && d.rows.at[1] == -2, "%s", e.text);
    dataset_close(&d);
    for (size_t size = 1; size < sizeof f; size++) refused(put("b.fbin", &f, size), ERR_FORMAT, size < 8 ? "header" : "needs 2 x 12");
    refused(put("b.fbin", &truth, sizeof truth), ERR_FORMAT, "48 bytes of data");
    f.head[0] = 0;
    refused(put("b.fbin", &f, sizeof f), ERR_FORMAT, "0 rows");
    f.head[0] = UINT32_MAX;
    refused(put("b.fbin", &f, sizeof f), ERR_FORMAT, "needs 4294967295 x 12");
    f.head[1] = UINT32_MAX;
    refused(put("b.fbin", &f, sizeof f), ERR_FORMAT, "outside 1..65536");
    refused(put("b.fbin:test", &f, sizeof f), ERR_ARG, "no reader");
}

static void npy_reads(void)
{
    const float f4[4] = { 1, -2, 3.5f, 65504 };
    const uint16_t f2[4] = { 0x3c00, 0xc000, 0x4300, 0x7bff };
    const double f8[4] = { 1, -2, 3.5, 65504 };
    struct { const char *dict; const void *data; size_t size; } cases[] = {
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", f4, sizeof f4 },
        { "{\"shape\":(2,2),'fortran_order':False,'descr':'<f2'}", f2, sizeof f2 },
        { " { 'fortran_order' : False , 'shape' : ( 2 , 2 , ) , 'descr' : '<f8' } ", f8, sizeof f8 },
    };
    struct dataset d = { 0 };
    struct err e = { 0 };
    for (int major = 1; major <= 3; major++)
        for (size_t i = 0; i < 3; i++) {
            CHECK(dataset_open(&d, put_npy(major, cases[i].dict, cases[i].data, cases[i].size), &e) == ERR_OK, "%s",
                  e.text);
            CHECK(d.rows.count == 2 && d.rows.dim == 2, "shape");
            for (int j = 0; j < 4; j++) CHECK(d.rows.at[j] == f4[j], "case %zu element %d: %g", i, j, d.rows.at[j]);
            dataset_close(&d);
        }
    const int64_t i8[4] = { 1, -2, 1ll << 40, 4 };
    CHECK(dataset_open(&d, put_npy(1, "{'descr': '<i8', 'fortran_order': True, 'shape': (4, 1)}", i8, sizeof i8), &e) ==
              ERR_OK, "%s", e.text);
    CHECK(d.ids[2] == 1ll << 40 && d.rows.dim == 1 && d.element == ELEMENT_I64, "ids");
    dataset_close(&d);
    const uint32_t u4[4] = { 5, UINT32_MAX, 3000000000u, 0 };
    CHECK(dataset_open(&d, put_npy(1, "{'descr': '<u4', 'fortran_order': False, 'shape': (2, 2)}", u4, sizeof u4), &e) == ERR_OK &&
          d.element == ELEMENT_U32 && d.ids[0] == 5 && d.ids[1] == -1 && d.ids[2] == 3000000000 && d.ids[3] == 0, "%s", e.text);
    dataset_close(&d);
    const uint64_t u8[2] = { UINT64_MAX, UINT64_MAX - 1 };
    CHECK(dataset_open(&d, put_npy(1, "{'descr': '<u8', 'fortran_order': False, 'shape': (1, 2)}", u8, sizeof u8), &e) == ERR_OK &&
          d.ids[0] == -1 && d.ids[1] == INT64_MAX, "%s", e.text);
    dataset_close(&d);
    const unsigned char bytes[4] = { 1, 254, 128, 127 };
    CHECK(dataset_open(&d, put_npy(1, "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 2)}", bytes, 4), &e) ==
              ERR_OK, "%s", e.text);
    CHECK(d.rows.at[1] == -2 && d.rows.at[2] == -128, "int8");
    dataset_close(&d);
}

static void npy_refuses(void)
{
    const float x[4] = { 1, 2, 3, 4 };
    static const struct { const char *dict, *words; } cases[] = {
        { "{'descr': '|O', 'fortran_order': False, 'shape': (2, 2)}", "type '|O'" },
        { "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2)}", "type '>f4'" },
        { "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", "fortran_order" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", "1 axes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", "0 axes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2)}", "3 axes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", "16 bytes of data" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2)}", "no rows" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 9999999)}", "outside 1..65536" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 4)}", "bytes of data" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4)}", "header is not" },
        { "{'descr': '<f4', 'fortran_order': False}", "header is not" },
        { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2)}", "header is not" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'more': 1}", "header is not" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)} + 1", "header is not" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(put_npy(1, cases[i].dict, x, sizeof x), ERR_FORMAT, cases[i].words);
    const float nan[4] = { 1, 2, 3, NAN };
    static const char dict[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}";
    refused(put_npy(1, dict, nan, sizeof nan), ERR_FORMAT, "row 1, column 1");
    const double big[4] = { 1, 1e300, 3, 4 };
    refused(put_npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}", big, sizeof big), ERR_FORMAT,
            "row 0, column 1");
    refused(put("b.npy", "\x93NUMPX\1\0\0\0 ", 12), ERR_FORMAT, "not a NumPy file");
    refused(put("b.npy", "\x93NUMPY\7\0\0\0 ", 12), ERR_FORMAT, "version 7");
}

/* A good file with bytes changed, or cut: opened or refused, never a fault; what opens is whole. */
static void damage_never_faults(void)
{
    const float x[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
    unsigned char file[512], copy[512];
    struct stat st;
    static const char dict[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}";
    for (int kind = 0; kind < 2; kind++) {
        const char *path = kind ? put_npy(1, dict, x, sizeof x) : put("b.fvecs", good, sizeof good);
        FILE *f = fopen(path, "rb");
        if (!f || fstat(fileno(f), &st) != 0 || fread(file, 1, (size_t)st.st_size, f) == 0) abort();
        fclose(f);
        const size_t size = (size_t)st.st_size;
        for (int trial = 0; trial < 400; trial++) {
            memcpy(copy, file, size);
            for (uint64_t hits = 1 + test_rand() % 3; hits > 0; hits--)
                copy[test_rand() % size] = (unsigned char)test_rand();
            const size_t kept = trial % 3 ? size : test_rand() % size;
            struct dataset d = { 0 };
            struct err e = { 0 };
            const char *name = put(kind ? "c.npy" : "c.fvecs", copy, kept);
            const int status = dataset_open(&d, name, &e);
            CHECK(status == ERR_OK || (status == ERR_FORMAT && strstr(e.text, name)), "%d '%s'", status, e.text);
            if (status != ERR_OK) continue;
            CHECK(d.rows.count * d.rows.dim * element_bytes(d.element) <= kept, "%zu x %zu in %zu bytes", d.rows.count,
                  d.rows.dim, kept);
            dataset_close(&d);
        }
    }
}

static void writers_write_whole(void)
{
    const float x[8] = { 1, 2, 3, 99, 4, 5, 6, 99 };
    struct err e = { 0 };
    struct dataset d = { 0 };
    char path[128];
    snprintf(path, sizeof path, "%s", path_of("w.fvecs"));
    CHECK(dataset_write_fvecs(path, (struct rows){ x, 2, 3, 4 }, &e) == ERR_OK, "%s", e.text);
    CHECK(dataset_open(&d, path, &e) == ERR_OK && d.rows.count == 2 && rows_at(d.rows, 1)[2] == 6, "%s", e.text);
    dataset_close(&d);
    /* A full disk, as a file size limit: the old file stays, the temporary goes. */
    static float big[64 * 1024];
    struct rlimit old, small = { 4096, 4096 };
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    CHECK(dataset_write_fvecs(path, (struct rows){ big, 64, 1024, 1024 }, &e) == ERR_IO, "a full disk is an error");
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK(strstr(e.text, path), "'%s' names the file", e.text);
    CHECK(dataset_open(&d, path, &e) == ERR_OK && d.rows.count == 2, "the old file is untouched");
    dataset_close(&d);
    char temporary[160];
    snprintf(temporary, sizeof temporary, "%s.%ld-0.partial", path, (long)getpid());
    CHECK(access(temporary, F_OK) != 0, "%s is left behind", temporary);
    CHECK(dataset_write_fvecs("/nonexistent/x.fvecs", (struct rows){ x, 2, 3, 4 }, &e) == ERR_IO, "no folder");
    CHECK(dataset_write_fvecs(path, (struct rows){ x, 2, 0, 4 }, &e) == ERR_ARG, "no dimensions");
    const int32_t ids[4] = { 1, 2, 3, -4 };
    CHECK(dataset_write_ivecs(path_of("w.ivecs"), ids, 2, 2, &e) == ERR_OK, "%s", e.text);
    CHECK(dataset_open(&d, path_of("w.ivecs"), &e) == ERR_OK && d.ids[3] == -4, "%s", e.text);
    dataset_close(&d);
}

/* FIPS 180-4's examples, and lengths on either side of where the padding needs a block more. */
static void sha256_is_sha256(void)
{
    static const struct { size_t size; const char *hex; } cases[] = {
        { 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
        { 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
        { 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
        { 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
    };
    static char as[1000000];
    char hex[65];
    memset(as, 'a', sizeof as);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sha256_hex(as, cases[i].size, hex);
        CHECK(strcmp(hex, cases[i].hex) == 0, "%zu times 'a': %s", cases[i].size, hex);
    }
}

static void no_memory_is_an_error(void)
{
    const unsigned char bytes[12] = { 2, 0, 0, 0, 255, 1, 2, 0, 0, 0, 0, 128 };
    struct dataset d = { 0 };
    struct err e = { 0 };
    const char *path = put("m.bvecs", bytes, sizeof bytes);
    fault_after(FAULT_MEMORY, 1, ENOMEM);
    CHECK(dataset_open(&d, path, &e) == ERR_MEM, "%s", e.text);
    fault_after(FAULT_NONE, 0, 0);
}

int main(void)
{
    if (!mkdtemp(folder)) return TEST_FAIL;
    test_case("vecs: fvecs, ivecs and bvecs read", fvecs_reads);
    test_case("vecs: every bad file is refused by name and place", fvecs_refuses);
    test_case("xbin: elements, ground truth, bad headers", xbin_reads);
    test_case("npy: types, versions and spellings read", npy_reads);
    test_case("npy: every bad file is refused by name and reason", npy_refuses);
    test_case("damaged files never fault", damage_never_faults);
    test_case("writers write whole files or none", writers_write_whole);
    test_case("sha256: published digests", sha256_is_sha256);
    test_case("no memory is an error", no_memory_is_an_error);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? test_end() : TEST_FAIL;
}
