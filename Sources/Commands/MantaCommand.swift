import ArgumentParser

/// The version this build says it is.
package let mantaVersion = "0.1.0"

struct MantaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manta",
        abstract:
            "Train tree ensembles on many workers, record them in MLflow, serve them at once.",
        version: mantaVersion,
        subcommands: [
            UpCommand.self, DownCommand.self, StatusCommand.self, TopCommand.self, EnvCommand.self,
            HeadCommand.self, WorkerCommand.self, GatewayCommand.self, ReplicaCommand.self,
            JobCommand.self,
            ServeCommand.self, TrainCommand.self, EvaluateCommand.self, ExplainCommand.self,
            InspectCommand.self,
            PredictCommand.self, VerifyCommand.self, BenchCommand.self, LoadTestCommand.self,
            MLflowCommand.self,
        ])
}

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Submit jobs and look after them.", version: mantaVersion,
        subcommands: [
            SubmitCommand.self, JobListCommand.self, JobStatusCommand.self, JobLogsCommand.self,
            JobWhyCommand.self, JobTasksCommand.self, JobStopCommand.self, JobRetryCommand.self,
            JobWaitCommand.self, JobResultCommand.self, JobSchedulesCommand.self,
        ])
}
