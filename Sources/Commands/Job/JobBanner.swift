import Cluster

/// The boxes `job submit` prints, line for line as people know them from `ray job submit`.
enum JobBanner {
    static func submitted(_ id: String, address: String, waits: Bool) -> String {
        let title = "Job '\(id)' submitted successfully"
        let tail =
            waits
            ? "\nTailing logs until the job exits (disable with --no-wait):\n" : ""
        return """
            Job submission server address: \(address)

            \(box(title))

            Next steps
              Query the logs of the job:
                job logs \(id)
              Query the status of the job:
                job status \(id)
              Request the job to be stopped:
                job stop \(id)
            \(tail)
            """
    }

    static func ended(_ job: JobDetails) -> String {
        let word = job.status.rawValue.lowercased()
        var text = box("Job '\(job.submissionID)' \(word)") + "\n"
        if job.status == .failed { text += "\nCause: \(TerminalText.plain.shown(job.message))\n" }
        return text
    }

    /// The job's own code when it is 1–125; 1 for any other failure; 0 when it succeeded or was
    /// stopped.
    static func exitCode(of job: JobDetails) -> Int32 {
        guard job.status == .failed else { return 0 }
        guard let code = job.driverExitCode, (1...125).contains(code) else { return 1 }
        return code
    }

    /// The rules are four columns longer than what stands between them.
    private static func box(_ title: String) -> String {
        let rule = String(repeating: "-", count: title.count + 4)
        return "\(rule)\n\(title)\n\(rule)"
    }
}
