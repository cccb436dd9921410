; x86_64: 74 instructions
        ld [4]
        jeq #0xc000003e, l2, l73
l2:     ld [0]
        jge #0xe3, l33
        jge #0x86, l18
        jge #0x39, l6, l7
l6:     jeq #0x67, l72, l71
l7:     jge #0x29, l8, l71
l8:     jeq #0x29, l12
        jeq #0x38, l10, l71
l10:    ld [16]
        jset #0x7e020000, l72, l71
l12:    ld [16]
        jge #0x26, l14, l71
l14:    jge #0x29, l71
        jeq #0x27, l71
        ld [20]
        jeq #0x0, l72, l71
l18:    jge #0xba, l19, l20
l19:    jeq #0xd4, l72, l71
l20:    jge #0xa3, l72
        jge #0x99, l22, l24
l22:    jge #0x9d, l71
        jeq #0x9a, l71, l72
l24:    jge #0x8c, l71
        jge #0x89, l26, l27
l26:    jeq #0x8b, l72, l71
l27:    jeq #0x87, l28, l72
l28:    ld [16]
        jset #0xfffdfff7, l30, l31
l30:    jeq #0xffffffff, l31, l72
l31:    ld [20]
        jeq #0x0, l71, l72
l33:    jge #0x150, l34, l49
l34:    jge #0x1a8, l35, l72
l35:    jge #0x1bc, l36, l42
l36:    jge #0x1cb, l38
        jeq #0x1c2, l72, l71
l38:    jge #0x1d3, l40
        jge #0x1ce, l71, l72
l40:    jge #0x40000000, l41, l72
l41:    jeq #0xffffffff, l72, l73
l42:    jge #0x1b2, l44
        jeq #0x1a8, l71, l72
l44:    jge #0x1b6, l47
        jeq #0x1b3, l46, l71
l46:    ret #0x00050026
l47:    jeq #0x1b7, l71
        jeq #0x1b9, l71, l72
l49:    jge #0x118, l60
        jge #0xfb, l51, l55
l51:    jge #0x110, l53
        jeq #0x100, l72, l71
l53:    jeq #0x110, l72
        jeq #0x117, l72, l71
l55:    jge #0xf0, l56, l58
l56:    jge #0xf6, l57, l71
l57:    jeq #0xf7, l71, l72
l58:    jge #0xec, l72
        jeq #0xe3, l72, l71
l60:    jge #0x138, l61, l65
l61:    jge #0x144, l71
        jge #0x140, l63, l64
l63:    jeq #0x142, l71, l72
l64:    jge #0x13a, l71, l72
l65:    jge #0x12a, l66, l71
l66:    jge #0x131, l67, l68
l67:    jeq #0x134, l72, l71
l68:    jge #0x12d, l69, l70
l69:    jeq #0x130, l72, l71
l70:    jeq #0x12b, l71, l72
l71:    ret #0x7fff0000
l72:    ret #0x00050001
l73:    ret #0x00000000
