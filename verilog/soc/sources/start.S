# SPDX-License-Identifier: MIT
# Where the processor starts: the custom function unit is switched on, the stack is set,
# main runs, and what it returns ends the simulation. A trap is told and ends it too.

    .section .start, "ax"
    .globl _start
_start:
    la sp, _stack
    la t0, _trap
    csrw mtvec, t0
    li t0, 0x80000000           # without this bit a custom instruction is illegal
    csrw 0xbc0, t0
    la t0, _bss
    la t1, _end
1:  bgeu t0, t1, 2f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 1b
2:  call main
_exit:
    li t0, 0x80000000
    sw a0, 8(t0)
3:  j 3b

    .align 4
_trap:
    csrr a0, mcause
    csrr a1, mepc
    call trapped
    li a0, 2
    j _exit
