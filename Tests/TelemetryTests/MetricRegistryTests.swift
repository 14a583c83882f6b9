import Testing

@testable import Telemetry

@Suite struct MetricRegistryTests {
    @Test("A counter's exposition has HELP, TYPE and one line for each label set")
    func counterText() {
        let registry = MetricRegistry()
        let requests = registry.counter(
            "manta_requests_total", help: "Requests.\nBy \\route.", labels: ["route", "status"])
        requests.increment("/predict", "200")
        requests.increment("/predict", "200", by: 2)
        requests.increment("a\"b\\c\nd", "500")
        let text = registry.exposition()
        #expect(text.contains("# HELP manta_requests_total Requests.\\nBy \\\\route.\n"))
        #expect(text.contains("# TYPE manta_requests_total counter\n"))
        #expect(text.contains("manta_requests_total{route=\"/predict\",status=\"200\"} 3\n"))
        #expect(text.contains("{route=\"a\\\"b\\\\c\\nd\",status=\"500\"} 1\n"))
    }

    @Test("A histogram's buckets are cumulative and end with +Inf, the sum and the count")
    func histogramText() {
        let registry = MetricRegistry()
        let times = registry.histogram("manta_wait_seconds", help: "Waits.", buckets: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7] { times.record(value) }
        times.record(.nan)
        let text = registry.exposition()
        let expected = """
            # TYPE manta_wait_seconds histogram
            manta_wait_seconds_bucket{le="0.1"} 2
            manta_wait_seconds_bucket{le="1"} 3
            manta_wait_seconds_bucket{le="+Inf"} 4
            manta_wait_seconds_sum 7.65
            manta_wait_seconds_count 4

            """
        #expect(text.contains(expected))
    }

    @Test("Label sets beyond the bound share one series named other, and are counted")
    func overflow() {
        let registry = MetricRegistry()
        let loads = registry.counter("manta_loads_total", help: "Loads.", labels: ["model"])
        for number in 0..<1_000 { loads.increment("model-\(number)") }
        let lines = registry.exposition().split(separator: "\n").filter {
            $0.hasPrefix("manta_loads_total{")
        }
        #expect(lines.count == 201)
        #expect(loads.value("other") == 800)
        #expect(
            registry.exposition().contains(
                "manta_label_sets_dropped_total{family=\"manta_loads_total\"} 800\n"))
    }

    @Test("Registering a name twice gives the same instrument")
    func sharedInstrument() {
        let registry = MetricRegistry()
        registry.gauge("manta_depth", help: "Depth.").set(3)
        registry.gauge("manta_depth", help: "Depth.").add(1)
        #expect(registry.gauge("manta_depth", help: "Depth.").value() == 4)
        let headers = registry.exposition().split(separator: "\n").filter {
            $0 == "# TYPE manta_depth gauge"
        }
        #expect(headers.count == 1)
    }

    @Test("Many tasks counting at once lose nothing")
    func concurrentCounting() async {
        let registry = MetricRegistry()
        let hits = registry.counter("manta_hits_total", help: "Hits.", labels: ["who"])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<10_000 { hits.increment("all") } }
            }
        }
        #expect(hits.value("all") == 80_000)
    }

    @Test("The process family holds plausible numbers")
    func processFamily() throws {
        let registry = MetricRegistry()
        ProcessInstruments.register(in: registry, version: "9", role: "test")
        let text = registry.exposition()
        #expect(text.contains("manta_build_info{version=\"9\",role=\"test\"} 1\n"))
        for name in [
            "process_resident_memory_bytes", "process_virtual_memory_bytes", "process_open_fds",
            "process_max_fds", "process_start_time_seconds", "process_cpu_seconds_total",
        ] {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + " ") })
            let value = try #require(Double(line.split(separator: " ")[1]))
            #expect(value > 0, "\(name)")
        }
    }
}
