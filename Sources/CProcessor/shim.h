#ifndef MANTA_CPROCESSOR_SHIM_H
#define MANTA_CPROCESSOR_SHIM_H

/* What this processor and its system can run: 0 what every one can, 1 AVX2 with FMA and BMI
   (x86-64-v3), 2 AVX-512 F, BW, CD, DQ and VL too (x86-64-v4). */
static inline int manta_processor_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
          __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")))
        return 0;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl")
               ? 2
               : 1;
#else
    return 0;
#endif
}

/* Tells the processor that a loop only waits. */
static inline void manta_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
