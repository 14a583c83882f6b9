import Jobs
import Testing

@testable import Cluster

@Suite struct JobTokenTests {
    @Test(
        "A token says which job it was made for", arguments: ["a", "job.with.dots", "x.", "A-_.9"])
    func roundTrip(_ text: String) throws {
        let id = try JobID(text)
        let token = JobToken.make(for: id, secret: "s3cret")
        #expect(JobToken.job(of: token, secret: "s3cret") == id)
        #expect(!token.contains("s3cret"))
    }

    @Test("A token made with another secret is worth nothing")
    func otherSecret() throws {
        let token = JobToken.make(for: try JobID("job"), secret: "one")
        #expect(JobToken.job(of: token, secret: "two") == nil)
        #expect(JobToken.job(of: token, secret: "") == nil)
    }

    @Test("A token cannot be bent to another job, and what is no token is none")
    func forged() throws {
        let token = JobToken.make(for: try JobID("a.b"), secret: "s")
        let signature = try #require(token.split(separator: ".").last)
        for text in [
            "job.a.\(signature)", "job.a.b.c.\(signature)", "job.a.b.\(signature)0",
            "job.a.b.\(signature.dropLast())", "job.a.b.\(signature.uppercased())",
            "job..\(signature)",
            "job.\(signature)", "job.", "job", "", "a.b.\(signature)", ".", "..", "job..",
            "JOB.a.b.\(signature)", String(repeating: ".", count: 1_000),
        ] {
            #expect(JobToken.job(of: text, secret: "s") == nil, "\(text)")
        }
    }

    @Test("Comparing looks at everything")
    func equality() {
        #expect(JobToken.isEqual("same", "same"))
        #expect(!JobToken.isEqual("same", "samf"))
        #expect(!JobToken.isEqual("same", "sam"))
        #expect(!JobToken.isEqual("", "x"))
    }
}
