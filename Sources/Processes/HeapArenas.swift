internal import CLinuxProcess

/// How glibc hands out this process's memory.
package enum HeapArenas {
    /// Has all threads share `count` arenas from now on.
    ///
    /// By default each of up to eight threads a CPU gets one of its own, and each keeps the most it
    /// ever needed: a worker that runs job after job then grows for a quarter of an hour, to three
    /// times of what it uses. For processes with many threads that seldom allocate at once.
    package static func limit(to count: Int) { manta_limit_arenas(Int32(clamping: count)) }
}
