; x86_64, x86, x32: 35 instructions
        ld [4]
        jeq #0xc000003e, l2, l20
l2:     ld [0]
        jge #0xe8, l4, l12
l4:     jge #0x40000000, l5, l32
l5:     jge #0x4000000d, l6, l8
l6:     jeq #0x400000e7, l33
        jeq #0x40000208, l33, l32
l8:     jge #0x40000004, l10
        jeq #0x40000002, l32, l33
l10:    jge #0x40000009, l11, l32
l11:    jeq #0x4000000a, l32, l33
l12:    jge #0x3c, l13, l14
l13:    jeq #0xe7, l33, l32
l14:    jge #0xd, l15, l16
l15:    jeq #0x3b, l33, l32
l16:    jge #0x4, l18
        jeq #0x2, l32, l33
l18:    jge #0x9, l19, l32
l19:    jeq #0xa, l32, l33
l20:    jeq #0x40000003, l21, l34
l21:    ld [0]
        jge #0x5c, l23, l24
l23:    jeq #0xfc, l33, l32
l24:    jge #0x2e, l25, l26
l25:    jge #0x5a, l33, l32
l26:    jge #0xc, l27, l28
l27:    jeq #0x2d, l33, l32
l28:    jge #0x7, l29, l30
l29:    jeq #0xb, l33, l32
l30:    jge #0x3, l31, l32
l31:    jeq #0x5, l32, l33
l32:    ret #0x00050001
l33:    ret #0x7fff0000
l34:    ret #0x00000000
