import Cluster
import Foundation
import Jobs
import Testing

@testable import Commands

/// The text people and their scripts know, to the letter.
@Suite struct JobBannerTests {
    private let id = "manta_dydCNSdphPGAJKRi"

    private func job(_ state: JobState) throws -> JobDetails {
        let id = try #require(JobID(rawValue: id))
        return JobDetails(
            JobRecord(
                spec: NewJob(id: id, entrypoint: .command("true")), state: state, submittedAt: 0))
    }

    @Test("What is printed after a submission")
    func submitted() {
        let head = """
            Job submission server address: http://localhost:8265

            -------------------------------------------------------
            Job 'manta_dydCNSdphPGAJKRi' submitted successfully
            -------------------------------------------------------

            Next steps
              Query the logs of the job:
                job logs manta_dydCNSdphPGAJKRi
              Query the status of the job:
                job status manta_dydCNSdphPGAJKRi
              Request the job to be stopped:
                job stop manta_dydCNSdphPGAJKRi

            """
        let tail = "\nTailing logs until the job exits (disable with --no-wait):\n"
        let address = "http://localhost:8265"
        #expect(JobBanner.submitted(id, address: address, waits: true) == head + tail)
        #expect(JobBanner.submitted(id, address: address, waits: false) == head)
    }

    @Test("What is printed at the end")
    func ended() throws {
        #expect(
            try JobBanner.ended(job(.succeeded(result: nil))) == """
                ------------------------------------------
                Job 'manta_dydCNSdphPGAJKRi' succeeded
                ------------------------------------------

                """)
        let failure = TaskFailure(kind: .crash, message: "exit code 3; its last lines:\na\nb")
        #expect(
            try JobBanner.ended(job(.failed(failure))) == """
                ---------------------------------------
                Job 'manta_dydCNSdphPGAJKRi' failed
                ---------------------------------------

                Cause: exit code 3; its last lines:
                a
                b

                """)
        #expect(try JobBanner.ended(job(.stopped(by: "x"))).contains("' stopped\n"))
    }

    @Test(
        "The exit code is the job's own when it is one",
        arguments: [
            (1, 1), (65, 65), (125, 125), (126, 1), (255, 1), (nil, 1), (0, 1), (-1, 1),
        ] as [(Int32?, Int32)])
    func exitCode(_ code: Int32?, _ expected: Int32) throws {
        let failed = try job(.failed(TaskFailure(kind: .crash, message: "", exitCode: code)))
        #expect(JobBanner.exitCode(of: failed) == expected)
    }

    @Test("Success and a stop are 0")
    func noFailure() throws {
        #expect(try JobBanner.exitCode(of: job(.succeeded(result: nil))) == 0)
        #expect(try JobBanner.exitCode(of: job(.stopped(by: "x"))) == 0)
    }
}

@Suite struct TextTableTests {
    @Test("Columns are as wide as their widest cell, the last one as it is")
    func widths() {
        let text = TextTable.render(
            ["ID", "STATE"], [["long-name", "up"], ["größe", "日本 down"]])
        #expect(text == "ID         STATE\nlong-name  up\ngröße      日本 down\n")
    }

    @Test("What a terminal would act on is not printed")
    func controls() {
        let text = TextTable.render(["A"], [["a\u{1B}[2J\nb\u{7}\u{9B}c"]])
        #expect(text == "A\na\u{FFFD}[2J\u{FFFD}b\u{FFFD}\u{FFFD}c\n")
    }

    @Test("Times are UTC, and absent ones a dash")
    func times() {
        #expect(TextTable.time(0) == "1970-01-01T00:00:00Z")
        #expect(TextTable.time(nil) == "-")
    }
}
