/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces of the benchmark: a loopback that nobody else uses. */
#pragma once

/* A new one, its loopback up; we stay where we are. Never fails but by ending the line. */
int namespace_make(void);
int namespace_home(void); /* where the benchmark itself is */
void namespace_enter(int netns);
