// SPDX-License-Identifier: MIT
// What the system offers: a console and a cycle counter.

#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdint.h>

static inline uint32_t cycles(void) { return *(volatile uint32_t *)0x80000004u; }
static inline void put_char(char c) { *(volatile uint32_t *)0x80000000u = (uint8_t)c; }
void put_text(const char *text);
void put_number(int32_t value);
void put_hex(uint32_t value);

#endif
