; x86_64: 7 instructions
        ld [4]
        jeq #0xc000003e, l2, l6
l2:     ld [0]
        jge #0x40000000, l4, l5
l4:     jeq #0xffffffff, l5, l6
l5:     ret #0x00050001
l6:     ret #0x00000000
