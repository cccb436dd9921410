; x86_64: 25 instructions
        ld [4]
        jeq #0xc000003e, l2, l24
l2:     ld [0]
        jge #0xe8, l4, l6
l4:     jge #0x40000000, l5, l22
l5:     jeq #0xffffffff, l22, l24
l6:     jge #0x3c, l7, l8
l7:     jeq #0xe7, l23, l22
l8:     jge #0x29, l14
        jge #0xd, l22
        jge #0x4, l12
        jeq #0x2, l22, l23
l12:    jge #0x9, l13, l22
l13:    jeq #0xa, l22, l23
l14:    jeq #0x29, l16
        jeq #0x3b, l23, l22
l16:    ld [16]
        jge #0x26, l18, l23
l18:    jge #0x29, l23
        jeq #0x27, l23
        ld [20]
        jeq #0x0, l22, l23
l22:    ret #0x00050001
l23:    ret #0x7fff0000
l24:    ret #0x00000000
