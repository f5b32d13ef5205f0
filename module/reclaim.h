/* SPDX-License-Identifier: GPL-2.0 */
/* Reclaim: idle memory goes back, in time and under pressure. */
#ifndef _PH_RECLAIM_H
#define _PH_RECLAIM_H

int ph_reclaim_init(void);
void ph_reclaim_exit(void);
void ph_reclaim_kick(bool watched);

unsigned long ph_reclaim_count(void);
unsigned long ph_reclaim_scan(unsigned long pages);
void ph_reclaim_set_interval(unsigned int ms);

#endif /* _PH_RECLAIM_H */
