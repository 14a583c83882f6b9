import Foundation
import Processes
import TestSupport
import Testing

/// Cases 20 and 36 of docs/RELIABILITY.md: a disk fills, clocks jump.
@Suite(.serialized) struct MachineFaultTests {
    /// The worker's cache is a disk of 8 MiB of its own, in a mount namespace that needs no rights.
    @Test("A full disk fails the job with path and bytes, leaves no half file, and heals by itself")
    func fullDisk() async throws {
        let cluster = try await TestCluster.start(workers: 0)
        try cluster.startWorker(
            1,
            wrapper: [
                "unshare", "--map-root-user", "--mount", "sh", "-c",
                "mount -t tmpfs -o size=8m none \"$XDG_CACHE_HOME\" && exec \"$@\"", "worker",
            ])
        try await cluster.waitForWorkers(1)
        let disk = "/proc/\(try cluster.pid(of: "worker-1"))/root\(cluster.folder)/cache"
        let ballast = disk + "/ballast"
        let files = FileManager.default
        #expect(files.createFile(atPath: ballast, contents: Data(count: 7 << 20)))
        // A working directory of 3 MiB, which has to come through the cache.
        let folder = cluster.folder + "/work/large"
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        #expect(files.createFile(atPath: folder + "/data", contents: Data(count: 3 << 20)))
        func submit(_ id: String) async throws -> TestCluster.Output {
            try await cluster.manta([
                "job", "submit", "--submission-id", id, "--working-dir", folder, "--",
                "wc -c < data",
            ])
        }
        try await Measured.time(20, "the job fails with its cause") {
            let failed = try await submit("full")
            #expect(failed.exit == .code(1), "\(failed.err)")
        }
        let message = try await cluster.job("full").message
        #expect(message.contains("No space left on device"), "\(message)")
        #expect(message.contains("/cache/manta/worker-1/blobs/"), "\(message)")
        #expect(message.contains(/write \d+ bytes/), "\(message)")
        let left = try files.contentsOfDirectory(atPath: disk + "/manta/worker-1/blobs")
        #expect(left.isEmpty, "\(left)")
        try files.removeItem(atPath: ballast)
        let healed = try await submit("healed")
        #expect(healed.exit == .code(0), "\(healed.err)")
        #expect(healed.outLines.contains("\(3 << 20)"))
        await cluster.stop()
    }

    @Test("Clocks that jump an hour ahead and back cost no lease and no attempt")
    func clocks() async throws {
        let clock = try await ShiftedClock.make()
        let redis = try await RedisServer.start(variables: clock.variables)
        let cluster = try await TestCluster.start(
            workers: 2, redis: redis, variables: clock.variables)
        try await cluster.submitPython("clock", "map", "gate", "2")
        try await cluster.waitForArrivals(2, of: "clock")
        for hours in [1, -1, 0] {
            try clock.shift(to: hours * 3_600)
            let now = try await redisTime(cluster)
            #expect(abs(now - Date().timeIntervalSince1970 - Double(hours) * 3_600) < 60)
            // Longer than a lease, so that each jump is followed by heartbeats of its own.
            try await Task.sleep(for: .seconds(5))
            #expect(try await cluster.arrivals(of: "clock").count == 2)
        }
        try cluster.openGate(of: "clock")
        try await Measured.time(36, "after three jumps the job ends") {
            let job = try await cluster.end(of: "clock")
            #expect(job.status == "SUCCEEDED", "\(job.message)")
            #expect(job.manta.tasksRetried == 0 && job.manta.driverAttempts == 1)
        }
        for worker in ["worker-1", "worker-2"] {
            #expect(!cluster.log(of: worker).contains("lost lease"))
        }
        try await Measured.time(36, "and the next one runs") {
            let next = try await cluster.manta(["job", "submit", "--", "true"])
            #expect(next.exit == .code(0), "\(next.err)")
        }
        await cluster.stop()
        clock.remove()
    }

    /// What Redis takes for the time, in seconds since 1970.
    private func redisTime(_ cluster: TestCluster) async throws -> Double {
        let output = try await CommandRun.run(
            "redis-cli", ["-p", String(cluster.redis.port), "TIME"],
            environment: ProcessInfo.processInfo.environment, in: cluster.folder)
        return try #require(output.outLines.first.flatMap(Double.init))
    }
}

/// Another time of day for the processes that carry its variables, changed while they run.
///
/// A library between them and the C library adds a number of seconds, read from a shared file, to
/// the time of day. Monotonic clocks are left alone, as by a real jump.
private struct ShiftedClock {
    private let folder: String

    var variables: [String: String] {
        ["LD_PRELOAD": folder + "/clock.so", "MANTA_TEST_CLOCK": folder + "/shift"]
    }

    static func make() async throws -> ShiftedClock {
        let clock = ShiftedClock(
            folder: "/tmp/manta-clock-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(
            atPath: clock.folder, withIntermediateDirectories: true)
        try clock.shift(to: 0)
        try source.write(toFile: clock.folder + "/clock.c", atomically: true, encoding: .utf8)
        let compiled = try await CommandRun.run(
            "cc", ["-shared", "-fPIC", "-O1", "-o", "clock.so", "clock.c"],
            environment: ProcessInfo.processInfo.environment, in: clock.folder)
        guard compiled.exit.isSuccess else {
            throw TestCluster.Failure(description: "no clock: \(compiled.err)")
        }
        return clock
    }

    /// - Parameter seconds: ahead of the machine's clock.
    func shift(to seconds: Int) throws {
        let bytes = withUnsafeBytes(of: Int64(seconds)) { Data($0) }
        let path = folder + "/shift"
        guard let file = FileHandle(forUpdatingAtPath: path) else {
            try bytes.write(to: URL(fileURLWithPath: path))
            return
        }
        // In place: it is mapped where it stands.
        try file.write(contentsOf: bytes)
        try file.close()
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static volatile const long *shift;

        __attribute__((constructor)) static void begin(void) {
            const char *path = getenv("MANTA_TEST_CLOCK");
            int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            if (file < 0) return;
            void *place = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
            close(file);
            if (place != MAP_FAILED) shift = place;
        }

        int clock_gettime(clockid_t id, struct timespec *time) {
            long status = syscall(SYS_clock_gettime, id, time);
            if (status == 0 && shift && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
                time->tv_sec += *shift;
            return (int)status;
        }

        int gettimeofday(struct timeval *restrict time, void *restrict zone) {
            struct timespec now;
            (void)zone;
            if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
            time->tv_sec = now.tv_sec;
            time->tv_usec = now.tv_nsec / 1000;
            return 0;
        }

        time_t time(time_t *place) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (place) *place = now.tv_sec;
            return now.tv_sec;
        }
        """
}
