#ifndef MANTA_CLANES_SHIM_H
#define MANTA_CLANES_SHIM_H

/* Vector steps that Swift's SIMD types do not compile to one instruction each. Every kernel target
   gets them for its own processor level; all give the same bits. */

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* Asks for the cache line at this address; never faults. */
static inline __attribute__((always_inline)) void manta_prefetch(const void *address) {
    __builtin_prefetch(address);
}

typedef uint8_t manta_bytes64 __attribute__((vector_size(64)));

/* out[i] = codes[i] <= cut ? left[i] : right[i], for 64 bytes. */
static inline __attribute__((always_inline)) void manta_choose64(
    uint8_t *out, const uint8_t *codes, uint8_t cut, const uint8_t *left, const uint8_t *right) {
    manta_bytes64 c, l, r;
    memcpy(&c, codes, 64);
    memcpy(&l, left, 64);
    memcpy(&r, right, 64);
    manta_bytes64 goes = (manta_bytes64)(c <= (manta_bytes64){0} + cut);
    manta_bytes64 chosen = (l & goes) | (r & ~goes);
    memcpy(out, &chosen, 64);
}

/* The leaf that a row ends in, from a tree's record of 192 bytes: for up to 32 inner nodes the
   input's number, the cut, and the bits of the leaves that stay possible when the test fails.
   A leaf's bit is its place from the left; the lowest bit that all failed tests leave is the row's
   leaf (Lucchese et al., "QuickScorer", SIGIR 2015). `codes` has 16 bytes for each table. */
static inline __attribute__((always_inline)) uint32_t manta_leaf32(
    const uint8_t *tree, const uint8_t *codes, intptr_t tables) {
#if defined(__AVX2__)
    __m256i input = _mm256_loadu_si256((const __m256i *)tree);
    __m256i code = _mm256_setzero_si256();
    for (intptr_t k = 0; k < tables; k++) {
        /* Numbers of other tables saturate to 0x80 and above, for which the shuffle gives 0. */
        __m256i table = _mm256_broadcastsi128_si256(
            _mm_loadu_si128((const __m128i *)(codes + 16 * k)));
        code = _mm256_or_si256(
            code, _mm256_shuffle_epi8(table, _mm256_adds_epu8(input, _mm256_set1_epi8(0x70))));
        input = _mm256_sub_epi8(input, _mm256_set1_epi8(16));
    }
    __m256i cut = _mm256_loadu_si256((const __m256i *)(tree + 32));
    __m256i passed = _mm256_cmpeq_epi8(_mm256_min_epu8(code, cut), code);
    const __m256i *masks = (const __m256i *)(tree + 64);
    __m128i low = _mm256_castsi256_si128(passed);
    __m128i high = _mm256_extracti128_si256(passed, 1);
    __m256i a = _mm256_or_si256(_mm256_loadu_si256(masks), _mm256_cvtepi8_epi32(low));
    __m256i b = _mm256_or_si256(
        _mm256_loadu_si256(masks + 1), _mm256_cvtepi8_epi32(_mm_srli_si128(low, 8)));
    __m256i c = _mm256_or_si256(_mm256_loadu_si256(masks + 2), _mm256_cvtepi8_epi32(high));
    __m256i d = _mm256_or_si256(
        _mm256_loadu_si256(masks + 3), _mm256_cvtepi8_epi32(_mm_srli_si128(high, 8)));
    a = _mm256_and_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, d));
    __m128i left = _mm_and_si128(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    left = _mm_and_si128(left, _mm_shuffle_epi32(left, 0x4E));
    left = _mm_and_si128(left, _mm_shuffle_epi32(left, 0xB1));
    return (uint32_t)__builtin_ctz((uint32_t)_mm_cvtsi128_si32(left));
#else
    (void)tables;
    uint32_t left = UINT32_MAX;
    for (int node = 0; node < 32; node++) {
        uint32_t mask;
        memcpy(&mask, tree + 64 + 4 * node, 4);
        if (codes[tree[node]] > tree[32 + node]) left &= mask;
    }
    return (uint32_t)__builtin_ctz(left);
#endif
}

#endif
