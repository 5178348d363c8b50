// Which instruction sets kernels are compiled for; include before <hwy/foreach_target.h>.
// The oldest that the compiler assumes, and AVX2, AVX-512 (AVX3) and NEON, where they make a difference.
#pragma once

// No AES is used; without this a compiler told of AVX2 but not of AES would get scalar code.
#define HWY_DISABLE_PCLMUL_AES
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
