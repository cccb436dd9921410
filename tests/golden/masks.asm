; x86_64: 33 instructions
        ld [4]
        jeq #0xc000003e, l2, l32
l2:     ld [0]
        jge #0xe8, l4, l6
l4:     jge #0x40000000, l5, l31
l5:     jeq #0xffffffff, l31, l32
l6:     jge #0x88, l7, l8
l7:     jeq #0xe7, l30, l31
l8:     jge #0x3f, l9, l15
l9:     jeq #0x87, l10, l31
l10:    ld [16]
        jset #0xfffdfff7, l12, l13
l12:    jeq #0xffffffff, l13, l31
l13:    ld [20]
        jeq #0x0, l30, l31
l15:    jge #0xd, l20
        jge #0x4, l18
        jeq #0x2, l31, l30
l18:    jge #0x9, l19, l31
l19:    jeq #0xa, l31, l30
l20:    jge #0x38, l21, l31
l21:    jset #0x2, l25
        jge #0x39, l31
        ld [16]
        jset #0x7e020000, l31, l30
l25:    jge #0x3b, l26, l31
l26:    jge #0x3e, l27, l30
l27:    ld [16]
        and #0x6
        jeq #0x2, l30, l31
l30:    ret #0x7fff0000
l31:    ret #0x00050001
l32:    ret #0x00000000
