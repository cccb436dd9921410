; x86_64: 70 instructions
        ld [4]
        jeq #0xc000003e, l2, l69
l2:     ld [0]
        jge #0xe3, l33
        jge #0x86, l18
        jge #0x39, l6, l7
l6:     jeq #0x67, l67, l68
l7:     jge #0x29, l8, l68
l8:     jeq #0x29, l12
        jeq #0x38, l10, l68
l10:    ld [16]
        jset #0x7e020000, l67, l68
l12:    ld [16]
        jge #0x26, l14, l68
l14:    jge #0x29, l68
        jeq #0x27, l68
        ld [20]
        jeq #0x0, l67, l68
l18:    jge #0xba, l19, l20
l19:    jeq #0xd4, l67, l68
l20:    jge #0xa3, l67
        jge #0x99, l22, l24
l22:    jge #0x9d, l68
        jeq #0x9a, l68, l67
l24:    jge #0x8c, l68
        jge #0x89, l26, l27
l26:    jeq #0x8b, l67, l68
l27:    jeq #0x87, l28, l67
l28:    ld [16]
        jset #0xfffdfff7, l30, l31
l30:    jeq #0xffffffff, l31, l67
l31:    ld [20]
        jeq #0x0, l68, l67
l33:    jge #0x150, l34, l49
l34:    jge #0x1a8, l35, l67
l35:    jge #0x1bc, l36, l42
l36:    jge #0x1cb, l38
        jeq #0x1c2, l67, l68
l38:    jge #0x1d3, l40
        jge #0x1ce, l68, l67
l40:    jge #0x40000000, l41, l67
l41:    jeq #0xffffffff, l67, l69
l42:    jge #0x1b2, l44
        jeq #0x1a8, l68, l67
l44:    jset #0x1, l46
        jge #0x1b6, l67, l68
l46:    jge #0x1b5, l48
        ret #0x00050026
l48:    jge #0x1bb, l67, l68
l49:    jge #0x118, l50, l57
l50:    jge #0x138, l51, l54
l51:    jge #0x144, l68
        jset #0x6, l53, l67
l53:    jge #0x143, l67, l68
l54:    jge #0x12a, l55, l68
l55:    jset #0x3, l56, l67
l56:    jge #0x12b, l68, l67
l57:    jge #0xfb, l58, l62
l58:    jge #0x110, l60
        jeq #0x100, l67, l68
l60:    jeq #0x110, l67
        jeq #0x117, l67, l68
l62:    jge #0xf0, l63, l65
l63:    jge #0xf6, l64, l68
l64:    jeq #0xf7, l68, l67
l65:    jge #0xec, l67
        jeq #0xe3, l67, l68
l67:    ret #0x00050001
l68:    ret #0x7fff0000
l69:    ret #0x00000000
