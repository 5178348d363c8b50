// Short loops of known length that must vanish, so that their arrays become registers.
#pragma once

/// Stands before such a loop; at -O2 GCC does it only when told.
#ifdef __clang__
#define SOLION_UNROLL _Pragma("unroll")
#else
#define SOLION_UNROLL _Pragma("GCC unroll 16")
#endif
