/* SPDX-License-Identifier: MIT
 * test_tags.c - files of tags: what was written is read, who passes, and damage that is named. */
#include "datasets/tags.h"
#include "kernels/base/test.h"

static char path[] = "/tmp/assay-test-XXXXXX";

/* Four rows of three tags: {0, 2} {} {1} {0, 1, 2}. */
static int64_t start[] = { 0, 2, 2, 3, 6 };
static int32_t tag[] = { 0, 2, 1, 0, 1, 2 };
static const struct tags four = { 4, 3, start, tag };

static void written_and_read(void)
{
    struct tags t = { 0 };
    struct err e = { 0 };
    CHECK(tags_write(path, &four, &e) == ERR_OK && tags_read(&t, path, &e) == ERR_OK, "%s", e.text);
    CHECK(t.rows == 4 && t.tags == 3 && memcmp(t.start, start, sizeof start) == 0 && memcmp(t.tag, tag,
                                                                                            sizeof tag) == 0, "same");
    tags_free(&t);
}

static void who_passes(void)
{
    static int64_t asked_start[] = { 0, 1, 3, 3, 6 };
    static int32_t asked_tag[] = { 0, 0, 1, 0, 1, 2 };
    const struct tags asked = { 4, 3, asked_start, asked_tag };
    static const uint32_t expected[4][4] = { { 0, 3 }, { 3 }, { 0, 1, 2, 3 }, { 3 } };
    static const size_t counts[] = { 2, 1, 4, 1 };
    struct tags by_tag = { 0 }, back = { 0 };
    struct err e = { 0 };
    uint32_t out[4];
    CHECK(tags_transpose(&by_tag, &four, &e) == ERR_OK, "%s", e.text);
    for (size_t q = 0; q < 4; q++)
        CHECK(tags_passing(&by_tag, 4, &asked, q, out) == counts[q] && memcmp(out, expected[q], counts[q] * 4) == 0,
              "query %zu", q);
    CHECK(tags_transpose(&back, &by_tag, &e) == ERR_OK, "%s", e.text);
    CHECK(memcmp(back.start, start, sizeof start) == 0 && memcmp(back.tag, tag, sizeof tag) == 0, "twice is the same");
    tags_free(&by_tag);
    tags_free(&back);
}

static void put(const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) abort();
}

static void damage_is_named(void)
{
    struct { int64_t head[3], start[3]; int32_t tag[2]; float value[2]; } file = { { 2, 3, 2 }, { 0, 1, 2 }, { 0, 2 },
                                                                                  { 1, 1 } }, bad;
    struct tags t = { 0 };
    struct err e = { 0 };
    put(&file, sizeof file);
    CHECK(tags_read(&t, path, &e) == ERR_OK, "%s", e.text);
    tags_free(&t);
#define REFUSED(change, words) \
    bad = file; \
    change; \
    put(&bad, sizeof bad); \
    CHECK(tags_read(&t, path, &e) == ERR_FORMAT && strstr(e.text, words) && strstr(e.text, path) && !t.tag, \
          "%s", e.text)
    REFUSED(bad.head[0] = 3, "do not hold 3 x 3");
    REFUSED(bad.head[2] = INT64_MAX, "do not hold");
    REFUSED(bad.head[0] = -1, "do not hold");
    REFUSED(bad.start[0] = 1, "start at 1");
    REFUSED(bad.start[2] = 1, "end at 1");
    REFUSED(bad.start[1] = 7, "ends before it starts");
    REFUSED(bad.start[1] = -7, "ends before it starts");
    REFUSED(bad.tag[1] = 3, "row 1 has tag 3 of 3");
    REFUSED(bad.tag[1] = -1, "row 1 has tag -1");
    REFUSED((bad.start[1] = 2, bad.tag[0] = 2, bad.tag[1] = 2), "row 0: tag 2 after 2");
    put(&file, 20);
    CHECK(tags_read(&t, path, &e) == ERR_FORMAT && strstr(e.text, "20 bytes"), "%s", e.text);
    CHECK(tags_read(&t, "/nonexistent", &e) == ERR_NOT_FOUND, "%s", e.text);
}

int main(void)
{
    const int fd = mkstemp(path);
    if (fd < 0) return TEST_FAIL;
    close(fd);
    test_case("what was written is read", written_and_read);
    test_case("rows with every tag pass", who_passes);
    test_case("damage is named", damage_is_named);
    return unlink(path) == 0 ? test_end() : TEST_FAIL;
}
