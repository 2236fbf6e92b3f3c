/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets by reference: what is read, what is refused without being said, and blotting. */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/secret.h"

static char folder[64];

static int set_up(void **state UNUSED)
{
    snprintf(folder, sizeof(folder), "/tmp/pawl-secret.XXXXXX");
    return mkdtemp(folder) != NULL ? setenv("CREDENTIALS_DIRECTORY", folder, 1) : -1;
}

static int tear_down(void **state UNUSED)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/it", folder);
    unlink(path);
    return rmdir(folder);
}

static void put(const char *bytes, size_t n)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/it", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

/* NULL: it must be read, and be `text`. */
static void expect(const char *reference, const char *text, const char *error)
{
    struct arena arena;
    struct secret secret = {0};
    struct err err = {0};

    arena_init(&arena, 0);
    int result = secret_read(&arena, "auth.token", reference, &secret, &err);
    if (error == NULL) {
        assert_int_equal(result, 0);
        assert_string_equal(secret.text, text);
        assert_int_equal(secret.n, strlen(text));
    } else {
        assert_true(result < 0);
        if (strstr(err.text, error) == NULL || strstr(err.text, "auth.token") == NULL)
            fail_msg("%s", err.text);
        assert_null(strstr(err.text, "hunter2"));
    }
    arena_deinit(&arena);
}

static void test_secret__read(void **state UNUSED)
{
    char file[128], *much = calloc(1, LIMIT_SECRET_BYTES + 1);

    assert_non_null(much);
    snprintf(file, sizeof(file), "file:%s/it", folder);
    put("hunter2", 7);
    expect(file, "hunter2", NULL);
    expect("credential:it", "hunter2", NULL);
    put("hunter2 and more\r\n\n", 19);
    expect(file, "hunter2 and more", NULL);
    put("", 0);
    expect(file, NULL, "is empty");
    put("hunter2\0hunter2", 15);
    expect(file, NULL, "has NUL bytes");
    memset(much, 'x', LIMIT_SECRET_BYTES + 1);
    put(much, LIMIT_SECRET_BYTES + 1);
    expect(file, NULL, "LIMIT_SECRET_BYTES");
    put(much, LIMIT_SECRET_BYTES);
    much[LIMIT_SECRET_BYTES] = '\0';
    expect(file, much, NULL);
    free(much);
    expect("file:/nowhere/at/all", NULL, "No such file");
    expect("file:/dev/null", NULL, "is not a plain file");
    expect("file:/tmp", NULL, "is not a plain file");
    expect("credential:../it", NULL, "must be file:/path");
    expect("it", NULL, "must be file:/path");
    expect("file:it", NULL, "must be file:/path");
    setenv("PAWL_TEST_SECRET", "hunter2", 1);
    expect("env:PAWL_TEST_SECRET", "hunter2", NULL);
    unsetenv("PAWL_TEST_SECRET");
    expect("env:PAWL_TEST_SECRET", NULL, "is not set");
}

static void test_secret__fifo(void **state UNUSED)
{
    char path[128], file[160];

    snprintf(path, sizeof(path), "%s/it", folder);
    snprintf(file, sizeof(file), "file:%s", path);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(file, NULL, "is not a plain file"); /* and does not wait for a writer */
}

static void test_secret__blot(void **state UNUSED)
{
    struct secret secrets[] = {{"hunter2", 7}, {"short", 5}};
    char text[] = "hunter2 hunterhunter2 hunter short hunter";

    secrets_blot(text, strlen(text), secrets, 2);
    assert_string_equal(text, "******* hunter******* hunter short hunter");
    secrets_blot(NULL, 0, secrets, 2);
}

static void test_secret__written(void **state UNUSED)
{
    struct arena arena;

    arena_init(&arena, 0);
    assert_string_equal(secret_percent(&arena, "aZ9-._~ /+\xc3\xbc"), "aZ9-._~%20%2F%2B%C3%BC");
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret__read),
        cmocka_unit_test(test_secret__fifo),
        cmocka_unit_test(test_secret__blot),
        cmocka_unit_test(test_secret__written),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
