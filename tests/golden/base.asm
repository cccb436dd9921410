; x86_64: 17 instructions
        ld [4]
        jeq #0xc000003e, l2, l16
l2:     ld [0]
        jge #0xe8, l4, l6
l4:     jge #0x40000000, l5, l14
l5:     jeq #0xffffffff, l14, l16
l6:     jge #0x3c, l7, l8
l7:     jeq #0xe7, l15, l14
l8:     jge #0xd, l9, l10
l9:     jeq #0x3b, l15, l14
l10:    jge #0x4, l12
        jeq #0x2, l14, l15
l12:    jge #0x9, l13, l14
l13:    jeq #0xa, l14, l15
l14:    ret #0x00050001
l15:    ret #0x7fff0000
l16:    ret #0x00000000
