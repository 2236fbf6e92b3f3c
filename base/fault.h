/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Fault points: named places where a test can make the program die as if by SIGKILL. Compiled in
 * only with -DPAWL_FAULTS (CMake option PAWL_FAULTS); a release has none.
 *
 * PAWL_FAULT="name" kills at the first time that the point is reached, "name:3" at the third.
 * PAWL_FAULT_STOP="name" stops the whole process there instead (SIGSTOP), until it gets SIGCONT.
 * With PAWL_FAULT_LOG=FILE each point that is reached appends its name to FILE, so that a test can
 * learn which points a scenario passes and how often. Any thread may call.
 */
#ifdef PAWL_FAULTS
void fault_point(const char *name);
#else
static inline void fault_point(const char *name)
{
    (void)name;
}
#endif
