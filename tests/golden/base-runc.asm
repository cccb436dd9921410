; x86_64, runc: 20 instructions
        ld [4]
        jeq #0xc000003e, l2, l19
l2:     ld [0]
        jge #0xe8, l4, l9
l4:     jge #0x40000000, l5, l8
l5:     jge #0xc0000000, l6, l7
l6:     jeq #0xffffffff, l17, l19
l7:     jge #0x80000000, l8, l19
l8:     ret #0x00050026
l9:     jge #0x3c, l10, l11
l10:    jeq #0xe7, l18, l17
l11:    jge #0xd, l12, l13
l12:    jeq #0x3b, l18, l17
l13:    jge #0x4, l15
        jeq #0x2, l17, l18
l15:    jge #0x9, l16, l17
l16:    jeq #0xa, l17, l18
l17:    ret #0x00050001
l18:    ret #0x7fff0000
l19:    ret #0x00000000
