import Foundation
import Jobs
import NIOCore
import Testing

@testable import Cluster

@Suite struct SubmissionTests {
    private let blobs = InMemoryBlobStore()

    private func job(_ body: String) async throws -> NewJob {
        try await Submission(ByteBuffer(string: body)).newJob(blobs: blobs)
    }

    private func refusal(_ body: String) async throws -> HeadFailure {
        let failure = await #expect(throws: HeadFailure.self, "\(body.prefix(200))") {
            try await job(body)
        }
        return try #require(failure)
    }

    @Test("A command with everything set arrives as it was said")
    func command() async throws {
        let digest = try await blobs.put(Array("zip".utf8))
        let job = try await job(
            """
            {"entrypoint": "python train.py", "submission_id": "job-b.1", "metadata": {"team": "x"},
             "runtime_env": {"working_dir": "blob://\(digest)", "env_vars": {"FOO": "b=ar"},
                             "excludes": ["a"], "config": {}},
             "entrypoint_num_cpus": 1.5, "entrypoint_num_gpus": 2, "entrypoint_memory": 1000000,
             "entrypoint_resources": {}, "priority": -3, "job_id": null}
            """)
        #expect(job.id.rawValue == "job-b.1")
        #expect(job.entrypoint == .command("python train.py"))
        #expect(job.workingDirectory == digest && job.environment == ["FOO": "b=ar"])
        #expect(job.metadata == ["team": "x"] && job.priority == -3)
        #expect(
            job.driverResources == Resources(milliCPUs: 1_500, memoryInBytes: 1_000_000, gpus: 2))
        #expect(job.driverLabels.isEmpty)
    }

    @Test("A working directory by URL is kept with its digest; nothing is fetched here")
    func workingDirectoryURL() async throws {
        let digest = String(repeating: "ab", count: 32)
        let text = "https://host.invalid/x.zip#sha256=\(digest)"
        let job = try await job(
            #"{"entrypoint": "x", "runtime_env": {"working_dir": "\#(text)"}}"#)
        #expect(job.workingDirectory == digest)
        #expect(job.workingDirectoryURL == "https://host.invalid/x.zip")
        let shown = JobDetails(JobRecord(spec: job, state: .active(.queued), submittedAt: 0))
        #expect(shown.runtimeEnvironment.workingDirectory == text)
        let failure = try await refusal(
            #"{"entrypoint": "x", "runtime_env": {"working_dir": "https://host.invalid/x.zip"}}"#)
        #expect(failure.status == 400 && failure.detail.contains("| sha256sum"))
    }

    @Test("A script runs where there is a toolchain")
    func script() async throws {
        let digest = try await blobs.put(Array("import Manta".utf8))
        let job = try await job(
            """
            {"entrypoint": "train.swift --width 75", "runtime_env": {}, "metadata": null,
             "manta_script": {"file_name": "train.swift", "digest": "\(digest)",
                              "arguments": ["--width", "75"]}}
            """)
        #expect(
            job.entrypoint
                == .script(fileName: "train.swift", digest: digest, arguments: ["--width", "75"]))
        #expect(job.driverLabels == ["toolchain"])
    }

    @Test("Where and when a job runs arrives as it was said")
    func placing() async throws {
        let job = try await job(
            """
            {"entrypoint": "x", "pool": "gpu-1", "after": ["a", "b.2"], "timeout_s": 90.5,
             "schedule_to_start_s": 0.25, "entrypoint_resources": {"licence": 1.5, "none": 0},
             "entrypoint_label_selector": {"zone": "eu-1"}}
            """)
        #expect(job.pool == "gpu-1" && job.after?.map(\.rawValue) == ["a", "b.2"])
        #expect(job.deadlines == Deadlines(scheduleToStart: 250, scheduleToClose: 90_500))
        #expect(job.driverResources.custom == ["licence": 1_500])
        #expect(job.driverLabels == ["zone=eu-1"])
        // What says nothing is the same job as what leaves it out.
        let plain = try await self.job(#"{"entrypoint": "x", "submission_id": "s"}"#)
        let same = try await self.job(
            """
            {"entrypoint": "x", "submission_id": "s", "pool": "default", "after": [],
             "entrypoint_resources": {}, "entrypoint_label_selector": {}}
            """)
        #expect(plain == same && plain.pool == nil && plain.deadlines == nil)
    }

    @Test("Ids that nobody chose are made, all different and valid")
    func ids() async throws {
        var seen: Set<String> = []
        for _ in 0..<100 {
            let id = try await job(#"{"entrypoint": "true"}"#).id.rawValue
            #expect(id.wholeMatch(of: /manta_[A-Za-z0-9]{16}/) != nil)
            #expect(!id.dropFirst(6).contains { "0OIl".contains($0) })
            seen.insert(id)
        }
        #expect(seen.count == 100)
    }

    @Test(
        "Each field's error names the field",
        arguments: [
            (#"{}"#, "'entrypoint' is missing"),
            (#"{"entrypoint": ""}"#, "entrypoint is empty"),
            (#"{"entrypoint": "a\u0000b"}"#, "entrypoint is empty"),
            (#"{"entrypoint": null}"#, "'entrypoint'"),
            (#"{"entrypoint": 7}"#, "'entrypoint' has the wrong type"),
            (#"{"entrypoint": "x", "submission_id": "../x"}"#, "submission_id must match"),
            (#"{"entrypoint": "x", "submission_id": ""}"#, "submission_id must match"),
            (#"{"entrypoint": "x", "entrypoint_num_cpus": -1}"#, "entrypoint_num_cpus"),
            (#"{"entrypoint": "x", "entrypoint_num_cpus": 1e300}"#, "entrypoint_num_cpus"),
            (#"{"entrypoint": "x", "entrypoint_num_gpus": 0.5}"#, "entrypoint_num_gpus"),
            (#"{"entrypoint": "x", "entrypoint_memory": -1}"#, "entrypoint_memory"),
            (#"{"entrypoint": "x", "entrypoint_memory": 1.5}"#, "entrypoint_memory"),
            (#"{"entrypoint": "x", "entrypoint_memory": 1e40}"#, "entrypoint_memory"),
            (#"{"entrypoint": "x", "pool": "a b"}"#, "pool must match"),
            (#"{"entrypoint": "x", "after": ["../x"]}"#, "after names '../x'"),
            (#"{"entrypoint": "x", "after": "x"}"#, "'after' has the wrong type"),
            (#"{"entrypoint": "x", "timeout_s": 0}"#, "timeout_s must be in"),
            (#"{"entrypoint": "x", "timeout_s": 1e300}"#, "timeout_s must be in"),
            (#"{"entrypoint": "x", "timeout_s": "10m"}"#, "'timeout_s' has the wrong type"),
            (#"{"entrypoint": "x", "schedule_to_start_s": -1}"#, "schedule_to_start_s must be"),
            (
                #"{"entrypoint": "x", "entrypoint_resources": {"CPU": 1}}"#,
                "entrypoint_resources.CPU is entrypoint_num_cpus"
            ),
            (#"{"entrypoint": "x", "entrypoint_resources": {"a": -1}}"#, "resources.a must"),
            (#"{"entrypoint": "x", "entrypoint_resources": {"": 1}}"#, "resources. must"),
            (
                #"{"entrypoint": "x", "entrypoint_label_selector": {"a": "!b"}}"#,
                "entrypoint_label_selector.a must name one value"
            ),
            (#"{"entrypoint": "x", "priority": "high"}"#, "'priority' has the wrong type"),
            (#"{"entrypoint": "x", "metadata": {"a": 1}}"#, "'metadata.a' has the wrong type"),
            (#"{"entrypoint": "x", "metadata": []}"#, "'metadata' has the wrong type"),
            (#"{"entrypoint": "x", "runtime_env": "."}"#, "'runtime_env' has the wrong type"),
            (#"{"entrypoint": "x", "runtime_env": {"env_vars": {"A=B": "c"}}}"#, "env_vars.A=B"),
            (#"{"entrypoint": "x", "runtime_env": {"env_vars": {"": "c"}}}"#, "env_vars."),
            (#"{"entrypoint": "x", "runtime_env": {"env_vars": {"A": "\u0000"}}}"#, "env_vars.A"),
            (#"{"entrypoint": "x", "runtime_env": {"env_vars": {"A": 1}}}"#, "env_vars.A"),
            (#"{"entrypoint": "x", "runtime_env": {"working_dir": "s3://a/b"}}"#, "working_dir"),
            (#"{"entrypoint": "x", "runtime_env": {"working_dir": "blob://../x"}}"#, "working_dir"),
            (#"{"entrypoint": "x", "runtime_env": {"pip": ["torch"]}}"#, "'runtime_env.pip'"),
            (#"{"entrypoint": "x", "entrypont_num_cpus": 1}"#, "'entrypont_num_cpus'"),
            (#"{"entrypoint": "x", "manta_script": {}}"#, "'manta_script.file_name' is missing"),
            (#"{"entrypoint": "x", "manta_script": {"name": "a"}}"#, "'manta_script.name'"),
        ])
    func fields(_ body: String, _ words: String) async throws {
        let failure = try await refusal(body)
        #expect(failure.status == 400)
        #expect(failure.detail.contains(words), "\(failure.detail)")
    }

    @Test(
        "What is no JSON object is refused", arguments: ["", "[]", "null", "{", "\"x\"", "\u{1}"])
    func noObject(_ body: String) async throws {
        #expect(try await refusal(body).code == "invalid_body")
    }

    @Test(
        "A script's name is a plain file name",
        arguments: [
            "../a.swift", "a/b.swift", "a.py", ".swift/", "-o.swift", "a b.swift", "ä.swift",
        ])
    func scriptNames(_ name: String) async throws {
        let digest = try await blobs.put([1])
        let failure = try await refusal(
            """
            {"entrypoint": "x", "manta_script":
                {"file_name": "\(name)", "digest": "\(digest)", "arguments": []}}
            """)
        #expect(failure.detail.contains("manta_script.file_name"))
    }

    @Test("A blob that was not uploaded is missing; what is no digest is said so")
    func blobs() async throws {
        let absent = String(repeating: "a", count: 64)
        await #expect(throws: BlobStoreError.missing(absent)) {
            try await job(
                """
                {"entrypoint": "x", "runtime_env": {"working_dir": "blob://\(absent)"}}
                """)
        }
        for digest in [absent.uppercased(), "abc", "", String(repeating: "０", count: 22)] {
            let failure = try await refusal(
                """
                {"entrypoint": "x", "manta_script":
                    {"file_name": "a.swift", "digest": "\(digest)", "arguments": []}}
                """)
            #expect(failure.detail.contains("manta_script.digest must name 64"))
        }
    }

    @Test("Long texts are refused")
    func bounds() async throws {
        let long = String(repeating: "x", count: (64 << 10) + 1)
        #expect(try await refusal(#"{"entrypoint": "\#(long)"}"#).detail.contains("entrypoint"))
        let many = (0...256).map { #""V\#($0)": """# }.joined(separator: ",")
        #expect(
            try await refusal(#"{"entrypoint": "x", "runtime_env": {"env_vars": {\#(many)}}}"#)
                .detail.contains("more than 256"))
    }
}
