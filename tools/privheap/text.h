/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words that somebody else chose, made fit for a terminal, JSON and XML.
 */
#ifndef PRIVHEAP_TEXT_H
#define PRIVHEAP_TEXT_H

#include <stdio.h>

#include "debugfs.h"

void text_plain(FILE *file, const char *text);
void text_xml(FILE *file, const char *text);
void text_json(FILE *file, const char *text);
void text_json_members(FILE *file, const struct record *record);

#endif /* PRIVHEAP_TEXT_H */
