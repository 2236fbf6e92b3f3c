/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Time zones for tests: what the store would read from PostgreSQL, for the years that they use. */
#include "engine/zone.h"

static const int64_t zurich_from[] = {
    INT64_C(1704067200000000), INT64_C(1711846800000000), INT64_C(1729990800000000),
    INT64_C(1743296400000000), INT64_C(1761440400000000), INT64_C(1774746000000000),
    INT64_C(1792890000000000), INT64_C(1806195600000000), INT64_C(1824944400000000),
    INT64_C(1837645200000000), INT64_C(1856394000000000), INT64_C(1869094800000000),
    INT64_C(1887843600000000), INT64_C(1901149200000000), INT64_C(1919293200000000)};
static const int32_t zurich_offset[] = {3600, 7200, 3600, 7200, 3600, 7200, 3600, 7200,
                                        3600, 7200, 3600, 7200, 3600, 7200, 3600};
static const struct zone zone_zurich = {.name = "Europe/Zurich",
                                        .n = ARRAY_LEN(zurich_from),
                                        .from_us = zurich_from,
                                        .offset_s = zurich_offset};

static const int64_t new_york_from[] = {
    INT64_C(1704067200000000), INT64_C(1710054000000000), INT64_C(1730613600000000),
    INT64_C(1741503600000000), INT64_C(1762063200000000), INT64_C(1772953200000000),
    INT64_C(1793512800000000), INT64_C(1805007600000000), INT64_C(1825567200000000),
    INT64_C(1836457200000000), INT64_C(1857016800000000), INT64_C(1867906800000000),
    INT64_C(1888466400000000), INT64_C(1899356400000000), INT64_C(1919916000000000)};
static const int32_t new_york_offset[] = {-18000, -14400, -18000, -14400, -18000,
                                          -14400, -18000, -14400, -18000, -14400,
                                          -18000, -14400, -18000, -14400, -18000};
static const struct zone zone_new_york = {.name = "America/New_York",
                                          .n = ARRAY_LEN(new_york_from),
                                          .from_us = new_york_from,
                                          .offset_s = new_york_offset};

static const int64_t lord_howe_from[] = {
    INT64_C(1704067200000000), INT64_C(1712415600000000), INT64_C(1728142200000000),
    INT64_C(1743865200000000), INT64_C(1759591800000000), INT64_C(1775314800000000),
    INT64_C(1791041400000000), INT64_C(1806764400000000), INT64_C(1822491000000000),
    INT64_C(1838214000000000), INT64_C(1853940600000000), INT64_C(1869663600000000),
    INT64_C(1885995000000000), INT64_C(1901718000000000), INT64_C(1917444600000000)};
static const int32_t lord_howe_offset[] = {39600, 37800, 39600, 37800, 39600, 37800, 39600, 37800,
                                           39600, 37800, 39600, 37800, 39600, 37800, 39600};
static const struct zone zone_lord_howe = {.name = "Australia/Lord_Howe",
                                           .n = ARRAY_LEN(lord_howe_from),
                                           .from_us = lord_howe_from,
                                           .offset_s = lord_howe_offset};

static const int64_t kathmandu_from[] = {INT64_C(1704067200000000)};
static const int32_t kathmandu_offset[] = {20700};
static const struct zone zone_kathmandu = {.name = "Asia/Kathmandu",
                                           .n = ARRAY_LEN(kathmandu_from),
                                           .from_us = kathmandu_from,
                                           .offset_s = kathmandu_offset};

static const int64_t apia_from[] = {
    INT64_C(1262304000000000), INT64_C(1285498800000000), INT64_C(1301752800000000),
    INT64_C(1316872800000000), INT64_C(1325239200000000), INT64_C(1333202400000000),
    INT64_C(1348927200000000), INT64_C(1365256800000000), INT64_C(1380376800000000)};
static const int32_t apia_offset[] = {-39600, -36000, -39600, -36000, 50400,
                                      46800,  50400,  46800,  50400};
static const struct zone zone_apia = {.name = "Pacific/Apia",
                                      .n = ARRAY_LEN(apia_from),
                                      .from_us = apia_from,
                                      .offset_s = apia_offset};
