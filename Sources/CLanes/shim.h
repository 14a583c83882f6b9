#ifndef MANTA_CLANES_SHIM_H
#define MANTA_CLANES_SHIM_H

/* Vector steps that Swift's SIMD types do not compile to one instruction each. Every kernel target
   gets them for its own processor level; all give the same bits. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* Asks for the cache line at this address; never faults. */
static inline __attribute__((always_inline)) void manta_prefetch(const void *address) {
    __builtin_prefetch(address);
}

/* A value no further from 0 than `limit`; NaN stays NaN. One minimum and one maximum: of the same two
   comparisons in Swift, the first one's outcome is carried into the second, which costs a vector
   loop a comparison and three masks more. */
static inline __attribute__((always_inline)) float manta_capped(float value, float limit) {
    float below = value > limit ? limit : value;
    return below < -limit ? -limit : below;
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

/* How many of 16 ascending numbers lie below a value; none lies below NaN. */
static inline __attribute__((always_inline)) intptr_t manta_below16(
    const float *numbers, float value) {
#if defined(__AVX512F__)
    return __builtin_popcount(_mm512_cmp_ps_mask(
        _mm512_loadu_ps(numbers), _mm512_set1_ps(value), _CMP_LT_OQ));
#elif defined(__AVX2__)
    __m256 wanted = _mm256_set1_ps(value);
    int low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(numbers), wanted, _CMP_LT_OQ));
    int high = _mm256_movemask_ps(
        _mm256_cmp_ps(_mm256_loadu_ps(numbers + 8), wanted, _CMP_LT_OQ));
    return __builtin_popcount((unsigned)(low | high << 8));
#else
    int count = 0;
    for (int i = 0; i < 16; i++) count += numbers[i] < value;
    return count;
#endif
}

/* The leaves that a row ends in, of 32 trees together, from their record: for each slot the numbers
   of 32 inputs against the slot's first table, 32 cuts and `planes` times 32 bytes of the leaves
   that a failed test takes away, the tests of one tree in one lane. A leaf's bit is its place from
   the left; the lowest that all failed tests leave is the row's leaf (Lucchese et al.,
   "QuickScorer", SIGIR 2015). `spans` has each slot's first table of 16 codes and how many it looks
   into, at least one. Codes and cuts are signed bytes; the code 127 is a missing value, which passes
   where a slot's 32 bytes of `passing` are set. `passing` may be NULL for a row without any. */
static inline __attribute__((always_inline)) void manta_leaves32_of(
    const uint8_t *record, const uint8_t *spans, intptr_t slots, const int planes,
    const uint8_t *passing, const int8_t *codes, uint8_t *leaves) {
#if defined(__AVX2__)
    __m256i left[8];
    for (int p = 0; p < planes; p++) left[p] = _mm256_set1_epi8(-1);
    const __m256i sixteen = _mm256_set1_epi8(16), outside = _mm256_set1_epi8(0x70);
    for (intptr_t slot = 0; slot < slots; slot++) {
        const int8_t *table = codes + 16 * spans[2 * slot];
        __m256i input = _mm256_load_si256((const __m256i *)record);
        __m256i code = _mm256_setzero_si256();
        for (int more = spans[2 * slot + 1] - 1; more > 0; more--) {
            /* Numbers of later tables saturate to 0x80 and above, for which a shuffle gives 0;
               those of earlier ones have wrapped round to such values too. */
            __m256i entries = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)table));
            code = _mm256_or_si256(
                code, _mm256_shuffle_epi8(entries, _mm256_adds_epu8(input, outside)));
            input = _mm256_sub_epi8(input, sixteen);
            table += 16;
        }
        /* Below eight tables those of earlier ones are still negative. */
        if (spans[2 * slot + 1] > 8) input = _mm256_adds_epu8(input, outside);
        __m256i entries = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)table));
        code = _mm256_or_si256(code, _mm256_shuffle_epi8(entries, input));
        __m256i failed = _mm256_cmpgt_epi8(
            code, _mm256_load_si256((const __m256i *)(record + 32)));
        if (passing) {
            __m256i passes = _mm256_and_si256(
                _mm256_cmpeq_epi8(code, _mm256_set1_epi8(127)),
                _mm256_load_si256((const __m256i *)(passing + 32 * slot)));
            failed = _mm256_andnot_si256(passes, failed);
        }
        for (int p = 0; p < planes; p++) {
            __m256i taken = _mm256_load_si256((const __m256i *)(record + 64 + 32 * p));
            left[p] = _mm256_andnot_si256(_mm256_and_si256(taken, failed), left[p]);
        }
        record += 64 + 32 * planes;
    }
    /* The place of the lowest bit of half a byte; 255 for none. */
    const __m256i low = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-1, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0));
    const __m256i high = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-1, 4, 5, 4, 6, 4, 5, 4, 7, 4, 5, 4, 6, 4, 5, 4));
    const __m256i half = _mm256_set1_epi8(15);
    __m256i leaf = _mm256_set1_epi8(-1);
    for (int p = 0; p < planes; p++) {
        __m256i place = _mm256_min_epu8(
            _mm256_shuffle_epi8(low, _mm256_and_si256(left[p], half)),
            _mm256_shuffle_epi8(
                high, _mm256_and_si256(_mm256_srli_epi16(left[p], 4), half)));
        leaf = _mm256_min_epu8(leaf, _mm256_adds_epu8(place, _mm256_set1_epi8((char)(8 * p))));
    }
    _mm256_storeu_si256((__m256i *)leaves, leaf);
#else
    for (int lane = 0; lane < 32; lane++) {
        uint64_t left = ~(uint64_t)0;
        const uint8_t *test = record + lane;
        for (intptr_t slot = 0; slot < slots; slot++) {
            int8_t code = codes[16 * spans[2 * slot] + test[0]];
            int failed = code > (int8_t)test[32]
                && !(code == 127 && passing && passing[32 * slot + lane]);
            for (int p = 0; p < planes && failed; p++)
                left &= ~((uint64_t)test[64 + 32 * p] << (8 * p));
            test += 64 + 32 * planes;
        }
        leaves[lane] = (uint8_t)__builtin_ctzll(left);
    }
#endif
}

/* `manta_leaves32_of` for the numbers of planes there are, each with its own registers. */
static inline void manta_leaves32(
    const uint8_t *record, const uint8_t *spans, intptr_t slots, intptr_t planes,
    const uint8_t *passing, const int8_t *codes, uint8_t *leaves) {
#define MANTA_LEAVES(count)                                                                \
    if (passing) manta_leaves32_of(record, spans, slots, count, passing, codes, leaves);   \
    else manta_leaves32_of(record, spans, slots, count, NULL, codes, leaves)
    switch (planes) {
    case 1: MANTA_LEAVES(1); break;
    case 2: MANTA_LEAVES(2); break;
    case 4: MANTA_LEAVES(4); break;
    default: MANTA_LEAVES(8); break;
    }
#undef MANTA_LEAVES
}

/* A node of a tree that is walked: the key of its threshold, and a word with the slot of the key
   that it is compared with, times 8, in the low `slot_bits` + 3 bits, and above how far behind the
   node its left child stands. Keys are unsigned and in the order of the numbers they stand for. A
   leaf has its number for a threshold and the word 0, so that it is its own child: slot 0 holds the
   key 0, which is greater than none. */
struct manta_walk_node {
    uint32_t threshold;
    uint32_t word;
};

/* How far behind a node its child stands that a row goes to; the key of slot s is
   keys[s * width]. `width` and `slot_bits` are constants: with 16 keys a slot, an address takes one
   instruction to make, and a comparison with the addition of the step another two. */
static inline __attribute__((always_inline)) uint64_t manta_walk_step(
    const struct manta_walk_node *node, uint32_t word, const uint32_t *keys, const int width,
    const int slot_bits) {
    size_t slot = word & ((UINT32_C(8) << slot_bits) - 8);
    uint32_t key = keys[slot / 8 * (size_t)width];
    return (uint64_t)(word >> (slot_bits + 3)) + (node->threshold < key);
}

/* A step of 16 walks, which stand at `places`, with the keys at `keys` and further on by `next` for
   each; where `look` is set, `moving` is not 0 afterwards if any was at no leaf. */
#define MANTA_WALK16(nodes, places, keys, next, width, slot_bits, look, moving)                  \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i++) {                            \
        const struct manta_walk_node *node = (nodes) + (places)[i];                              \
        uint32_t word = node->word;                                                              \
        if (look) moving |= word;                                                                \
        (places)[i] += manta_walk_step(node, word, (keys) + (next) * i, width, slot_bits);       \
    }

/* `manta_walk_rows16` for one width of the words' fields. The places are more than there are
   registers, and cheaper to keep in the first cache than to wait for the loads of half as many.
   Whether any row still moves is asked at every fourth step only. */
static inline __attribute__((always_inline)) void manta_walk_rows16_of(
    const struct manta_walk_node *root, intptr_t depth, const uint32_t *keys, const int slot_bits,
    int32_t *leaves) {
    uint64_t at[16] = {0};
    uint32_t moving = 1;
    for (intptr_t done = 0; done < depth && moving; done += 4) {
        MANTA_WALK16(root, at, keys, 1, 16, slot_bits, 0, moving)
        MANTA_WALK16(root, at, keys, 1, 16, slot_bits, 0, moving)
        if (done + 2 >= depth) break;
        moving = 0;
        MANTA_WALK16(root, at, keys, 1, 16, slot_bits, 0, moving)
        MANTA_WALK16(root, at, keys, 1, 16, slot_bits, 1, moving)
    }
    for (int i = 0; i < 16; i++) leaves[i] = (int32_t)root[at[i]].threshold;
}

/* The leaves of 16 rows, which go from the root until all have arrived or made `depth` steps; slot
   s of row i is keys[16 * s + i]. `slot_bits` is 9 or 12. */
static inline __attribute__((always_inline)) void manta_walk_rows16(
    const void *root, intptr_t depth, const uint32_t *keys, intptr_t slot_bits, int32_t *leaves) {
    const struct manta_walk_node *node = (const struct manta_walk_node *)root;
    if (slot_bits == 9) manta_walk_rows16_of(node, depth, keys, 9, leaves);
    else manta_walk_rows16_of(node, depth, keys, 12, leaves);
}

/* `manta_walk_trees` for one width of the words' fields. */
static inline __attribute__((always_inline)) void manta_walk_trees_of(
    const struct manta_walk_node *all, const intptr_t *roots, intptr_t count, intptr_t depth,
    const uint32_t *keys, const int slot_bits, int32_t *leaves) {
    uint64_t at[64];
    for (intptr_t i = 0; i < count; i++) at[i] = (uint64_t)roots[i];
    uint32_t moving = 1;
    for (intptr_t done = 0; done < depth && moving; done += 2) {
        moving = 0;
        for (intptr_t first = 0; first < count; first += 16) {
            MANTA_WALK16(all, at + first, keys, 0, 1, slot_bits, 0, moving)
        }
        for (intptr_t first = 0; first < count; first += 16) {
            MANTA_WALK16(all, at + first, keys, 0, 1, slot_bits, 1, moving)
        }
    }
    for (intptr_t i = 0; i < count; i++) leaves[i] = (int32_t)all[at[i]].threshold;
}

/* The leaves of one row in `count` trees, a multiple of 16 and at most 64; its slot s is
   keys[s]. `slot_bits` is 9 or 12. */
static inline __attribute__((always_inline)) void manta_walk_trees(
    const void *nodes, const intptr_t *roots, intptr_t count, intptr_t depth,
    const uint32_t *keys, intptr_t slot_bits, int32_t *leaves) {
    const struct manta_walk_node *all = (const struct manta_walk_node *)nodes;
    if (slot_bits == 9) manta_walk_trees_of(all, roots, count, depth, keys, 9, leaves);
    else manta_walk_trees_of(all, roots, count, depth, keys, 12, leaves);
}

#undef MANTA_WALK16

#endif
