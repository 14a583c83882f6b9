import Foundation

/// What this process has used so far.
enum ProcessUsage {
    /// Processor time, user and system, of all threads.
    static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Bytes of memory that are in use.
    static var memory: Int { status("VmRSS") }

    /// Bytes of memory that the process has for itself, without the pages of files.
    static var ownMemory: Int { status("RssAnon") }

    /// The most bytes that were in use since the start or `forgetPeak`.
    static var peakMemory: Int { status("VmHWM") }

    /// Gives freed memory back to the system and lets `peakMemory` begin again from what is in
    /// use: what comes next is then seen in full, not hidden in what reading has left behind.
    static func forgetPeak() {
        returnFreedMemory()
        try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    }

    /// Gives back to the system what the allocator keeps for later.
    static func returnFreedMemory() {
        // glibc's malloc_trim, which Swift's module of it leaves out.
        if let trim = dlsym(nil, "malloc_trim") {
            _ = unsafeBitCast(trim, to: (@convention(c) (Int) -> Int32).self)(0)
        }
    }

    /// A field of Linux's /proc/self/status in bytes; 0 where there is none.
    private static func status(_ field: String) -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(field + ":") })
        else { return 0 }
        return (Int(line.filter(\.isNumber)) ?? 0) * 1024
    }
}
