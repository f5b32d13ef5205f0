/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What becomes of the memory of a client that is killed.
 */
#ifndef DEMO_KILL_H
#define DEMO_KILL_H

/* Returns 0 when everything came back, 1 if not, -1 where nobody can tell. */
int kill_clients(void);

#endif /* DEMO_KILL_H */
