; s390x: 16 instructions
        ld [4]
        jeq #0x80000016, l2, l15
l2:     ld [0]
        jge #0x5c, l4, l5
l4:     jeq #0xf8, l14, l13
l5:     jge #0x2e, l6, l7
l6:     jge #0x5a, l14, l13
l7:     jge #0xc, l8, l9
l8:     jeq #0x2d, l14, l13
l9:     jge #0x7, l10, l11
l10:    jeq #0xb, l14, l13
l11:    jge #0x3, l12, l13
l12:    jeq #0x5, l13, l14
l13:    ret #0x00050001
l14:    ret #0x7fff0000
l15:    ret #0x00000000
