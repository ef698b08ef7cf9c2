// SPDX-License-Identifier: MIT

#include "system.h"

#include <stddef.h>

void put_text(const char *text) {
    while (*text) put_char(*text++);
}

void put_number(int32_t value) {
    char digits[10];
    int count = 0;
    uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    if (value < 0) put_char('-');
    do digits[count++] = (char)('0' + rest % 10); while (rest /= 10);
    while (count) put_char(digits[--count]);
}

void put_hex(uint32_t value) {
    for (int at = 28; at >= 0; at -= 4) put_char("0123456789abcdef"[value >> at & 15]);
}

void trapped(uint32_t cause, uint32_t pc) {
    put_text("\ntrap cause ");
    put_number((int32_t)cause);
    put_text(" pc 0x");
    put_hex(pc);
    put_char('\n');
}

// gcc calls these two by itself.
void *memcpy(void *to, const void *from, size_t count) {
    char *t = to;
    const char *f = from;
    if ((((uintptr_t)t | (uintptr_t)f) & 3) == 0)
        for (; count >= 4; count -= 4, t += 4, f += 4) *(uint32_t *)t = *(const uint32_t *)f;
    while (count--) *t++ = *f++;
    return to;
}

void *memset(void *to, int value, size_t count) {
    char *t = to;
    while (count--) *t++ = (char)value;
    return to;
}
