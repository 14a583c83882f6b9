/* The hot loops of boosting in C: the yardstick that script/bench kernels holds ours against. They
   do the same arithmetic on the same layout; see Sources/ForestKernels for what it means. */

#include <stdint.h>
#include <string.h>

static inline int64_t packed(uint64_t entry) {
    return (int64_t)(((uint64_t)((int64_t)(entry << 32) >> 16)) & ~0xFFFFFFFFull) +
           (int64_t)(entry & 0xFFFF);
}

/* A row's bins lie in one line of 32 bytes, asked for 16 rows in advance. */
void add_packed(const uint64_t *entries, intptr_t count, const uint8_t *tile, int64_t *cells) {
    for (intptr_t i = 0; i < count; i++) {
        if (i + 16 < count) __builtin_prefetch(tile + 32 * (entries[i + 16] >> 32));
        const uint8_t *row = tile + 32 * (entries[i] >> 32);
        int64_t value = packed(entries[i]);
#pragma clang loop unroll(full)
        for (int feature = 0; feature < 32; feature++) cells[256 * feature + row[feature]] += value;
    }
}

void add_wide(const uint64_t *entries, intptr_t count, const int32_t *gradients,
              const int32_t *hessians, const uint8_t *tile, int64_t *cells, intptr_t plane) {
    for (intptr_t i = 0; i < count; i++) {
        uint64_t number = entries[i] >> 32;
        const uint8_t *row = tile + 32 * number;
        for (int feature = 0; feature < 32; feature++) {
            int64_t *cell = cells + 256 * feature + row[feature];
            cell[0] += gradients[number];
            cell[plane] += hessians[number];
        }
    }
}

intptr_t divide(const uint64_t *entries, intptr_t count, const uint8_t *column,
                const uint8_t *goes_left, uint64_t *low, uint64_t *high) {
    intptr_t left_count = 0, right_count = 0;
    for (intptr_t i = 0; i < count; i++) {
        uint64_t entry = entries[i];
        intptr_t left = goes_left[column[entry >> 32]];
        low[left_count] = entry;
        high[right_count] = entry;
        left_count += left;
        right_count -= 1 - left;
    }
    return left_count;
}

/* e to the power x: the series of Sources/ForestKernels/Exponential.swift, term by term. */
static inline float exponential(float x) {
    x = x > 87.0f ? 87.0f : x;
    x = x < -87.0f ? -87.0f : x;
    float shifted = x * 0x1.715476p0f + 0x1.8p23f;
    float power = shifted - 0x1.8p23f;
    float rest = (x - power * 0x1.63p-1f) + power * 0x1.bd0106p-13f;
    float series = rest * 0x1.a01a02p-13f + 0x1.6c16c2p-10f;
    series = series * rest + 0x1.111112p-7f;
    series = series * rest + 0x1.555556p-5f;
    series = series * rest + 0x1.555556p-3f;
    series = series * rest + 0.5f;
    series = series * rest + 1.0f;
    series = series * rest + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, 4);
    bits = (bits + 127) << 23;
    float scale;
    memcpy(&scale, &bits, 4);
    return series * scale;
}

void logistic(const double *restrict scores, const float *restrict targets, intptr_t count,
              float *restrict gradients, float *restrict hessians) {
    for (intptr_t i = 0; i < count; i++) {
        float sign = targets[i] == 1 ? 1.0f : -1.0f;
        float odds = exponential(sign * (float)scores[i]);
        float wrong = 1 / (1 + odds);
        gradients[i] = -sign * wrong;
        hessians[i] = wrong * (odds * wrong);
    }
}

void quantise(const float *restrict values, intptr_t count, double scale,
              int32_t *restrict integers) {
    for (intptr_t i = 0; i < count; i++) {
        double shifted = values[i] * scale + 0x1.8p52;
        int64_t bits;
        memcpy(&bits, &shifted, 8);
        integers[i] = (int32_t)bits;
    }
}
