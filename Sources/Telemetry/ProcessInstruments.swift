import Glibc

/// The standard `process_*` family, read from /proc at each scrape.
package enum ProcessInstruments {
    /// Adds the process family and `manta_build_info{version,role}` to a registry.
    package static func register(in registry: MetricRegistry, version: String, role: String) {
        registry.observed(
            "manta_build_info", help: "The running build.", labels: ["version", "role"]
        ) { [([version, role], 1)] }
        let processClock = "process_cpu_seconds_total"
        registry.observed(
            processClock, help: "User and system CPU time spent in seconds.", kind: .counter
        ) { single(cpuSeconds()) }
        registry.observed(
            "process_resident_memory_bytes", help: "Resident memory size in bytes."
        ) { single(residentBytes()) }
        registry.observed(
            "process_virtual_memory_bytes", help: "Virtual memory size in bytes."
        ) { single(statm(field: 0)) }
        registry.observed("process_open_fds", help: "Open file descriptors.") {
            single(openDescriptors())
        }
        registry.observed("process_max_fds", help: "Most file descriptors allowed.") {
            single(descriptorLimit())
        }
        let started = Double(WallTime.now().microseconds) / 1e6
        registry.observed(
            "process_start_time_seconds", help: "Start time since the Unix epoch in seconds."
        ) { [([], started)] }
    }

    /// Bytes that the process has in memory now; nil where there is no /proc.
    package static func residentBytes() -> Double? { statm(field: 1) }

    private static func single(_ value: Double?) -> [(labels: [String], value: Double)] {
        value.map { [([], $0)] } ?? []
    }

    private static func cpuSeconds() -> Double? {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        return seconds + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    /// /proc/self/statm counts pages: total, resident, …
    private static func statm(field: Int) -> Double? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard field < fields.count, let pages = Double(fields[field]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func openDescriptors() -> Double? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return Double(count - 3)  // ".", ".." and the descriptor of the listing itself
    }

    private static func descriptorLimit() -> Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return nil
        }
        return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
    }
}
