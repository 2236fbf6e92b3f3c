/* SPDX-License-Identifier: Apache-2.0 */
/* Zip files as they are packed, and as somebody would who means harm. They are written here, byte
 * by byte. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "archive/archive.h"
#include "base/buf.h"
#include "base/limits.h"

#define MODE_FILE 0100644u
#define MODE_FOLDER 0040755u
#define MODE_LINK 0120777u

struct zip {
    struct arena arena;
    struct buf data, directory;
    unsigned n;
    struct archive_file *files;
    size_t n_files;
    struct err err;
};

static uint32_t crc_of(const char *text, size_t n)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void number(struct buf *buf, size_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_add_char(buf, (char)(value >> 8 * i));
}

/* What both headers of an entry have. method 0: stored, 8: deflated */
static void header(struct buf *buf, unsigned flags, unsigned method, uint32_t crc, size_t packed,
                   size_t size, const char *name)
{
    number(buf, 20, 2);
    number(buf, flags, 2);
    number(buf, method, 2);
    number(buf, 0x21u << 16, 4); /* 1 January 1980 */
    number(buf, crc, 4);
    number(buf, packed, 4);
    number(buf, size, 4);
    number(buf, strlen(name), 2);
    number(buf, 0, 2);
}

static void entry(struct zip *zip, const char *name, unsigned mode, unsigned flags, unsigned method,
                  uint32_t crc, const void *packed, size_t packed_n, size_t size)
{
    size_t at = zip->data.len;

    buf_add(&zip->data, "PK\3\4", 4);
    header(&zip->data, flags, method, crc, packed_n, size, name);
    buf_add_str(&zip->data, name);
    buf_add(&zip->data, packed, packed_n);
    buf_add(&zip->directory, "PK\1\2", 4);
    number(&zip->directory, 3u << 8 | 20, 2); /* made on Unix */
    header(&zip->directory, flags, method, crc, packed_n, size, name);
    number(&zip->directory, 0, 6); /* comment, disk, internal attributes */
    number(&zip->directory, (size_t)mode << 16, 4);
    number(&zip->directory, at, 4);
    buf_add_str(&zip->directory, name);
    zip->n++;
}

static void add(struct zip *zip, const char *name, const char *text)
{
    size_t n = strlen(text);

    entry(zip, name, MODE_FILE, 0, 0, crc_of(text, n), text, n, n);
}

static void zip_init(struct zip *zip)
{
    *zip = (struct zip){.n = 0};
    arena_init(&zip->arena, 0);
    buf_init(&zip->data, 0);
    buf_init(&zip->directory, 0);
}

static void zip_deinit(struct zip *zip)
{
    buf_deinit(&zip->data);
    buf_deinit(&zip->directory);
    arena_deinit(&zip->arena);
}

static void finish(struct zip *zip)
{
    size_t at = zip->data.len, n = zip->directory.len;

    buf_add(&zip->data, buf_str(&zip->directory), n);
    buf_add(&zip->data, "PK\5\6\0\0\0\0", 8);
    number(&zip->data, zip->n, 2);
    number(&zip->data, zip->n, 2);
    number(&zip->data, n, 4);
    number(&zip->data, at, 4);
    number(&zip->data, 0, 2);
}

static int read_it(struct zip *zip)
{
    return archive_read_files(&zip->arena, "a.zip", buf_str(&zip->data), zip->data.len, &zip->files,
                              &zip->n_files, &zip->err);
}

/* One that is refused with these words. */
static void refused(struct zip *zip, enum err_code code, const char *words)
{
    finish(zip);
    if (read_it(zip) == 0)
        fail_msg("taken, without the words: %s", words);
    if (strstr(zip->err.text, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, zip->err.text);
    assert_int_equal(zip->err.code, code);
    zip_deinit(zip);
}

static void one_entry(const char *name, unsigned mode, unsigned flags, const char *words)
{
    struct zip zip;

    zip_init(&zip);
    add(&zip, "good.bpmn", "<a/>");
    entry(&zip, name, mode, flags, 0, crc_of("x", 1), "x", 1, 1);
    refused(&zip, ERR_INVALID, words);
}

static void test_zip__files(void **state)
{
    /* "abc", deflated without a table of its own */
    static const char deflated[] = {0x4b, 0x4c, 0x4a, 0x06, 0x00};
    struct zip zip;

    (void)state;
    zip_init(&zip);
    entry(&zip, "claims/", MODE_FOLDER, 0, 0, 0, "", 0, 0);
    add(&zip, "claims/forms/claim.json", "{}");
    entry(&zip, "claims/claim.bpmn", MODE_FILE, 0, 8, crc_of("abc", 3), deflated, sizeof(deflated),
          3);
    add(&zip, "claims/README.md", "not deployed");
    add(&zip, "claims/.git/x.json", "nor this");
    add(&zip, "__MACOSX/claims/claim.bpmn", "nor this");
    entry(&zip, "claims/\xc3\xa4.form", MODE_FILE, 0x800, 0, crc_of("{}", 2), "{}", 2, 2);
    finish(&zip);
    assert_int_equal(read_it(&zip), 0);
    assert_int_equal(zip.n_files, 3);
    assert_string_equal(zip.files[0].name, "claim.bpmn");
    assert_string_equal(zip.files[0].text, "abc");
    assert_int_equal(zip.files[0].n, 3);
    assert_string_equal(zip.files[1].name, "forms/claim.json");
    assert_string_equal(zip.files[2].name, "\xc3\xa4.form");
    zip_deinit(&zip);
}

static void test_zip__paths(void **state)
{
    static const char *const paths[] = {
        "../up.bpmn",  "a/../../up.bpmn", "/etc/x.bpmn", "a//x.bpmn",     "a/./x.bpmn",
        "..\\up.bpmn", "C:/x.bpmn",       "a/..",        "new\nline.bpmn"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        one_entry(paths[i], MODE_FILE, 0, "is no path inside of the archive");
    one_entry("\xff\xfe.bpmn", MODE_FILE, 0, "is not UTF-8");
}

static void test_zip__kinds(void **state)
{
    (void)state;
    one_entry("link.bpmn", MODE_LINK, 0, "\"link.bpmn\" is neither a file nor a folder");
    one_entry("README", MODE_LINK, 0, "\"README\" is neither a file nor a folder");
    one_entry("secret.bpmn", MODE_FILE, 1, "\"secret.bpmn\" is encrypted");
}

static void test_zip__broken(void **state)
{
    struct zip zip;
    char *copy;

    (void)state;
    zip_init(&zip);
    entry(&zip, "a.bpmn", MODE_FILE, 0, 0, 12345, "abc", 3, 3);
    refused(&zip, ERR_INVALID, "\"a.bpmn\" is broken");
    zip_init(&zip);
    entry(&zip, "a.bpmn", MODE_FILE, 0, 8, crc_of("abc", 3), "\xff\xff\xff", 3, 3);
    refused(&zip, ERR_INVALID, "\"a.bpmn\" is broken");
    zip_init(&zip);
    entry(&zip, "a.bpmn", MODE_FILE, 0, 14, crc_of("abc", 3), "abcdefghijklmn", 14, 3);
    refused(&zip, ERR_INVALID, "another method than deflate");
    /* Every beginning of a good one, in memory of just its size. */
    zip_init(&zip);
    add(&zip, "a.bpmn", "abc");
    finish(&zip);
    for (size_t n = 0; n < zip.data.len; n++) {
        copy = arena_strndup(&zip.arena, buf_str(&zip.data), n);
        assert_int_equal(
            archive_read_files(&zip.arena, "a.zip", copy, n, &zip.files, &zip.n_files, &zip.err),
            -1);
        assert_int_equal(zip.err.code, ERR_INVALID);
    }
    /* Each byte of it changed: read or refused, never worse. */
    for (size_t i = 0; i < zip.data.len; i++) {
        copy = arena_strndup(&zip.arena, buf_str(&zip.data), zip.data.len);
        copy[i] = (char)(copy[i] ^ 0x55);
        if (archive_read_files(&zip.arena, "a.zip", copy, zip.data.len, &zip.files, &zip.n_files,
                               &zip.err) < 0)
            assert_string_not_equal(zip.err.text, "");
    }
    zip_deinit(&zip);
}

/* Deflated zeros: each byte of the block's body unpacks to a thousand. */
static void bomb(struct zip *zip, const char *name, size_t unpacked)
{
    struct buf packed CLEANUP(buf_deinit);
    uint64_t bits = 0;
    int n = 0;

    buf_init(&packed, 0);
    /* A final block with the fixed table: a literal 0, then matches of 258 at distance 1. */
#define BITS(value, count)                                                                         \
    do {                                                                                           \
        bits |= (uint64_t)(value) << n;                                                            \
        for (n += (count); n >= 8; n -= 8, bits >>= 8)                                             \
            buf_add_char(&packed, (char)bits);                                                     \
    } while (0)
    BITS(3, 3);
    BITS(0x0c, 8); /* 00110000, read from its highest bit */
    for (size_t at = 1; at < unpacked; at += 258) {
        BITS(0xa3, 8); /* 285 is 11000101 */
        BITS(0, 5);
    }
    BITS(0, 7);
    BITS(0, 8);
#undef BITS
    /* It says that it is small. */
    entry(zip, name, MODE_FILE, 0, 8, 0, buf_str(&packed), packed.len, 100);
}

static void test_zip__limits(void **state)
{
    struct zip zip;
    char name[LIMIT_NAME_BYTES + 10];

    (void)state;
    zip_init(&zip);
    bomb(&zip, "a.bpmn", 2 * LIMIT_XML_BYTES);
    refused(&zip, ERR_LIMIT, "LIMIT_XML_BYTES");
    zip_init(&zip);
    for (unsigned i = 0; i <= LIMIT_DEPLOYMENT_FILES; i++) {
        snprintf(name, sizeof(name), "%u.bpmn", i);
        add(&zip, name, "x");
    }
    refused(&zip, ERR_LIMIT, "LIMIT_DEPLOYMENT_FILES");
    zip_init(&zip);
    for (unsigned i = 0; i <= LIMIT_ARCHIVE_ENTRIES; i++) {
        snprintf(name, sizeof(name), "%u.txt", i);
        add(&zip, name, "x");
    }
    refused(&zip, ERR_LIMIT, "LIMIT_ARCHIVE_ENTRIES");
    zip_init(&zip);
    memset(name, 'a', sizeof(name));
    snprintf(name + LIMIT_NAME_BYTES - 4, 10, ".bpmn");
    add(&zip, name, "x");
    refused(&zip, ERR_LIMIT, "LIMIT_NAME_BYTES");
    /* Four that are large but good. */
    zip_init(&zip);
    char *large = arena_alloc(&zip.arena, LIMIT_XML_BYTES);
    memset(large, 'x', LIMIT_XML_BYTES - 1);
    large[LIMIT_XML_BYTES - 1] = '\0';
    for (unsigned i = 0; i < 4; i++) {
        snprintf(name, sizeof(name), "%u.bpmn", i);
        add(&zip, name, large);
    }
    refused(&zip, ERR_LIMIT, "LIMIT_ARCHIVE_BYTES");
}

/* ---- Written ---- */

static void test_zip__written(void **state UNUSED)
{
    static const struct archive_file files[] = {
        {"in/b.bpmn", "<b/>", 4}, {"in/\u00fc.json", "{}", 2}, {"in/empty.form", "", 0}};
    struct archive_file *back;
    struct arena arena;
    struct buf zip;
    struct err err = {0};
    size_t n;

    arena_init(&arena, 0);
    buf_init(&zip, 0);
    assert_int_equal(archive_write_files(&arena, files, ARRAY_LEN(files), &zip, &err), 0);
    assert_int_equal(archive_read_files(&arena, "x", zip.data, zip.len, &back, &n, &err), 0);
    assert_int_equal(n, ARRAY_LEN(files));
    assert_string_equal(back[0].name, "in/b.bpmn"); /* the folder of all is the one around them */
    assert_string_equal(back[0].text, "<b/>");
    assert_string_equal(back[1].name, "in/empty.form");
    assert_string_equal(back[2].name, "in/\u00fc.json");
    buf_deinit(&zip);
    arena_deinit(&arena);
}

static void test_zip__names(void **state UNUSED)
{
    static const char *const names[][2] = {
        {"order.bpmn", "order.bpmn"},    {"a/b.json", "a/b.json"},
        {"order", "order.bpmn"},         {"model.xml", "model.xml.bpmn"},
        {"../x.bpmn", "_../x.bpmn"},     {"/x.form", "_/x.form"},
        {"a//b.bpmn", "a/_/b.bpmn"},     {"a\\b:c\n.bpmn", "a_b_c_.bpmn"},
        {".git/x.json", "_.git/x.json"}, {"a/", "a/_.bpmn"}};
    const struct archive_file twins[] = {{"a:", "x", 1}, {"a_", "y", 1}};
    struct arena arena;
    struct buf zip;
    struct err err = {0};

    arena_init(&arena, 0);
    buf_init(&zip, 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(archive_name(&arena, names[i][0]), names[i][1]);
    assert_int_equal(archive_write_files(&arena, twins, 2, &zip, &err), -1);
    assert_string_equal(err.text, "two files would be named \"a_.bpmn\" in a folder");
    buf_deinit(&zip);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zip__files),  cmocka_unit_test(test_zip__paths),
        cmocka_unit_test(test_zip__kinds),  cmocka_unit_test(test_zip__broken),
        cmocka_unit_test(test_zip__limits), cmocka_unit_test(test_zip__written),
        cmocka_unit_test(test_zip__names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
